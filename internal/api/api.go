package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/backup"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/bundle"
	"honeyguide/internal/comply"
	"honeyguide/internal/enrich"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/incident"
	"honeyguide/internal/ingest"
	"honeyguide/internal/live"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// Deps is what the API stands on.
type Deps struct {
	State  state.Store
	Events eventlog.Finder

	// Take makes events durable and returns the number of the last one.
	Take func(context.Context, []honeyguide.Event) (eventlog.Seq, error)
	// Idle returns when everything up to a number has gone through detection.
	// Nil: waiting is refused.
	Idle    func(context.Context, eventlog.Seq) error
	Mappers []ingest.Format // the formats ingest reads
	// Mapping opens the format of an operator's own mapping, YAML. Nil: there is none.
	Mapping func(context.Context, []byte) (ingest.Format, error)
	Seen    *ingest.Seen // ids of records stored lately, shared with the sources; nil: its own
	// Sources lists what keeps bringing in records. Nil: there are none.
	Sources func(context.Context) []Source

	// Recording opens the asciicast of a session; CodeNotFound. Nil: there are none.
	Recording func(session string) (io.ReadCloser, error)
	// Sample opens what attackers brought. Nil: nothing is kept.
	Sample SampleStore
	// Sensors lists the decoys, in the order they are shown in. Nil: there are none.
	Sensors func(context.Context) []Sensor
	// Facts measures this installation for compliance, and counts what happened since
	// a time. Nil: nothing does.
	Facts func(ctx context.Context, since time.Time) (*comply.Facts, error)
	// Setup says how this node is set up. Nil: nobody knows.
	Setup func(context.Context) Setup
	// Secrets are the keys this node seals with. Nil: it seals nothing.
	Secrets Secrets
	// Pulses says how sensors and sources are heard from. Nil: nobody listens.
	Pulses func() []pipeline.Pulse
	// Enrich says how the sources of enrichment stand. Nil: there are none.
	Enrich func(context.Context) []enrich.Status
	// Health says why the core cannot do its work now, in words that may be shown to
	// anybody. Empty: it can. Nil: it always can.
	Health func(context.Context) []string
	// Full says that no event is taken for want of room; nil: it never is.
	Full func() bool

	// Rules are the Sigma rules in force. Nil: there are none.
	Rules *rulebook.Book
	// Playbooks are the playbooks in force. Nil: there are none.
	Playbooks *playbook.Catalog
	// Desk is where people work on incidents. Nil: one without escalation.
	Desk *incident.Desk
	// Notices is the outbox. Nil: there is none.
	Notices Notices
	// Judged is told that verdicts were passed. Nil: nobody needs to know.
	Judged func()
	// Trainer learns from verdicts. Nil: nothing does.
	Trainer Trainer

	// Lists is what is blocked, for machines that enforce it, and Readers those who
	// read it. Nil: made over State.
	Lists   *blocklist.List
	Readers *blocklist.Book
	Node    string // name of this node
	Address string // where people reach the console, https://..., for one-time links

	// Responder carries out playbooks. Nil: nothing does.
	Responder Responder
	// Refuse is the guard: why a prefix must not be blocked, "" when it may be. Nil:
	// there is none.
	Refuse func(netip.Prefix) string
	// Standing says how this node stands, but for what Health says. Nil: unknown.
	Standing func(context.Context) (Standing, error)
	// Allowlist is what is never blocked. Nil: there is none.
	Allowlist *respond.Allowlist

	// Live tells what changes. Nil: there is no live stream.
	Live *live.Hub

	// Present is told the address of everybody who works here, once they have shown
	// a key that is good for more than reading. Nil: nobody needs to know.
	Present func(netip.Addr)

	// Console holds the files of the built console. Nil: none is served; one without
	// index.html was not built, and a page says how to.
	Console fs.FS

	// Identity knows who may log in. Nil: one over State, whose second factors last
	// as long as the process.
	Identity *auth.Service
	Guards   Guards // what stops a request before anybody asks who sent it
	// Audit takes an entry of every act before it happens; without one nothing is done.
	Audit audit.Recorder
	// Evidence keeps archives of evidence. Nil: none are kept.
	Evidence *bundle.Room
	// Backups makes copies of the data folder. Nil: none are made here.
	Backups *backup.Runner
	// Trail is the audit log, for those who read it. Nil: it cannot be read here.
	Trail *audit.Log

	Banner string // what people read before they log in
	// Privacy answers requests of people about their data. Nil: nobody does.
	Privacy PrivacyDesk

	Keys    auth.Keys           // who holds which key
	Metrics *telemetry.Registry // shown at /metrics; may be nil
	Version string
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// A Sensor is one decoy as the API shows it.
type Sensor struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	Persona  string    `json:"persona"`
	Listen   string    `json:"listen" doc:"address it really listens on"`
	Network  string    `json:"network" doc:"tcp or udp"`
	State    string    `json:"state" doc:"running, starting or failed"`
	Detail   string    `json:"detail,omitempty" doc:"why it is not running"`
	Layers   []string  `json:"layers" doc:"layers of its sandbox"`
	Restarts int64     `json:"restarts"`
	Sessions int64     `json:"sessions" doc:"open now"`
	Since    time.Time `json:"since,omitzero" doc:"when its process started"`
	Heard
}

// Heard is how a sensor or source is heard from since the core started.
type Heard struct {
	LastAt    time.Time `json:"last_at,omitzero" doc:"when its newest event came in; absent: none since the core started"`
	LagMS     int64     `json:"lag_ms" doc:"between the happening of that event and its coming in"`
	PerMinute float64   `json:"per_minute" doc:"events, mean of the last five whole minutes"`
	Events    int64     `json:"events" doc:"since the core started"`
}

// server is the API at work.
type server struct {
	dep    Deps
	router *router
	huma   huma.API
	masker audit.Masker // of secrets in the audit log
	gate   *gate
	seen   *ingest.Seen
	orders orders

	guards   map[string]bool    // patterns of changes that want If-Match
	generals map[string]general // what holds for each pattern
	site     *site              // nil: no console
	meter    *meter
	recall   sync.Mutex    // held while seen learns what earlier runs stored
	knows    bool          // seen has learnt it
	slots    chan struct{} // of ingests under way
}

const (
	maxIngests   = 8       // at a time
	rememberedID = 1 << 17 // ids of records stored lately, see ingest.Seen
)

// New returns the API's handler.
func New(dep Deps) (http.Handler, error) {
	s, err := build(dep)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

// build registers all routes and checks that each has a permission.
func build(dep Deps) (*server, error) { return buildWith(dep, (*server).routes) }

// buildWith builds a server of some of the routes.
func buildWith(dep Deps, routes func(*server)) (*server, error) {
	if dep.State == nil || dep.Events == nil || dep.Take == nil || dep.Keys == nil || dep.Audit == nil {
		return nil, errors.New("api: state, events, take, keys and audit are needed")
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if dep.Seen == nil {
		dep.Seen = ingest.NewSeen(rememberedID)
	}
	if dep.Lists == nil {
		dep.Lists = blocklist.New(blocklist.Options{State: dep.State, Now: dep.Now, Log: dep.Log})
	}
	if dep.Readers == nil {
		dep.Readers = blocklist.NewBook(dep.State, dep.Log)
	}
	if dep.Desk == nil {
		dep.Desk = incident.NewDesk(incident.Deps{State: dep.State, Judge: PassIncident, Log: dep.Log, Now: dep.Now})
	}
	if dep.Identity == nil {
		dep.Identity = auth.NewService(auth.Options{State: dep.State, Audit: dep.Audit, Metrics: dep.Metrics, Log: dep.Log, Now: dep.Now})
	}
	setUpHuma()
	s := &server{
		dep: dep, router: newRouter(), masker: maskerOf(dep.Audit), seen: dep.Seen, slots: make(chan struct{}, maxIngests),
		orders: orders{routes: map[string]bool{}, busy: map[string]bool{}},
	}
	s.guards, s.generals = map[string]bool{}, map[string]general{}
	s.gate, s.meter = newGate(s), newMeter(dep.Guards.Limits)
	if dep.Console != nil {
		var err error
		if s.site, err = openSite(dep.Console); err != nil {
			return nil, err
		}
	}
	s.huma = humago.New(s.router, humaConfig(dep.Version))
	routes(s)
	s.learn()
	s.router.nameAll(s.huma.OpenAPI())
	// Answers may get more fields within v1; the description must not forbid it.
	for _, schema := range s.huma.OpenAPI().Components.Schemas.Map() {
		schema.AdditionalProperties = nil
	}
	return s, s.router.check()
}

// handler wraps the routes: recovery outermost, then headers, the front, and the gate.
func (s *server) handler() http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, newProblem(r.Context(), http.StatusForbidden, "the request comes from another site"))
	}))
	return s.guard(s.front(cross.Handler(s.gate)))
}

func (s *server) routes() {
	s.health()
	s.alerts()
	s.bulk()
	s.incidents()
	s.verdicts()
	s.triage()
	s.sessions()
	s.samples()
	s.holds()
	s.evidence()
	s.tokens()
	s.plans()
	s.runs()
	s.blocks()
	s.allowlist()
	s.halt()
	s.guardWord()
	s.standing()
	s.keyring()
	s.logins()
	s.factors()
	s.providers()
	s.me()
	s.users()
	s.roles()
	s.notices()
	s.suppressions()
	s.regrouping()
	s.incidentWork()
	s.report()
	s.compliance()
	s.overview()
	s.worldMap()
	s.attackMatrix()
	s.profiles()
	s.search()
	s.replay()
	s.exports()
	s.settings()
	s.secrets()
	s.suggestions()
	s.preferences()
	s.views()
	s.deadLetters()
	s.sensors()
	s.attackers()
	s.enrichments()
	s.sources()
	s.events()
	s.rules()
	s.playbooks()
	s.ingest()
	s.about()
	s.blocklists()
	s.bouncers()
	s.auditLog()
	s.backups()
	s.privacy()
	s.lapi()
	s.stream()
}

// setUpHuma sets what the library keeps in package variables.
var setUpHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(context.Background(), status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(ctx.Context(), status, msg, errs)
	}
})

func humaConfig(version string) huma.Config {
	c := huma.DefaultConfig("Honeyguide", version)
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Info.Description = "Honeypot and SOC: what attackers did, what it means, what would be done about it."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":   {Type: "http", Scheme: "bearer", Description: "An API key: hg_... A peer of the local unix socket needs none."},
		"login": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The cookie of a login, for browsers."},
	}
	c.Security = []map[string][]string{{"key": {}}, {"login": {}}}
	// The document is served behind the gate; the library's pages load scripts from elsewhere.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Transformers = append(c.Transformers, linked, masked)
	c.Formats = maps.Clone(c.Formats)
	for name, format := range c.Formats {
		if strings.HasSuffix(name, "json") {
			format.Marshal = asIs(format.Marshal)
			c.Formats[name] = format
		}
	}
	c.RejectUnknownQueryParameters = true
	return c
}

// schemaName is how the library names schemas, without the characters that a name
// in the description may not have (OpenAPI 3.1, components).
func schemaName(t reflect.Type, hint string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '{' || r == '}' {
			return -1
		}
		return r
	}, huma.DefaultSchemaNamer(t, hint))
}

// asIs writes what is JSON already as it is: a page of a thousand masked rows
// would be read again from one end to the other.
func asIs(marshal func(io.Writer, any) error) func(io.Writer, any) error {
	return func(w io.Writer, v any) error {
		if raw, ok := v.(json.RawMessage); ok {
			_, err := w.Write(append(raw, '\n'))
			return err
		}
		return marshal(w, v)
	}
}

// A router is the mux that knows the permission of each of its patterns.
type router struct {
	mux      *http.ServeMux
	patterns []string
	needs    map[string]auth.Permission
	audited  map[string]bool   // makes its own entry of the audit log
	names    map[string]string // operation ids
	fresh    map[string]bool   // wants a user to have shown lately who they are
	archives map[string]bool   // takes an archive as its body, whose room bounds it
}

func newRouter() *router {
	return &router{mux: http.NewServeMux(), needs: map[string]auth.Permission{}, audited: map[string]bool{}, names: map[string]string{}, fresh: map[string]bool{}, archives: map[string]bool{}}
}

// HandleFunc adds a route. It is what the library calls; a permission has to be
// set beside it.
func (r *router) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r.patterns = append(r.patterns, pattern)
	r.mux.HandleFunc(pattern, h)
}

// ServeHTTP serves without asking for permission; only the gate calls it.
func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// need sets the permission of a pattern.
func (r *router) need(pattern string, p auth.Permission) { r.needs[pattern] = p }

// lately says that patterns want users to have shown lately who they are.
func (r *router) lately(patterns ...string) {
	for _, p := range patterns {
		r.fresh[p] = true
	}
}

// audits sets that the registration of a pattern makes the entry of the audit
// log itself, once the request was understood.
func (r *router) audits(pattern string) { r.audited[pattern] = true }

// nameAll learns the names of the operations.
func (r *router) nameAll(doc *huma.OpenAPI) {
	for path, item := range doc.Paths {
		for method, o := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if o != nil {
				r.names[method+" "+path] = o.OperationID
			}
		}
	}
}

// check reports routes without a permission, and permissions without a route.
func (r *router) check() error {
	for _, p := range r.patterns {
		if r.needs[p] == "" {
			return fmt.Errorf("api: route %q has no permission", p)
		}
	}
	for p := range r.needs {
		if !slices.Contains(r.patterns, p) {
			return fmt.Errorf("api: there is no route %q to need a permission", p)
		}
	}
	for p := range r.fresh {
		if !slices.Contains(r.patterns, p) {
			return fmt.Errorf("api: there is no route %q to want a fresh login", p)
		}
	}
	return nil
}
