package ssh

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"path"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor"
)

// maxKeysFile bounds what is read of an authorized_keys file.
const maxKeysFile = 64 << 10

// A gate decides about the logins of one connection, in sshd's time, and
// reports them.
type gate struct {
	done <-chan struct{} // the connection is over
	svc  *service
	ses  *sensor.Session
	user string // who was let in

	client    string // the peer's version line
	seen      bool   // its lists are reported
	grantedBy string // file and line of the key that opens
	byKey     bool
}

// none is a peer's question which methods there are.
func (g *gate) none(user string) {
	g.svc.pace.answer(g.done, user, 0)
}

// password reports whether the pair opens the machine.
func (g *gate) password(method, user, password string) bool {
	ok := g.svc.dep.World.Login(g.ses.Src.Addr(), "ssh", g.svc.cfg.Accept, user, password)
	e := attempt(ok, method, user)
	e.Set(honeyguide.AttrPassword, strings.ToValidUTF8(password, "\ufffd"))
	if password == "" {
		e.Attrs[honeyguide.AttrPassword] = "" // an empty password is a password
	}
	g.ses.Emit(e)
	return g.decide(user, ok)
}

// Key and the methods around it are the gate as the transport calls it. What is
// refused takes its time, as a refused password does, but for PAM's part.
func (g *gate) Key(user, kind string, blob []byte) bool {
	if g.key(user, fingerprint(blob), kind, blob) {
		return true
	}
	g.svc.pace.answer(g.done, user, 0)
	return false
}

// KexInit reports the peer's software.
func (g *gate) KexInit(payload []byte) {
	k, _ := parseKexInit(payload)
	g.seen = true
	reportClient(g.ses, g.client, k)
}

// abandoned reports a peer that left before its lists came.
func (g *gate) abandoned() {
	if !g.seen {
		reportClient(g.ses, g.client, kexInit{})
	}
}

// None is told of the question which methods there are.
func (g *gate) None(user string) { g.none(user) }

// Password judges a password.
func (g *gate) Password(method, user, password string) bool {
	return g.password(method, user, password)
}

// KeyProven is told of a login by key.
func (g *gate) KeyProven(user, kind string, blob []byte) {
	g.byKey = true
	g.keyProven(user, fingerprint(blob), kind)
}

// fingerprint is a key's SHA-256 as ssh-keygen writes it.
func fingerprint(blob []byte) string {
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// key reports whether the user's authorized_keys has the key, as this source's
// world has it: who left a key there gets in with it.
func (g *gate) key(user, fingerprint, kind string, blob []byte) bool {
	if at := g.authorized(user, kind, blob); at != "" {
		g.grantedBy = at
		return true
	}
	e := attempt(false, "publickey", user)
	e.Set(honeyguide.AttrKeyFingerprint, fingerprint)
	e.Set("auth.key_type", kind)
	g.ses.Emit(e)
	return false
}

// keyProven is told that the peer has the private half of an accepted key.
func (g *gate) keyProven(user, fingerprint, kind string) {
	e := attempt(true, "publickey", user)
	e.Set(honeyguide.AttrKeyFingerprint, fingerprint)
	e.Set("auth.key_type", kind)
	g.ses.Emit(e)
	g.decide(user, true)
}

func attempt(ok bool, method, user string) honeyguide.Event {
	e := honeyguide.Event{Class: honeyguide.ClassAuthentication, Activity: honeyguide.ActivityLoginFailed}
	if ok {
		e.Activity, e.Severity = honeyguide.ActivityLoginSuccess, honeyguide.SeverityMedium
	}
	e.Set(honeyguide.AttrAuthMethod, method)
	e.Set(honeyguide.AttrUser, strings.ToValidUTF8(user, "\ufffd"))
	return e
}

// decide takes the time sshd would and remembers who was let in.
func (g *gate) decide(user string, ok bool) bool {
	if ok {
		g.user = user
		g.svc.pace.answer(g.done, user, acceptedTime)
		return true
	}
	g.svc.pace.answer(g.done, user, g.svc.pace.refusal())
	return false
}

// authorized looks the key up in the user's file and returns where it stands, as
// FILE:LINE, or nothing.
func (g *gate) authorized(user, kind string, blob []byte) string {
	a, ok := g.svc.dep.World.Account(user)
	if !ok || g.svc.cfg.Accept == "never" {
		return ""
	}
	want := base64.StdEncoding.EncodeToString(blob)
	fs := g.svc.dep.World.FS(g.ses)
	file := path.Join(a.Home, ".ssh/authorized_keys")
	f, err := fs.Open(vfs.Cred{}, file, vfs.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, maxKeysFile)
	n := 0
	for n < len(buf) {
		m, err := f.Read(buf[n:])
		n += m
		if err != nil || m == 0 {
			break
		}
	}
	number := 0
	for line := range strings.Lines(string(buf[:n])) {
		number++
		fields := strings.Fields(line)
		for i, f := range fields {
			if f == kind && i+1 < len(fields) && fields[i+1] == want {
				return file + ":" + strconv.Itoa(number)
			}
		}
	}
	return ""
}

// remarks are what sshd tells a client that came in with a key: once for its
// question and once for its proof.
func (g *gate) remarks() []string {
	if !g.byKey {
		return nil
	}
	text := g.grantedBy + ": key options: agent-forwarding port-forwarding pty user-rc x11-forwarding"
	return []string{text, text}
}

// pace is sshd's timing. Every answer to a login takes a floor that belongs to
// the user name (5.0 to 9.3 ms, from the server's secret), doubled until it
// covers the time that was needed: measured, a refused password takes about
// 2 s of PAM's delay on Debian.
type pace struct {
	delay  time.Duration // 0: no timing at all
	secret []byte
}

// acceptedTime is about what hashing a password takes a real server.
const acceptedTime = 12 * time.Millisecond

// bannerTime is about what starting its process takes sshd before the version
// line.
const bannerTime = 18 * time.Millisecond

// banner waits as long as sshd does before its version line, and reports false
// when ctx ended.
func (p pace) banner(ctx context.Context) bool {
	if p.delay == 0 {
		return ctx.Err() == nil
	}
	return wait(ctx.Done(), bannerTime+jitter(6*time.Millisecond))
}

// refusal returns PAM's delay for one refused password: 0.75 to 1.25 times the
// configured one.
func (p pace) refusal() time.Duration { return p.delay*3/4 + jitter(p.delay/2) }

// answer waits until the answer to a login that took used is due.
func (p pace) answer(done <-chan struct{}, user string, used time.Duration) {
	if p.delay > 0 {
		wait(done, p.due(user, used))
	}
}

// due is when an answer that took used is given.
func (p pace) due(user string, used time.Duration) time.Duration {
	due := p.floor(user)
	for due < used {
		due *= 2
	}
	return due
}

// floor is the least time of an answer to user.
func (p pace) floor(user string) time.Duration {
	sum := sha512.Sum512(append(append([]byte(nil), p.secret...), user...))
	// 32 bits in units of 1e-12 s are at most 4.3 ms.
	return 5*time.Millisecond + time.Duration(binary.BigEndian.Uint32(sum[:])/1000)
}

func wait(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-done:
		return false
	}
}
