// Package demo replays a recorded attack against running decoys, over their
// real ports, so that a new user sees the whole product work: the guesses, the
// session, the honeytoken that is read and then used, the incident.
//
// It is the attacker's side, so it knows nothing of the decoys but addresses.
package demo

import (
	"bufio"
	"context"
	_ "embed" // the attack
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

//go:embed attack.txt
var attack string

// Targets are the decoys to attack. An empty address skips its steps.
type Targets struct {
	SSH, HTTP string        // host:port
	Pace      time.Duration // pause between typed lines; 0 = 300 ms
}

// An Attack is one run.
type attacker struct {
	to     Targets
	say    func(string)
	client *ssh.Client
	shell  *shell
}

// ErrNotIn is returned when no guess was accepted.
var ErrNotIn = errors.New("the decoy accepted none of the guesses; is sensors.ssh.accept set to never?")

// Run replays the attack and reports each stage through say. It ends early
// with ctx. The addresses should be loopback or your own.
func Run(ctx context.Context, to Targets, say func(string)) error {
	if to.Pace == 0 {
		to.Pace = 300 * time.Millisecond
	}
	a := &attacker{to: to, say: say}
	defer a.close()
	for line := range strings.SplitSeq(attack, "\n") {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if verb == "" || verb[0] == '#' {
			continue
		}
		if err := a.step(ctx, verb, rest); err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
	}
	return nil
}

func (a *attacker) step(ctx context.Context, verb, rest string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch verb {
	case "say":
		a.say(rest)
		return nil
	case "http":
		method, rest, _ := strings.Cut(rest, " ")
		path, body, _ := strings.Cut(rest, " ")
		return a.http(ctx, method, path, body, "")
	case "guess":
		words := strings.Fields(rest)
		return a.guess(ctx, words[0], words[1:])
	case "type":
		return a.typeLine(ctx, rest)
	case "spend":
		return a.spend(ctx)
	}
	return fmt.Errorf("unknown step %q", verb)
}

// http sends one request and reads the whole answer.
func (a *attacker) http(ctx context.Context, method, path, body, authorization string) error {
	if a.to.HTTP == "" {
		return nil
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", a.to.HTTP)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var req strings.Builder
	fmt.Fprintf(&req, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 (compatible; demo)\r\nAccept: */*\r\nConnection: close\r\n", method, path, a.to.HTTP)
	if authorization != "" {
		fmt.Fprintf(&req, "Authorization: Basic %s\r\n", authorization)
	}
	if body != "" {
		fmt.Fprintf(&req, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(body))
	}
	if _, err := io.WriteString(conn, req.String()+"\r\n"+body); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
	return err
}

// guess tries one password per connection, as bots do, until one is taken.
func (a *attacker) guess(ctx context.Context, user string, passwords []string) error {
	if a.to.SSH == "" {
		return nil
	}
	for range 4 { // some passwords are only taken after a few tries
		for _, p := range passwords {
			client, err := a.login(ctx, user, p)
			if err == nil {
				a.client = client
				a.say(fmt.Sprintf("  %s / %s was accepted", user, p))
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return ErrNotIn
}

func (a *attacker) login(ctx context.Context, user, password string) (*ssh.Client, error) {
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", a.to.SSH)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	sc, chans, reqs, err := ssh.NewClientConn(conn, a.to.SSH, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, ClientVersion: "SSH-2.0-libssh_0.9.6",
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // the attacker does not care whom he attacks
		Timeout:         30 * time.Second,
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	return ssh.NewClient(sc, chans, reqs), nil
}

// A shell is an interactive session; what it printed is kept for reading.
type shell struct {
	session *ssh.Session
	in      io.WriteCloser
	mu      sync.Mutex
	seen    strings.Builder
}

// Write keeps what the decoy prints, up to a megabyte.
func (s *shell) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen.Len() < 1<<20 {
		s.seen.Write(p)
	}
	return len(p), nil
}

func (s *shell) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

func (a *attacker) typeLine(ctx context.Context, line string) error {
	if a.client == nil {
		return nil
	}
	if a.shell == nil {
		if err := a.openShell(); err != nil {
			return err
		}
		if err := pause(ctx, 2*a.to.Pace); err != nil {
			return err
		}
	}
	a.say("  # " + line)
	before := len(a.shell.text())
	if _, err := io.WriteString(a.shell.in, line+"\r"); err != nil {
		return err
	}
	return a.awaitPrompt(ctx, before)
}

// patience is how long one command may take; some wait for a host that does
// not answer.
const patience = 20 * time.Second

// awaitPrompt waits until the shell asks for the next line, as a person does,
// or has been silent for too long.
func (a *attacker) awaitPrompt(ctx context.Context, before int) error {
	deadline := time.Now().Add(patience)
	for {
		if err := pause(ctx, a.to.Pace); err != nil {
			return err
		}
		text := a.shell.text()
		if len(text) > before && (strings.HasSuffix(text, "# ") || strings.Contains(text[before:], "logout")) || time.Now().After(deadline) {
			return nil
		}
	}
}

func (a *attacker) openShell() error {
	session, err := a.client.NewSession()
	if err != nil {
		return err
	}
	s := &shell{session: session}
	if s.in, err = session.StdinPipe(); err != nil {
		return err
	}
	session.Stdout, session.Stderr = s, s
	if err := session.RequestPty("xterm-256color", 24, 80, ssh.TerminalModes{}); err != nil {
		return err
	}
	if err := session.Shell(); err != nil {
		return err
	}
	a.shell = s
	return nil
}

// leftBehind finds the credential of a `curl -u user:password` line.
var leftBehind = regexp.MustCompile(`curl -u ([^\s:]+):(\S+) http`)

// spend uses the password found in the shell's history where it opens a door.
func (a *attacker) spend(ctx context.Context) error {
	if a.shell == nil || a.to.HTTP == "" {
		return nil
	}
	sc := bufio.NewScanner(strings.NewReader(a.shell.text()))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if m := leftBehind.FindStringSubmatch(sc.Text()); m != nil {
			a.say(fmt.Sprintf("  %s and the password from the history, at the web server", m[1]))
			body := url.Values{"username": {m[1]}, "password": {m[2]}}.Encode()
			return a.http(ctx, "POST", "/login", body, "")
		}
	}
	a.say("  (no password was found to use)")
	return nil
}

func (a *attacker) close() {
	if a.shell != nil {
		_ = a.shell.session.Close()
	}
	if a.client != nil {
		_ = a.client.Close()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
