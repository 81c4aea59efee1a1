package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/source"
	"honeyguide/test/rig"
)

// TestKillNineSource kills the core 60 times (8 with -short) while it follows a
// file that grows and is rotated all the time, and looks for every line.
func TestKillNineSource(t *testing.T) {
	kills := 60
	if testing.Short() {
		kills = 8
	}
	data, dir := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "alerts.json")
	sets := []string{
		"sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "sensors.http.enabled=false",
		"sources.eve.kind=file", "sources.eve.path=" + path, "sources.eve.poll=20ms",
	}
	// From the first start on: what was rotated away before it is not meant.
	first, err := rig.TryStart(t, data, sets...)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	first.Kill()
	w := &writer{t: t, path: path, stop: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	for kill := range kills {
		core, err := rig.TryStart(t, data, sets...)
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		time.Sleep(time.Duration(60+rand.IntN(300)) * time.Millisecond)
		core.Kill()
	}
	close(w.stop)
	<-w.done
	core, err := rig.TryStart(t, data, sets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(core.Stop)
	var s source.Status
	rig.Eventually(t, time.Minute, "the source has read everything", func() bool {
		before := s.Records
		time.Sleep(2 * time.Second)
		if err := core.Get("/api/v1/sources/eve", &s); err != nil {
			t.Fatal(err)
		}
		return s.LagBytes == 0 && s.Records == before
	})
	events, err := rig.List[honeyguide.Event](core, "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, e := range events {
		if e.Sensor == "eve" {
			found[e.Str(honeyguide.AttrMessage)]++
		}
	}
	lost, twice := 0, 0
	for n := range w.n {
		switch found[message(n)] {
		case 0:
			if lost++; lost <= 10 {
				t.Errorf("line %d of %d is lost", n, w.n)
			}
		case 1:
		default:
			twice++
		}
	}
	fmt.Printf("audit: kill -9 x %d while following a file rotated %d times: lines %d, lost %d, twice %d\n", kills, w.rotated, w.n, lost, twice)
	if lost > 0 || twice > 0 || w.n < 50*kills {
		t.Errorf("lost %d, twice %d of %d", lost, twice, w.n)
	}
}

// writer appends lines without ids of their own, some of them equal but for
// their number, and rotates.
type writer struct {
	t          *testing.T
	path       string
	n, rotated int
	stop, done chan struct{}
}

func message(n int) string { return fmt.Sprintf("line %d of the load", n) }

func (w *writer) run() {
	defer close(w.done)
	for round := 0; ; round++ {
		f, err := os.OpenFile(w.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			w.t.Error(err)
			return
		}
		for range 40 + rand.IntN(400) {
			select {
			case <-w.stop:
				f.Close()
				return
			default:
			}
			line := fmt.Sprintf(`{"timestamp":"2026-11-21T19:30:00Z","source_ip":"198.51.100.7","description":%q,"severity":"low"}`+"\n", message(w.n))
			cut := rand.IntN(len(line))
			for _, part := range []string{line[:cut], line[cut:]} {
				if _, err := f.WriteString(part); err != nil {
					w.t.Error(err)
				}
			}
			w.n++
			time.Sleep(2 * time.Millisecond)
		}
		f.Close()
		w.rotated++
		if err := os.Rename(w.path, fmt.Sprintf("%s.%d", w.path, round+1)); err != nil {
			w.t.Error(err)
		}
	}
}
