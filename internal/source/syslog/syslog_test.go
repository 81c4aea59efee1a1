package syslog

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/config"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
	"honeyguide/internal/source/sourcetest"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// door opens the source and tells where it listens.
func rig(t *testing.T, settings string) (*sourcetest.Rig, func() *server) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var last *server
	spy := kind.Of("syslog", "", Kind.Defaults.(Config), func(ctx context.Context, cfg Config, dep source.Deps) (source.Source, error) {
		s, err := open(ctx, cfg, dep)
		if err == nil {
			last = s.(*server)
			t.Cleanup(last.close)
		}
		return s, err
	})
	return &sourcetest.Rig{
		T: t, Kind: spy, Log: memory.Open(eventlog.Deps{}), State: st,
		Decode: kind.Decode(config.Strict("test", []byte("listen: 127.0.0.1:0\n"+settings))),
	}, func() *server { return last }
}

func TestContractStream(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) (*sourcetest.Rig, sourcetest.Producer) {
		r, s := rig(t, "network: tcp\nrate: 1000000")
		var conn net.Conn
		return r, sourcetest.Producer{Waits: true, Write: func(t testing.TB, lines string) {
			if conn == nil {
				conn = dial(t, "tcp", s().stream.Addr().String())
			}
			send(t, conn, lines)
		}}
	})
}

func dial(t testing.TB, network, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func send(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func TestFraming(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
		err  error
	}{
		"lines":                  {"<13>a\n<14>b\r\n", []string{"<13>a", "<14>b"}, io.EOF},
		"last line without end":  {"<13>a\n<14>b", []string{"<13>a", "<14>b"}, io.EOF},
		"NUL":                    {"<13>a\x00\n", []string{"<13>a"}, io.EOF},
		"counted":                {"5 <13>a6 <14>bc", []string{"<13>a", "<14>bc"}, io.EOF},
		"counted, with a break":  {"8 <13>a\nbc5 <13>d", []string{"<13>a\nbc", "<13>d"}, io.EOF},
		"counted and ended":      {"5 <13>a\n5 <13>b\n", []string{"<13>a", "<13>b"}, io.EOF},
		"a line with a number":   {"42 apples\n", []string{"42 apples"}, io.EOF},
		"a date":                 {"2026-11-22T00:00:00Z h a: b\n", []string{"2026-11-22T00:00:00Z h a: b"}, io.EOF},
		"cut off":                {"9 <13>a", nil, io.ErrUnexpectedEOF},
		"count that is none":     {"5 <13>ax <14>b", []string{"<13>a"}, errCount},
		"count without end":      {"5 <13>a99999999999999 <", []string{"<13>a"}, errCount},
		"only a number":          {"12", []string{"12"}, io.EOF},
		"nothing but a zero":     {"0 <13>a\n", []string{"0 <13>a"}, io.EOF},
		"empty lines":            {"\n\n<13>a\n", []string{"", "", "<13>a"}, io.EOF},
		"long line":              {strings.Repeat("x", 3000) + "\n<13>a\n", []string{strings.Repeat("x", 1026), "<13>a"}, io.EOF},
		"long counted":           {"3000 <" + strings.Repeat("x", 2999) + "5 <13>a", []string{"<" + strings.Repeat("x", 2999), "<13>a"}, io.EOF},
		"long counted, cut off":  {"900000000 <" + strings.Repeat("x", 99), nil, io.ErrUnexpectedEOF},
		"long counted, cut off2": {"900000000 <" + strings.Repeat("x", 9999), nil, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			f, err := newFramer(strings.NewReader(c.in), 1024)
			for err == nil {
				var msg []byte
				if msg, _, err = f.next(); err == nil {
					got = append(got, string(msg))
				}
			}
			if !slices.Equal(got, c.want) || !strings.Contains(err.Error(), c.err.Error()) {
				t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

func FuzzFraming(f *testing.F) {
	for _, s := range []string{"<13>a\n", "5 <13>a6 <14>bc", "9 <", "99999999999 <", "0", "1 <\n1 <", "\x00\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		fr, err := newFramer(strings.NewReader(string(in)), 64)
		total := int64(0)
		for err == nil {
			var msg []byte
			var size int64
			if msg, size, err = fr.next(); err == nil {
				total += size
				if len(msg) > keepHead || int64(len(msg)) > size {
					t.Fatalf("%d bytes of a message of %d", len(msg), size)
				}
			}
		}
		if total > int64(len(in)) {
			t.Fatalf("%d bytes of messages in %d", total, len(in))
		}
		n := 0
		for _, m := range messages(in) {
			n += len(m)
		}
		if n > len(in) {
			t.Fatalf("%d bytes of messages in a datagram of %d", n, len(in))
		}
	})
}

func TestDatagrams(t *testing.T) {
	r, s := rig(t, "network: udp\nrate: 1000\nmax_message: 2000")
	r.Start()
	conn := dial(t, "udp", s().packet.LocalAddr().String())
	for i := range 20 {
		send(t, conn, strings.TrimSuffix(sourcetest.Line(i), "\n"))
	}
	r.Await(20)
	send(t, conn, strings.Repeat("y", 30_000))
	r.Eventually("the long one is refused", func() bool { return len(r.Dead()) == 1 })
	for range 5000 {
		send(t, conn, "{\"n\":20}")
	}
	send(t, conn, "")
	r.Eventually("what is over the rate is counted", func() bool { return r.Status().Dropped > 0 })
	if e := r.Events()[0]; e.Str(attrPeer) != "127.0.0.1" {
		t.Errorf("peer %q", e.Str(attrPeer))
	}
	if st := r.Status(); len(st.Streams) != 1 || st.Streams[0].Name != "127.0.0.1" {
		t.Errorf("streams %v", st.Streams)
	}
}

func TestDatagramOfLines(t *testing.T) {
	got := messages([]byte("<13>a\nb\n<14>c\r\n\n<15>d\n\x00"))
	var text []string
	for _, m := range got {
		text = append(text, string(m))
	}
	if !slices.Equal(text, []string{"<13>a\nb", "<14>c", "<15>d"}) {
		t.Errorf("%q", text)
	}
}

func TestAllow(t *testing.T) {
	r, s := rig(t, "network: tcp\nallow: [192.0.2.0/24]")
	r.Start()
	conn := dial(t, "tcp", s().stream.Addr().String())
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("a stranger was let in: %v", err)
	}
}

func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	r, s := rig(t, fmt.Sprintf("network: tls\ncert: %s\nkey: %s", cert, key))
	r.Start()
	plain := dial(t, "tcp", s().stream.Addr().String())
	send(t, plain, "<13>not secret\n")
	conn, err := tls.Dial("tcp", s().stream.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 3 {
		msg := strings.TrimSuffix(sourcetest.Line(i), "\n")
		send(t, conn, fmt.Sprintf("%d %s", len(msg), msg))
	}
	r.Await(3)
	r.Once(3)
}

func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(own)
	return cert, key, pool
}

func TestLimiter(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	l, now := newLimiter(10), time.Unix(1000, 0)
	taken := 0
	for range 100 {
		if l.take(a, now) {
			taken++
		}
	}
	if taken != 20 || !l.take(b, now) {
		t.Errorf("%d at once, want 20 and a sender of its own for each address", taken)
	}
	for i := range 100 {
		if l.take(a, now.Add(time.Duration(i)*20*time.Millisecond)) {
			taken++
		}
	}
	if taken != 39 {
		t.Errorf("%d after two seconds, want 39", taken)
	}
	var pause time.Duration
	for range 25 {
		pause = l.owe(b, now)
	}
	if pause != 600*time.Millisecond {
		t.Errorf("a stream waits %v, want 600ms", pause)
	}
}

func TestConfig(t *testing.T) {
	for settings, want := range map[string]string{
		"network: sctp": "network", "network: [tcp, tls]": "share a port", "listen: here": "listen", "network: tls": "cert", "rate: 0": "rate",
		"max_message: 10": "max_message", "allow: x": "allow", "idle: 1ms": "idle", "network: []": "network", "max_conns: 0": "max_conns",
	} {
		err := Kind.Check(kind.Decode(config.Strict("test", []byte(settings))))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", settings, err, want)
		}
	}
	r, _ := rig(t, "network: tcp")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r.Decode = kind.Decode(config.Strict("test", []byte("network: tcp\nlisten: "+l.Addr().String())))
	if err := r.TryStart(); honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable || !strings.Contains(err.Error(), "another port") {
		t.Errorf("a port that is taken: %v", err)
	}
}
