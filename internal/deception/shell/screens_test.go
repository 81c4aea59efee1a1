package shell

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// screensFloor is the number of recorded steps of full-screen programs that are
// answered byte for byte. It only ever goes up.
const screensFloor = 47

// TestScreens types at vi, nano, less and more what was typed at the real ones,
// and looks at the bytes and at the file they leave.
func TestScreens(t *testing.T) {
	raw, err := os.ReadFile("testdata/screens.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Argv         []string
		Files, After map[string]string
		Steps        []struct{ In, Out string }
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	good, all := 0, 0
	for _, sc := range list {
		f := newFakeTTY()
		kind := "xterm-256color"
		s := (&scenario{Term: &kind, User: "root"}).shell(t, f)
		for name, text := range sc.Files {
			w, err := s.opt.FS.Open(vfs.Cred{}, "/root/"+name, vfs.O_WRONLY|vfs.O_CREATE, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte(text))
			_ = w.Close()
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		term := s.Open(ctx, Attachment{Out: f, Ended: func(int) { close(ended) }})
		f.step(term, ended)
		for i, st := range sc.Steps {
			all++
			in := st.In
			if i == 0 {
				in = strings.Join(sc.Argv, " ") + "\r"
			}
			got := f.step(term, ended, in)
			if i == 0 {
				_, got, _ = strings.Cut(got, "\x1b[?2004l\r")
			}
			if got == st.Out || strings.HasSuffix(got, "# ") && strings.HasPrefix(got, st.Out+"\x1b[?2004h") {
				good++
				continue
			}
			t.Logf("%q step %d %q\n  got  %q\n  want %q", sc.Argv, i, st.In, got, st.Out)
		}
		cancel()
		<-ended
		for name, want := range sc.After {
			r, err := s.opt.FS.Open(vfs.Cred{}, "/root/"+name, vfs.O_RDONLY, 0)
			if err != nil {
				t.Errorf("%q leaves no %s", sc.Argv, name)
				continue
			}
			b := make([]byte, 4096)
			n, _ := r.Read(b)
			_ = r.Close()
			if string(b[:n]) != want {
				t.Errorf("%q leaves %q, want %q", sc.Argv, b[:n], want)
			}
		}
	}
	t.Logf("%d of %d steps equal", good, all)
	if good < screensFloor {
		t.Errorf("%d steps, want %d", good, screensFloor)
	}
}
