package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

const goodLine = `{"id":"1","timestamp":"2026-11-21T19:30:00Z","source_ip":"198.51.100.7","description":"x","severity":"low"}`

// listen serves the rig's API on a unix socket and returns its path. The
// server ends with the test.
func (r *rig) listen(local bool) string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "api.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, Listener{Listener: l, Local: local}, r.handler, nil) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("serve: %v", err)
		}
	})
	return path
}

func (r *rig) post(query string, body io.Reader) (int, client.IngestResult, Problem) {
	r.t.Helper()
	w := r.call(http.MethodPost, "/api/v1/ingest?"+query, bootstrap, body)
	var res client.IngestResult
	var p Problem
	if w.Code < 300 {
		if err := json.Unmarshal(w.Body.Bytes(), &res); err != nil {
			r.t.Fatalf("%v: %s", err, w.Body)
		}
	} else {
		p = problemOf(r.t, w)
	}
	return w.Code, res, p
}

func TestIngestCounts(t *testing.T) {
	r := newRig(t)
	body := strings.Join([]string{
		goodLine, `{"id":"2","timestamp":"2026-11-21T19:30:00Z","source_ip":"nowhere","severity":"low"}`, `{broken`,
		`{"timestamp":"2026-11-21T19:30:00Z","event_type":"stats","stats":{"uptime":1}}`, goodLine,
	}, "\n")
	status, res, _ := r.post("name=mixed.json&format=auto", strings.NewReader(body))
	if status != http.StatusMultiStatus || res.Records != 5 || res.Events != 1 || res.Rejected != 2 || res.Duplicates != 1 || res.Ignored["stats"] != 1 {
		t.Errorf("%d %+v", status, res)
	}
	if len(res.DeadLetters) != 2 || res.DeadLetters[0].Line != 2 || !strings.Contains(res.DeadLetters[0].Reason, "source_ip") || res.DeadLetters[0].Raw != nil {
		t.Errorf("dead letters %+v", res.DeadLetters)
	}
	letters := get[client.Page[honeyguide.DeadLetter]](r, "/api/v1/dead-letters?source=mixed.json&include=raw")
	if len(letters.Items) != 2 || len(letters.Items[0].Raw) == 0 {
		t.Errorf("kept dead letters %+v", letters.Items)
	}
	if status, res, _ = r.post("name=again.json", strings.NewReader(goodLine)); status != http.StatusOK || res.Events != 0 || res.Duplicates != 1 {
		t.Errorf("again: %d %+v", status, res)
	}
	if events := get[client.Page[client.Event]](r, "/api/v1/events"); len(events.Items) != 1 || events.Items[0].Sensor != "mixed.json" {
		t.Errorf("events %+v", events.Items)
	}
}

// A core that starts over knows which records it has stored.
func TestIngestRemembers(t *testing.T) {
	r := newRig(t)
	anonymous := strings.Repeat(`{"timestamp":"2026-11-21T19:30:00Z","source_ip":"198.51.100.7","description":"same","severity":"low"}`+"\n", 3)
	body := goodLine + "\n" + anonymous
	if status, res, _ := r.post("name=a", strings.NewReader(body)); status != http.StatusOK || res.Events != 4 {
		t.Fatalf("first: %d %+v", status, res)
	}
	var err error
	if r.handler, err = New(r.dep); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(goodLine, `"id":"1"`, `"id":"2"`, 1)
	if status, res, _ := r.post("name=b", strings.NewReader(body+other)); status != http.StatusOK || res.Events != 1 || res.Duplicates != 4 {
		t.Errorf("after a start: %d, %d events, %d duplicates; want 1 and 4", status, res.Events, res.Duplicates)
	}
}

func TestIngestWaits(t *testing.T) {
	var idle eventlog.Seq
	var r *rig
	r = newRig(t, func(d *Deps) {
		d.Idle = func(_ context.Context, seq eventlog.Seq) error {
			idle = seq
			r.update(func(ctx context.Context, tx state.Tx) error {
				a := alert(2)
				a.CreatedAt = time.Now()
				if _, err := tx.Alerts().Save(ctx, a); err != nil {
					return err
				}
				i := honeyguide.Incident{Key: "k", Title: "x", Status: honeyguide.IncidentNew, CreatedAt: time.Now()}
				if _, err := tx.Incidents().Save(ctx, &i); err != nil {
					return err
				}
				p := honeyguide.Plan{ID: "p2", Incident: i.ID, Action: state.ActionBlockIP, Target: "198.51.100.9", State: honeyguide.PlanPlanned, CreatedAt: time.Now()}
				return tx.Plans().Save(ctx, &p)
			})
			return nil
		}
	})
	r.fill() // rows from before, which do not count
	status, res, _ := r.post("wait=true", strings.NewReader(goodLine+"\n"+strings.Replace(goodLine, `"1"`, `"2"`, 1)))
	if status != http.StatusOK || idle != 3 || res.Alerts != 1 || res.Incidents != 1 || res.Blocks != 1 {
		t.Errorf("%d, waited for %d, %+v", status, idle, res)
	}
}

func TestIngestRefusals(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Idle = nil })
	for query, want := range map[string]int{
		"format=xml": 400, "wait=maybe": 400, "wait=true": 503, "frmat=json": 400, "name=" + strings.Repeat("x", 300): 400, "name=%ff": 400,
	} {
		if status, _, p := r.post(query, strings.NewReader(goodLine)); status != want || p.Detail == "" {
			t.Errorf("%s: %d %+v, want %d", query, status, p, want)
		}
	}
	if status, _, p := r.post("", strings.NewReader("no alerts at all")); status != 400 || !strings.Contains(p.Detail, "JSON") {
		t.Errorf("prose: %d %+v", status, p)
	}
	if status, res, _ := r.post("", strings.NewReader("")); status != 200 || res.Records != 0 || res.Framing != "empty" {
		t.Errorf("nothing: %d %+v", status, res)
	}
	for _, c := range []struct {
		err    error
		status int
	}{
		{eventlog.ErrFull, 503},
		{eventlog.ErrClosed, 503},
		{errors.New("secret inner words"), 500},
		{&honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "try later"}, 503},
	} {
		r.fail = c.err
		status, _, p := r.post("", strings.NewReader(strings.Replace(goodLine, `"1"`, `"9"`, 1)))
		if status != c.status || p.Ingest == nil || p.Ingest.Events != 0 || strings.Contains(p.Detail, "secret") {
			t.Errorf("%v: %d %+v", c.err, status, p)
		}
	}
	r.fail = nil
	if status, res, _ := r.post("", strings.NewReader(strings.Replace(goodLine, `"1"`, `"9"`, 1))); status != 200 || res.Events != 1 {
		t.Errorf("the same after the failure: %d %+v", status, res)
	}
}

func TestIngestGzipAndBomb(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var small, bomb bytes.Buffer
	z := gzip.NewWriter(&small)
	_, _ = io.WriteString(z, goodLine)
	_ = z.Close()
	if status, res, _ := r.post("", &small); status != 200 || res.Events != 1 {
		t.Errorf("gzip: %d %+v", status, res)
	}
	z = gzip.NewWriter(&bomb)
	_, _ = io.WriteString(z, strings.Replace(goodLine, `"1"`, `"3"`, 1)+"\n")
	line := bytes.Repeat([]byte("A"), 1<<20)
	for range 200 {
		_, _ = z.Write(line)
	}
	_ = z.Close()
	status, _, p := r.post("", &bomb)
	if status != 400 || !strings.Contains(p.Detail, "times as large") || p.Ingest == nil || p.Ingest.Events != 1 {
		t.Errorf("bomb: %d %+v", status, p)
	}
}

// zeros is a body that is made while it is sent.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	for i := range n {
		p[i] = 'A'
	}
	z.left -= n
	return n, nil
}

// A line of 100 MB goes through a real connection and server.
func TestIngestHugeLineOverASocket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := client.Unix(r.listen(true))
	var told int64
	res, err := c.Ingest(t.Context(), client.IngestRequest{
		Name: "huge", Format: "json", Progress: func(n int64) { told = n },
		Body: io.MultiReader(strings.NewReader(goodLine+"\n{\"a\":\""), &zeros{100 << 20}, strings.NewReader("\"}\n"+strings.Replace(goodLine, `"1"`, `"2"`, 1))),
	})
	if err != nil || res.Events != 2 || res.Rejected != 1 || res.DeadLetters[0].Bytes < 100<<20 || told < 100<<20 {
		t.Errorf("%v, told %d: %+v", err, told, res)
	}
}

func TestTooManyInputs(t *testing.T) {
	r := newRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	r.handler = s.handler()
	for range maxIngests {
		s.slots <- struct{}{}
	}
	if status, _, p := r.post("", strings.NewReader(goodLine)); status != http.StatusTooManyRequests || p.Detail == "" {
		t.Errorf("got %d %+v", status, p)
	}
}

// The deadlines of a body: one read may take so long, and all of it may not be
// slower than a rate once grace is over.
func TestPaceOfABody(t *testing.T) {
	now := day
	w := &deadlines{}
	p := paced(w, strings.NewReader(strings.Repeat("x", 1<<20)), func() time.Time { return now })
	read := func(after time.Duration, n int) time.Duration {
		now = day.Add(after)
		if _, err := p.Read(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		return w.read.Sub(now)
	}
	if d := read(0, 1024); d != idleBody {
		t.Errorf("the first read may take %v", d)
	}
	if d := read(50*time.Second, 1024); d != 10*time.Second {
		t.Errorf("a kilobyte after 50 s: %v are left of the grace", d)
	}
	if d := read(55*time.Second, 100<<10); d != 5*time.Second {
		t.Errorf("before the large read %v are left", d)
	}
	if d := read(60*time.Second, 1024); d != 25*time.Second {
		t.Errorf("100 KB buy time: %v", d)
	}
	p.answering()
	if !w.read.IsZero() || w.write.Sub(now) != answerTime {
		t.Errorf("answering: read %v, write %v", w.read, w.write.Sub(now))
	}
}

type deadlines struct {
	http.ResponseWriter
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// A body that stalls is given up with an answer. The stall is the connection's
// own timeout, as if half a minute had passed.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stall := fmt.Errorf("read tcp: %w", &net.OpError{Op: "read", Err: timeout{}})
	status, _, p := r.post("", io.MultiReader(strings.NewReader(goodLine+"\n"), errReader{stall}))
	if status != http.StatusRequestTimeout || p.Ingest == nil || p.Ingest.Events != 1 {
		t.Errorf("got %d %+v", status, p)
	}
	if status, _, p := r.post("", io.MultiReader(strings.NewReader("{"), errReader{io.ErrUnexpectedEOF})); status != http.StatusBadRequest || p.Detail == "" {
		t.Errorf("a body cut off: %d %+v", status, p)
	}
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestManyDeadLettersAreCut(t *testing.T) {
	r := newRig(t)
	status, res, _ := r.post("format=json&name=garbage", strings.NewReader(strings.Repeat("{x}\n", 1000)))
	if status != http.StatusMultiStatus || res.Rejected != 1000 || len(res.DeadLetters) != shownLetters {
		t.Errorf("%d: %d rejected, %d shown", status, res.Rejected, len(res.DeadLetters))
	}
	n := 0
	r.update(func(ctx context.Context, tx state.Tx) error {
		count, err := tx.DeadLetters().Count(ctx)
		n = int(count)
		return err
	})
	if n != 1000 {
		t.Errorf("%d are kept", n)
	}
}

// TestPush is what a shipper does: a format in the path, a compressed body, the
// same once more when the answer got lost.
func TestPush(t *testing.T) {
	r := newRig(t)
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := io.WriteString(z, goodLine+"\n<html>\n"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []client.IngestResult{{Events: 1, Rejected: 1}, {Duplicates: 1, Rejected: 1}} {
		w := r.call(http.MethodPost, "/api/v1/ingest/json?name=shipper", bootstrap, bytes.NewReader(body.Bytes()))
		var res client.IngestResult
		if err := json.Unmarshal(w.Body.Bytes(), &res); err != nil || w.Code != http.StatusMultiStatus {
			t.Fatalf("try %d: %d, %v: %s", i, w.Code, err, w.Body)
		}
		if res.Events != want.Events || res.Duplicates != want.Duplicates || len(res.DeadLetters) != 1 || res.DeadLetters[0].Line != 2 || res.DeadLetters[0].Reason == "" {
			t.Errorf("try %d: %+v", i, res)
		}
	}
	for path, want := range map[string]int{
		"/api/v1/ingest/nonsense": http.StatusBadRequest, "/api/v1/ingest/json?format=json": http.StatusBadRequest, "/api/v1/ingest/a/b": http.StatusNotFound,
	} {
		if w := r.call(http.MethodPost, path, bootstrap, strings.NewReader(goodLine)); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
		}
	}
}
