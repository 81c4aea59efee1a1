package fetcher

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/ipc"
)

// Bounds of mail.
const (
	maxRecipients = 100
	maxChatter    = 1 << 20 // bytes a mail server may say in one connection
)

// mail hands one message to a mail server (RFC 5321). Over smtp it insists on
// STARTTLS (RFC 3207) unless the envelope says otherwise; a certificate nobody
// vouches for is an error in any case.
func (w *surfer) mail(ctx context.Context, u *url.URL, m *ipc.Fetch, body func([]byte) error) (ipc.Fetched, error) {
	way, err := w.guard.place(u)
	if err != nil {
		return ipc.Fetched{}, err
	}
	if err := sendable(m); err != nil {
		return ipc.Fetched{}, err
	}
	conn, err := w.guard.dialFor(ctx, "tcp", net.JoinHostPort(way.Host, strconv.Itoa(int(way.Port))), way.Scheme)
	if err != nil {
		return ipc.Fetched{}, bare(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn = &bounded{Conn: conn, left: maxChatter}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: w.roots, ServerName: way.Host}
	said, refused, err := deliver(conn, secure, way.Scheme == "smtps", m)
	if said != nil { // the server's own words, with its code
		text := fmt.Sprintf("%d %s", said.Code, said.Msg)
		if err := body([]byte(text[:min(len(text), ipc.MaxPiece)])); err != nil {
			return ipc.Fetched{}, err
		}
		out := ipc.Fetched{Status: said.Code, Header: map[string]string{}}
		if len(refused) > 0 {
			out.Header["Refused"] = strings.Join(refused, ",")
		}
		return out, nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return ipc.Fetched{}, bare(err)
}

// sendable judges an envelope. Addresses with blanks or angle brackets would be
// commands of their own.
func sendable(m *ipc.Fetch) error {
	e := m.Mail
	switch {
	case e == nil || len(e.To) == 0 || len(m.Body) == 0:
		return refuse("mail without an envelope or a message")
	case len(e.To) > maxRecipients:
		return refuse("more than %d recipients", maxRecipients)
	}
	for _, a := range append([]string{e.From, e.Hello}, e.To...) {
		if strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }) {
			return refuse("an address that is none")
		}
	}
	return nil
}

// deliver speaks with the server. said is its last word when it took the message
// or refused it; otherwise err says what broke.
func deliver(conn net.Conn, secure *tls.Config, implicit bool, m *ipc.Fetch) (said *textproto.Error, refused []string, err error) {
	if implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, secure.ServerName)
	if err != nil {
		return word("greeting", err)
	}
	defer c.Close()
	if err := c.Hello(greeting(m.Mail)); err != nil {
		return word("HELO", err)
	}
	if !implicit && !m.Mail.Clear {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return nil, nil, errors.New("the mail server offers no STARTTLS, and without it nothing is sent")
		}
		if err := c.StartTLS(secure); err != nil {
			return word("STARTTLS", err)
		}
	}
	if m.Mail.User != "" {
		auth, err := login(c, m.Mail, implicit || !m.Mail.Clear)
		if err != nil {
			return nil, nil, err
		}
		if err := c.Auth(auth); err != nil {
			return word("AUTH", err)
		}
	}
	if err := c.Mail(m.Mail.From); err != nil {
		return word("MAIL", err)
	}
	var no error
	for _, to := range m.Mail.To {
		if err := c.Rcpt(to); err != nil {
			if _, ok := errors.AsType[*textproto.Error](err); !ok {
				return word("RCPT", err)
			}
			no, refused = err, append(refused, to)
		}
	}
	if len(refused) == len(m.Mail.To) {
		return word("RCPT", no)
	}
	return handOver(c, m.Body, refused)
}

// handOver sends the message itself.
func handOver(c *smtp.Client, message []byte, refused []string) (*textproto.Error, []string, error) {
	wc, err := c.Data()
	if err != nil {
		return word("DATA", err)
	}
	if _, err := wc.Write(message); err != nil {
		return word("DATA", err)
	}
	if err := wc.Close(); err != nil {
		return word("DATA", err)
	}
	_ = c.Quit() // it has the message, whatever it says now
	return &textproto.Error{Code: 250, Msg: "taken"}, refused, nil
}

// word tells the server's refusal from a broken connection.
func word(step string, err error) (*textproto.Error, []string, error) {
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return &textproto.Error{Code: e.Code, Msg: step + ": " + e.Msg}, nil, nil
	}
	return nil, nil, fmt.Errorf("%s: %w", step, err)
}

// greeting is the name we greet by.
func greeting(e *ipc.FetchMail) string {
	if e.Hello != "" {
		return e.Hello
	}
	if _, domain, ok := strings.Cut(e.From, "@"); ok && domain != "" {
		return domain
	}
	return "localhost"
}

// login chooses a way to authenticate: without TLS only one that does not show
// the password.
func login(c *smtp.Client, e *ipc.FetchMail, secure bool) (smtp.Auth, error) {
	_, line := c.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(line))
	switch {
	case secure && slices.Contains(offered, "PLAIN"):
		return plainAuth{e.User, e.Password}, nil
	case secure && slices.Contains(offered, "LOGIN"):
		return loginAuth{e.User, e.Password}, nil
	case slices.Contains(offered, "CRAM-MD5"):
		return smtp.CRAMMD5Auth(e.User, e.Password), nil
	case !secure:
		return nil, refuse("the password would be sent in the clear; want STARTTLS")
	}
	return nil, errors.New("the mail server offers no way to log in that is known here (PLAIN, LOGIN, CRAM-MD5)")
}

// plainAuth is AUTH PLAIN (RFC 4616). The library's own asks again whether there is
// TLS, and cannot know it behind a counted connection.
type plainAuth struct{ user, password string }

// Start sends all there is to send.
func (a plainAuth) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
}

// Next has nothing more to say.
func (plainAuth) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errors.New("the server asks on after AUTH PLAIN")
	}
	return nil, nil
}

// loginAuth is AUTH LOGIN, which some servers offer alone: the user, then the
// password, whatever the server calls them.
type loginAuth struct{ user, password string }

// Start sends nothing yet.
func (loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

// Next answers the two questions by what they ask for.
func (a loginAuth) Next(question []byte, more bool) ([]byte, error) {
	q := strings.ToLower(string(question))
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(q, "user"):
		return []byte(a.user), nil
	case strings.HasPrefix(q, "pass"):
		return []byte(a.password), nil
	}
	return nil, errors.New("the server asks something else than user and password")
}

// bounded ends a connection whose other side does not stop talking.
type bounded struct {
	net.Conn
	left int64
}

// Read reads until the bound.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: the server does not stop talking", ErrTooLarge)
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// record sends one syslog record: a datagram (RFC 5426), or a stream with octet
// counting (RFC 6587, RFC 5425). A stream has no receipt; what there is is asked
// for: the end is announced, and a server that went away meanwhile is an error.
func (w *surfer) record(ctx context.Context, u *url.URL, text []byte) error {
	way, err := w.guard.place(u)
	switch {
	case err != nil:
		return err
	case len(text) == 0:
		return refuse("an empty record")
	}
	network := "tcp"
	if way.Scheme == "syslog+udp" {
		network = "udp"
	}
	conn, err := w.guard.dialFor(ctx, network, net.JoinHostPort(way.Host, strconv.Itoa(int(way.Port))), way.Scheme)
	if err != nil {
		return bare(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if network == "udp" {
		_, err := conn.Write(text)
		return bare(err)
	}
	if way.Scheme == "syslog+tls" {
		conn = tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: w.roots, ServerName: way.Host})
	}
	if _, err := conn.Write(append(strconv.AppendInt(nil, int64(len(text)), 10), append([]byte{' '}, text...)...)); err != nil {
		return bare(err)
	}
	return farewell(conn)
}

// farewellTime is how long a server may take to close after we did. One that keeps
// the connection open is well.
const farewellTime = 2 * time.Second

// farewell closes our half and looks whether the other side took it badly.
func farewell(conn net.Conn) error {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	if err := half.CloseWrite(); err != nil {
		return bare(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(farewellTime)); err != nil {
		return bare(err)
	}
	_, err := io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		return nil
	}
	return bare(err)
}
