package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
)

// collected is a sink that takes so many entries of a batch, then fails.
type collected struct {
	list []honeyguide.AuditEntry
	take int // of each batch; less than 0 = all
	err  error
}

func (c *collected) Name() string { return "collected" }

func (c *collected) Put(_ context.Context, list []honeyguide.AuditEntry) (int, error) {
	if c.take >= 0 && c.take < len(list) {
		list = list[:c.take]
	}
	c.list = append(c.list, list...)
	return len(list), c.err
}

func (b *bench) feed(s Sink) *Feed {
	b.t.Helper()
	f, err := b.log.Feed(s, filepath.Join(b.root, "export"))
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

// all hands on all there is.
func (b *bench) all(f *Feed) {
	b.t.Helper()
	for range 1000 {
		n, err := f.step(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	b.t.Fatal("it comes to no end")
}

// Entries come in order, at least once, across crashes, refusals and restarts.
func TestFeed(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 20_000 })
	sink := &collected{take: -1}
	f := b.feed(sink)
	b.record(entries(0, 500)...)
	b.record(entries(500, 500)...)
	b.all(f)
	if len(sink.list) != 1000 || f.Next() != 1000 {
		t.Fatalf("%d entries, next %d", len(sink.list), f.Next())
	}
	b.record(entries(1000, 100)...)
	sink.take, sink.err = 7, errors.New("busy")
	for range 3 {
		if _, err := f.step(t.Context()); err == nil {
			t.Error("a failure is none")
		}
	}
	if f.Next() != 1021 {
		t.Errorf("next %d: what was taken is offered again", f.Next())
	}
	sink.take, sink.err = 0, nil
	if _, err := f.step(t.Context()); err == nil || f.Next() != 1021 {
		t.Errorf("a sink that takes nothing: %v, next %d", err, f.Next())
	}
	sink.take = -1
	// The core dies after the other side took a batch and before that was noted.
	if _, err := sink.Put(t.Context(), []honeyguide.AuditEntry{{Seq: 1021}}); err != nil {
		t.Fatal(err)
	}
	b.again()
	f = b.feed(sink)
	b.all(f)
	seen := map[int64]int{}
	last := int64(-1)
	for _, e := range sink.list {
		if seen[e.Seq]++; e.Seq > last+1 {
			t.Fatalf("entry %d follows %d", e.Seq, last)
		}
		last = e.Seq
	}
	if len(seen) != 1100 || seen[1021] != 2 {
		t.Errorf("%d entries, one of them %d times", len(seen), seen[1021])
	}
}

// Texts that retention removed are stepped over, and counted; what was removed on
// request comes without it.
func TestFeedAfterRemovals(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
	for i := range 6 {
		b.record(entries(30*i, 30)...)
	}
	if _, err := b.log.ErasePersonal(t.Context(), is("actor-3"), honeyguide.AuditEntry{Actor: "privacy", Kind: "system"}); err != nil {
		t.Fatal(err)
	}
	dropped, err := b.log.Drop(t.Context(), day.Add(100*time.Second))
	if err != nil || dropped == 0 {
		t.Fatal(dropped, err)
	}
	sink := &collected{take: -1}
	b.all(b.feed(sink))
	if len(sink.list) != int(182-dropped) {
		t.Errorf("%d entries of %d", len(sink.list), 182-dropped)
	}
	for _, e := range sink.list {
		if e.Seq < dropped || e.Seq < 180 && (e.ErasedBy == 180) != (e.Seq%5 == 3) || e.ErasedBy > 0 && e.Actor != "" {
			t.Errorf("%+v", e)
		}
	}
}

// A log that is shorter than what was handed on was put back; the feed says so and
// goes on.
func TestFeedNoticesRollback(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 10)...)
	sink := &collected{take: -1}
	f := b.feed(sink)
	f.next.Store(50)
	b.all(f)
	if f.Next() != 10 {
		t.Errorf("next %d", f.Next())
	}
	// A cursor that says nothing begins anew.
	if err := os.WriteFile(f.cursor, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f = b.feed(sink); f.Next() != 0 {
		t.Errorf("next %d", f.Next())
	}
}

// The file of JSON lines has whole lines only, whatever a crash left.
func TestFileSink(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.jsonl")
	s := FileSink(file)
	if n, err := s.Put(t.Context(), entries(0, 3)); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole) - 40; cut < len(whole); cut += 7 {
		if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), []honeyguide.AuditEntry{entry(2), {Actor: "esc \x1b[2J \u202e", Action: "x"}}); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		if len(lines) != 4 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines {
			var e honeyguide.AuditEntry
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
	if _, err := FileSink(t.TempDir()).Put(t.Context(), entries(0, 1)); err == nil {
		t.Error("a folder took entries")
	}
}

// keeper is a witness that can be away.
type keeper struct {
	got []int64
	err error
}

func (k *keeper) Name() string { return "keeper" }

func (k *keeper) Keep(_ context.Context, c Checkpoint) error {
	if k.err == nil {
		k.got = append(k.got, c.Size)
	}
	return k.err
}

// A witness that cannot be reached blocks nothing, is shown, and is told again soon
// however slow its rhythm.
func TestWitnessAway(t *testing.T) {
	b := newBench(t)
	k := &keeper{err: errors.New("no route to \x1b host")}
	b.log.Tell(k, 24*time.Hour)
	b.record(entries(0, 5)...)
	b.log.tell(t.Context(), b.now(), false)
	if got := b.log.Witnesses(); len(got) != 1 || got[0].Size != 0 || !strings.Contains(got[0].Error, "no route") || strings.Contains(got[0].Error, "\x1b") || got[0].Tried != b.now() {
		t.Errorf("%+v", got)
	}
	b.record(entries(5, 5)...)
	k.err = nil
	b.log.tell(t.Context(), b.now(), false)
	if len(k.got) > 0 {
		t.Error("it is told again at once")
	}
	b.wait(tellAgain)
	b.log.tell(t.Context(), b.now(), false)
	if got := b.log.Witnesses(); fmt.Sprint(k.got) != "[10]" || got[0].Size != 10 || got[0].Error != "" || got[0].Kept != b.now() {
		t.Errorf("%v, %+v", k.got, got)
	}
	b.record(entries(10, 1)...)
	b.wait(time.Hour)
	b.log.tell(t.Context(), b.now(), false)
	if len(k.got) != 1 {
		t.Error("it is told before its time")
	}
}

// The signature is that of the example AWS publishes for PUT Object (Signature
// Version 4, header-based authentication).
func TestSignature(t *testing.T) {
	w := &s3Witness{S3: S3{Region: "us-east-1", AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	header := map[string]string{"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY"}
	w.sign(header, "examplebucket.s3.amazonaws.com", "/test%24file.text", []byte("Welcome to Amazon S3."), at)
	const want = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
	if got := header["Authorization"]; got != want {
		t.Errorf("%s", got)
	}
}

// A mail gateway tears the line apart; it is found all the same.
func TestCheckpointInMail(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 5)...)
	c := b.log.Checkpoint()
	line := c.Line()
	var torn strings.Builder
	for len(line) > 70 {
		torn.WriteString(line[:70] + "=\r\n")
		line = line[70:]
	}
	torn.WriteString(line)
	for name, text := range map[string]string{
		"torn":  "To: x\r\n\r\nKeep this line=2E\r\n\r\n" + torn.String() + "\r\n-- \r\n",
		"twice": strings.Repeat(torn.String()+"\n", 3),
		"plain": "Nov 22 host: " + c.Line(),
		"note":  string(c.Note),
	} {
		got, err := ReadCheckpoints(strings.NewReader(text), b.log.PublicKey())
		if err != nil || len(got.List) == 0 || got.List[0].Root != c.Root || got.Foreign+got.Altered > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
