package ssh

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// library is the transport of golang.org/x/crypto/ssh. What it lacks of OpenSSH
// 9.2: sntrup761x25519-sha512, group 18, umac, hmac-sha1-etm and zlib; the order
// of the methods after a refusal; the capital letter of "Too many authentication
// failures"; channels that open with a window of 0.
type library struct {
	cfg     Config
	version string
	keys    []ssh.Signer
	blobs   []byte
	unread  atomic.Int64
}

// Lists of OpenSSH 9.2p1 Debian-2+deb12u10 in its order, as far as the library
// has the code.
var (
	kexAlgorithms = []string{
		"curve25519-sha256", "curve25519-sha256@libssh.org",
		"ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
		"diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256",
	}
	ciphers = []string{
		"chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
		"aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
	}
	macs = []string{
		"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1",
	}
	keyAlgorithms = []string{
		"ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
		"sk-ecdsa-sha2-nistp256@openssh.com", "ssh-dss", "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512",
	}
)

// newLibrary reads the host keys. The order is sshd's: RSA, ECDSA, Ed25519.
func newLibrary(cfg Config, version string, pems map[string][]byte) (*library, error) {
	l := &library{cfg: cfg, version: version}
	for _, name := range []string{"ssh_rsa", "ssh_ecdsa", "ssh_ed25519"} {
		pem, ok := pems[name]
		if !ok {
			continue
		}
		key, err := ssh.ParsePrivateKey(pem)
		if err != nil {
			return nil, fmt.Errorf("read host key %s: %w", name, err)
		}
		blob := key.PublicKey().Marshal()
		l.blobs = binary.BigEndian.AppendUint32(l.blobs, uint32(len(blob)))
		l.blobs = append(l.blobs, blob...)
		if key.PublicKey().Type() != ssh.KeyAlgoRSA {
			l.keys = append(l.keys, key)
			continue
		}
		signer, ok := key.(ssh.AlgorithmSigner)
		if !ok {
			return nil, fmt.Errorf("host key %s cannot sign with SHA-2", name)
		}
		// The library would offer 256 before 512 and SHA-1 too.
		l.keys = append(l.keys, rsaAs{signer, ssh.KeyAlgoRSASHA512}, rsaAs{signer, ssh.KeyAlgoRSASHA256})
	}
	if len(l.keys) == 0 {
		return nil, errors.New("no host key: want one of ssh_rsa, ssh_ecdsa, ssh_ed25519")
	}
	return l, nil
}

// rsaAs is an RSA key that signs with one algorithm only.
type rsaAs struct {
	signer    ssh.AlgorithmSigner
	algorithm string
}

// PublicKey returns the key under the name of its algorithm.
func (r rsaAs) PublicKey() ssh.PublicKey { return namedKey{r.signer.PublicKey(), r.algorithm} }

// Sign signs with the one algorithm.
func (r rsaAs) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return r.signer.SignWithAlgorithm(rand, data, r.algorithm)
}

type namedKey struct {
	ssh.PublicKey
	name string
}

// Type returns the algorithm's name.
func (k namedKey) Type() string { return k.name }

func (l *library) hostKeyBlobs() []byte { return l.blobs }

// open runs the library's handshake with callbacks of this one connection.
func (l *library) open(c *helloConn, g *gate) (link, error) {
	cfg := &ssh.ServerConfig{ServerVersion: l.version, MaxAuthTries: l.cfg.MaxTries}
	cfg.KeyExchanges, cfg.Ciphers, cfg.MACs = kexAlgorithms, ciphers, macs
	cfg.PublicKeyAuthAlgorithms = keyAlgorithms
	cfg.PasswordCallback = func(m ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		return verdict(g.password("password", m.User(), string(password)))
	}
	cfg.PublicKeyCallback = func(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		return verdict(g.key(m.User(), ssh.FingerprintSHA256(key), key.Type(), key.Marshal()))
	}
	cfg.VerifiedPublicKeyCallback = func(m ssh.ConnMetadata, key ssh.PublicKey, p *ssh.Permissions, _ string) (*ssh.Permissions, error) {
		g.keyProven(m.User(), ssh.FingerprintSHA256(key), key.Type())
		return p, nil
	}
	if l.cfg.Interactive {
		cfg.KeyboardInteractiveCallback = func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			return verdict(len(answers) == 1 && g.password("keyboard-interactive", m.User(), answers[0]))
		}
	}
	cfg.NoClientAuth = true // to see the question, never to say yes
	cfg.NoClientAuthCallback = func(m ssh.ConnMetadata) (*ssh.Permissions, error) {
		g.none(m.User())
		return nil, errRefused
	}
	for _, k := range l.keys {
		cfg.AddHostKey(k)
	}
	conn, channels, requests, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		return nil, err
	}
	link := &libraryLink{conn: conn, keys: l.keys, opened: channels, asked: requests}
	link.in.all = &l.unread
	c.counted.Store(&link.in)
	return link, nil
}

var errRefused = errors.New("refused")

func verdict(ok bool) (*ssh.Permissions, error) {
	if !ok {
		return nil, errRefused
	}
	return &ssh.Permissions{}, nil
}

type libraryLink struct {
	conn   *ssh.ServerConn
	opened <-chan ssh.NewChannel
	asked  <-chan *ssh.Request
	keys   []ssh.Signer
	in     inflow
}

func (l *libraryLink) notify(name string, payload []byte) {
	_, _, _ = l.conn.SendRequest(name, false, payload)
}

func (l *libraryLink) close() {
	_ = l.conn.Close()
	l.in.over.Store(true)
	l.in.reset()
}

// serve hands out channels and global requests until the connection ends. The
// requests of one session, which is all that most peers open, are answered here
// as well: a goroutine that only waits costs 4 KiB of stack.
func (l *libraryLink) serve(ctx context.Context, m mux) error {
	var first served
	defer func() { first.end() }()
	for l.opened != nil || l.asked != nil || first.asked != nil {
		select {
		case r, ok := <-l.asked:
			if !ok {
				l.asked = nil
				continue
			}
			l.global(m, r)
		case r, ok := <-first.asked:
			first.answer(ctx, r, ok)
		case c, ok := <-l.opened:
			if !ok {
				l.opened = nil
				continue
			}
			s := l.open(m, c)
			switch {
			case s.asked == nil:
			case first.asked == nil:
				first = s
			default:
				m.spawn(func() { s.run(ctx) })
			}
		}
	}
	return nil
}

// global answers a global request.
//
//go:noinline
func (l *libraryLink) global(m mux, r *ssh.Request) {
	yes, reply := false, []byte(nil)
	if r.Type == proveRequest {
		reply, yes = l.prove(r.Payload)
	} else {
		yes = m.global(r.Type, r.Payload)
	}
	if r.WantReply {
		_ = r.Reply(yes, reply)
	}
}

// open accepts or refuses a channel.
//
//go:noinline
func (l *libraryLink) open(m mux, c ssh.NewChannel) served {
	if c.ChannelType() != "session" {
		reason, text := m.refuse(c.ChannelType(), c.ExtraData())
		_ = c.Reject(ssh.RejectionReason(reason), text)
		return served{}
	}
	if !m.session() {
		_ = c.Reject(ssh.ConnectionFailed, "open failed")
		return served{}
	}
	ch, asked, err := c.Accept()
	if err != nil {
		m.serve(nil)
		return served{}
	}
	l.in.channels.Add(1)
	return served{m.serve(&libraryChannel{ch: ch, in: &l.in}), asked}
}

// served is a session channel and who answers its requests. The zero value is
// none.
type served struct {
	by    requests
	asked <-chan *ssh.Request
}

// run answers requests until the channel ends.
func (s served) run(ctx context.Context) {
	defer s.end()
	for r := range s.asked {
		s.request(ctx, r)
	}
}

// answer answers one request, or ends with the channel.
func (s *served) answer(ctx context.Context, r *ssh.Request, ok bool) {
	if ok {
		s.request(ctx, r)
		return
	}
	s.end()
	*s = served{}
}

func (s served) end() {
	if s.by != nil {
		s.by.end()
	}
}

//go:noinline
func (s served) request(ctx context.Context, r *ssh.Request) {
	q := request{name: r.Type, payload: r.Payload, answer: func(bool) {}}
	if r.WantReply {
		q.answer = func(ok bool) { _ = r.Reply(ok, nil) }
	}
	s.by.request(ctx, q)
}

// libraryChannel adapts a channel of the library.
type libraryChannel struct {
	ch   ssh.Channel
	in   *inflow
	once sync.Once
}

func (c *libraryChannel) Write(p []byte) (int, error) { return c.ch.Write(p) }
func (c *libraryChannel) stderr() io.Writer           { return c.ch.Stderr() }

// Read reads what the peer sent on the channel.
func (c *libraryChannel) Read(p []byte) (int, error) {
	n, err := c.ch.Read(p)
	c.in.read(n, n < len(p))
	return n, err
}

func (c *libraryChannel) exit(status int) {
	_, _ = c.ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(status&0xff)))
	_ = c.ch.CloseWrite()
	c.close()
}

func (c *libraryChannel) close() {
	c.once.Do(c.in.closed)
	_ = c.ch.Close()
}
