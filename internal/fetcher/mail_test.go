package fetcher

import (
	"bufio"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/ipc"
)

// mailServer answers each line by the longest prefix among the answers and
// writes down what it heard.
func mailServer(t testing.TB, answers map[string]string) (port uint16, heard func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var mu sync.Mutex
	var log strings.Builder
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, answers[""])
				in := bufio.NewScanner(c)
				body := false
				for in.Scan() {
					line := in.Text()
					mu.Lock()
					log.WriteString(line + "\n")
					mu.Unlock()
					best := "500 what\r\n"
					switch {
					case body && line != ".":
						continue
					case body:
						body, best = false, answers["."]
					default:
						n := 0
						for k, v := range answers {
							if k != "." && len(k) > n && strings.HasPrefix(line, k) {
								n, best = len(k), v
							}
						}
						body = strings.HasPrefix(best, "354")
					}
					if best == "CUT" {
						return
					}
					fmt.Fprint(c, best)
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String()).Port(), func() string { mu.Lock(); defer mu.Unlock(); return log.String() }
}

// with returns a polite server's answers with some of them changed.
func with(pairs ...string) map[string]string {
	out := map[string]string{
		"": "220 mx ESMTP\r\n", "EHLO": "250-mx\r\n250 AUTH PLAIN CRAM-MD5\r\n", "MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n",
		"DATA": "354 go\r\n", ".": "250 queued\r\n", "QUIT": "221 bye\r\n", "AUTH": "235 in\r\n",
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// TestMail is the table of what a mail server may answer. That a real one takes
// what is sent over TLS is shown where mail is written.
func TestMail(t *testing.T) {
	from := &Mail{From: "soc@example.org", To: []string{"a@example.org", "b@example.org"}, Clear: true}
	change := func(f func(*Mail)) *Mail { m := *from; f(&m); return &m }
	for name, c := range map[string]struct {
		answers map[string]string
		mail    *Mail
		status  int
		why     string // of the error
		refused string
	}{
		"taken":            {with(), from, 250, "", ""},
		"one refused":      {with("RCPT TO:<b@", "550 no such user\r\n"), from, 250, "", "b@example.org"},
		"all refused":      {with("RCPT", "550 no such user\r\n"), from, 550, "", ""},
		"later":            {with(".", "451 greylisted\r\n"), from, 451, "", ""},
		"not welcome":      {with("", "554 go away\r\n"), from, 554, "", ""},
		"no TLS":           {with(), change(func(m *Mail) { m.Clear = false }), 0, "no STARTTLS", ""},
		"cut":              {with(".", "CUT"), from, 0, "EOF", ""},
		"talks on":         {with("RCPT", "250-"+strings.Repeat("x", 2<<20)+"\r\n250 ok\r\n"), from, 0, "stop talking", ""},
		"password hidden":  {with("AUTH CRAM-MD5", "334 PDE+\r\n", "c29j", "235 in\r\n"), change(func(m *Mail) { m.User, m.Password = "soc", "pw" }), 250, "", ""},
		"password shown":   {with("EHLO", "250-mx\r\n250 AUTH PLAIN LOGIN\r\n"), change(func(m *Mail) { m.User, m.Password = "soc", "pw" }), 0, "in the clear", ""},
		"a second command": {with(), change(func(m *Mail) { m.To = []string{"a@b>\r\nDATA"} }), 0, "an address that is none", ""},
		"no envelope":      {with(), nil, 0, "without an envelope", ""},
	} {
		t.Run(name, func(t *testing.T) {
			port, heard := mailServer(t, c.answers)
			w := surf(t, ipc.FetchSetup{Allow: []netip.Prefix{loopback}, Ways: []Way{way("smtp", "127.0.0.1", port)}}, nil)
			out, _, err := get(t, w, ipc.Fetch{URL: fmt.Sprintf("smtp://127.0.0.1:%d", port), Body: []byte("Subject: x\r\n\r\n.hidden dot\r\n"), Mail: c.mail, Timeout: 10 * time.Second})
			if out.Status != c.status || out.Header["Refused"] != c.refused || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
				t.Errorf("%+v, %v", out, err)
			}
			if c.status == 250 && !strings.Contains(heard(), "\n..hidden dot\n.\n") {
				t.Errorf("it heard %q", heard())
			}
			if strings.Contains(heard(), "pw") || strings.Count(heard(), "DATA") > 1 {
				t.Errorf("it heard %q", heard())
			}
		})
	}
}

func TestLogin(t *testing.T) {
	a := loginAuth{"me", "pw"}
	for q, want := range map[string]string{"Username:": "me", "User Name\x00": "me", "Password:": "pw"} {
		if got, err := a.Next([]byte(q), true); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", q, got, err)
		}
	}
	if _, err := a.Next([]byte("Your card number:"), true); err == nil {
		t.Error("answers anything")
	}
	if _, err := (plainAuth{}).Next(nil, true); err == nil {
		t.Error("PLAIN goes on")
	}
}

// What is open to mail is closed to everything else, and the other way round.
func TestWays(t *testing.T) {
	port, reached := sink(t)
	w := surf(t, ipc.FetchSetup{
		Ports: []uint16{443}, Allow: []netip.Prefix{loopback}, Hosts: map[string][]netip.Addr{"mx.example": {netip.MustParseAddr("127.0.0.1")}},
		Ways: []Way{way("smtp", "127.0.0.1", port), way("syslog+tcp", "mx.example", port)},
	}, nil)
	mail := &Mail{From: "a@b.example", To: []string{"a@b.example"}}
	for _, c := range []struct {
		url  string
		mail *Mail
		why  string
	}{
		{"http://127.0.0.1:PORT/", nil, "port"},
		{"https://mx.example:PORT/", nil, "port"},
		{"smtp://mx.example:PORT", mail, "settings of any action"},
		{"smtps://127.0.0.1:PORT", mail, "settings of any action"},
		{"smtp://127.0.0.1:25", mail, "settings of any action"},
		{"syslog+udp://mx.example:PORT", nil, "settings of any action"},
		{"syslog+tcp://127.0.0.1:PORT", nil, "settings of any action"},
		{"syslog+tcp://u@mx.example:PORT", nil, "more than scheme"},
		{"smtp://127.0.0.1:PORT/x", mail, "more than scheme"},
		{"https://8.8.8.8/", mail, "an envelope"},
		{"syslog+tcp://mx.example:PORT", nil, "empty record"},
	} {
		u := strings.ReplaceAll(c.url, "PORT", fmt.Sprint(port))
		if _, _, err := get(t, w, ipc.Fetch{URL: u, Mail: c.mail, Timeout: 5 * time.Second}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %s", u, err, c.why)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the sink was reached %d times", n)
	}
	// A way does not make an inside address public.
	inside := surf(t, ipc.FetchSetup{Ways: []Way{way("smtp", "127.0.0.1", port)}}, nil)
	if _, _, err := get(t, inside, ipc.Fetch{URL: fmt.Sprintf("smtp://127.0.0.1:%d", port), Mail: mail, Body: []byte("x")}); !errors.Is(err, ErrRefused) {
		t.Errorf("inside: %v", err)
	}
}

// A message that is sent on is sent on whole, on the same host, or not at all.
func TestSent(t *testing.T) {
	mailPort, reached := sink(t)
	mux := http.NewServeMux()
	srv := httptest.NewTLSServer(mux)
	defer srv.Close()
	to := func(path, where string, status int) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, where, status) })
	}
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Request-Id", "r1")
		fmt.Fprint(w, r.Method, string(b))
	})
	to("/moved", "/end", 302)
	to("/same", "/end", 307)
	to("/mail", fmt.Sprintf("https://127.0.0.1:%d/", mailPort), 307)
	to("/metadata", "https://169.254.169.254/latest/", 307)
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	for _, setup := range []ipc.FetchSetup{ // the port is open to all, or to this place alone
		{Ports: []uint16{at.Port()}, Allow: []netip.Prefix{loopback}, Roots: roots},
		{Allow: []netip.Prefix{loopback}, Roots: roots, Ways: []Way{way("https", "127.0.0.1", at.Port()), way("smtp", "127.0.0.1", mailPort)}},
	} {
		doer, err := Uncaged(setup)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]struct {
			status int
			body   string
		}{"/end": {200, "POSTdata"}, "/same": {200, "POSTdata"}, "/moved": {302, ""}, "/mail": {}, "/metadata": {}} {
			var b strings.Builder
			r, err := doer.Do(t.Context(), Request{Method: "POST", URL: srv.URL + path, Body: []byte("data"), Timeout: 10 * time.Second}, &b)
			if r.Status != want.status || want.body != "" && b.String() != want.body || (want.status == 0) != errors.Is(err, ErrRefused) {
				t.Errorf("%s: %+v, %q, %v", path, r, b.String(), err)
			}
			if path == "/end" && r.Header["X-Request-Id"] != "r1" || path == "/moved" && r.Header["Location"] != "/end" {
				t.Errorf("%s: %v", path, r.Header)
			}
		}
	}
	if reached.Load() != 0 {
		t.Error("a webhook reached the mail server")
	}
}

// Records arrive counted, one connection each, and through the caged process too.
func TestRecord(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 4)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b, _ := io.ReadAll(c)
			got <- string(b)
			c.Close()
		}
	}()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	tcp, udp := "syslog+tcp://"+l.Addr().String(), "syslog+udp://"+u.LocalAddr().String()
	p := New(Options{Path: program(t), Args: []string{childArg}, Setup: ipc.FetchSetup{Allow: []netip.Prefix{loopback}}})
	for _, address := range []string{tcp, udp} {
		place, err := WayTo(address)
		if err != nil {
			t.Fatal(err)
		}
		p.Permit(place, place)
	}
	port, _ := mailServer(t, with())
	p.Permit(way("smtp", "127.0.0.1", port))
	run(t, p)
	record := "<14>1 - - - - - - h\u00e4llo"
	for _, address := range []string{tcp, udp} {
		if _, err := p.Do(t.Context(), Request{URL: address, Body: []byte(record), Timeout: 10 * time.Second}, io.Discard); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	if s := <-got; s != strconv.Itoa(len(record))+" "+record {
		t.Errorf("stream: %q", s)
	}
	buf := make([]byte, 100)
	if n, _, err := u.ReadFrom(buf); err != nil || string(buf[:n]) != record {
		t.Errorf("datagram: %q, %v", buf[:n], err)
	}
	l.Close()
	if _, err := p.Do(t.Context(), Request{URL: tcp, Body: []byte(record), Timeout: 10 * time.Second}, io.Discard); err == nil {
		t.Error("a record to nobody was sent")
	}
	var said strings.Builder
	r, err := p.Do(t.Context(), Request{URL: fmt.Sprintf("smtp://127.0.0.1:%d", port), Body: []byte("x\r\n"), Mail: &Mail{From: "a@b", To: []string{"c@d"}, Clear: true}}, &said)
	if err != nil || r.Status != 250 || said.String() != "250 taken" {
		t.Errorf("mail by the process: %+v, %q, %v", r, said.String(), err)
	}
}

func way(scheme, host string, port uint16) Way { return Way{Scheme: scheme, Host: host, Port: port} }

func TestWayTo(t *testing.T) {
	for address, want := range map[string]Way{
		"https://Hooks.Example./x?k=1": way("https", "hooks.example", 443), "smtp://mx": way("smtp", "mx", 587), "syslog+tls://[2001:db8::1]": way("syslog+tls", "2001:db8::1", 6514),
		"http://a:0": {}, "http://a:70000": {}, "ftp://a": {}, "https:///x": {}, "https://%zz": {}, "": {},
	} {
		got, err := WayTo(address)
		if got != want || (err == nil) != (want.Port != 0) {
			t.Errorf("%q: %+v, %v", address, got, err)
		}
	}
}
