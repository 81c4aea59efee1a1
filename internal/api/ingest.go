package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ingest"
	"honeyguide/internal/state"
)

const (
	maxUpload    = 8 << 30 // decompressed bytes of one request
	shownLetters = 100     // dead letters in an answer
	deadBatch    = 256     // dead letters written in one transaction
	deadBytes    = 4 << 20 // of their raw bytes
	eventBatch   = 4096    // events made durable at a time

	// A body has to keep coming: at most idle between two reads, and on the whole
	// no slower than minRate once grace is over.
	idleBody  = 30 * time.Second
	graceBody = time.Minute
	minRate   = 4 << 10 // bytes a second
	// recallTime bounds learning which records are stored already.
	recallTime = 2 * time.Second
	// answerTime is for the work after the last byte.
	answerTime = 5 * time.Minute
)

// ingest registers the route that takes files and streams.
func (s *server) ingest() {
	o := huma.Operation{
		OperationID: "ingest", Method: http.MethodPost, Path: base + "/ingest", Tags: []string{"ingest"},
		Summary:     "Take in alerts and logs of other products",
		Description: "The body is a file as it is: JSON lines, a JSON array, objects one after the other, or CSV with a header line; gzip is recognised. It is read as it comes, however long it is. The answer comes when everything understood is durable.",
		Parameters: []*huma.Param{
			{Name: "format", In: "query", Description: "auto (as when absent), json, csv, or one of the formats `about` lists", Schema: &huma.Schema{Type: "string"}},
			{Name: "name", In: "query", Description: "what dead letters and events call the source", Schema: &huma.Schema{Type: "string"}},
			{Name: "zone", In: "query", Description: "of times that name none: UTC (as when absent), a name such as Europe/Berlin, or an offset such as +02:00", Schema: &huma.Schema{Type: "string"}},
			{Name: "mapping", In: "query", Description: "what fields are called in records of no known product, as YAML; at most 16 KiB", Schema: &huma.Schema{Type: "string"}},
			{Name: "preview", In: "query", Description: "1 to 100: read on to so many events, answer with them, and store nothing", Schema: &huma.Schema{Type: "integer"}},
			{Name: "wait", In: "query", Description: "true: answer once everything has gone through detection, and say what came of it", Schema: &huma.Schema{Type: "boolean"}},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
		}},
	}
	s.upload(o)
	o.OperationID, o.Path = "ingest-format", base+"/ingest/{format}"
	o.Summary = "Take in records of one format: for products that push to an address"
	o.Description += " A shipper that sends again what was not answered stores nothing twice."
	o.Parameters[0] = &huma.Param{Name: "format", In: "path", Required: true, Description: "auto, json, csv or the name of a product's format; GET /api/v1/about lists them", Schema: &huma.Schema{Type: "string"}}
	s.upload(o)
}

// upload registers a route whose body is records.
func (s *server) upload(o huma.Operation) {
	o.Parameters = slices.Clone(o.Parameters)
	registry := s.huma.OpenAPI().Components.Schemas
	result := map[string]*huma.MediaType{"application/json": {Schema: huma.SchemaFromType(registry, typeOf[client.IngestResult]())}}
	problem := map[string]*huma.MediaType{"application/problem+json": {Schema: huma.SchemaFromType(registry, typeOf[Problem]())}}
	o.Responses = map[string]*huma.Response{
		"200":     {Description: "Every record was understood", Content: result},
		"207":     {Description: "Some records were not understood; the answer lists the first of them, dead-letters all", Content: result},
		"default": {Description: "It was not taken, or not to its end; \"ingest\" says how far it came", Content: problem},
	}
	s.huma.OpenAPI().AddOperation(&o)
	s.plain(o.Method+" "+o.Path, auth.PermIngest, s.serveIngest)
}

func (s *server) serveIngest(w http.ResponseWriter, r *http.Request) {
	opts, wait, err := s.ingestOptions(r)
	if err != nil {
		writeProblem(w, s.problem(r.Context(), err))
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		writeProblem(w, newProblem(r.Context(), http.StatusTooManyRequests, "too many inputs are being read at the moment; try again"))
		return
	}
	if n := r.URL.Query().Get("preview"); n != "" {
		s.servePreview(w, r, opts, n)
		return
	}
	s.remember(r.Context())
	t := &taking{s: s, start: s.dep.Now()}
	body := paced(w, r.Body, time.Now)
	sum, err := ingest.Read(r.Context(), body, opts, t.events, t.letter)
	if err == nil {
		err = t.flush(r.Context())
	} else {
		// What was refused before the end is told, even when the end is an error.
		err = errors.Join(err, t.flush(context.WithoutCancel(r.Context())))
	}
	body.answering()
	res := t.result(sum)
	if err == nil && wait {
		err = t.await(r.Context(), &res)
	}
	s.dep.Log.InfoContext(r.Context(), "input read", "request_id", requestID(r.Context()), "name", opts.Name, "format", sum.Format,
		"records", sum.Records, "events", sum.Events, "rejected", sum.Rejected, "duplicates", sum.Duplicates, "failed", err != nil)
	if err != nil {
		p := s.ingestProblem(r.Context(), err)
		p.Ingest = &res
		writeProblem(w, p)
		return
	}
	status := http.StatusOK
	if res.Rejected > 0 {
		status = http.StatusMultiStatus
	}
	writeJSON(w, status, res)
}

// remember tells seen, before the first ingest of this process, which records
// earlier ones have stored: the newest of the log. When that takes too long it
// makes do with what it has; then older records that come again are merged into
// their alerts once more.
func (s *server) remember(ctx context.Context) {
	s.recall.Lock()
	defer s.recall.Unlock()
	if s.knows {
		return
	}
	within, cancel := context.WithTimeout(ctx, recallTime)
	defer cancel()
	ids := make([]string, 0, 1024)
	// What ingest stores names its product.
	for id, err := range eventlog.IDs(within, s.dep.Events, honeyguide.AttrProduct, s.seen.Size()) {
		if err != nil {
			if within.Err() == nil {
				s.dep.Log.WarnContext(ctx, "records stored before are not known", "request_id", requestID(ctx), "error", err)
			}
			break
		}
		ids = append(ids, id)
	}
	for _, id := range slices.Backward(ids) { // the oldest is forgotten first
		s.seen.Remember(id)
	}
	s.knows = ctx.Err() == nil
}

// ingestOptions reads the query.
func (s *server) ingestOptions(r *http.Request) (ingest.Options, bool, error) {
	q := r.URL.Query()
	if in := r.PathValue("format"); in != "" {
		if q.Has("format") {
			return ingest.Options{}, false, invalid("format: the path says it already")
		}
		q.Set("format", in)
	}
	opts := ingest.Options{
		Name: q.Get("name"), Format: q.Get("format"), Mappers: s.dep.Mappers, Now: s.dep.Now,
		MaxBytes: maxUpload, Seen: s.seen, Batch: eventBatch,
	}
	if opts.Name == "" {
		opts.Name = "upload"
	}
	if len(opts.Name) > 256 || !utf8.ValidString(opts.Name) {
		return opts, false, invalid("name: want at most 256 bytes of text")
	}
	wait := false
	if text := q.Get("wait"); text != "" {
		var err error
		if wait, err = strconv.ParseBool(text); err != nil {
			return opts, false, invalid("wait: want true or false")
		}
	}
	if wait && s.dep.Idle == nil {
		return opts, false, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "wait: nothing here detects, so there is nothing to wait for"}
	}
	for name := range q {
		if !slices.Contains(ingestQuery, name) {
			return opts, false, invalid("there is a query parameter other than " + strings.Join(ingestQuery, ", "))
		}
	}
	return opts, wait, s.ingestFormat(r.Context(), &opts, q)
}

// ingestProblem finds the right words for a failed reading.
func (s *server) ingestProblem(ctx context.Context, err error) *Problem {
	slow, ok := errors.AsType[net.Error](err)
	switch {
	case ok && slow.Timeout():
		return newProblem(ctx, http.StatusRequestTimeout, "the body came too slowly")
	case errors.Is(err, eventlog.ErrFull):
		return newProblem(ctx, http.StatusServiceUnavailable, "there is no room left for events: free space, then send it again; nothing is stored twice")
	case errors.Is(err, eventlog.ErrClosed):
		return newProblem(ctx, http.StatusServiceUnavailable, "the core is stopping: send it again")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return newProblem(ctx, http.StatusBadRequest, "the body ended before it was complete")
	}
	return s.problem(ctx, err)
}

// taking is one ingest under way.
type taking struct {
	s       *server
	start   time.Time
	last    eventlog.Seq
	pending []honeyguide.DeadLetter
	bytes   int
	shown   []honeyguide.DeadLetter
}

func (t *taking) events(ctx context.Context, batch []honeyguide.Event) error {
	seq, err := t.s.dep.Take(ctx, batch)
	t.last = max(t.last, seq)
	return err
}

// letter keeps a dead letter; they are written in batches.
func (t *taking) letter(ctx context.Context, d honeyguide.DeadLetter) error {
	t.pending = append(t.pending, d)
	t.bytes += len(d.Raw)
	if len(t.shown) < shownLetters {
		d.Raw = nil
		t.shown = append(t.shown, d)
	}
	if len(t.pending) >= deadBatch || t.bytes >= deadBytes {
		return t.flush(ctx)
	}
	return nil
}

func (t *taking) flush(ctx context.Context) error {
	if len(t.pending) == 0 {
		return nil
	}
	err := t.s.dep.State.Update(ctx, func(tx state.Tx) error { return tx.DeadLetters().Add(ctx, t.pending...) })
	t.pending, t.bytes = nil, 0
	return err
}

func (t *taking) result(sum ingest.Summary) client.IngestResult {
	res := client.IngestResult{
		Name: sum.Name, Format: sum.Format, Framing: sum.Framing, Records: sum.Records, Events: sum.Events, Rejected: sum.Rejected,
		Duplicates: sum.Duplicates, Bytes: sum.Bytes, Ignored: sum.Dropped, ByActivity: sum.ByActivity, BySeverity: sum.BySeverity,
		Unknown: sum.Unknown, Notes: sum.Notes, FirstAt: sum.FirstAt, LastAt: sum.LastAt, DeadLetters: t.shown,
	}
	if res.DeadLetters == nil {
		res.DeadLetters = []honeyguide.DeadLetter{}
	}
	return res
}

// await waits for detection and counts what is new since the request began.
// Others may be at work at the same time; then theirs is counted too.
func (t *taking) await(ctx context.Context, res *client.IngestResult) error {
	if t.last > 0 {
		if err := t.s.dep.Idle(ctx, t.last); err != nil {
			return err
		}
	}
	return t.s.dep.State.View(ctx, func(tx state.Tx) error {
		since, err := newSince(ctx, tx, t.start)
		res.Alerts, res.Incidents, res.Blocks = since.alerts, since.incidents, since.blocks
		return err
	})
}

type news struct{ alerts, incidents, blocks int64 }

// newSince counts what was created at or after start.
func newSince(ctx context.Context, tx state.Tx, start time.Time) (news, error) {
	var n news
	counts, err := tx.Alerts().Counts(ctx, state.AlertQuery{From: start, Shown: true})
	if err != nil {
		return n, err
	}
	for _, c := range counts {
		n.alerts += c
	}
	page := state.Page{Limit: state.MaxLimit}
	for more := true; more; more = page.After != "" {
		rows, next, err := tx.Incidents().List(ctx, state.IncidentQuery{Page: page, From: start})
		if err != nil {
			return n, err
		}
		n.incidents += int64(len(rows))
		page.After = next
	}
	for more := true; more; more = page.After != "" {
		rows, next, err := tx.Plans().Blocks(ctx, page)
		if err != nil {
			return n, err
		}
		page.After = next
		for _, b := range rows {
			if b.CreatedAt.Before(start) { // newest first: no more of them
				return n, nil
			}
			if b.State == honeyguide.PlanPlanned {
				n.blocks++
			}
		}
	}
	return n, nil
}

// pace is a body that has to keep coming.
type pace struct {
	r     io.Reader
	ctl   *http.ResponseController
	now   func() time.Time
	start time.Time
	n     int64
}

// paced wraps a body. Deadlines are of the connection, so they take the real
// clock; where there is no connection there are none.
func paced(w http.ResponseWriter, body io.Reader, now func() time.Time) *pace {
	p := &pace{r: body, ctl: http.NewResponseController(w), now: now, start: now()}
	_ = p.ctl.SetWriteDeadline(time.Time{}) // the answer comes after the body, whenever that ends
	return p
}

func (p *pace) Read(b []byte) (int, error) {
	now := p.now()
	deadline := now.Add(idleBody)
	if slow := p.start.Add(graceBody + time.Duration(p.n/minRate)*time.Second); slow.Before(deadline) {
		deadline = slow
	}
	_ = p.ctl.SetReadDeadline(deadline) // not over a connection: nothing to wait for either
	n, err := p.r.Read(b)
	p.n += int64(n)
	return n, err
}

// answering ends the reading: the answer has its own time.
func (p *pace) answering() {
	_ = p.ctl.SetReadDeadline(time.Time{})
	_ = p.ctl.SetWriteDeadline(p.now().Add(answerTime))
}
