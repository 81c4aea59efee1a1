package respondtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"honeyguide/internal/supervise"
)

// gateway accepts connections and hands each to serve until the test ends.
func gateway(t testing.TB, serve func(ctx context.Context, c *net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g := supervise.New(nil)
	g.Go(ctx, "gateway", func(ctx context.Context) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return nil
			}
			g.Go(ctx, "connection", func(ctx context.Context) error {
				defer c.Close()
				defer context.AfterFunc(ctx, func() { c.Close() })()
				serve(ctx, c.(*net.TCPConn))
				return nil
			})
		}
	})
	t.Cleanup(func() { stop(); l.Close(); _ = g.Wait() })
	return netip.MustParseAddrPort(l.Addr().String())
}

// pass gives what came to the fake as a POST and returns the status it answers
// with, 0 when the connection is to break.
func (f *Fake) pass(ctx context.Context, header http.Header, body []byte) (status int) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
	r.Header = header
	rec := httptest.NewRecorder()
	defer func() {
		if recover() != nil { // as a server does with http.ErrAbortHandler
			status = 0
		}
	}()
	f.ServeHTTP(rec, r)
	if rec.Header().Get("Content-Length") != "" || ctx.Err() != nil {
		return 0
	}
	return rec.Code
}

// SMTP puts a mail server with STARTTLS and AUTH PLAIN before the fake: every
// message is a POST with the envelope in the headers From, To and Auth.
func SMTP(t testing.TB, f *Fake) string {
	at := gateway(t, func(ctx context.Context, c *net.TCPConn) { f.talk(ctx, c, false) })
	return "smtp://" + at.String()
}

// talk serves one connection (RFC 5321, as far as one sender needs it).
func (f *Fake) talk(ctx context.Context, c net.Conn, secure bool) {
	in := bufio.NewReader(c)
	say := func(text string) { fmt.Fprint(c, text+"\r\n") }
	if !secure {
		say("220 mx.example.org ESMTP")
	}
	header := http.Header{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-mx.example.org\r\n250-8BITMIME\r\n" + map[bool]string{false: "250 STARTTLS", true: "250 AUTH PLAIN LOGIN"}[secure])
		case "STARTTLS":
			say("220 go")
			f.talk(ctx, tls.Server(c, &tls.Config{Certificates: f.TLS.Certificates, MinVersion: tls.VersionTLS12}), true)
			return
		case "AUTH":
			header.Set("Auth", rest)
			say("235 in")
		case "MAIL":
			header.Set("From", rest)
			say("250 ok")
		case "RCPT":
			header.Add("To", rest)
			say("250 ok")
		case "DATA":
			say("354 go")
			body, err := dotted(in)
			if err != nil {
				return
			}
			switch status := f.pass(ctx, header.Clone(), body); {
			case status == 0:
				return
			case status < 300:
				say("250 queued")
			case status == 429 || status >= 500:
				say("451 4.7.1 try again later")
			default:
				say("554 5.7.1 refused, you said " + strings.Join(header["Auth"], ""))
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what")
		}
	}
}

// dotted reads a message up to the line with a dot alone.
func dotted(in *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	for b.Len() < 4<<20 {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line == ".\r\n" {
			return b.Bytes(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	return nil, io.ErrShortBuffer
}

// Syslog puts a receiver of counted records over TLS before the fake: every record
// is a POST.
func Syslog(t testing.TB, f *Fake) string {
	at := gateway(t, func(ctx context.Context, c *net.TCPConn) {
		in := bufio.NewReader(tls.Server(c, &tls.Config{Certificates: f.TLS.Certificates, MinVersion: tls.VersionTLS12}))
		for {
			count, err := in.ReadString(' ')
			n, bad := strconv.Atoi(strings.TrimSuffix(count, " "))
			if err != nil || bad != nil || n < 1 || n > 64<<10 {
				return
			}
			record := make([]byte, n)
			if _, err := io.ReadFull(in, record); err != nil {
				return
			}
			if f.pass(ctx, http.Header{}, record) == 0 {
				_ = c.SetLinger(0) // reset, so that the sender hears of it
				return
			}
		}
	})
	return "syslog+tls://" + at.String()
}
