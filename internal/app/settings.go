package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/kind"
	"honeyguide/internal/notice"
)

// Settings is the decoded configuration: one field per section. The instances
// of the sensors section are kept apart, because each has its own kind.
type Settings struct {
	Node      Node
	Deception Deception
	API       API
	Store     Store
	Audit     Audit
	Privacy   Privacy
	Backup    Backup
	Files     []string // configuration files that were read
	Detect    Detect
	Respond   Respond
	Notify    notice.Config
	Telemetry Telemetry
	Sensors   []config.Instance
	Detectors []config.Instance
	Enrich    []config.Instance
	Sources   []config.Instance
	Actions   []config.Instance
	Fetch     Fetch
	LAPI      LAPI
	Auth      Auth
	Secrets   Secrets
	Shown     []config.Value // every key, for those who may see how this node is set up
}

// Node says who and where this process is.
type Node struct {
	Name string `yaml:"name" doc:"name of this node in events and reports; empty = the host's name"`
	Data string `yaml:"data" doc:"folder of all state; empty = ./data, or /var/lib/honeyguide as a service"`
	Mode string `yaml:"mode" doc:"production or development; development logs for people"`
	// Memory is an aim: buffers and caches are sized by it.
	Memory int64 `yaml:"memory_mib" doc:"memory the core plans with in MiB, decoys not included; 0 = six tenths of the control group's limit or an eighth of the machine"`
}

// Deception says what the decoys pretend to be.
type Deception struct {
	Persona  string `yaml:"persona" doc:"the pretended machine"`
	Image    string `yaml:"image" doc:"file of honeyguide image build to base the pretended machine's files on; empty = the shipped one"`
	Insecure bool   `yaml:"insecure" doc:"run sensors without their sandbox; for development only"`
	// Namespaces are a layer of the cage, never its promise.
	Namespaces  string `yaml:"namespaces" doc:"auto = where the host allows them, off = never"`
	MaxSessions int    `yaml:"max_sessions" doc:"open connections over all sensors; more are refused"`
	PerSource   int    `yaml:"per_source" doc:"open connections of one source address"`
	Memory      int64  `yaml:"memory_mib" doc:"memory all sessions and the files attackers change may take together in MiB; beyond it the decoys say that there is none left"`
	Recordings  int64  `yaml:"recordings_mib" doc:"disk given to session recordings in MiB; the oldest go first"`
	Worlds      int64  `yaml:"worlds_mib" doc:"disk given to what attackers leave behind in the decoys in MiB; who was not seen longest goes first"`
	WorldsDays  int    `yaml:"worlds_days" doc:"days an attacker who comes back finds what they left"`
	Samples     int64  `yaml:"samples_mib" doc:"disk given to the content attackers bring in MiB; beyond it only size and hash are kept"`
}

// API configures the operator's door.
type API struct {
	Listen   string   `yaml:"listen" doc:"address of the HTTPS API"`
	URL      string   `yaml:"url" doc:"address people reach it at, https://soc.example, for links in messages and tickets; empty = no links"`
	TLS      TLS      `yaml:"tls"`
	Redirect string   `yaml:"redirect" doc:"address of a plain HTTP door that sends browsers to HTTPS, for example 0.0.0.0:80; empty = none"`
	Proxies  []string `yaml:"proxies" doc:"addresses and prefixes of reverse proxies whose word about the client is believed"`
	// One header only: see api.Proxies.
	ProxyHeader string   `yaml:"proxy_header" doc:"the header they write: X-Forwarded-For or Forwarded; the other one is ignored"`
	Hosts       []string `yaml:"hosts" doc:"names the API and the console are served under, beside addresses; empty = this machine's on loopback, any elsewhere"`
	Allow       []string `yaml:"allow" doc:"addresses and prefixes that may reach the API and the console; empty = all. The local socket is never shut"`
	Limits      Limits   `yaml:"limits"`

	AdminKey honeyguide.Secret `yaml:"admin_key" doc:"bootstrap admin key, at least 32 characters; empty = one is made and shown once"`
}

// Store configures the event log and its retention.
type Store struct {
	Linger        time.Duration `yaml:"linger" doc:"how long an append may wait for company before it is written"`
	RetentionDays int           `yaml:"retention_days" doc:"days any personal data is kept unless the privacy room says otherwise"`
	// ClockUntil confirms a clock by hand.
	ClockUntil string `yaml:"clock_until" doc:"date up to which retention believes a clock that leapt ahead by more than a month, such as 2027-03-31; nothing is deleted until then"`
	// Reserve is freed when the disk is full.
	Reserve int64 `yaml:"reserve_mib" doc:"disk kept aside in MiB for the moment it is full, so that what is half done can be finished and what people order be written down; 0 = a sixteenth of the disk, 64 at most"`
}

// Detect configures detection and correlation.
type Detect struct {
	Threshold honeyguide.Severity `yaml:"threshold" doc:"minimum severity of an alert that opens an incident"`
	Allowlist []string            `yaml:"allowlist" doc:"addresses and prefixes of your own scanners; their alerts score lower"`
	Rules     string              `yaml:"rules" doc:"folder of your own Sigma rules, read anew when a file changes; empty = rules in the data folder"`
	Shipped   bool                `yaml:"shipped_rules" doc:"use the Sigma rules the product ships, too"`
	// Placeholders is checked when it is read.
	Placeholders string `yaml:"placeholders" doc:"YAML file of the values Sigma rules name as %name%; empty = none"`
}

// Respond configures what playbooks may do.
type Respond struct {
	Mode honeyguide.Mode `yaml:"mode" doc:"dry_run = playbooks only say what they would do; apply = they do it. A playbook that names a mode of its own keeps it"`
	// Fresh keeps old logs that are read in from causing blocks today.
	Fresh              time.Duration `yaml:"fresh" doc:"incidents whose newest event is older than this are only planned for"`
	Playbooks          string        `yaml:"playbooks" doc:"folder of your own playbooks, read again when a file changes; one with the id of a built-in one stands in its place; empty = the built-in ones only"`
	Allowlist          []string      `yaml:"allowlist" doc:"addresses and prefixes no action may touch; beats every ban, beside this host, its gateway and its resolvers"`
	BlockPrivate       bool          `yaml:"block_private" doc:"allow plans against private address ranges"`
	NeverBlockLoopback bool          `yaml:"never_block_loopback" doc:"refuse plans against loopback; switch off for a rehearsal on one machine"`
	Firewall           string        `yaml:"firewall" doc:"auto = command nftables where this process may (root or CAP_NET_ADMIN), on = refuse to start where it may not, off = block nothing"`
	SLA                SLA           `yaml:"sla"`
	Scripts            string        `yaml:"scripts" doc:"folder of the scripts that script actions may run; empty = none may"`
}

// Telemetry configures what Honeyguide says about itself.
type Telemetry struct {
	Level  string `yaml:"level" doc:"debug, info, warn or error"`
	Format string `yaml:"format" doc:"json, text, or auto = text on a terminal"`
}

// Listen is the common part of every sensor instance.
type Listen struct {
	Listen    string `yaml:"listen" doc:"address and port"`
	Published int    `yaml:"published" doc:"port outsiders reach it on when a firewall redirects; 0 = the service's standard port when it listens on the product's own default, else the one it listens on"`
}

// defaults are the settings of no file at all: safe, and worth looking at.
func defaults() Settings {
	return Settings{
		Node:      Node{Data: defaultData(), Mode: "production"},
		Deception: Deception{Persona: "debian-12", Namespaces: "auto", MaxSessions: 10000, PerSource: 256, Memory: 256, Recordings: 2048, Worlds: 512, WorldsDays: 30, Samples: 2048},
		API:       API{Listen: "127.0.0.1:8443", TLS: TLS{Client: "optional"}, ProxyHeader: api.HeaderForwardedFor, Limits: defaultLimits()},
		Store:     Store{Linger: 20 * time.Millisecond, RetentionDays: 90},
		Audit:     defaultAudit(),
		Backup:    defaultBackup(),
		Detect:    Detect{Threshold: honeyguide.SeverityMedium, Shipped: true},
		Fetch:     Fetch{Ports: []int{80, 443, 8080}},
		Respond: Respond{
			NeverBlockLoopback: true, Mode: honeyguide.ModeDryRun, Fresh: time.Hour, Firewall: "auto", SLA: defaultSLA(),
		},
		Notify:    notice.Defaults(),
		Auth:      defaultAuth(),
		Secrets:   Secrets{Encryption: true},
		Telemetry: Telemetry{Level: "info", Format: "auto"},
	}
}

// defaultData follows systemd's StateDirectory (/var/lib/honeyguide) when there
// is one.
func defaultData() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	return "./data"
}

// preset are the decoys of a fresh installation, on ports anyone may open.
func preset() map[string]config.Preset {
	return map[string]config.Preset{
		"ssh":    {Kind: "ssh", Common: Listen{Listen: "127.0.0.1:2222"}},
		"telnet": {Kind: "telnet", Common: Listen{Listen: "127.0.0.1:2323"}},
		"http":   {Kind: "http", Common: Listen{Listen: "127.0.0.1:8080"}},
	}
}

// Schema describes the configuration tree: sections, kinds and aliases.
func Schema() config.Schema {
	d := defaults()
	sensors := map[string]any{}
	for _, k := range builtin.Sensors() {
		sensors[k.Name] = k.Defaults
	}
	return config.Schema{
		Sections: []config.Section{
			{Key: "node", Summary: "who and where this process is", Defaults: d.Node},
			{Key: "sensors", Summary: "the decoy services, by name", Instances: &config.Instances{Common: Listen{}, Kinds: sensors, Preset: preset()}},
			{Key: "sources", Summary: "what records of other products are read from, by name", Instances: sourceInstances()},
			{Key: "deception", Summary: "what the decoys pretend to be", Defaults: d.Deception},
			{Key: "api", Summary: "the operator's door", Defaults: d.API},
			{Key: "auth", Summary: "who may log in, and how", Defaults: d.Auth},
			{Key: "secrets", Summary: "the master key of what is sealed", Defaults: d.Secrets},
			{Key: "lapi", Summary: "the door for CrowdSec bouncers", Defaults: d.LAPI},
			{Key: "store", Summary: "the event log", Defaults: d.Store},
			{Key: "audit", Summary: "the log of what people and playbooks did", Defaults: d.Audit},
			{Key: "backup", Summary: "copies of the data folder", Defaults: d.Backup},
			{Key: "privacy", Summary: "how long personal data is kept", Defaults: d.Privacy},
			{Key: "detect", Summary: "detection and correlation", Defaults: d.Detect},
			detectorSection(),
			enrichSection(),
			{Key: "fetch", Summary: "what the process that reaches out may reach", Defaults: d.Fetch},
			{Key: "respond", Summary: "what playbooks may do", Defaults: d.Respond},
			{Key: "actions", Summary: "what playbooks do it with, by name", Instances: actionInstances()},
			{Key: "notify", Summary: "when and where people are told: channels, chains, quiet hours, digests", Defaults: d.Notify},
			{Key: "telemetry", Summary: "what Honeyguide says about itself", Defaults: d.Telemetry},
		},
		Aliases: aliases(),
	}
}

// aliases are the variables users bring from the products Honeyguide joins.
func aliases() []config.Alias {
	debug := func(v string) string {
		if strings.EqualFold(v, "true") || v == "1" {
			return "debug"
		}
		return ""
	}
	lower := func(v string) string { return strings.ToLower(v) }
	return []config.Alias{
		{Env: "SOC_API_KEY", Key: "api.admin_key"},
		{Env: "SOC_LOG_LEVEL", Key: "telemetry.level", Map: lower},
		{Env: "LOG_LEVEL", Key: "telemetry.level", Map: lower},
		{Env: "ENABLE_DEBUG", Key: "telemetry.level", Map: debug},
		{Env: "HONEYPOT_MODE", Key: "node.mode", Map: lower},
		{Env: "THREAT_THRESHOLD", Key: "detect.threshold", Map: lower},
		{Env: "DATA_RETENTION_DAYS", Key: "store.retention_days"},
		{Env: "SOC_DB_PASSWORD", Unused: "the embedded store has no password"},
		{Env: "SOC_ENCRYPTION_KEY", Key: "secrets.master_key"},
		{Env: "ENABLE_ENCRYPTION", Key: "secrets.encryption", Map: lower},
		{Env: "OPENAI_API_KEY", Unused: "no part of it asks a language model yet"},
		{Env: "ANTHROPIC_API_KEY", Unused: "no part of it asks a language model yet"},
	}
}

// Decode turns a tree into settings. It reports every fault it finds at once.
func Decode(t *config.Tree) (Settings, error) {
	s := defaults()
	errs := []error{t.Check()}
	for key, into := range map[string]any{
		"node": &s.Node, "deception": &s.Deception, "api": &s.API, "store": &s.Store, "audit": &s.Audit, "privacy": &s.Privacy, "backup": &s.Backup,
		"detect": &s.Detect, "respond": &s.Respond, "fetch": &s.Fetch, "lapi": &s.LAPI, "notify": &s.Notify, "auth": &s.Auth, "secrets": &s.Secrets, "telemetry": &s.Telemetry,
	} {
		errs = append(errs, t.Decode(key, into))
	}
	instances, err := t.Instances("sensors")
	errs = append(errs, err)
	for _, in := range instances {
		k, err := builtin.Sensors().Lookup(in.Kind)
		if err == nil {
			err = k.Check(kind.Decode(in.Decode))
		}
		if err == nil && in.Enabled && in.Common.(*Listen).Listen == "" {
			err = invalid("sensors.%s.listen: missing; say where it listens, for example 127.0.0.1:9000", in.Name)
		}
		if p := in.Common.(*Listen).Published; err == nil && (p < 0 || p > 65535) {
			err = invalid("sensors.%s.published: %d; want a port from 1 to 65535, or 0", in.Name, p)
		}
		errs = append(errs, err)
	}
	s.Sensors = instances
	s.Detectors, err = decodeDetectors(t)
	errs = append(errs, err)
	s.Enrich, err = decodeEnrich(t)
	errs = append(errs, err)
	s.Sources, err = sourceSettings(t, instances)
	errs = append(errs, err)
	s.Actions, err = actionSettings(t)
	errs = append(errs, err)
	errs = append(errs, s.validate())
	s.Shown, s.Files = t.Values(), t.Files
	errs = append(errs, notTyped(s.Shown))
	return s, errors.Join(errs...)
}

// typed are the keys that open everything there is, with the other ways to give
// them. On a command line every user of the machine would read them (ps).
var typed = map[string]string{
	"secrets.master_key": "set SOC_ENCRYPTION_KEY_FILE or secrets.key_file to the name of a file, or use the systemd credential " + credentialName,
	"backup.passphrase":  "set HONEYGUIDE_BACKUP_PASSPHRASE_FILE to the name of a file, or encrypt to backup.recipient",
}

// notTyped refuses them.
func notTyped(shown []config.Value) error {
	for _, v := range shown {
		if other, ok := typed[v.Path]; ok && v.Set && v.Origin == "--set" {
			return invalid("%s: is not taken from --set, where every user of this machine can read it: %s. If it was in use, replace it", v.Path, other)
		}
	}
	return nil
}

// validate checks what types cannot say.
func (s *Settings) validate() error {
	if s.Node.Name == "" {
		s.Node.Name, _ = os.Hostname()
	}
	var err error
	if s.Node.Data, err = filepath.Abs(s.Node.Data); err != nil {
		return invalid("node.data: %v", err)
	}
	if s.Detect.Rules == "" {
		s.Detect.Rules = filepath.Join(s.Node.Data, "rules")
	}
	switch key := s.API.AdminKey.Reveal(); {
	case key != "" && len(key) < 32:
		return invalid("api.admin_key: %d characters; want at least 32 (openssl rand -hex 32)", len(key))
	case s.API.URL != "" && !validURL(s.API.URL):
		return invalid("api.url: %.80q; want https://HOST or https://HOST:PORT without a path", s.API.URL)
	case s.Node.Mode != "production" && s.Node.Mode != "development":
		return invalid("node.mode: %q; want production or development", s.Node.Mode)
	case s.Node.Memory != 0 && (s.Node.Memory < leastMemory>>20 || s.Node.Memory > 1<<20):
		return invalid("node.memory_mib: %d; want %d to 1048576, or 0", s.Node.Memory, leastMemory>>20)
	case s.Deception.Namespaces != "auto" && s.Deception.Namespaces != "off":
		return invalid("deception.namespaces: %q; want auto or off", s.Deception.Namespaces)
	case s.Respond.Firewall != "auto" && s.Respond.Firewall != "on" && s.Respond.Firewall != "off":
		return invalid("respond.firewall: %q; want auto, on or off", s.Respond.Firewall)
	case s.Store.RetentionDays < 1:
		return invalid("store.retention_days: %d; want 1 or more", s.Store.RetentionDays)
	case s.Store.Linger < 0 || s.Store.Linger > time.Second:
		return invalid("store.linger: %v; want 0 to 1s", s.Store.Linger)
	case s.Store.ClockUntil != "" && s.Store.clockUntil().IsZero():
		return invalid("store.clock_until: %.40q; want a date such as 2027-03-31", s.Store.ClockUntil)
	case s.Store.Reserve < 0 || s.Store.Reserve > 1<<20:
		return invalid("store.reserve_mib: %d; want 0 to 1048576", s.Store.Reserve)
	case s.Deception.MaxSessions < 1 || s.Deception.PerSource < 1:
		return invalid("deception.max_sessions, deception.per_source: want 1 or more")
	case s.Deception.Memory < 32 || s.Deception.Memory > 1<<20:
		return invalid("deception.memory_mib: %d; want 32 to 1048576", s.Deception.Memory)
	case s.Respond.Mode != honeyguide.ModeDryRun && s.Respond.Mode != honeyguide.ModeApply:
		return invalid("respond.mode: %q; want dry_run or apply", s.Respond.Mode)
	case s.Respond.Fresh < time.Minute:
		return invalid("respond.fresh: %v; want 1m or more", s.Respond.Fresh)
	case s.Deception.Worlds < 1 || s.Deception.WorldsDays < 1:
		return invalid("deception.worlds_mib, deception.worlds_days: want 1 or more")
	}
	if err := s.Notify.Validate(); err != nil {
		return err
	}
	_, err = s.Fetch.setup()
	return errors.Join(err, s.LAPI.validate(), s.API.check(), s.Auth.check(), s.Audit.validate(), s.Privacy.validate(), s.Backup.validate(), s.Respond.SLA.check())
}

// validURL reports whether links may begin with text.
func validURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == ""
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
