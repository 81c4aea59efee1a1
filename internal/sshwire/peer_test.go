package sshwire

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// testKeys makes host keys; the RSA key is short, for speed.
var testKeys = sync.OnceValue(func() map[string][]byte {
	keys := map[string][]byte{}
	add := func(name string, key any, err error) {
		if err != nil {
			panic(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			panic(err)
		}
		keys[name] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	add("ssh_rsa", r, err)
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	add("ssh_ecdsa", e, err)
	_, d, err := ed25519.GenerateKey(rand.Reader)
	add("ssh_ed25519", d, err)
	return keys
})

const testVersion = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"

// testServer makes a server with all keys.
func testServer(t testing.TB, change ...func(*Config)) *Server {
	t.Helper()
	c := Config{Profile: OpenSSH92Debian12(), Version: testVersion, HostKeys: testKeys(), MaxTries: 6}
	for _, f := range change {
		f(&c)
	}
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// door lets in who knows the password, or has one of its keys.
type door struct {
	mu   sync.Mutex
	seen []string
	keys map[string]bool
}

func (d *door) note(format string, args ...any) {
	d.mu.Lock()
	d.seen = append(d.seen, fmt.Sprintf(format, args...))
	d.mu.Unlock()
}

func (d *door) KexInit([]byte)   { d.note("kexinit") }
func (d *door) None(user string) { d.note("none %s", user) }
func (d *door) Password(method, user, password string) bool {
	d.note("%s %s %q", method, user, password)
	return password == "abc123"
}

func (d *door) Key(user, kind string, blob []byte) bool {
	d.note("key %s %s", user, kind)
	return d.keys[string(blob)]
}
func (d *door) KeyProven(user, kind string, _ []byte) { d.note("proven %s %s", user, kind) }

// house is what is behind the door: commands echo TEXT, cat, eat,
// flood N, sleep and exit N.
type house struct {
	work     sync.WaitGroup
	mu       sync.Mutex
	sessions int
	most     int
	globals  []string
}

func (h *house) Global(name string, _ []byte) bool {
	h.mu.Lock()
	h.globals = append(h.globals, name)
	h.mu.Unlock()
	return name == "no-more-sessions@openssh.com"
}

func (h *house) Session() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.most > 0 && h.sessions >= h.most {
		return false
	}
	h.sessions++
	return true
}
func (h *house) Serve(ch *Channel) Requests { return &room{house: h, ch: ch} }
func (h *house) Refuse(string, []byte) (reason uint32, text string) {
	return openFailed, "open failed"
}

type room struct {
	house  *house
	ch     *Channel
	cancel context.CancelFunc
}

func (r *room) End() {
	if r.cancel != nil {
		r.cancel()
	}
	r.ch.Close()
	r.house.mu.Lock()
	r.house.sessions--
	r.house.mu.Unlock()
}

func (r *room) Request(ctx context.Context, q Request) {
	f := fields{p: q.Payload}
	switch q.Name {
	case "exec":
		line := f.text()
		ctx, r.cancel = context.WithCancel(ctx)
		q.Answer(true)
		r.house.work.Go(func() { r.ch.Exit(r.run(ctx, line)) })
	case "env":
		q.Answer(strings.HasPrefix(f.text(), "LC_"))
	case "pty-req":
		q.Answer(true)
	default:
		q.Answer(false)
	}
}

func (r *room) run(ctx context.Context, line string) int {
	word, rest, _ := strings.Cut(strings.TrimSuffix(line, " >/dev/null"), " ")
	if word != "echo" && strings.HasSuffix(line, " >/dev/null") {
		word = "eat"
	}
	n := 0
	_, _ = fmt.Sscan(rest, &n)
	switch word {
	case "echo":
		if text, ok := strings.CutSuffix(rest, " >&2"); ok {
			_, _ = fmt.Fprintln(r.ch.Stderr(), text)
		} else {
			_, _ = fmt.Fprintln(r.ch, rest)
		}
	case "cat":
		_, _ = io.Copy(r.ch, r.ch)
	case "eat":
		_, _ = io.Copy(io.Discard, r.ch)
	case "flood":
		for piece := make([]byte, 100000); n > 0; n -= len(piece) {
			if _, err := r.ch.Write(piece); err != nil {
				break
			}
		}
	case "sleep":
		<-ctx.Done()
	case "exit":
		return n
	}
	return 0
}

// serve runs a server on one connection and returns the peer's end.
func serve(t testing.TB, s *Server, l Login, h *house) net.Conn {
	t.Helper()
	return serveAs(t, s, l, h, &h.work)
}

// serveMux serves another house.
func serveMux(t testing.TB, s *Server, m Mux) net.Conn {
	t.Helper()
	return serveAs(t, s, &door{}, m, &sync.WaitGroup{})
}

// fedHouse starts shells that are fed.
type fedHouse struct {
	house
	got chan []byte
	ch  *Channel
}

func (h *fedHouse) Serve(ch *Channel) Requests {
	h.ch = ch
	return fedRoom{h}
}

type fedRoom struct{ h *fedHouse }

func (r fedRoom) End() { r.h.ch.Close() }
func (r fedRoom) Request(_ context.Context, q Request) {
	q.Answer(true)
	r.h.ch.Feed(func(p []byte) int {
		r.h.got <- append([]byte(nil), p...)
		return 0
	})
}

func serveAs(t testing.TB, s *Server, l Login, m Mux, work *sync.WaitGroup) net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, testVersion+"\r\n")
		r := bufio.NewReader(conn)
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		early, _ := r.Peek(r.Buffered())
		c, err := s.Handshake(conn, strings.TrimRight(line, "\r\n"), early, l)
		if err != nil {
			return
		}
		_ = c.Notify("hostkeys-00@openssh.com", s.HostKeyBlobs())
		_ = c.Serve(context.Background(), m)
		work.Wait()
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() {
		_ = conn.Close()
		_ = listener.Close()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the connection does not end")
		}
	})
	return conn
}

// A peer is a client that does what it is told, packet by packet.
type peer struct {
	t       testing.TB
	conn    net.Conn
	c       *Conn // only its reading and writing halves
	server  string
	theirs  peerInit
	hostKey []byte
	digest  []byte
}

// offer is what a peer's KEXINIT names.
type offer struct {
	kex, key, cipher, mac, compression string
}

func (o offer) payload() []byte {
	p := Profile{
		Kex: strings.Split(o.kex, ","), Ciphers: []string{o.cipher}, MACs: []string{o.mac}, Compressions: []string{o.compression},
	}
	return p.kexInit([]string{o.key})
}

var plainOffer = offer{"curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com", "ssh-ed25519", "aes128-ctr", "hmac-sha2-256", "none"}

const peerVersion = "SSH-2.0-Test_1.0"

// newPeer exchanges version lines.
func newPeer(t testing.TB, conn net.Conn) *peer {
	t.Helper()
	s := &Server{config: Config{Version: peerVersion}}
	p := &peer{t: t, conn: conn, c: s.newConn(conn, "")}
	p.c.in.idle = func() error { return nil }
	var line []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(line), "\r\n"); line = append(line, b[0]) {
		if _, err := io.ReadFull(conn, b); err != nil {
			t.Fatal(err)
		}
	}
	p.server = strings.TrimSpace(string(line))
	_, _ = io.WriteString(conn, peerVersion+"\r\n")
	return p
}

func (p *peer) send(payload ...[]byte) {
	p.t.Helper()
	p.c.out.put(payload...)
	if err := p.c.out.flush(); err != nil {
		p.t.Logf("send: %v", err)
	}
}

// read returns a copy of the next payload; nil at the end.
func (p *peer) read() []byte {
	b, err := p.c.in.next()
	if err != nil {
		return nil
	}
	return append([]byte(nil), b...)
}

// expect reads a message of a type.
func (p *peer) expect(kind byte) []byte {
	p.t.Helper()
	b := p.read()
	if len(b) == 0 || b[0] != kind {
		p.t.Fatalf("got %s, want message %d", describe(b), kind)
	}
	return b[1:]
}

// exchange exchanges keys over curve25519, as a first exchange or a later one.
func (p *peer) exchange(o offer) {
	p.t.Helper()
	ours := o.payload()
	p.send(ours)
	p.finishExchange(o, ours, p.read())
}

func (p *peer) finishExchange(o offer, ours, theirs []byte) {
	p.t.Helper()
	if len(theirs) == 0 || theirs[0] != msgKexInit {
		p.t.Fatalf("got %s, want KEXINIT", describe(theirs))
	}
	var err error
	if p.theirs, err = parseInit(theirs); err != nil {
		p.t.Fatal(err)
	}
	key, _ := ecdh.X25519().GenerateKey(rand.Reader)
	share := key.PublicKey().Bytes()
	p.send(appendString([]byte{msgKexDHInit}, share))
	f := fields{p: p.expect(msgKexDHReply)}
	blob, theirShare, sig := f.bytes(), f.bytes(), f.bytes()
	point, err := ecdh.X25519().NewPublicKey(theirShare)
	if err != nil {
		p.t.Fatal(err)
	}
	shared, _ := key.ECDH(point)
	x := &exchange{c: p.c, hash: sha256.New, secret: appendMpint(nil, shared)}
	h := sha256.New()
	for _, field := range [][]byte{[]byte(peerVersion), []byte(p.server), ours, theirs, blob, share, theirShare} {
		h.Write(appendString(nil, field))
	}
	h.Write(x.secret)
	x.digest = h.Sum(nil)
	host, err := parsePublicKey(blob)
	if err != nil || !host.verify(o.key, x.digest, sig) {
		p.t.Fatalf("the host's signature is wrong: %v", err)
	}
	p.hostKey, p.digest = blob, x.digest
	strict := p.c.session == nil && listed(p.theirs.lists[0], strictServer) && listed(o.kex, strictClient)
	if p.c.session == nil {
		p.c.session, p.c.strict = x.digest, strict
	}
	prot := protection{o.cipher, o.mac, o.compression}
	seal, err := x.protection(prot, 'A')
	if err != nil {
		p.t.Fatal(err)
	}
	open, _ := x.protection(prot, 'B')
	p.expect(msgNewKeys)
	p.send([]byte{msgNewKeys})
	p.c.in.open, p.c.out.seal = open, seal
	if p.c.strict {
		p.c.in.seq, p.c.out.seq = 0, 0
	}
}

// login asks for the service and gives a password.
func (p *peer) login(user, password string) {
	p.t.Helper()
	p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
	p.password(user, password)
}

func (p *peer) password(user, password string) {
	b := appendString(appendString(appendString([]byte{msgAuthRequest}, user), "ssh-connection"), "password")
	p.send(appendString(appendBool(b, false), password))
}

// in exchanges keys, logs in and reads up to the success.
func (p *peer) in(o offer) *peer {
	p.t.Helper()
	p.exchange(o)
	p.login("root", "abc123")
	for {
		b := p.read()
		if len(b) == 0 {
			p.t.Fatal("not let in")
		}
		if b[0] == msgAuthSuccess {
			return p
		}
	}
}

// open opens a session.
func (p *peer) open(id, window, packet uint32) {
	p.send(appendNumber(appendNumber(appendNumber(appendString([]byte{msgOpen}, "session"), id), window), packet))
}

// request sends a request with one string.
func (p *peer) request(channel uint32, name string, want bool, text string) {
	p.send(appendString(appendBool(appendString(appendNumber([]byte{msgRequest}, channel), name), want), text))
}

func (p *peer) message(kind byte, fields ...uint32) {
	b := []byte{kind}
	for _, n := range fields {
		b = appendNumber(b, n)
	}
	p.send(b)
}

func (p *peer) data(channel uint32, b []byte) {
	p.send(appendString(appendNumber([]byte{msgData}, channel), b))
}

// transcript describes all messages up to the end or one that starts with last.
func (p *peer) transcript(last string) (out []string) {
	for {
		b := p.read()
		d := describe(b)
		out = append(out, d)
		if b == nil || last != "" && strings.HasPrefix(d, last) {
			return out
		}
	}
}

// describe names a message and its fields as a golden line.
func describe(b []byte) string {
	if len(b) == 0 {
		return "closed"
	}
	f := fields{p: b[1:]}
	switch b[0] {
	case msgDisconnect:
		return fmt.Sprintf("DISCONNECT %d %q", f.number(), f.text())
	case msgUnimplemented:
		return fmt.Sprintf("UNIMPLEMENTED %d", f.number())
	case msgDebug:
		return fmt.Sprintf("DEBUG %v %q", f.bool(), f.text())
	case msgServiceAccept:
		return fmt.Sprintf("SERVICE_ACCEPT %s", f.text())
	case msgExtInfo:
		s := fmt.Sprintf("EXT_INFO %d", f.number())
		for !f.bad && len(f.p) > 0 {
			s += fmt.Sprintf(" %s=%s", f.text(), f.text())
		}
		return s
	case msgKexInit:
		return "KEXINIT"
	case msgAuthFailure:
		return fmt.Sprintf("AUTH_FAILURE %s %v", f.text(), f.bool())
	case msgAuthSuccess:
		return "AUTH_SUCCESS"
	case msgAuthPKOK:
		return fmt.Sprintf("PK_OK %s", f.text())
	case msgGlobalRequest:
		return fmt.Sprintf("GLOBAL %s %v", f.text(), f.bool())
	case msgGlobalSuccess:
		return "GLOBAL_SUCCESS"
	case msgGlobalFailure:
		return "GLOBAL_FAILURE"
	case msgOpenConfirm:
		return fmt.Sprintf("OPEN_CONFIRM %d %d window=%d packet=%d", f.number(), f.number(), f.number(), f.number())
	case msgOpenFailure:
		return fmt.Sprintf("OPEN_FAILURE %d %d %q", f.number(), f.number(), f.text())
	case msgWindowAdjust:
		return fmt.Sprintf("WINDOW_ADJUST %d %d", f.number(), f.number())
	case msgData:
		return fmt.Sprintf("DATA %d %.60q", f.number(), f.bytes())
	case msgExtendedData:
		return fmt.Sprintf("EXTENDED_DATA %d %d %.60q", f.number(), f.number(), f.bytes())
	case msgEOF:
		return fmt.Sprintf("EOF %d", f.number())
	case msgClose:
		return fmt.Sprintf("CLOSE %d", f.number())
	case msgRequest:
		s := fmt.Sprintf("REQUEST %d %s %v", f.number(), f.text(), f.bool())
		if len(f.p) == 4 {
			s += fmt.Sprintf(" %d", f.number())
		}
		return s
	case msgRequestSuccess:
		return fmt.Sprintf("SUCCESS %d", f.number())
	case msgRequestFailure:
		return fmt.Sprintf("FAILURE %d", f.number())
	}
	return fmt.Sprintf("message %d", b[0])
}
