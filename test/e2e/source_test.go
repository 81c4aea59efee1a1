package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/source"
	"honeyguide/test/rig"
)

// bare starts no decoys: what is tested here is what comes in from elsewhere.
func bare(sets ...string) []string {
	return append([]string{"sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "sensors.http.enabled=false"}, sets...)
}

// eveLine is one Suricata alert with a number of its own.
func eveLine(n int) string {
	at := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	return fmt.Sprintf(`{"timestamp":%q,"flow_id":%d,"in_iface":"eth0","event_type":"alert","src_ip":"198.51.100.%d","src_port":%d,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":%d,"rev":4,"signature":"ET TEST rule","category":"Attempted Administrator Privilege Gain","severity":2}}`,
		at.Format("2006-01-02T15:04:05.000000-0700"), 7_000_000_000+n, 1+n%200, 1024+n%60000, 2_000_000+n%40)
}

// numbers counts the events of eveLine in the log, by number.
func numbers(t *testing.T, core *rig.Core) map[int]int {
	t.Helper()
	events, err := rig.List[honeyguide.Event](core, "/api/v1/events?include=raw")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]int{}
	for _, e := range events {
		var rec struct {
			Flow int `json:"flow_id"`
		}
		if err := json.Unmarshal(e.Raw, &rec); err == nil && rec.Flow >= 7_000_000_000 {
			found[rec.Flow-7_000_000_000]++
		}
	}
	return found
}

// status asks for one source.
func status(t *testing.T, core *rig.Core, name string) source.Status {
	t.Helper()
	var s source.Status
	if err := core.Get("/api/v1/sources/"+name, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A log is a file that is written and rotated as programs and logrotate do it.
type log struct {
	t    *testing.T
	path string
	f    *os.File
	next int
}

func newLog(t *testing.T, path string) *log {
	l := &log{t: t, path: path}
	l.open()
	t.Cleanup(func() { l.f.Close() })
	return l
}

func (l *log) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) open() {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	l.must(err)
	l.f = f
}

// write adds n lines, cut into odd pieces as buffers flush them.
func (l *log) write(n int) {
	var b bytes.Buffer
	for range n {
		b.WriteString(eveLine(l.next) + "\n")
		l.next++
	}
	for b.Len() > 0 {
		_, err := l.f.Write(b.Next(1 + rand.IntN(4096)))
		l.must(err)
	}
}

// rename rotates as with logrotate's create.
func (l *log) rename(to string) {
	l.must(os.Rename(l.path, to))
	old := l.f
	l.open()
	l.must(old.Close())
}

// copyTruncate rotates as with logrotate's copytruncate.
func (l *log) copyTruncate(to string) {
	raw, err := os.ReadFile(l.path)
	l.must(err)
	l.must(os.WriteFile(to, raw, 0o600))
	l.must(os.Truncate(l.path, 0))
}

// compress does what gzip does to a file.
func (l *log) compress(path string) {
	in, err := os.Open(path)
	l.must(err)
	defer in.Close()
	out, err := os.Create(path + ".gz")
	l.must(err)
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	l.must(err)
	l.must(z.Close())
	l.must(out.Close())
	l.must(os.Remove(path))
}

// TestFileSource follows a file through every kind of rotation, a stop and a
// kill -9, and finds every line once.
func TestFileSource(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	dir, data := t.TempDir(), t.TempDir()
	eve := filepath.Join(dir, "eve.json")
	sets := bare("sources.eve.kind=file", "sources.eve.path="+eve, "sources.eve.poll=50ms")
	l := newLog(t, eve)
	l.write(500)
	core := rig.Start(t, data, sets...)
	caughtUp := func() {
		t.Helper()
		rig.Eventually(t, 20*time.Second, "the source has read everything", func() bool {
			s := status(t, core, "eve")
			return s.LagBytes == 0 && s.Records > 0
		})
	}
	here := func(n int) { // n lines are stored
		t.Helper()
		var last int
		rig.Eventually(t, 20*time.Second, fmt.Sprintf("%d lines", n), func() bool { last = len(numbers(t, core)); return last >= n })
	}
	here(500)
	l.write(300)
	l.must(os.WriteFile(eve+".tmp", []byte("no part of it"), 0o600))
	l.rename(eve + ".1")
	l.write(200)
	here(1000)
	l.copyTruncate(eve + "-20261122")
	l.write(10)
	here(1010)

	// While the core is away: more lines, a rotation, a compressed copy.
	core.Stop()
	l.write(90)
	l.rename(eve + ".2")
	l.compress(eve + ".2")
	l.write(100)
	core = rig.Start(t, data, sets...)
	here(1200)

	// A copy that is emptied while the core is dead.
	l.write(50)
	core.Kill()
	l.write(50)
	l.copyTruncate(eve + "-20261123")
	l.compress(eve + "-20261123")
	l.write(100)
	core = rig.Start(t, data, sets...)
	here(1400)
	_, err := io.WriteString(l.f, "<html>no record</html>\n"+strings.Repeat("x", 3<<20)+"\n")
	l.must(err)
	l.write(100)
	here(1500)
	caughtUp()
	for n, times := range numbers(t, core) {
		if times != 1 {
			t.Errorf("line %d is stored %d times", n, times)
		}
	}
	var dead []honeyguide.DeadLetter
	rig.Eventually(t, 20*time.Second, "dead letters are kept", func() bool {
		dead, err = rig.List[honeyguide.DeadLetter](core, "/api/v1/dead-letters")
		return err == nil && len(dead) >= 2
	})
	var reasons []string
	for _, d := range dead {
		reasons = append(reasons, strconv.FormatInt(d.Bytes, 10)+" "+d.Reason)
		if d.Source != eve {
			t.Errorf("a dead letter of %q, want %q", d.Source, eve)
		}
	}
	if len(dead) != 2 {
		t.Errorf("dead letters %q, want the page and the long line", reasons)
	}
	out, errs, code := rig.CLI(t, data, nil, "-o", "table", "sources", "list")
	if code != 0 || !strings.Contains(out, "eve") || !strings.Contains(out, "running") {
		t.Errorf("sources list: status %d: %s%s", code, out, errs)
	}
	if out, _, code = rig.CLI(t, data, nil, "-o", "table", "sources", "show", "eve"); code != 0 || !strings.Contains(out, eve) {
		t.Errorf("sources show: status %d: %s", code, out)
	}
	if _, _, code = rig.CLI(t, data, nil, "sources", "show", "nobody"); code != 4 {
		t.Errorf("sources show nobody: status %d, want 4", code)
	}
}
