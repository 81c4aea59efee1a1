package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide/internal/auth"
	"honeyguide/internal/live"
)

// The times of a live stream.
const (
	streamBeat  = 15 * time.Second // without anything else, so that either side notices that the other is gone
	streamRetry = 3000             // ms after which a browser connects again
	streamWrite = 10 * time.Second // for one batch to be taken
	streamEnd   = 300 * time.Millisecond
	streamCheck = time.Second // between two looks whether the listener may still listen
)

// topicNeeds says what a topic asks for: what the list of its rows asks for.
var topicNeeds = map[live.Topic]auth.Permission{
	live.Alerts: auth.PermRead, live.Incidents: auth.PermRead, live.Sessions: auth.PermRead, live.Runs: auth.PermRead,
	live.Notices: auth.PermRead, live.Events: auth.PermRead, live.Health: auth.PermRead,
}

// stream registers the live stream.
func (s *server) stream() {
	names := make([]string, 0, len(topicNeeds))
	for _, t := range live.Topics() {
		names = append(names, string(t))
	}
	o := huma.Operation{
		OperationID: "stream", Method: http.MethodGet, Path: base + "/stream", Tags: []string{"stream"},
		Summary: "What changes, as it changes: server-sent events",
		Description: "Events: hello {id, topics, at}; batch {id, messages: [{topic, kind: new|changed|gone, id, short, row}]}, at most every 100 ms; " +
			"summary {id, from, to, counts} in place of messages a slow listener did not take; reset {id}: what came after Last-Event-ID is not known, read the lists anew; " +
			"beat {id, at} every 15 s; end {reason}. A row is what the list of its topic shows. Rows are values: the newest one replaces what was there.",
		Parameters: []*huma.Param{
			{Name: "topics", In: "query", Description: "comma-separated, of " + strings.Join(names, ", ") + "; absent means all the key is good for", Schema: &huma.Schema{Type: "string"}},
			{Name: "after", In: "query", Description: "go on behind this number, as Last-Event-ID does; for clients that cannot send the header", Schema: &huma.Schema{Type: "integer", Format: "int64"}},
			{Name: "Last-Event-ID", In: "header", Description: "go on behind this number", Schema: &huma.Schema{Type: "integer", Format: "int64"}},
		},
	}
	registry := s.huma.OpenAPI().Components.Schemas
	o.Responses = map[string]*huma.Response{
		"200":     {Description: "The stream; it ends when the rights of its listener do", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}},
		"default": {Description: "There is no stream", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: huma.SchemaFromType(registry, typeOf[Problem]())}}},
	}
	s.huma.OpenAPI().AddOperation(&o)
	s.plain(o.Method+" "+o.Path, auth.PermRead, s.serveStream)
}

func (s *server) serveStream(w http.ResponseWriter, r *http.Request) {
	who, _ := r.Context().Value(principalKey).(auth.Principal)
	want, last, err := streamAsk(r, who)
	if err != nil {
		writeProblem(w, s.problem(r.Context(), err))
		return
	}
	if s.dep.Live == nil {
		writeProblem(w, newProblem(r.Context(), http.StatusServiceUnavailable, "this core has no live stream"))
		return
	}
	reader, ctx, reset, err := s.dep.Live.Attach(r.Context(), want, last, streamOwners(who)...)
	switch {
	case errors.Is(err, live.ErrTooMany):
		w.Header().Set("Retry-After", strconv.Itoa(streamRetry/1000))
		writeProblem(w, newProblem(r.Context(), http.StatusTooManyRequests, "too many streams are open: close some, one for each window is enough"))
		return
	case err != nil:
		writeProblem(w, newProblem(r.Context(), http.StatusServiceUnavailable, "the core stops"))
		return
	}
	defer reader.Close()
	f := &feed{w: w, out: http.NewResponseController(w), now: s.dep.Now}
	// The server's own deadline is for requests that end.
	_ = f.out.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	defer s.watchRights(ctx, r, who, reader)()
	f.serve(ctx, reader, want, reset)
}

// watchRights looks again and again whether the listener may still listen: a key
// may run out, and not everybody who takes rights away knows of streams. It ends a
// write that hangs, too. The function it returns stops it.
func (s *server) watchRights(ctx context.Context, r *http.Request, who auth.Principal, reader *live.Reader) (stop func()) {
	hand := make(chan *time.Timer, 1) // who has the timer goes on
	look := func() {
		t, more := <-hand
		if !more {
			return
		}
		if !s.gate.still(r.WithContext(ctx), who) {
			reader.Revoke()
		}
		t.Reset(streamCheck)
		hand <- t
	}
	hand <- time.AfterFunc(streamCheck, look)
	return func() {
		(<-hand).Stop()
		close(hand)
	}
}

// streamOwners are the ids whose rights a stream stands on; the first is counted.
func streamOwners(who auth.Principal) []string {
	if who.Session != "" {
		return []string{who.ID, who.Session}
	}
	return []string{who.ID}
}

// streamAsk reads what is wanted. What the listener may not see is left out.
func streamAsk(r *http.Request, who auth.Principal) (want []live.Topic, last int64, err error) {
	q := r.URL.Query()
	for name := range q {
		if name != "topics" && name != "after" {
			return nil, 0, invalid("query: this route takes topics and after")
		}
	}
	asked := live.Topics()
	if text := q.Get("topics"); text != "" {
		asked = nil
		for name := range strings.SplitSeq(text, ",") {
			t := live.Topic(strings.TrimSpace(name))
			if topicNeeds[t] == "" {
				return nil, 0, invalid("topics: want some of alerts, incidents, sessions, runs, notices, events, health")
			}
			asked = append(asked, t)
		}
	}
	for _, t := range asked {
		if who.May(topicNeeds[t]) && !slices.Contains(want, t) {
			want = append(want, t)
		}
	}
	if len(want) == 0 {
		return nil, 0, &Problem{Type: "urn:honeyguide:problem:forbidden", Title: http.StatusText(http.StatusForbidden), Status: http.StatusForbidden, Detail: "this key is good for none of these topics", Instance: requestID(r.Context())}
	}
	// A browser that connects again repeats the address, with the number it began
	// at, and sends the newer one in the header.
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = q.Get("after")
	}
	if text == "" {
		return want, 0, nil
	}
	last, err = strconv.ParseInt(text, 10, 64)
	if err != nil || last < 0 {
		return nil, 0, invalid("Last-Event-ID: want the number the stream gave; leave it out to begin now")
	}
	return want, max(last, 1), nil
}

// A feed writes server-sent events.
type feed struct {
	w   http.ResponseWriter
	out *http.ResponseController
	now func() time.Time
	buf bytes.Buffer
}

// serve writes until the stream ends.
func (f *feed) serve(ctx context.Context, reader *live.Reader, want []live.Topic, reset bool) {
	defer f.endWith(ctx)()
	f.buf.WriteString("retry: " + strconv.Itoa(streamRetry) + "\n")
	err := f.event("hello", reader.Position(), map[string]any{"id": reader.Position(), "topics": want, "at": f.now().UTC()}, streamWrite)
	if err == nil && reset {
		err = f.event("reset", reader.Position(), map[string]any{"id": reader.Position()}, streamWrite)
	}
	for err == nil {
		var b live.Batch
		b, err = reader.Next(ctx, streamBeat)
		switch {
		case errors.Is(err, live.ErrRevoked):
			_ = f.event("end", 0, map[string]string{"reason": "revoked"}, streamEnd)
		case errors.Is(err, live.ErrStopped):
			_ = f.event("end", 0, map[string]string{"reason": "stopped"}, streamEnd)
		case err != nil:
		case b.Summary != nil:
			err = f.event("summary", b.ID, map[string]any{"id": b.ID, "from": b.Summary.From, "to": b.Summary.To, "counts": b.Summary.Counts}, streamWrite)
		case len(b.Messages) > 0:
			err = f.batch(b)
		default:
			err = f.event("beat", b.ID, map[string]any{"id": b.ID, "at": f.now().UTC()}, streamWrite)
		}
	}
}

// endWith cuts a write short that hangs when ctx ends: whoever takes no bytes does
// not hold a stream open that has ended. The function it returns ends that, before
// the answer is given out of hand.
func (f *feed) endWith(ctx context.Context) (over func()) {
	var mu sync.Mutex
	done := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !done {
			_ = f.out.SetWriteDeadline(time.Now().Add(streamEnd))
		}
	})
	return func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		done = true
	}
}

// event writes one event; id 0 leaves the listener's number as it is.
func (f *feed) event(name string, id int64, data any, within time.Duration) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	f.begin(name, id)
	f.buf.Write(raw)
	return f.send(within)
}

func (f *feed) begin(name string, id int64) {
	if id != 0 {
		f.buf.WriteString("id: ")
		f.number(id)
		f.buf.WriteByte('\n')
	}
	f.buf.WriteString("event: " + name + "\ndata: ")
}

func (f *feed) number(n int64) { f.buf.Write(strconv.AppendInt(f.buf.AvailableBuffer(), n, 10)) }

// batch writes messages. Their rows are JSON on one line already.
func (f *feed) batch(b live.Batch) error {
	f.begin("batch", b.ID)
	f.buf.WriteString(`{"id":`)
	f.number(b.ID)
	f.buf.WriteString(`,"messages":[`)
	for i := range b.Messages {
		m := &b.Messages[i]
		if i > 0 {
			f.buf.WriteByte(',')
		}
		f.buf.WriteString(`{"topic":"` + string(m.Topic) + `","kind":"` + string(m.Kind) + `","id":`)
		f.text(m.ID)
		if m.Short != "" {
			f.buf.WriteString(`,"short":`)
			f.text(m.Short)
		}
		if m.Row != nil {
			f.buf.WriteString(`,"row":`)
			f.buf.Write(m.Row)
		}
		f.buf.WriteByte('}')
	}
	f.buf.WriteString("]}")
	return f.send(streamWrite)
}

func (f *feed) text(s string) {
	raw, _ := json.Marshal(s) // a string always can
	f.buf.Write(raw)
}

// send writes what is gathered, in time or not at all.
func (f *feed) send(within time.Duration) error {
	f.buf.WriteString("\n\n")
	_ = f.out.SetWriteDeadline(time.Now().Add(within)) // a recorder has none
	_, err := f.w.Write(f.buf.Bytes())
	if err == nil {
		err = f.out.Flush()
	}
	if f.buf.Reset(); f.buf.Cap() > 1<<20 {
		f.buf = bytes.Buffer{}
	}
	return err
}
