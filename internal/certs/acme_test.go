package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"honeyguide/internal/seal"
)

// pebble finds the test authority of Let's Encrypt, which test/setup.sh builds.
func pebble(t *testing.T) string {
	t.Helper()
	if path, err := filepath.Abs("../../bin/pebble"); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath("pebble")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("pebble is missing: run test/setup.sh")
		}
		t.Skip("pebble is missing: test/setup.sh builds it")
	}
	return path
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestACME gets a certificate of a real ACME server over each of the two ways it
// checks a name: on the TLS door, and on the plain one.
func TestACME(t *testing.T) {
	program := pebble(t)
	for _, way := range []string{"tls-alpn-01", "http-01"} {
		t.Run(way, func(t *testing.T) {
			door, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer door.Close()
			plain := free(t)
			directory, roots := authorityAt(t, program, door.Addr().String(), plain)
			opt := Options{Vault: sealed(t), ClientCA: newCA(t, "clients").file(t), ClientRequired: true, ACME: ACME{
				Domains: []string{"soc.example"}, Email: "ops@soc.example", Directory: directory, Roots: roots,
				Dir: filepath.Join(t.TempDir(), "acme"), Listen: door.Addr().String(),
			}}
			if way == "http-01" {
				opt.ACME.HTTP = plain
			}
			k, err := Open(opt)
			if err != nil {
				t.Fatal(err)
			}
			if st := k.Status(); st.Kind != KindACME || st.Fingerprint == "" {
				t.Errorf("before: %+v", st)
			}
			if way == "http-01" {
				l, err := net.Listen("tcp", plain)
				if err != nil {
					t.Fatal(err)
				}
				srv := &http.Server{Handler: k.Challenges(http.NotFoundHandler()), ReadHeaderTimeout: time.Second}
				go func() { _ = srv.Serve(l) }()
				defer srv.Close()
				_ = door.Close() // only the plain way is open
			} else {
				go accept(tls.NewListener(door, k.Config()))
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- k.Run(ctx) }()
			deadline := time.Now().Add(20 * time.Second)
			for len(k.Status().Names) != 1 && time.Now().Before(deadline) {
				time.Sleep(50 * time.Millisecond)
			}
			st := k.Status()
			if len(st.Names) != 1 || st.Names[0] != "soc.example" || st.Problem != "" {
				t.Errorf("got %+v", st)
			}
			got, err := k.certificate(&tls.ClientHelloInfo{ServerName: "SOC.example"})
			if err != nil || Fingerprint(got.Leaf) != st.Fingerprint {
				t.Errorf("a peer sees another one: %v", err)
			}
			if got, _ := k.certificate(&tls.ClientHelloInfo{ServerName: "other.example"}); Fingerprint(got.Leaf) == st.Fingerprint {
				t.Error("another name gets it too")
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			err = filepath.WalkDir(opt.ACME.Dir, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					if st, err := d.Info(); err == nil && st.Mode().Perm()&0o077 != 0 {
						t.Errorf("%s has mode %v", path, st.Mode())
					}
					if raw, err := os.ReadFile(path); err != nil || !seal.Seals(raw) && !strings.HasSuffix(path, ".lock") {
						t.Errorf("%s is in clear: %v", path, err)
					}
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.(*tls.Conn).Handshake()
		_ = c.Close()
	}
}

// resolver answers, over TCP, that every name is this machine.
func resolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return l.Addr().String()
}

func answer(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		buf := make([]byte, binary.BigEndian.Uint16(size[:]))
		var m dnsmessage.Message
		if _, err := io.ReadFull(c, buf); err != nil || m.Unpack(buf) != nil || len(m.Questions) != 1 {
			return
		}
		m.Response, m.Additionals = true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
		out, err := m.AppendPack(make([]byte, 2, 512))
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(out, uint16(len(out)-2))
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// authorityAt starts the test authority; it checks names at the two addresses.
func authorityAt(t *testing.T, program, tlsDoor, plainDoor string) (directory, roots string) {
	t.Helper()
	dir, own := t.TempDir(), newCA(t, "the authority's own")
	k, der := own.sign(t, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, time.Now().AddDate(0, 1, 0))
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put(t, cert, "CERTIFICATE", der)
	put(t, key, "PRIVATE KEY", raw)
	listen := free(t)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": "", "certificate": cert, "privateKey": key,
		"httpPort": port(plainDoor), "tlsPort": port(tlsDoor), "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "test", "validityPeriod": 7776000}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-config", file, "-strict", "-dnsserver", resolver(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	for range 100 {
		if c, err := net.Dial("tcp", listen); err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "https://" + listen + "/dir", own.file(t)
}
