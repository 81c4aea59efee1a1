package sensortest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor"
)

// Simple makes worlds whose shell knows a handful of words, for tests of what is
// around a shell: echo, cat, put PATH TEXT, mkdir, fail N, fetch URL, passwd NEW, big N,
// wait, panic, exit.
func Simple(c *sensor.WorldConfig) {
	c.Shell = func(w *sensor.World, s *sensor.Session, a sensor.Account, o sensor.ShellOptions, watch *sensor.Watch) sensor.Shell {
		return &simple{fs: w.FS(s), account: a, options: o, watch: watch}
	}
}

type simple struct {
	fs      *vfs.FS
	account sensor.Account
	options sensor.ShellOptions
	watch   *sensor.Watch

	mu         sync.Mutex
	cols, rows int
}

// Resize remembers the size.
func (s *simple) Resize(cols, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cols, s.rows = cols, rows
}

// Exec runs one line.
func (s *simple) Exec(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	status := s.run(ctx, line, stdin, stdout, stderr)
	s.watch.Command(line, status)
	return status
}

// Script runs the lines of stdin.
func (s *simple) Script(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		status = s.Exec(ctx, lines.Text(), strings.NewReader(""), stdout, stderr)
	}
	return status
}

// Open runs the lines typed, with a prompt and an echo.
func (s *simple) Open(ctx context.Context, a sensor.Attachment) sensor.Terminal {
	t := &typed{more: sync.NewCond(&sync.Mutex{}), taken: a.Taken}
	go func() {
		status := s.dialogue(ctx, t, &sensor.LineEnds{W: a.Out})
		a.Ended(status)
	}()
	context.AfterFunc(ctx, t.HangUp)
	return t
}

// typed is a terminal's input: a queue that is read as a stream.
type typed struct {
	more  *sync.Cond
	queue []byte
	over  bool
	taken func(n int)
}

// Feed queues p.
func (t *typed) Feed(p []byte) int {
	t.more.L.Lock()
	defer t.more.L.Unlock()
	t.queue = append(t.queue, p...)
	t.more.Broadcast()
	return len(t.queue)
}

// HangUp ends the input.
func (t *typed) HangUp() {
	t.more.L.Lock()
	defer t.more.L.Unlock()
	t.over = true
	t.more.Broadcast()
}

// Read takes from the queue.
func (t *typed) Read(p []byte) (int, error) {
	t.more.L.Lock()
	for len(t.queue) == 0 && !t.over {
		t.more.Wait()
	}
	n := copy(p, t.queue)
	t.queue = t.queue[n:]
	t.more.L.Unlock()
	if n == 0 {
		return 0, io.EOF
	}
	if t.taken != nil {
		t.taken(n)
	}
	return n, nil
}

// Follow feeds from r.
func (t *typed) Follow(_ context.Context, r io.Reader) {
	buf := make([]byte, 512)
	for {
		n, err := r.Read(buf)
		t.Feed(buf[:n])
		if err != nil {
			t.HangUp()
			return
		}
	}
}

func (s *simple) dialogue(ctx context.Context, tty io.Reader, out io.Writer) (status int) {
	var line []byte
	var b [1]byte
	fmt.Fprint(out, "$ ")
	for {
		if _, err := tty.Read(b[:]); err != nil {
			return status
		}
		if b[0] != '\r' && b[0] != '\n' {
			line = append(line, b[0])
			_, _ = out.Write(b[:])
			continue
		}
		fmt.Fprint(out, "\n")
		text := string(line)
		line = line[:0]
		if text == "exit" {
			fmt.Fprint(out, "logout\n")
			return status
		}
		status = s.Exec(ctx, text, tty, out, out)
		fmt.Fprint(out, "$ ")
	}
}

func (s *simple) run(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "echo":
		fmt.Fprintln(stdout, rest)
	case "cat":
		if rest == "" {
			_, _ = io.Copy(stdout, stdin)
			return 0
		}
		f, err := s.fs.Open(s.account.Cred, rest, vfs.O_RDONLY, 0)
		if err != nil {
			fmt.Fprintf(stderr, "cat: %s: %v\n", rest, err)
			return 1
		}
		defer f.Close()
		_, _ = io.Copy(stdout, f)
	case "put":
		path, content, _ := strings.Cut(rest, " ")
		f, err := s.fs.Open(s.account.Cred, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o644)
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		_, _ = io.WriteString(f, content+"\n")
		_ = f.Close()
	case "mkdir":
		if err := s.fs.Mkdir(s.account.Cred, rest, 0o700); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
	case "fetch":
		s.watch.Download(rest, "wget", "/tmp/x")
	case "passwd":
		s.watch.Auth("passwd", s.account.User, rest)
	case "fail":
		n, _ := strconv.Atoi(rest)
		fmt.Fprintln(stderr, "failed")
		return n
	case "big":
		n, _ := strconv.Atoi(rest)
		_, _ = io.CopyN(stdout, zeros{}, int64(n))
	case "size":
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(stdout, "%dx%d %s\n", s.cols, s.rows, s.options.Term)
	case "env":
		fmt.Fprintln(stdout, strings.Join(s.options.Env, " "))
	case "wait":
		<-ctx.Done()
		return 129
	case "panic":
		panic("asked to")
	case "":
	default:
		fmt.Fprintf(stderr, "-bash: %s: command not found\n", verb)
		return 127
	}
	return 0
}

type zeros struct{}

// Read fills p with the letter x.
func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
