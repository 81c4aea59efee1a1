package api

import (
	"context"
	"runtime"
	"strings"
	"time"

	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/config"
	"honeyguide/internal/state"
	"honeyguide/internal/triage"
)

// A Setup is how this node is set up, as its wiring knows it.
type Setup struct {
	Values        []config.Value // every key; secrets are masked
	RetentionDays int
	Sizes         []DataSize
	Actions       []Integration // what playbooks may do, and where it leads
	TLS           TLSFacts
	Witnesses     []string // of the audit log
}

// DataSize is the disk one class of data takes.
type DataSize struct {
	Class string `json:"class" doc:"state, events, recordings, samples, worlds, geo, audit, other"`
	Bytes int64  `json:"bytes"`
	Files int64  `json:"files"`
	Limit int64  `json:"limit_bytes,omitempty" doc:"what it may take; absent: kept by age"`
	About string `json:"about"`
}

// Integration is one connection to something outside.
type Integration struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Part   string `json:"part" doc:"action, channel, enricher, source"`
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
}

// TLSFacts is what is known of the console's certificate.
type TLSFacts struct {
	Listen      string    `json:"listen,omitempty"`
	URL         string    `json:"url,omitempty" doc:"where people reach it, for links"`
	Kind        string    `json:"kind,omitempty" doc:"self-signed, files or acme; absent: there is no TLS here"`
	Fingerprint string    `json:"fingerprint,omitempty" doc:"SHA-256 of the certificate in use"`
	Names       []string  `json:"names" doc:"it is made out to"`
	NotAfter    time.Time `json:"not_after,omitzero"`
	Problem     string    `json:"problem,omitempty" doc:"why a newer one is not in use"`
}

// AuditFacts is how the audit log stands.
type AuditFacts struct {
	Entries   int64    `json:"entries"`
	Refused   string   `json:"refused,omitempty" doc:"why nothing can be changed: the log cannot be written, or is not what it was"`
	Witnesses []string `json:"witnesses" doc:"who keeps copies of checkpoints elsewhere; without any, a log that is put back whole is not noticed"`
}

// LoginFacts is how people can log in.
type LoginFacts struct {
	Providers []client.OIDCProvider `json:"oidc" doc:"OpenID Connect providers that are set up"`
}

// NodeAbout is the part of the settings everybody may see.
type NodeAbout struct {
	Node          string        `json:"node"`
	Version       string        `json:"version"`
	Go            string        `json:"go"`
	Now           time.Time     `json:"now" doc:"clock of the core, to tell how wrong one's own is"`
	RetentionDays int           `json:"retention_days"`
	Sizes         []DataSize    `json:"sizes"`
	TLS           TLSFacts      `json:"tls"`
	Audit         *AuditFacts   `json:"audit,omitempty" doc:"absent: there is no audit log to be read here"`
	Login         LoginFacts    `json:"login"`
	Integrations  []Integration `json:"integrations"`
	Credits       []string      `json:"credits" doc:"to be shown where the data of others are"`
	Attack        string        `json:"attack_version"`
}

// SettingRoom is the keys of one section.
type SettingRoom struct {
	Room string       `json:"room" doc:"the section: api, respond, sensors, ..."`
	Keys []SettingKey `json:"keys"`
}

// SettingKey is one key.
type SettingKey struct {
	config.Value
	Restart bool `json:"restart" doc:"a change takes effect at the next start"`
}

// settings registers how this node is set up.
func (s *server) settings() {
	read(s, op("/settings", "get-settings", "What this node is: versions, integrations, data and how long they are kept, credits"), func(ctx context.Context, _ *struct{}) (NodeAbout, error) {
		setup := s.setup(ctx)
		out := NodeAbout{
			Node: s.dep.Node, Version: s.dep.Version, Go: runtime.Version(), Now: s.dep.Now().UTC(), RetentionDays: setup.RetentionDays, Sizes: setup.Sizes,
			TLS: setup.TLS, Login: LoginFacts{s.providerRows()},
			Credits: append([]string{attackCredit}, s.credit(ctx)...), Attack: attackVersion,
		}
		if log := s.dep.Trail; log != nil {
			out.Audit = &AuditFacts{Entries: log.Checkpoint().Size, Refused: log.Refused(), Witnesses: setup.Witnesses}
		}
		var err error
		out.Integrations, err = s.integrations(ctx, setup.Actions)
		return out, err
	})
	act(s, op("/settings/values", "list-settings", "Every key of the configuration with its value and where that came from; secrets are masked"), auth.PermSettings, func(ctx context.Context, _ *struct{}) (client.Page[SettingRoom], error) {
		out := client.Page[SettingRoom]{Items: []SettingRoom{}}
		for _, v := range s.setup(ctx).Values { // by path
			room, _, _ := strings.Cut(v.Path, ".")
			if n := len(out.Items); n == 0 || out.Items[n-1].Room != room {
				out.Items = append(out.Items, SettingRoom{Room: room, Keys: []SettingKey{}})
			}
			last := &out.Items[len(out.Items)-1]
			last.Keys = append(last.Keys, SettingKey{v, true})
		}
		return out, nil
	})
	s.tokenReport()
}

// setup returns how the node is set up; no list in it is null.
func (s *server) setup(ctx context.Context) Setup {
	var x Setup
	if s.dep.Setup != nil {
		x = s.dep.Setup(ctx)
	}
	x.Sizes, x.Witnesses, x.TLS.Names = append([]DataSize{}, x.Sizes...), append([]string{}, x.Witnesses...), append([]string{}, x.TLS.Names...)
	return x
}

// integrations gathers what leads outside and how it stands.
func (s *server) integrations(ctx context.Context, actions []Integration) ([]Integration, error) {
	out := append([]Integration{}, actions...)
	if s.dep.Notices != nil {
		channels, err := s.dep.Notices.Channels(ctx)
		if err != nil {
			return out, err
		}
		for _, c := range channels {
			out = append(out, Integration{Name: c.Name, Kind: c.Name, Part: "channel", State: c.State, Detail: c.Error})
		}
	}
	if s.dep.Enrich != nil {
		for _, e := range s.dep.Enrich(ctx) {
			out = append(out, Integration{Name: e.Name, Kind: e.Kind, Part: "enricher", State: e.State, Detail: e.Detail})
		}
	}
	for _, x := range s.sourceList(ctx) {
		out = append(out, Integration{Name: x.Name, Kind: x.Kind, Part: "source", State: x.State, Detail: x.Detail})
	}
	return out, nil
}

// TokenReport is how well the bait works.
type TokenReport struct {
	Tokens   int64            `json:"tokens"`
	ByKind   map[string]int64 `json:"by_kind"`
	Personas map[string]int64 `json:"by_persona" doc:"where they are planted"`
	Exposed  int64            `json:"exposed" doc:"tokens somebody read"`
	Used     int64            `json:"used" doc:"tokens that came back"`
	Reads    int64            `json:"reads"`
	Uses     int64            `json:"uses"`
	Coverage TokenShare       `json:"coverage" doc:"tokens that were read at least once, among all"`
	Returned TokenShare       `json:"returned" doc:"tokens that came back, among those that were read"`
	Cut      bool             `json:"cut,omitempty" doc:"there are more than ten thousand; the rest is left out"`
}

// TokenShare is a share with Wilson's interval; without any counted there is none.
type TokenShare struct {
	Hits  int64    `json:"hits"`
	N     int64    `json:"n"`
	Value *float64 `json:"value,omitempty"`
	Low   *float64 `json:"low,omitempty" doc:"of the 95 % Wilson interval"`
	High  *float64 `json:"high,omitempty"`
}

func shareOf(hits, n int64) TokenShare {
	x := TokenShare{Hits: hits, N: n}
	if n > 0 {
		v := float64(hits) / float64(n)
		low, high := triage.Wilson(hits, n)
		x.Value, x.Low, x.High = &v, &low, &high
	}
	return x
}

func (s *server) tokenReport() {
	read(s, op("/tokens/report", "report-tokens", "How well the bait works: coverage, what was read, what came back; how fast and rightly that was told is the figure honeytoken_effectiveness"), func(ctx context.Context, _ *struct{}) (out TokenReport, err error) {
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			out = TokenReport{ByKind: map[string]int64{}, Personas: map[string]int64{}}
			page := state.Page{Limit: state.MaxLimit}
			for range 10 {
				list, next, err := tx.Tokens().List(ctx, page)
				if err != nil {
					return err
				}
				for i := range list {
					t := &list[i]
					out.Tokens++
					out.ByKind[t.Kind]++
					out.Personas[t.Persona]++
					out.Reads, out.Uses = out.Reads+t.Exposures, out.Uses+t.Uses
					if t.Exposures > 0 {
						out.Exposed++
					}
					if t.Uses > 0 {
						out.Used++
					}
				}
				if page.After, out.Cut = next, next != ""; next == "" {
					break
				}
			}
			out.Coverage, out.Returned = shareOf(out.Exposed, out.Tokens), shareOf(min(out.Used, out.Exposed), out.Exposed)
			return nil
		})
		return out, err
	})
}
