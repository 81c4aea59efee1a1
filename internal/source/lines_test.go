package source

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"honeyguide/internal/eventlog"
)

// endless is n bytes of one line without an end.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.n))
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.n -= int64(n)
	return n, nil
}

// TestEndlessLine reads a line of 10 GB and holds a piece of it.
func TestEndlessLine(t *testing.T) {
	size := int64(10 << 30)
	if testing.Short() {
		size = 1 << 30
	}
	l := NewLines(&endless{size}, MaxRecord, 256<<10)
	c, err := l.Next()
	if err != nil || c.Long != size+1 || len(c.Data) != keepHead {
		t.Fatalf("%d bytes of %d, %v", len(c.Data), c.Long, err)
	}
	if _, err := l.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 256<<20 {
		t.Errorf("the process took %d MiB for it", m.Sys>>20)
	}
}

// whole puts what comes out of r together again; long lines are marks.
func whole(t *testing.T, r io.Reader, limit, size int) string {
	t.Helper()
	l := NewLines(r, limit, size)
	var out strings.Builder
	for {
		c, err := l.Next()
		switch {
		case errors.Is(err, io.EOF):
			return out.String()
		case err != nil:
			t.Fatal(err)
		case c.Long > 0:
			if int64(len(c.Data)) > c.Long || int(c.Long) <= limit {
				t.Fatalf("a line of %d bytes was too long, limit %d", c.Long, limit)
			}
			out.WriteString("LONG\n")
		case len(c.Data) == 0 || c.Data[len(c.Data)-1] != '\n':
			t.Fatalf("%q is not whole lines", c.Data)
		default:
			out.Write(c.Data)
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("y", 60)
	for in, want := range map[string]string{
		"":                       "",
		"a":                      "a\n",
		"a\n\nb":                 "a\n\nb\n",
		long + "\nb\n":           "LONG\nb\n",
		"a\n" + long:             "a\nLONG\n",
		"a\n" + long + "\n\nb\n": "a\nLONG\n\nb\n",
	} {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "with its end": iotest.DataErrReader(strings.NewReader(in)),
		} {
			if got := whole(t, r, 20, 8); got != want {
				t.Errorf("%q %s: %q, want %q", in, name, got, want)
			}
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, s := range []string{"a\nb", "\n\n", strings.Repeat("z", 100), "a\n" + strings.Repeat("z", 50) + "\nb"} {
		f.Add([]byte(s), 7)
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		var r io.Reader = bytes.NewReader(in)
		if step%2 == 0 {
			r = iotest.HalfReader(r)
		}
		out := whole(t, r, 1<<20, 1+max(step, -step)%64)
		want := string(in)
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if out != want {
			t.Fatalf("%q became %q", want, out)
		}
	})
}

func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		failures int
		want     time.Duration
	}{
		"once":            {errors.New("x"), 1, time.Second},
		"five times":      {errors.New("x"), 5, 16 * time.Second},
		"for ever":        {errors.New("x"), 1000, longest},
		"wrong password":  {&RemoteError{Status: 401}, 1, time.Minute},
		"asked to wait":   {&RemoteError{Status: 429, After: 7 * time.Second}, 9, 7 * time.Second},
		"asked in nested": {errors.Join(&RemoteError{Status: 429, After: 7 * time.Second}), 1, 7 * time.Second},
	} {
		if got := patience(c.err, c.failures, time.Second); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestHold: what was found at a start has to come again before the number moves.
func TestHold(t *testing.T) {
	now := time.Unix(1000, 0)
	s := &Sink{host: &Host{dep: HostDeps{Now: func() time.Time { return now }}}, seq: 10}
	s.again = hold{records: 3, until: now.Add(holdTime)}
	for _, c := range []struct {
		at    int64
		again int64
		want  int64
	}{{50, 0, 10}, {60, 2, 10}, {0, 1, 60}, {70, 0, 70}} {
		if s.reach(eventlog.Seq(c.at), c.again); int64(s.seq) != c.want {
			t.Fatalf("after %d, %d again: %d, want %d", c.at, c.again, s.seq, c.want)
		}
	}
	s.again = hold{records: 3, until: now.Add(holdTime)}
	now = now.Add(holdTime)
	if s.reach(80, 0); s.seq != 80 {
		t.Errorf("what never comes holds for ever: %d", s.seq)
	}
}

func TestRecent(t *testing.T) {
	r := NewRecent(2)
	p := func(names ...string) (out []Piece) {
		for _, n := range names {
			out = append(out, Piece{Origin: n})
		}
		return out
	}
	r.Add(p("a", "b", "c"))
	if got := r.Fresh(p("a", "c", "d")); len(got) != 1 || got[0].Origin != "d" {
		t.Errorf("%v", got)
	}
	r.Add(p("d", "e", "f", "g"))
	if got := r.Fresh(p("a", "g")); len(got) != 1 || got[0].Origin != "a" {
		t.Errorf("what is long ago is forgotten: %v", got)
	}
}
