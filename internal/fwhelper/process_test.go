package fwhelper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/supervise"
)

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
		dir, err := os.MkdirTemp("", "firewall")
		if err != nil {
			built.err = err
			return
		}
		os.Chmod(dir, 0o755)
		built.path = filepath.Join(dir, "firewall.test")
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

// started runs a caged process over the real kernel.
func started(t testing.TB, o Options) *Process {
	t.Helper()
	realKernel(t)
	if o.Path = program(t); o.Args == nil {
		o.Args = []string{childArg}
	}
	p := New(o)
	ctx, stop := context.WithCancel(context.Background())
	g := supervise.New(nil)
	g.Keep(ctx, "firewall", p.Run)
	t.Cleanup(func() { stop(); _ = g.Wait() })
	return p
}

func in(d time.Duration) time.Time { return time.Now().Add(d) }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// The caged process blocks, tells the truth about it, and leaves nothing behind.
func TestProcess(t *testing.T) {
	p := started(t, Options{Setup: ipc.FirewallSetup{Allow: []netip.Prefix{prefix("198.51.100.0/25")}}})
	ctx := t.Context()
	before := ruleset(t)
	list := []Entry{
		{prefix("203.0.113.7/32"), in(time.Hour)},
		{prefix("2001:db8::7/128"), in(time.Hour)},
		{prefix("203.0.114.0/24"), in(time.Hour)},
		{prefix("203.0.114.128/25"), in(2 * time.Hour)},
	}
	if err := p.Block(ctx, list...); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		prefix string
		left   time.Duration // 0: not blocked
	}{
		{"203.0.113.7/32", time.Hour},
		{"2001:db8::7/128", time.Hour},
		{"203.0.113.8/32", 0},
		{"203.0.114.0/24", time.Hour},
		{"203.0.114.128/25", 2 * time.Hour},
		{"203.0.114.9/32", time.Hour},
		{"203.0.114.200/32", 2 * time.Hour},
		{"203.0.115.0/24", 0},
		{"203.0.114.0/23", 0},
	} {
		s, ok, err := p.Has(ctx, prefix(c.prefix))
		if err != nil || ok != (c.left > 0) || ok && (time.Until(s.Until) > c.left+time.Second || time.Until(s.Until) < c.left-time.Minute) {
			t.Errorf("%s: %+v, %v, %v", c.prefix, s, ok, err)
		}
	}
	err := p.Block(ctx, Entry{prefix("198.51.100.9/32"), in(time.Hour)}, Entry{prefix("203.0.113.9/32"), in(time.Hour)}, Entry{prefix("203.0.113.10/32"), in(-time.Second)})
	if r, ok := errors.AsType[*RefusedError](err); !ok || len(r.Refused) != 2 || !strings.Contains(r.Reason(prefix("198.51.100.9/32")), "198.51.100.9 is on the allowlist") {
		t.Errorf("refused: %v", err)
	}
	if _, ok, err := p.Has(ctx, prefix("203.0.113.9/32")); !ok || err != nil {
		t.Errorf("the others of a batch: %v, %v", ok, err)
	}
	h, err := p.Health(ctx)
	if err != nil || !h.Serving || !h.Table || !h.Intact || h.Blocks != 5 || h.Denied != 2 {
		t.Errorf("health %+v, %v", h, err)
	}
	for _, l := range h.Layers {
		if strings.HasPrefix(l, "seccomp") && l != "seccomp: on" {
			t.Errorf("layer %s", l)
		}
	}
	if err := p.Unblock(ctx, prefix("203.0.113.7/32"), prefix("2001:db8::7/128"), prefix("203.0.113.9/32"), prefix("203.0.114.0/24"), prefix("203.0.114.128/25"), prefix("192.0.2.1/32")); err != nil {
		t.Fatal(err)
	}
	if after := ruleset(t); after != before {
		t.Errorf("left behind: %s", after)
	}
}

func pidLog(pids chan<- int) *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "pid" {
			pids <- int(a.Value.Int64())
		}
		return a
	}}))
}

// A redirect can be read back, and goes where it was sent last.
func TestRedirected(t *testing.T) {
	p := started(t, Options{})
	ctx := t.Context()
	before := ruleset(t)
	for _, to := range []string{"0.0.0.0:2222", "192.0.2.200:22"} {
		r := Redirect{prefix("203.0.113.9/32"), "tcp", 22, netip.MustParseAddrPort(to), in(time.Hour)}
		if err := p.Redirect(ctx, r); err != nil {
			t.Fatal(err)
		}
		if until, ok, err := p.Redirected(ctx, r); !ok || err != nil || time.Until(until) < 59*time.Minute {
			t.Errorf("%s: %v, %v, %v", to, until, ok, err)
		}
		other := r
		other.To = netip.MustParseAddrPort("0.0.0.0:2223")
		if _, ok, err := p.Redirected(ctx, other); ok || err != nil {
			t.Errorf("elsewhere: %v, %v", ok, err)
		}
	}
	for name, r := range map[string]Redirect{
		"loopback":     {prefix("203.0.113.9/32"), "tcp", 22, netip.MustParseAddrPort("127.0.0.1:2222"), in(time.Hour)},
		"other family": {prefix("203.0.113.9/32"), "tcp", 22, netip.MustParseAddrPort("[::]:2222"), in(time.Hour)},
		"overlap":      {prefix("203.0.113.0/24"), "tcp", 22, netip.MustParseAddrPort("0.0.0.0:2222"), in(time.Hour)},
		"no port":      {prefix("203.0.113.10/32"), "tcp", 0, netip.MustParseAddrPort("0.0.0.0:2222"), in(time.Hour)},
		"no end":       {prefix("203.0.113.10/32"), "tcp", 22, netip.MustParseAddrPort("0.0.0.0:2222"), in(-time.Hour)},
		"private":      {prefix("10.0.0.10/32"), "tcp", 22, netip.MustParseAddrPort("0.0.0.0:2222"), in(time.Hour)},
	} {
		if _, ok := errors.AsType[*RefusedError](p.Redirect(ctx, r)); !ok {
			t.Errorf("%s: not refused", name)
		}
	}
	if err := p.Unredirect(ctx, Redirect{From: prefix("203.0.113.9/32"), Proto: "tcp", Port: 22}); err != nil {
		t.Fatal(err)
	}
	if after := ruleset(t); after != before {
		t.Errorf("left behind: %s", after)
	}
}
