package shell

import (
	"bytes"
	"strings"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// TestStartFiles changes the files a shell starts with and logs in again.
func TestStartFiles(t *testing.T) {
	h := hostFor(t)
	for _, tt := range []struct{ name, change, want string }{
		{"bashrc", `echo 'alias hi="echo from bashrc"; export MARK=1' >> ~/.bashrc`, "from bashrc"},
		{"profile", `echo 'hi() { echo from profile; }' >> /etc/profile`, "from profile"},
		{"profile.d", `echo 'hi() { echo from the folder; }' > /etc/profile.d/x.sh`, "from the folder"},
		{"bash_profile", `echo 'hi() { echo from bash_profile; }' > ~/.bash_profile`, "from bash_profile"},
		{"bash.bashrc", `echo 'hi() { echo from all; }' >> /etc/bash.bashrc`, "from all"},
		{"prompt", `echo 'PS1="new> "' >> ~/.bashrc`, "new> "},
		{"exit", `echo 'exit 3' > ~/.bash_profile`, ""},
		{"error", `echo nosuchcommand >> ~/.bashrc`, "-bash: nosuchcommand: command not found\r\n"},
		{"logout", `echo 'echo see you' > ~/.bash_logout`, "see you"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &fastClock{at: testNow}
			fs := h.Image.NewFS(vfs.Quota{}, c.now)
			login := func() *Shell {
				s := New(Options{Host: h, FS: fs, User: "root", Now: c.now, Seed: 7})
				s.hooks.now, s.hooks.after = c.now, c.after
				return s
			}
			var out bytes.Buffer
			if rc := login().Exec(t.Context(), tt.change, strings.NewReader(""), &out, &out); rc != 0 {
				t.Fatal(rc, out.String())
			}
			out.Reset()
			rc := login().Interactive(t.Context(), scriptedTTY{strings.NewReader("hi\nexit\n"), &out})
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("%q lacks %q", out.String(), tt.want)
			}
			if tt.name == "exit" && rc != 3 {
				t.Errorf("status %d", rc)
			}
		})
	}
	t.Run("remote command", func(t *testing.T) {
		c := &fastClock{at: testNow}
		fs := h.Image.NewFS(vfs.Quota{}, c.now)
		o := Options{Host: h, FS: fs, User: "root", Now: c.now, Src: "203.0.113.7:4000", Dst: "192.0.2.1:22"}
		var out bytes.Buffer
		New(o).Exec(t.Context(), `echo 'echo started' >> ~/.bashrc`, strings.NewReader(""), &out, &out)
		New(o).Exec(t.Context(), `echo here`, strings.NewReader(""), &out, &out)
		if out.String() != "started\nhere\n" {
			t.Errorf("%q", out.String())
		}
	})
}
