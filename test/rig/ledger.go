package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
)

// A Ledger keeps, outside of a core, what the core has acknowledged: records it
// said it stored, events, alerts, runs and notices it has shown, and the changes
// it said it made. Cores come and go under it; Compare says what of it a later
// core no longer knows.
type Ledger struct {
	mu       sync.Mutex
	records  map[string]time.Time // ids of records whose request was answered, and when
	events   map[string]bool      // ids of events that were shown
	alerts   map[string]bool
	sources  map[string]bool // addresses of answered records: each makes an alert
	requests map[string]bool // ids of answered requests that changed something
	jobs     map[string]bool // run/ID and notice/ID
	cut      atomic.Int64    // requests without an answer
	turned   atomic.Int64    // requests that were refused with a reason
	offered  atomic.Int64    // records of all requests
	closed   bool
	sets     []string
}

// Close ends the keeping: what is acknowledged from now on does not count. The
// power of a machine takes its software with it; here a core outlives the cut by
// a moment, in which a file system that is shut down may answer anything.
func (l *Ledger) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// NewLedger returns an empty ledger with a playbook that tells of every incident,
// so that runs and notices come of the load.
func NewLedger(t testing.TB) *Ledger {
	t.Helper()
	books := t.TempDir()
	const book = "id: tell\ntitle: Tell\ntrigger: incident\nmode: apply\nsteps:\n  - name: tell\n    action: notify\n    params: {title: \"Look at ${incident.short}\", text: \"${incident.title}\", urgency: high}\n"
	if err := os.WriteFile(filepath.Join(books, "tell.yaml"), []byte(book), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(srv.Close)
	return &Ledger{
		records: map[string]time.Time{}, events: map[string]bool{}, alerts: map[string]bool{}, sources: map[string]bool{}, requests: map[string]bool{}, jobs: map[string]bool{},
		sets: []string{
			"sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "respond.playbooks=" + books, "respond.mode=apply", "fetch.allow=127.0.0.1/32",
			"actions.hook.kind=webhook", "actions.hook.url=" + srv.URL + "/in", "actions.hook.secret=0123456789abcdef", "notify.default=hook", "notify.dedupe=0s", "notify.rate=10000",
		},
	}
}

// Fork returns a ledger of what is acknowledged at this moment, to which nothing is
// added.
func (l *Ledger) Fork() *Ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Ledger{
		records: maps.Clone(l.records), events: maps.Clone(l.events), alerts: maps.Clone(l.alerts), sources: maps.Clone(l.sources),
		requests: maps.Clone(l.requests), jobs: maps.Clone(l.jobs), closed: true, sets: l.sets,
	}
}

// Stored is how many records were acknowledged so far.
func (l *Ledger) Stored() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records)
}

// Sets are the --set values of the cores the ledger is kept of.
func (l *Ledger) Sets() []string { return l.sets }

// A Load is what Under does to a core.
type Load struct {
	Round   int
	Writers int // each posts batches of ten records, one after the other
	Pause   time.Duration
	Quiet   bool // no decoy is visited, nothing is watched and changed: records alone
}

// Under puts a core under load until it is gone or stop is called, which waits.
// What is acknowledged meanwhile goes into the ledger.
func (l *Ledger) Under(c *Core, load Load) (stop func()) {
	l.mu.Lock()
	l.closed = false
	l.mu.Unlock()
	var wg sync.WaitGroup
	var over atomic.Bool
	live := func() bool { return c.Running() && !over.Load() }
	for w := range load.Writers {
		wg.Go(func() {
			for n := 0; live(); n++ {
				l.feed(c, load.Round, w, n)
				time.Sleep(load.Pause)
			}
		})
	}
	if !load.Quiet {
		wg.Go(func() {
			for n := 0; live(); n++ {
				l.change(c, fmt.Sprintf("view-%d-%d", load.Round, n))
			}
		})
		wg.Go(func() {
			for live() {
				l.watch(c)
				time.Sleep(20 * time.Millisecond)
			}
		})
		wg.Go(func() {
			addr, err := c.listens("http")
			for n := 0; err == nil && live(); n++ {
				l.visit(addr, n)
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	return func() {
		over.Store(true)
		wg.Wait()
	}
}

// feed posts one batch.
func (l *Ledger) feed(c *Core, round, writer, n int) {
	body, ids, src := Batch(round, writer, n)
	l.offered.Add(int64(len(ids)))
	req, err := c.send("/api/v1/ingest?format=json&name=crash", "application/x-ndjson", body)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
	case err != nil:
		l.cut.Add(1)
	case req == "":
		l.turned.Add(1)
	default:
		l.requests[req], l.sources[src] = true, true
		for _, id := range ids {
			l.records[id] = time.Now()
		}
	}
}

// change makes a saved view: a row, and an audit entry before it.
func (l *Ledger) change(c *Core, name string) {
	req, err := c.send("/api/v1/views", "application/json", []byte(`{"name":"`+name+`","room":"alerts","query":"status=new"}`))
	if err == nil && req != "" {
		l.mu.Lock()
		if !l.closed {
			l.requests[req] = true
		}
		l.mu.Unlock()
	}
}

// watch looks at the newest of everything.
func (l *Ledger) watch(c *Core) {
	type row struct {
		ID string `json:"id"`
	}
	for path, into := range map[string]map[string]bool{"events": l.events, "alerts": l.alerts, "runs": l.jobs, "notices": l.jobs} {
		var p Page[row]
		if err := c.Get("/api/v1/"+path+"?limit=200", &p); err != nil {
			continue
		}
		l.mu.Lock()
		for _, x := range p.Items {
			if l.closed {
				break
			}
			if path == "runs" || path == "notices" {
				x.ID = path + "/" + x.ID
			}
			into[x.ID] = true
		}
		l.mu.Unlock()
	}
}

// visit asks the web decoy for a page.
func (l *Ledger) visit(addr string, n int) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(conn, "GET /wp-login.php?n=%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", n)
	_, _ = io.Copy(io.Discard, conn)
}

// Batch is ten generic alerts with ids of their own, of one source.
func Batch(round, writer, n int) (body []byte, ids []string, src string) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	src = fmt.Sprintf("198.51.100.%d", 1+n%200)
	for i := range 10 {
		id := fmt.Sprintf("r%d-w%d-n%d-%d", round, writer, n, i)
		ids = append(ids, id)
		_ = enc.Encode(map[string]any{ // a map of plain values always encodes
			"id": id, "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "source_ip": src,
			"destination_ip": "192.0.2.10", "event_type": "intrusion_attempt", "description": "crash load", "severity": "medium",
			"source_port": 40000 + i, "destination_port": 22, "protocol": "tcp",
		})
	}
	return b.Bytes(), ids, src
}

// Losses are what was acknowledged and is no longer known, by kind.
type Losses struct {
	Events, Alerts, Entries, Jobs int
	Twice                         int // records that stand in the log twice

	Acked struct{ Records, Events, Alerts, Entries, Jobs int }
	Cut   int64 // requests without an answer
}

// Sum is how much was lost in all.
func (x Losses) Sum() int { return x.Events + x.Alerts + x.Entries + x.Jobs + x.Twice }

// String says it in one line.
func (x Losses) String() string {
	return fmt.Sprintf("records %d and events %d acknowledged, %d lost, %d twice; alerts %d, %d lost; audit entries %d, %d lost; jobs %d, %d lost; requests cut off %d",
		x.Acked.Records, x.Acked.Events, x.Events, x.Twice, x.Acked.Alerts, x.Alerts, x.Acked.Entries, x.Entries, x.Acked.Jobs, x.Jobs, x.Cut)
}

// Trust prints the line a proof is read by. rounds is how often what is promised was
// put to the test: kills, cuts, seconds.
func (x Losses) Trust(t testing.TB, name string, rounds int) {
	t.Helper()
	t.Logf("TRUST name=%s figure=%d unit=lost target=<=0 of=%d rounds=%d events=%d twice=%d alerts=%d audit_entries=%d jobs=%d", name, x.Sum(),
		x.Acked.Records+x.Acked.Events+x.Acked.Alerts+x.Acked.Entries+x.Acked.Jobs, rounds, x.Events, x.Twice, x.Alerts, x.Entries, x.Jobs)
}

// Compare waits until a core has judged everything and looks for what the ledger
// holds.
func (l *Ledger) Compare(t testing.TB, c *Core) (x Losses) {
	t.Helper()
	Eventually(t, 2*time.Minute, "everything judged", func() bool {
		var text string
		return c.Get("/metrics", &text) == nil && strings.Contains(text, "\nhoneyguide_pipeline_lag_events 0\n")
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	x.Cut = l.cut.Load()
	x.Acked.Records, x.Acked.Events, x.Acked.Alerts, x.Acked.Entries, x.Acked.Jobs = len(l.records), len(l.events), len(l.alerts), len(l.requests), len(l.jobs)
	events := must[honeyguide.Event](t, c, "/api/v1/events")
	ids, origins := map[string]bool{}, map[string]int{}
	for _, e := range events {
		ids[e.ID] = true
		if id := e.Str(honeyguide.AttrOriginID); id != "" {
			origins[id]++
		}
	}
	for id, at := range l.records {
		switch origins[id] {
		case 0:
			t.Logf("record %s was acknowledged at %s and is not there", id, at.Format(time.StampMicro))
			x.Events++
		case 1:
		default:
			x.Twice++
		}
	}
	n := missing(l.events, ids)
	if x.Events += n; n > 0 {
		t.Logf("%d events were shown and are not there", n)
	}
	alerts, sources := map[string]bool{}, map[string]bool{}
	for _, a := range must[honeyguide.Alert](t, c, "/api/v1/alerts") {
		alerts[a.ID], sources[a.Src.Addr.Addr().String()] = true, true
	}
	x.Alerts = missing(l.alerts, alerts) + missing(l.sources, sources)
	entries := map[string]bool{}
	for _, e := range must[honeyguide.AuditEntry](t, c, "/api/v1/audit") {
		entries[e.Request] = true
	}
	x.Entries = missing(l.requests, entries)
	jobs := map[string]bool{}
	for _, kind := range []string{"runs", "notices"} {
		for _, r := range must[struct {
			ID string `json:"id"`
		}](t, c, "/api/v1/"+kind) {
			jobs[kind+"/"+r.ID] = true
		}
	}
	x.Jobs = missing(l.jobs, jobs)
	return x
}

func must[T any](t testing.TB, c *Core, path string) []T {
	t.Helper()
	list, err := List[T](c, path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return list
}

func missing(want, have map[string]bool) (n int) {
	for id := range want {
		if !have[id] {
			n++
		}
	}
	return n
}

// send posts a body and returns the id of the request when it was carried out, ""
// when it was refused.
func (c *Core) send(path, contentType string, body []byte) (request string, err error) {
	resp, err := c.api.Post("http://core"+path, contentType, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", nil
	}
	return resp.Header.Get("X-Request-Id"), nil
}

// Refused is how many batches the cores refused with a reason.
func (l *Ledger) Refused() int64 { return l.turned.Load() }

// Offered is how many records the cores were asked to take so far.
func (l *Ledger) Offered() int64 { return l.offered.Load() }

// Trust prints one line of a proof: a row, its figure, and what it has to be.
func Trust(t testing.TB, name string, figure float64, unit, target string) {
	t.Helper()
	t.Logf("TRUST name=%s figure=%s unit=%s target=%s", name, strconv.FormatFloat(figure, 'f', -1, 64), unit, target)
}
