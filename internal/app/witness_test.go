package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/builtin"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/ipc"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/respondtest"
)

// trailRig is an app with no more than an audit log and the actions it tells.
type trailRig struct {
	*App
	sent []fetcher.Request
	fail error
}

// Do takes what an action sends.
func (r *trailRig) Do(_ context.Context, q fetcher.Request, w io.Writer) (fetcher.Response, error) {
	if r.fail != nil {
		return fetcher.Response{}, r.fail
	}
	r.sent = append(r.sent, q)
	if q.Mail != nil {
		_, _ = io.WriteString(w, "250 taken")
		return fetcher.Response{Status: 250}, nil
	}
	if strings.HasPrefix(q.URL, "syslog") {
		return fetcher.Response{}, nil
	}
	return fetcher.Response{Status: 200}, nil
}

func newTrailRig(t *testing.T, actions map[string]map[string]any, s Audit) *trailRig {
	t.Helper()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	r := &trailRig{App: &App{now: func() time.Time { return at }, log: slog.New(slog.DiscardHandler), actions: map[string]respond.Action{}}}
	r.settings.Node.Name, r.settings.Node.Data, r.settings.Audit = "edge-1", t.TempDir(), s
	var err error
	if r.audit, err = audit.Open(t.Context(), audit.Options{Dir: AuditDir(r.settings.Node.Data), Keys: filepath.Join(r.settings.Node.Data, "keys"), Now: r.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.audit.Close() })
	for name, set := range actions {
		k, err := builtin.Actions().Lookup(set["kind"].(string))
		if err != nil {
			t.Fatal(err)
		}
		given := maps.Clone(set)
		delete(given, "kind")
		if r.actions[name], err = k.Open(t.Context(), respondtest.Decode(given), respond.Deps{Name: name, Log: r.log, Fetch: r, Node: "edge-1", Now: r.now}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

var tellers = map[string]map[string]any{
	"mail":    {"kind": "email", "server": "mail.example.org:587", "from": "soc@example.org", "to": []string{"keeper@example.org"}},
	"loghost": {"kind": "syslog", "server": "logs.example.org:6514"},
	"siem":    {"kind": "syslog", "server": "logs.example.org:6514", "format": "cef"},
	"hook":    {"kind": "webhook", "url": "https://hook.example.org/x", "secret": "0123456789abcdef0123"},
}

func (r *trailRig) act(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		if err := r.audit.Record(t.Context(), honeyguide.AuditEntry{
			Actor: "zoe", Kind: "user", Address: netip.MustParseAddr("192.0.2.7"), Action: "decide-run", Object: fmt.Sprintf("run:R-%d", i), Outcome: honeyguide.AuditAsked, Reason: "a=b|c\nd",
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// What each way of telling carries is found again by whoever verifies, as it came.
func TestWitnessesCarryCheckpoints(t *testing.T) {
	r := newTrailRig(t, tellers, Audit{})
	r.act(t, 3)
	dir := t.TempDir()
	for name := range tellers {
		r.sent = nil
		m := &messenger{name: name, to: r.actions[name].(respond.Messenger), app: r.App}
		if err := m.Keep(t.Context(), r.audit.Checkpoint()); err != nil {
			t.Fatal(name, err)
		}
		if len(r.sent) != 1 {
			t.Fatalf("%s: %d requests", name, len(r.sent))
		}
		body := string(r.sent[0].Body)
		got, err := audit.ReadCheckpoints(strings.NewReader(body), r.audit.PublicKey())
		if err != nil || len(got.List) == 0 || got.List[0].Size != 3 || got.Foreign+got.Altered > 0 {
			t.Errorf("%s: %+v, %v in\n%s", name, got, err, body)
		}
		if strings.Contains(body, "zoe") || strings.Contains(body, "192.0.2.7") {
			t.Errorf("%s: the digest names somebody", name)
		}
		if name == "mail" && !strings.Contains(body, "3 x decide-run asked") {
			t.Errorf("no digest in\n%s", body)
		}
		_ = os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600)
	}
}

// Checkpoints are put as objects whose names sort and never come twice, are read back,
// and show a rollback.
func TestS3Witness(t *testing.T) {
	back := s3mem.New()
	if err := back.CreateBucket("audit"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(back, gofakes3.WithTimeSkewLimit(0), gofakes3.WithIntegrityCheck(true)).Server())
	defer server.Close()
	set := audit.S3{URL: server.URL, Bucket: "audit", Prefix: "edge/", Region: "eu-central-1", AccessKey: "AKIAEXAMPLE", SecretKey: "secret", LockDays: 30}
	r := newTrailRig(t, nil, Audit{Witness: []string{"s3"}, S3: set})
	way, ok := r.settings.Audit.way()
	if !ok {
		t.Fatal("no way to the store")
	}
	fetch, err := fetcher.Uncaged(ipc.FetchSetup{Ways: []fetcher.Way{way}, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	r.fetch = fetch
	if err := r.openWitnesses(); err != nil {
		t.Fatal(err)
	}
	w := audit.S3Witness(set, r.put, r.now)
	for range 3 {
		r.act(t, 5)
		if err := errors.Join(w.Keep(t.Context(), r.audit.Checkpoint()), w.Keep(t.Context(), r.audit.Checkpoint())); err != nil {
			t.Fatal(err)
		}
	}
	got, err := back.ListBucket("audit", &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
	if err != nil || len(got.Contents) != 3 {
		t.Fatal(got, err)
	}
	var names []string
	var kept audit.Kept
	for _, c := range got.Contents {
		names = append(names, c.Key)
		o, err := back.GetObject("audit", c.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		one, err := audit.ReadCheckpoints(o.Contents, r.audit.PublicKey())
		if err != nil || len(one.List) != 1 {
			t.Fatal(c.Key, err)
		}
		if o.Metadata["X-Amz-Object-Lock-Mode"] != "COMPLIANCE" && o.Metadata["x-amz-object-lock-mode"] == "" {
			t.Logf("%s: the store does not tell of the lock: %v", c.Key, o.Metadata)
		}
		kept.Add(one)
	}
	if !slices.IsSorted(names) || !strings.HasPrefix(names[0], "edge/honeyguide-audit-") {
		t.Errorf("%v", names)
	}
	report, err := audit.Verify(t.Context(), audit.Check{Dir: AuditDir(r.settings.Node.Data), Key: r.audit.PublicKey(), Kept: kept})
	if err != nil || !report.Whole() || report.Witnessed != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	set.Bucket = "nowhere"
	if err := audit.S3Witness(set, r.put, r.now).Keep(t.Context(), r.audit.Checkpoint()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a bucket that is not there: %v", err)
	}
	server.Close()
	if err := w.Keep(t.Context(), r.audit.Checkpoint()); err == nil {
		t.Error("nobody listens, and it was kept")
	}
}

// Every entry comes to a SIEM as a CEF line and to a webhook as a message, in order,
// and again from where it stood after the way was cut.
func TestExportToCollectors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	r := newTrailRig(t, tellers, Audit{Export: []string{"siem", "hook", "jsonl:" + file}})
	if err := r.openFeeds(); err != nil {
		t.Fatal(err)
	}
	r.act(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	r.fail = errors.New("no route")
	done := make(chan error, len(r.feeds))
	c := &collector{"siem", r.actions["siem"].(respond.Messenger), "edge-1"}
	if n, err := c.Put(ctx, []honeyguide.AuditEntry{{}}); n != 0 || err == nil {
		t.Error("it was taken")
	}
	r.fail = nil
	for _, f := range r.feeds[2:] {
		go func() { done <- f.Run(ctx) }()
	}
	for until := time.Now().Add(10 * time.Second); r.feeds[2].Next() < 4 && time.Now().Before(until); {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-done
	raw, err := os.ReadFile(file)
	if err != nil || strings.Count(string(raw), "\n") != 4 || !strings.Contains(string(raw), `"object":"run:R-3"`) {
		t.Errorf("%s, %v", raw, err)
	}
	list, _, err := r.audit.After(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Put(t.Context(), list); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	line := string(r.sent[0].Body)
	if strings.Count(line, "\n") > 0 || !strings.Contains(line, " audit - CEF:0|Honeyguide|honeyguide|1|decide-run|") || !strings.Contains(line, `externalId=0 suser=zoe src=192.0.2.7`) || !strings.Contains(line, `a\=b|c`) {
		t.Errorf("%q", line)
	}
	r.sent = nil
	c = &collector{"hook", r.actions["hook"].(respond.Messenger), "edge-1"}
	if n, err := c.Put(t.Context(), list); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if got := r.sent[3]; got.Header["Idempotency-Key"] != "audit-edge-1-entry-3" || !strings.Contains(string(got.Body), `"object":"run:R-3"`) {
		t.Errorf("%s", got.Body)
	}
}

func TestAuditSettings(t *testing.T) {
	good := defaultAudit()
	good.S3.URL, good.S3.Bucket, good.S3.AccessKey, good.S3.SecretKey = "https://s3.example.org", "b-1", "AKIA1", "x"
	good.Witness, good.Export = []string{"s3", "file:/x"}, []string{"jsonl:/y", "siem"}
	if err := good.validate(); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*Audit){
		"url":      func(a *Audit) { a.S3.URL = "https://u:p@host" },
		"path":     func(a *Audit) { a.S3.URL = "https://host/bucket" },
		"bucket":   func(a *Audit) { a.S3.Bucket = "A/B" },
		"prefix":   func(a *Audit) { a.S3.Prefix = "/a b" },
		"region":   func(a *Audit) { a.S3.Region = "" },
		"key":      func(a *Audit) { a.S3.SecretKey = "" },
		"relative": func(a *Audit) { a.Export = []string{"jsonl:y"} },
		"twice":    func(a *Audit) { a.Export = []string{"siem", "siem"} },
	} {
		bad := good
		edit(&bad)
		if bad.validate() == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
