package fetcher

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// childArg makes the test binary a fetcher process.
const childArg = "fetcher-process"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		if err := Child(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

var built struct {
	sync.Once
	path string
	err  error
}

// program returns a binary of these tests without cgo, "" when this is one.
func program(t testing.TB) string {
	t.Helper()
	if !withCgo {
		return ""
	}
	built.Do(func() {
		dir, err := os.MkdirTemp("", "fetcher")
		if err != nil {
			built.err = err
			return
		}
		os.Chmod(dir, 0o755)
		built.path = filepath.Join(dir, "fetcher.test")
		cmd := exec.Command("go", "test", "-c", "-o", built.path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build the child: %v", built.err)
	}
	return built.path
}

// nameServer answers A and PTR questions over UDP. answer gets the name and how
// often that name was asked for before.
func nameServer(t testing.TB, answer func(name string, before int) []netip.Addr) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var mu sync.Mutex
	asked := map[string]int{}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			name := strings.TrimSuffix(q.Name.String(), ".")
			head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 0}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			switch q.Type {
			case dnsmessage.TypeA:
				mu.Lock()
				list := answer(name, asked[name])
				asked[name]++
				mu.Unlock()
				for _, a := range list {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
				}
				if list == nil {
					m.RCode = dnsmessage.RCodeNameError
				}
			case dnsmessage.TypePTR:
				if strings.HasPrefix(name, "9.9.9.9.") {
					m.RCode = dnsmessage.RCodeNameError
					break
				}
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("scanner.example.net.")}})
			}
			if raw, err := m.Pack(); err == nil {
				_, _ = c.WriteTo(raw, from)
			}
		}
	}()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// sink counts the connections that reach it.
func sink(t testing.TB) (port uint16, reached *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	reached = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			c.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String()).Port(), reached
}

// pidLog is a logger that hands out the pid of every process that was caged.
func pidLog(pids chan<- int) *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "pid" {
			pids <- int(a.Value.Int64())
		}
		return a
	}}))
}
