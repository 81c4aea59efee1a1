package coreutils_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

var moment = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// A bench runs single commands on one host, as a shell without features would.
type bench struct {
	t      testing.TB
	host   *persona.Host
	fs     *vfs.FS
	cwd    string
	cred   vfs.Cred
	env    map[string]string
	now    time.Time
	seen   []string // what the watcher was told
	budget int      // steps left; 0 is endless
}

func newBench(t testing.TB, name string) *bench {
	t.Helper()
	h, err := persona.New([]byte("bench"), name, persona.Options{Now: moment, Hostname: "srv01"})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		t: t, host: h, cwd: "/root", now: moment,
		env: map[string]string{"HOME": "/root", "LC_ALL": "C.UTF-8", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}
	b.reset()
	return b
}

func (b *bench) reset() {
	b.fs = b.host.Image.NewFS(vfs.Quota{}, func() time.Time { return b.now })
	b.seen = nil
}

// Download, Unsupported and Auth make a bench a watcher.
func (b *bench) Download(url, tool, dest string) {
	b.seen = append(b.seen, "get "+tool+" "+url+" "+dest)
}
func (b *bench) Unsupported(what string) { b.seen = append(b.seen, "no "+what) }
func (b *bench) Auth(kind, user, password string) {
	b.seen = append(b.seen, "auth "+kind+" "+user+" "+password)
}

func (b *bench) proc(stdin io.Reader, stdout, stderr io.Writer, argv []string) *coreutils.Proc {
	p := &coreutils.Proc{
		Args: argv, FS: b.fs, Host: b.host, Cred: b.cred, Cwd: b.cwd, Umask: 0o022, Stdin: stdin, Stdout: stdout, Stderr: stderr,
		Now: func() time.Time { return b.now }, Watch: b,
		Env:     func(n string) string { return b.env[n] },
		Environ: func() []string { return []string{"HOME=/root", "USER=root"} },
		Sleep:   func(d time.Duration) error { b.now = b.now.Add(min(d, time.Hour)); return nil },
		Session: coreutils.SessionInfo{User: "root"},
	}
	p.Run = func(c *coreutils.Proc, argv []string) int {
		if strings.HasSuffix("/"+argv[0], "/sh") && len(argv) == 3 { // words and semicolons are all the shell a bench has
			status, rest := 0, c.Stdin
			for _, part := range strings.Split(argv[2], ";") {
				child := *c
				if child.Args, child.Stdin = strings.Fields(part), rest; len(child.Args) > 0 {
					status = c.Run(&child, child.Args)
				}
			}
			return status
		}
		cmd, ok := coreutils.Lookup(argv[0][strings.LastIndexByte(argv[0], '/')+1:])
		if !ok {
			if c.Stderr != nil && p.Args[0] == "xargs" {
				fmt.Fprintf(c.Stderr, "xargs: %s: No such file or directory\n", argv[0])
			}
			return 127
		}
		return cmd(c)
	}
	if b.budget > 0 {
		left := b.budget
		p.Step = func(n int) error {
			if left -= n; left < 0 {
				return coreutils.ExitStatus(137)
			}
			return nil
		}
		room := 8 << 20
		p.Alloc = func(n int) error {
			if room -= n; room < 0 {
				return coreutils.ExitStatus(137)
			}
			return nil
		}
	}
	return p
}

// run runs one command.
func (b *bench) run(stdin string, argv ...string) (out, err string, status int) {
	b.t.Helper()
	cmd, ok := coreutils.Lookup(argv[0])
	if !ok {
		b.t.Fatalf("no command %q", argv[0])
	}
	var o, e bytes.Buffer
	status = cmd(b.proc(strings.NewReader(stdin), &o, &e, argv))
	return o.String(), e.String(), status
}

// pipe runs commands of plain words joined by |.
func (b *bench) pipe(line string) (out, err string, status int) {
	b.t.Helper()
	for _, stage := range strings.Split(line, " | ") {
		var e string
		out, e, status = b.run(out, strings.Fields(stage)...)
		err += e
	}
	return out, err, status
}

func (b *bench) write(path, text string, mode uint32) {
	b.t.Helper()
	f, err := b.fs.Open(vfs.Cred{}, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, mode)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		b.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// fixture makes /w, the folder in which the recorded commands ran.
func (b *bench) fixture() {
	for _, d := range []string{"/w", "/w/dir", "/w/dir/sub"} {
		if err := b.fs.Mkdir(vfs.Cred{}, d, 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"fruit": "banana\napple\ncherry\napple\ndate\n", "nums": "10\n9\n2\n33\n1\n", "csv": "a,b,c\n1,2,3\nx,,z\n",
		"words": "The quick brown fox\njumps over the lazy dog\n\nroot:x:0:0:root:/root:/bin/bash\n", "empty": "", "dos": "one\r\ntwo\r\n",
		"noeol": "a\nb", "tabs": "a\tb\tc\n d e f\n", "dir/f1": "one\n", "dir/sub/f2": "two two\n",
	} {
		b.write("/w/"+name, text, 0o644)
	}
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
	}
	b.write("/w/bin", string(all), 0o644)
	if err := b.fs.Chmod(vfs.Cred{}, "/w/dir/f1", 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := b.fs.Symlink(vfs.Cred{}, "f1", "/w/dir/ln"); err != nil {
		b.t.Fatal(err)
	}
	b.cwd = "/w"
}
