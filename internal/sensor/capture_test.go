package sensor_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

// lines is a sensor that runs each line a peer sends in a login of its own.
type lines struct{ world *sensor.World }

func (l lines) ServeConn(ctx context.Context, s *sensor.Session) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.Read(buf)
		for line := range strings.Lines(string(buf[:n])) {
			l.world.Enter(s, sensor.ShellOptions{User: "root"}).Exec(ctx, strings.TrimSuffix(line, "\n"), strings.NewReader(""), io.Discard, io.Discard)
			_, _ = s.Write([]byte("."))
		}
		if err != nil {
			return nil
		}
	}
}

// attack runs lines in one session and returns what it left.
func attack(t *testing.T, world *sensor.World, commands ...string) *sensortest.Sink {
	t.Helper()
	k := kind.Of("lines", "for a test", struct{}{}, func(_ context.Context, _ struct{}, d sensor.Deps) (sensor.Sensor, error) { return lines{d.World}, nil })
	r := sensortest.Start(t, k, sensortest.Options{World: world})
	c, err := net.Dial("tcp", r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range commands {
		if _, err := fmt.Fprintln(c, line); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	return r.Sink
}

// TestDroppersBecomeSamples: every way to build a file ends in one sample with the
// content it had when it mattered.
func TestDroppersBecomeSamples(t *testing.T) {
	elf := "\x7fELF\x01\x02"
	for _, tc := range []struct {
		name string
		run  []string
		want map[string]string // path -> content
	}{
		{"echo in pieces", []string{`echo -ne '\x7f\x45' > /tmp/a`, `echo -ne '\x4c\x46' >> /tmp/a`, `echo -ne '\x01\x02' >> /tmp/a`}, map[string]string{"/tmp/a": elf}},
		{"printf", []string{`printf '\177ELF\1\2' > /dev/shm/a`}, map[string]string{"/dev/shm/a": elf}},
		{"here-doc", []string{`bash -c $'cat > /tmp/x.sh <<\'E\'\necho $HOME\nE\n'`}, map[string]string{"/tmp/x.sh": "echo $HOME\n"}},
		{"base64", []string{`echo f0VMRgEC | base64 -d > /tmp/b`}, map[string]string{"/tmp/b": elf}},
		{"dd", []string{`printf 'hello world' | dd of=/tmp/d bs=4 2>/dev/null`}, map[string]string{"/tmp/d": "hello world"}},
		{"run and removed in one line", []string{`cd /tmp; printf '#!/bin/sh\necho $0\n' > r; chmod +x r; ./r; rm r`}, map[string]string{"/tmp/r": "#!/bin/sh\necho $0\n"}},
		{"removed unrun", []string{`echo evidence > /tmp/gone; rm -f /tmp/gone`}, map[string]string{"/tmp/gone": "evidence\n"}},
		{"replaced by a rename", []string{`echo one > /tmp/1; echo two > /tmp/2; mv /tmp/2 /tmp/1`}, map[string]string{"/tmp/1": "one\n", "/tmp/2": "two\n"}},
		{"rewritten a hundred times", []string{`for i in $(seq 100); do echo $i > /tmp/n; done`}, map[string]string{"/tmp/n": "100\n"}},
		{"a key", []string{`mkdir -p ~/.ssh; echo ssh-rsa AAAA > ~/.ssh/authorized_keys`}, map[string]string{"/root/.ssh/authorized_keys": "ssh-rsa AAAA\n"}},
		{"a copy of the machine's own", []string{`cp /bin/echo /tmp/.s; chmod 777 /tmp/.s`}, nil},
		{"empty, and the machine's books", []string{`: > /tmp/e; echo root:x | chpasswd`}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			sink := attack(t, sensortest.NewWorld(t), tc.run...)
			got := map[string]string{}
			for _, e := range sink.Events(honeyguide.ActivitySample) {
				body := string(sink.Content(e.Int(ipc.AttrFile)))
				sum := sha256.Sum256([]byte(body))
				if e.Str(honeyguide.AttrSHA256) != hex.EncodeToString(sum[:]) || e.Int(honeyguide.AttrSize) != int64(len(body)) || e.Session == "" {
					t.Errorf("event %v of %q", e.Attrs, body)
				}
				if _, twice := got[e.Str(honeyguide.AttrPath)]; twice {
					t.Errorf("%s is taken twice", e.Str(honeyguide.AttrPath))
				}
				got[e.Str(honeyguide.AttrPath)] = body
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) && len(got)+len(tc.want) > 0 {
				t.Errorf("samples %q, want %q", got, tc.want)
			}
		})
	}
}

// TestContentLeavesOnce: many sessions that bring one content send it once, and
// each is reported.
func TestContentLeavesOnce(t *testing.T) {
	world := sensortest.NewWorld(t)
	sent := 0
	for n := range 3 {
		sink := attack(t, world, fmt.Sprintf("echo the same program > /tmp/f%d", n))
		got := sink.Events(honeyguide.ActivitySample)
		if len(got) != 1 || got[0].Str(honeyguide.AttrSHA256) == "" {
			t.Fatalf("session %d: %+v", n, got)
		}
		sent += len(sink.Content(got[0].Int(ipc.AttrFile)))
	}
	if sent != len("the same program\n") {
		t.Errorf("%d bytes sent", sent)
	}
}

// TestRunsAreReported: a run names the content that was run.
func TestRunsAreReported(t *testing.T) {
	sink := attack(t, sensortest.NewWorld(t), `printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0\076\0' > /tmp/m; chmod 777 /tmp/m; /tmp/m`, `printf '#!/bin/sh\nid\n' > /tmp/s; chmod 777 /tmp/s; /tmp/s`)
	runs, samples := sink.Events(honeyguide.ActivityExecute), sink.Events(honeyguide.ActivitySample)
	if len(runs) != 2 || len(samples) != 2 {
		t.Fatalf("%d runs, %d samples", len(runs), len(samples))
	}
	for i := range runs {
		if runs[i].Str(honeyguide.AttrSHA256) != samples[i].Str(honeyguide.AttrSHA256) || runs[i].Str(honeyguide.AttrPath) != samples[i].Str(honeyguide.AttrPath) {
			t.Errorf("run %v of %v", runs[i].Attrs, samples[i].Attrs)
		}
	}
}

// TestContentIsCapped: a large file leaves in part, with its whole size and hash;
// zeros do not leave at all.
func TestContentIsCapped(t *testing.T) {
	sink := attack(t, sensortest.NewWorld(t), `yes honeyguide | head -c 11000000 > /tmp/big`, `dd if=/dev/zero of=/tmp/zero bs=1M count=64 2>/dev/null`)
	for _, e := range sink.Events(honeyguide.ActivitySample) {
		n := len(sink.Content(e.Int(ipc.AttrFile)))
		switch e.Str(honeyguide.AttrPath) {
		case "/tmp/big":
			if e.Int(honeyguide.AttrSize) != 11000000 || n != 10<<20 || len(e.Str(honeyguide.AttrSHA256)) != 64 {
				t.Errorf("%d bytes sent of %v", n, e.Attrs)
			}
		case "/tmp/zero":
			if n != 0 || e.Str(honeyguide.AttrKept) != "no: only zeros" {
				t.Errorf("%d bytes sent of %v", n, e.Attrs)
			}
		}
	}
	if n := len(sink.Events(honeyguide.ActivitySample)); n != 2 {
		t.Errorf("%d samples", n)
	}
}
