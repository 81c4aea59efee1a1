package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// Exported says in which form and how much.
type Exported struct {
	Format string `query:"format" enum:"csv,jsonl" default:"csv" doc:"csv: text made harmless for spreadsheets; jsonl: one JSON object a line, as lists show it"`
	Most   int    `query:"most" minimum:"1" maximum:"1000000" default:"100000" doc:"rows"`
}

// A table is how rows become cells.
type table[T any] struct {
	name   string // of the file
	header []string
	cells  func(T) []string
}

// exportPage is how many rows are read at a time: one page is in memory.
const exportPage = 500

// export registers a download of a list, row by row. pages gives one page.
func export[I, T any](s *server, path, id, summary string, t table[T], form func(*I) Exported, pages func(ctx context.Context, in *I, p state.Page) ([]T, string, error)) {
	o := op(path, id, summary)
	content := map[string]*huma.MediaType{}
	for _, kind := range []string{"text/csv", "application/x-ndjson"} {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	}
	o.Responses = map[string]*huma.Response{"200": {
		Description: "The rows, newest first, as an attachment. A last line that begins with # tells of an end before the end.", Content: content,
	}}
	s.router.need(o.Method+" "+o.Path, auth.PermRead)
	huma.Register(s.huma, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		how := form(in)
		limit := min(exportPage, how.Most)
		first, next, err := pages(ctx, in, state.Page{Limit: limit}) // what is wrong with the question is told as such
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			kind, ending := "text/csv; charset=utf-8", ".csv"
			if how.Format == "jsonl" {
				kind, ending = "application/x-ndjson", ".jsonl"
			}
			attachment(c, kind, "honeyguide-"+t.name+"-"+s.dep.Now().UTC().Format("20060102-150405")+ending)
			w := newRows(c.BodyWriter(), how.Format, t)
			left := how.Most
			for rows := first; ; {
				for i := range rows[:min(len(rows), left)] {
					w.row(rows[i])
				}
				if left -= len(rows); left <= 0 || next == "" || w.err != nil {
					break
				}
				if rows, next, err = pages(ctx, in, state.Page{After: next, Limit: min(exportPage, left)}); err != nil {
					w.broken()
					s.dep.Log.WarnContext(ctx, "export ended early", "request_id", requestID(ctx), "list", t.name, "error", err)
					break
				}
			}
			if err := w.flush(); err != nil {
				s.dep.Log.DebugContext(ctx, "export was not taken to the end", "request_id", requestID(ctx), "list", t.name, "error", err)
			}
		}}, nil
	})
}

// rows writes rows in one of the forms.
type rows[T any] struct {
	out  *bufio.Writer
	csv  *csv.Writer // nil: JSON lines
	t    table[T]
	err  error
	cell []string
}

func newRows[T any](w io.Writer, format string, t table[T]) *rows[T] {
	r := &rows[T]{out: bufio.NewWriterSize(w, 32<<10), t: t}
	if format != "jsonl" {
		r.csv = csv.NewWriter(r.out)
		r.err = r.csv.Write(t.header)
	}
	return r
}

func (r *rows[T]) row(v T) {
	if r.err != nil {
		return
	}
	if r.csv == nil {
		doc, err := json.Marshal(v)
		if err != nil { // what a list cannot show either
			return
		}
		_, r.err = r.out.Write(append(safetext.JSON(doc), '\n'))
		return
	}
	r.cell = r.cell[:0]
	for _, c := range r.t.cells(v) {
		r.cell = append(r.cell, safetext.CSV(oneLine(c)))
	}
	r.err = r.csv.Write(r.cell)
}

// broken marks a file that is not whole.
func (r *rows[T]) broken() {
	if r.csv != nil {
		r.csv.Flush()
	}
	_, _ = r.out.WriteString("# not whole: the core could not read on\n")
}

func (r *rows[T]) flush() error {
	if r.csv != nil {
		r.csv.Flush()
		if r.err == nil {
			r.err = r.csv.Error()
		}
	}
	if err := r.out.Flush(); r.err == nil {
		r.err = err
	}
	return r.err
}

// oneLine makes control and format characters of a cell visible: a spreadsheet
// keeps them, and whoever copies from it pastes them somewhere.
func oneLine(s string) string {
	if !safetext.Hostile(s) {
		return s
	}
	return safetext.Term(s)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func place(e honeyguide.Endpoint) []string {
	asn := ""
	if e.ASN != 0 {
		asn = "AS" + strconv.FormatUint(uint64(e.ASN), 10)
	}
	return []string{state.Addr(e), e.Country, asn, e.ASOrg}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// ids of techniques in one cell.
func techniqueCell(list []honeyguide.Technique) string { return strings.Join(ids(list), " ") }

// exports registers the downloads of all lists people take away.
func (s *server) exports() {
	s.exportAlerts()
	s.exportCases()
	s.exportEvents()
	s.exportBlocks()
}

// viewed makes pages of one snapshot each.
func viewed[I, T any](s *server, f func(ctx context.Context, tx state.Tx, in *I, p state.Page) ([]T, string, error)) func(context.Context, *I, state.Page) ([]T, string, error) {
	return func(ctx context.Context, in *I, p state.Page) (out []T, next string, err error) {
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			out, next, err = f(ctx, tx, in, p)
			return err
		})
		return out, next, err
	}
}

// Filters of lists, under names the library looks into.
type (
	AlertFilters    = alertsIn
	IncidentFilters = incidentsIn
	SessionFilters  = sessionsIn
	AttackerFilters = attackersIn
	EventFilters    = eventsIn
)

type alertsExport struct {
	AlertFilters
	Exported
}

type incidentsExport struct {
	IncidentFilters
	Exported
}

type sessionsExport struct {
	SessionFilters
	Exported
}

type attackersExport struct {
	AttackerFilters
	Exported
}

type eventsExport struct {
	EventFilters
	Exported
}

type blocksExport struct {
	Exported
}

func (s *server) exportAlerts() {
	export(s, "/alerts/export", "export-alerts", "Download alerts, newest first, by the filters of their list", table[honeyguide.Alert]{
		"alerts",
		[]string{"id", "created_at", "time", "last_at", "severity", "score", "status", "rule", "detector", "title", "category", "source", "country", "asn", "as_org", "sensor", "session", "attacker", "incident", "count", "techniques", "verdict", "verdict_by", "verdict_reason"},
		func(a honeyguide.Alert) []string {
			out := []string{a.Short, stamp(a.CreatedAt), stamp(a.Time), stamp(a.LastAt), a.Severity.String(), strconv.FormatFloat(a.Score, 'f', -1, 64), string(a.Status), a.RuleID, a.Detector, a.Title, a.Category}
			out = append(out, place(a.Src)...)
			return append(out, a.Sensor, a.Session, a.Attacker, a.Incident, number(a.Count), techniqueCell(a.Attacks), string(a.Verdict.As), a.Verdict.By, a.Verdict.Reason)
		},
	}, func(in *alertsExport) Exported { return in.Exported }, viewed(s, func(ctx context.Context, tx state.Tx, in *alertsExport, p state.Page) ([]honeyguide.Alert, string, error) {
		x := in.AlertFilters
		x.Paging = Paging{Limit: p.Limit, After: p.After}
		q, err := x.query(ctx, tx)
		if err != nil {
			return nil, "", err
		}
		return tx.Alerts().List(ctx, q)
	}))
}

func (s *server) exportCases() {
	export(s, "/incidents/export", "export-incidents", "Download incidents, newest first, by the filters of their list", table[honeyguide.Incident]{
		"incidents",
		[]string{"id", "created_at", "updated_at", "severity", "score", "status", "phase", "owner", "due_at", "title", "key", "attackers", "alerts", "events", "techniques", "verdict", "acknowledged_at", "contained_at", "closed_at"},
		func(i honeyguide.Incident) []string {
			return []string{
				i.Short, stamp(i.CreatedAt), stamp(i.UpdatedAt), i.Severity.String(), strconv.FormatFloat(i.Score, 'f', -1, 64), string(i.Status), string(i.Phase), i.Owner, stamp(i.DueAt), i.Title, i.Key,
				strings.Join(i.Attackers, " "), number(i.AlertCount), number(i.EventCount), techniqueCell(i.Attacks), string(i.Verdict.As), stamp(i.Clock.AcknowledgedAt), stamp(i.Clock.ContainedAt), stamp(i.Clock.ClosedAt),
			}
		},
	}, func(in *incidentsExport) Exported { return in.Exported }, viewed(s, func(ctx context.Context, tx state.Tx, in *incidentsExport, p state.Page) ([]honeyguide.Incident, string, error) {
		return tx.Incidents().List(ctx, state.IncidentQuery{Page: p, Severity: in.severity(), Status: in.Status, Attacker: in.Attacker, Text: in.Q, From: in.From, To: in.To})
	}))
	export(s, "/sessions/export", "export-sessions", "Download sessions, newest first, by the filters of their list", table[honeyguide.Session]{
		"sessions",
		[]string{"id", "started_at", "ended_at", "sensor", "service", "source", "country", "asn", "as_org", "user", "client", "severity", "events", "logins", "commands", "requests", "recorded", "tokens", "samples"},
		func(x honeyguide.Session) []string {
			out := append([]string{x.ID, stamp(x.StartedAt), stamp(x.EndedAt), x.Sensor, x.Service}, place(x.Src)...)
			return append(out, x.User, x.Client, x.Severity.String(), number(x.Events), number(x.Logins), number(x.Commands), number(x.Requests), strconv.FormatBool(x.Recording != ""), strings.Join(x.Tokens, " "), strings.Join(x.Samples, " "))
		},
	}, func(in *sessionsExport) Exported { return in.Exported }, viewed(s, func(ctx context.Context, tx state.Tx, in *sessionsExport, p state.Page) ([]honeyguide.Session, string, error) {
		return tx.Sessions().List(ctx, state.SessionQuery{
			Page: p, Severity: in.severity(), Service: in.Service, Sensor: in.Sensor, Src: in.Src, User: in.User, Recorded: in.Recorded, Open: in.Open, Text: in.Q, From: in.From, To: in.To,
		})
	}))
	export(s, "/attackers/export", "export-attackers", "Download attackers, the one with the newest alert first", table[honeyguide.Attacker]{
		"attackers",
		[]string{"attacker", "source", "country", "asn", "as_org", "first_at", "last_at", "severity", "alerts", "last_title", "known_as"},
		func(a honeyguide.Attacker) []string {
			known := make([]string, 0, len(a.Enrichments))
			for _, x := range a.Enrichments {
				known = append(known, x.Provider+": "+x.Verdict)
			}
			out := append([]string{a.Key}, place(a.Src)...)
			return append(out, stamp(a.FirstAt), stamp(a.LastAt), a.Severity.String(), number(a.Alerts), a.LastTitle, strings.Join(known, "; "))
		},
	}, func(in *attackersExport) Exported { return in.Exported }, viewed(s, func(ctx context.Context, tx state.Tx, in *attackersExport, p state.Page) ([]honeyguide.Attacker, string, error) {
		return tx.Attackers().List(ctx, state.AttackerQuery{Page: p, From: in.From, To: in.To})
	}))
}

// eventAttrs are the attributes with a column of their own; the rest is JSON.
var eventAttrs = []string{
	honeyguide.AttrUser, honeyguide.AttrPassword, honeyguide.AttrCommand, honeyguide.AttrMethod, honeyguide.AttrURL, honeyguide.AttrUserAgent, honeyguide.AttrPath, honeyguide.AttrSHA256, honeyguide.AttrStatus,
}

func (s *server) exportEvents() {
	header := []string{"seq", "id", "time", "observed", "class", "activity", "severity", "sensor", "service", "session", "source", "country", "asn", "as_org", "destination", "techniques"}
	header = append(append(header, eventAttrs...), "attrs")
	export(s, "/events/export", "export-events", "Download events, newest first, by the filters and queries of their list", table[client.Event]{
		"events", header, eventCells,
	}, func(in *eventsExport) Exported { return in.Exported }, func(ctx context.Context, in *eventsExport, p state.Page) ([]client.Event, string, error) {
		x := in.EventFilters
		x.Paging = Paging{Limit: p.Limit, After: p.After}
		page, err := s.findEvents(ctx, &x)
		return page.Items, page.Next, err
	})
}

func eventCells(e client.Event) []string {
	port := ""
	if e.Dst.Addr.IsValid() {
		port = e.Dst.Addr.String()
	}
	out := []string{number(e.Seq), e.ID, stamp(e.Time), stamp(e.Observed), number(int64(e.Class)), e.Activity, e.Severity.String(), e.Sensor, e.Service, e.Session}
	out = append(append(out, place(e.Src)...), port, techniqueCell(e.Attacks))
	rest := map[string]any{}
	for name, v := range e.Attrs {
		rest[name] = v
	}
	for _, name := range eventAttrs {
		cell := ""
		if v, ok := e.Attrs[name]; ok {
			cell = eventlog.AttrText(v)
		}
		out = append(out, cell)
		delete(rest, name)
	}
	if len(rest) == 0 {
		return append(out, "")
	}
	doc, _ := json.Marshal(rest) // shown has made all of it speakable
	return append(out, string(doc))
}

func (s *server) exportBlocks() {
	export(s, "/blocks/export", "export-blocks", "Download the newest block of every address that is, was or would be blocked", table[honeyguide.Block]{
		"blocks",
		[]string{"address", "mode", "state", "reason", "created_at", "expires_at", "incident", "run", "by"},
		func(b honeyguide.Block) []string {
			return []string{b.Address, string(b.Mode), string(b.State), b.Reason, stamp(b.CreatedAt), stamp(b.ExpiresAt), b.Incident, b.Run, b.By}
		},
	}, func(in *blocksExport) Exported { return in.Exported }, viewed(s, func(ctx context.Context, tx state.Tx, _ *blocksExport, p state.Page) ([]honeyguide.Block, string, error) {
		return tx.Plans().Blocks(ctx, p)
	}))
}
