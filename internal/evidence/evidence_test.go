package evidence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/evidence"
	"honeyguide/internal/ipc"
)

var begin = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const session = "0123456789abcdefghijklmnop"

func chunk(after time.Duration, stream byte, data string) ipc.Chunk {
	return ipc.Chunk{Session: session, Time: begin.Add(after), Stream: stream, Data: []byte(data)}
}

func store(t *testing.T, dir string, o evidence.Options) *evidence.Store {
	t.Helper()
	s, err := evidence.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func write(t *testing.T, s *evidence.Store, chunks ...ipc.Chunk) {
	t.Helper()
	for _, c := range chunks {
		if err := s.Chunk(c); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t *testing.T, s *evidence.Store) string {
	t.Helper()
	r, err := s.Open(session)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRecordingIsAnAsciicast(t *testing.T) {
	s := store(t, t.TempDir(), evidence.Options{})
	write(t, s,
		chunk(0, 'r', "100x30"), chunk(250*time.Millisecond, 'o', "root@h:~# "), chunk(1250*time.Millisecond, 'i', "ls\r"),
		chunk(1300*time.Millisecond, 'o', "a \xff b \"q\" \x1b[1m\r\n"), chunk(1300*time.Millisecond, 'x', "0"))
	want := `{"version":3,"term":{"cols":100,"rows":30},"timestamp":1777636800,"title":"session ` + session + `"}
[0.000000, "r", "100x30"]
[0.250000, "o", "root@h:~# "]
[1.000000, "i", "ls\r"]
[0.050000, "o", "a ` + "\ufffd" + ` b \"q\" \u001b[1m\r\n"]
[0.000000, "x", "0"]
`
	if got := content(t, s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCharacterCutBetweenChunks(t *testing.T) {
	s := store(t, t.TempDir(), evidence.Options{})
	write(t, s, chunk(0, 'o', "gr\xc3"), chunk(1, 'o', "\xbc\xe6"), chunk(2, 'o', "\x97\xa5\xe6"), chunk(3, 'o', "x"))
	got := content(t, s)
	for _, text := range []string{`"gr"`, `"ü"`, `"日"`, `"` + "\ufffd" + `x"`} {
		if !strings.Contains(got, text) {
			t.Errorf("%s is not in\n%s", text, got)
		}
	}
}

func TestHalfALineIsCutOff(t *testing.T) {
	dir := t.TempDir()
	s := store(t, dir, evidence.Options{})
	write(t, s, chunk(0, 'o', "one"))
	_ = s.Close()
	path := filepath.Join(dir, session+".cast")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := store(t, dir, evidence.Options{})
		write(t, s, chunk(time.Second, 'o', "two"))
		n := 0
		_, _, err := evidence.Entries(strings.NewReader(content(t, s)), func(evidence.Entry) error { n++; return nil })
		if err != nil || n < 1 {
			t.Fatalf("cut at %d: %d entries, %v:\n%s", cut, n, err, content(t, s))
		}
		_ = s.Close()
	}
}

func TestBounds(t *testing.T) {
	dir := t.TempDir()
	s := store(t, dir, evidence.Options{Session: 500, Total: 2000, Open: 2})
	for range 3 {
		_ = s.Chunk(chunk(0, 'o', strings.Repeat("x", 100)))
	}
	if err := s.Chunk(chunk(0, 'o', strings.Repeat("x", 300))); !errors.Is(err, evidence.ErrFull) {
		t.Errorf("beyond the bound of a session: %v", err)
	}
	for i := range 20 {
		c := chunk(0, 'o', strings.Repeat("y", 200))
		c.Session = strings.Repeat(string(rune('a'+i)), 26)
		if err := s.Chunk(c); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.List(0)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, r := range all {
		total += r.Bytes
	}
	if total > 2000 || len(all) == 0 {
		t.Errorf("%d recordings take %d bytes, want at most 2000", len(all), total)
	}
	if all[0].Session[0] != 't' {
		t.Errorf("the newest is %s, want the last one written", all[0].Session)
	}
	if few, _ := s.List(2); len(few) != 2 {
		t.Errorf("asked for 2, got %d", len(few))
	}
}

// TestChunksOfManySessions: one call keeps what single calls would keep.
func TestChunksOfManySessions(t *testing.T) {
	other := strings.Repeat("b", 26)
	mixed := []ipc.Chunk{
		chunk(0, 'o', strings.Repeat("x", 600)), // beyond the bound: the next still gets the header
		chunk(0, 'i', "one\n"),
		{Session: other, Time: begin, Stream: 'o', Data: []byte("theirs")},
		chunk(time.Second, 'o', "two"),
		{Session: "no id", Time: begin, Stream: 'o', Data: []byte("z")},
		chunk(2*time.Second, 'x', "0"),
	}
	single := store(t, t.TempDir(), evidence.Options{Session: 500})
	refused := 0
	for _, c := range mixed {
		if single.Chunk(c) != nil {
			refused++
		}
	}
	s := store(t, t.TempDir(), evidence.Options{Session: 500, Open: 1})
	kept, err := s.Chunks(mixed)
	if refused != 2 || kept != len(mixed)-refused || err == nil {
		t.Errorf("kept %d, %v; one by one %d of %d were refused", kept, err, refused, len(mixed))
	}
	if a, b := content(t, s), content(t, single); a != b || !strings.Contains(a, "two") {
		t.Errorf("together:\n%s\none by one:\n%s", a, b)
	}
	f, err := s.Open(other)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if raw, _ := io.ReadAll(f); !strings.Contains(string(raw), "theirs") {
		t.Errorf("the other session has %q", raw)
	}
}

func TestNamesAreNoPaths(t *testing.T) {
	s := store(t, t.TempDir(), evidence.Options{})
	for _, name := range []string{"", "../../etc/passwd", "abc", "ABCDEFGHIJ", "abcdefgh/x", "abcdefgh\x00", strings.Repeat("a", 65)} {
		if err := s.Chunk(ipc.Chunk{Session: name, Time: begin, Stream: 'o', Data: []byte("x")}); err == nil {
			t.Errorf("a recording is kept under %q", name)
		}
		if _, err := s.Open(name); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
			t.Errorf("open %q: %v", name, err)
		}
	}
}

func TestRemove(t *testing.T) {
	s := store(t, t.TempDir(), evidence.Options{})
	write(t, s, chunk(0, 'o', "x"))
	if err := s.Remove(session); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(session); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("after removal: %v", err)
	}
	write(t, s, chunk(0, 'o', "again"))
	if !strings.Contains(content(t, s), "again") {
		t.Error("a removed session cannot be recorded again")
	}
}

func TestReplayShowsTheScreen(t *testing.T) {
	cast := `{"version":3,"term":{"cols":80,"rows":24}}
# a remark
[0.5, "o", "\u001b]0;owned\u0007\u001b[?2004hroot# "]
[1, "i", "secret"]
[1, "o", "\u001b[31mred\u001b[0m\u001b[6n\u001bPq1\u001b\\ok\r\n"]
`
	var out bytes.Buffer
	if err := evidence.Replay(t.Context(), &out, strings.NewReader(cast), evidence.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := "root# \x1b[31mred\x1b[0mok\r\n\x1b[0m\r\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := evidence.Replay(ctx, io.Discard, strings.NewReader(cast), evidence.ReplayOptions{Speed: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestReplayRefusesDamage(t *testing.T) {
	for _, cast := range []string{"", "{", `{"version":1}`, "{\"version\":3}\n[1]", "{\"version\":3}\n[-1,\"o\",\"x\"]", "{\"version\":3}\n[1e300,\"o\",\"x\"]"} {
		err := evidence.Replay(t.Context(), io.Discard, strings.NewReader(cast), evidence.ReplayOptions{})
		if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), "line") {
			t.Errorf("%q: %v", cast, err)
		}
	}
}

func TestFilter(t *testing.T) {
	for in, want := range map[string]string{
		"plain\r\n":                        "plain\r\n",
		"\x1b]52;c;aGk=\x07x":              "x",
		"\x1b]0;t\x1b\\x":                  "x",
		"\u009d0;t\u009cx":                 "x",
		"\x1b[1;31mx":                      "\x1b[1;31mx",
		"\x1b[2J\x1b[H":                    "\x1b[2J\x1b[H",
		"\x1b[c\x1b[>c\x1b[6n\x1b[?1049hx": "x",
		"\x1b(0x":                          "x",
		"\x1bc\x1b7\x1bDx":                 "x",
		"\x07\x0e\x05x":                    "x",
		"\u202ex\u200b":                    "x",
		"\x1b[" + strings.Repeat("1;", 40) + "mx":       "x",
		"\x1b[31\x1b[32mx":                              "\x1b[32mx",
		"\x1bP" + strings.Repeat("q", 1000) + "\x1b\\x": "x",
		"\x1b]0;\x18x":                                  "x",
		"ü日":                                            "ü日",
	} {
		var whole, split bytes.Buffer
		_, _ = io.WriteString(&evidence.Filter{W: &whole}, in)
		f := &evidence.Filter{W: &split}
		for i := range len(in) {
			_, _ = f.Write([]byte{in[i]})
		}
		if whole.String() != want || split.String() != want {
			t.Errorf("%q: got %q, byte by byte %q, want %q", in, whole.String(), split.String(), want)
		}
	}
}

var harmless = regexp.MustCompile("^(?:[^\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\u009f]|\x1b\\[[0-9;:]{0,48}[ABCDEFGHdfJKXP@LMm])*$")

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"\x1b[31mx", "\x1b]0;t\x07", "\x1bPq\x1b\\", "\u009b6n", "\xc2", "\x1b\x1b[\x1b]"} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var out bytes.Buffer
		w := &evidence.Filter{W: &out}
		if cut < 0 || cut > len(p) {
			cut = len(p)
		}
		_, _ = w.Write(p[:cut])
		_, _ = w.Write(p[cut:])
		if !utf8.Valid(out.Bytes()) || !harmless.Match(out.Bytes()) {
			t.Fatalf("%q lets %q through", p, out.Bytes())
		}
	})
}

func FuzzRecording(f *testing.F) {
	f.Add([]byte("o\xff"), []byte("r80x24"), []byte("\x1b[2J"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		s, err := evidence.Open(t.TempDir(), evidence.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i, p := range [][]byte{a, b, c} {
			if len(p) > 0 && len(p) <= ipc.MaxChunk {
				_ = s.Chunk(ipc.Chunk{Session: session, Time: begin.Add(time.Duration(i) * time.Second), Stream: p[0], Data: p[1:]})
			}
		}
		r, err := s.Open(session)
		if err != nil {
			return
		}
		defer r.Close()
		body, _ := io.ReadAll(r)
		for line := range bytes.Lines(body) {
			if !json.Valid(line) {
				t.Fatalf("no JSON: %q", line)
			}
		}
	})
}

func FuzzEntries(f *testing.F) {
	f.Add("{\"version\":3}\n[1,\"o\",\"x\"]")
	f.Add("{\"version\":2,\"width\":80}\n[1.5,\"o\",\"x\"]\n#\n")
	f.Fuzz(func(t *testing.T, s string) {
		_, _, _ = evidence.Entries(strings.NewReader(s), func(e evidence.Entry) error {
			if e.After < 0 {
				t.Fatalf("pause of %v", e.After)
			}
			return nil
		})
	})
}
