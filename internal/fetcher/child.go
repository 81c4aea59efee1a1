package fetcher

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"honeyguide/internal/caged"
	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
)

// maxRunning bounds the requests under way; more wait.
const maxRunning = 16

// maxResolvers is how many name servers resolv.conf(5) may name.
const maxResolvers = 3

// Child is the whole life of the process that reaches out: it learns what it may
// reach, reads what it needs of the host's files, closes the cage, proves it, and
// does what it is asked until the core is gone or says stop. The caller writes
// the error to standard error and exits.
func Child(ctx context.Context) error {
	began := time.Now()
	time.Local = time.UTC
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	conn, err := ipc.FromFile(os.NewFile(sandbox.FirstFile, "ipc"), ipc.Sensor)
	if err != nil {
		return err
	}
	defer conn.Close()
	cage, err := ipc.Expect[ipc.Cage](conn)
	if err != nil {
		return err
	}
	setup, err := ipc.Expect[ipc.FetchSetup](conn)
	if err != nil {
		return err
	}
	w, err := prepare(setup)
	if err != nil {
		return err
	}
	hello, err := caged.Enter(cage, sandbox.Config{Egress: &sandbox.Egress{Ports: append([]uint16{dnsPort}, reachable(&setup)...)}}, sandbox.Target{Egress: true})
	hello.Took = time.Since(began)
	if err != nil {
		hello.Failure = err.Error()
	}
	if serr := conn.Send(hello); err != nil || serr != nil {
		return errors.Join(err, serr)
	}
	return serve(ctx, conn, w)
}

// prepare reads what no file can tell later: authorities to trust, name servers,
// the host's table of names and its own addresses.
func prepare(s ipc.FetchSetup) (*surfer, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if len(s.Roots) > 0 && !roots.AppendCertsFromPEM(s.Roots) {
		return nil, errors.New("the file of authorities holds no certificate")
	}
	if raw, err := os.ReadFile("/etc/resolv.conf"); err == nil && len(s.Resolvers) == 0 {
		servers := netx.Nameservers(raw)
		for _, a := range servers[:min(len(servers), maxResolvers)] {
			s.Resolvers = append(s.Resolvers, netip.AddrPortFrom(a, dnsPort))
		}
	}
	if raw, err := os.ReadFile("/etc/hosts"); err == nil && s.Hosts == nil {
		s.Hosts = hostTable(string(raw))
	}
	if own, err := net.InterfaceAddrs(); err == nil {
		for _, a := range own {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				s.Own = append(s.Own, p.Addr())
			}
		}
	}
	if raw, err := net.Listen("tcp4", "127.0.0.1:0"); err == nil { // the library learns once whether there is IPv4 and IPv6
		raw.Close()
	}
	return newSurfer(s, roots)
}

// hostTable reads hosts(5).
func hostTable(text string) map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		if err != nil {
			continue
		}
		for _, name := range f[1:] {
			name = strings.ToLower(name)
			out[name] = append(out[name], a)
		}
	}
	return out
}

// reachable are all ports the kernel lets the process connect to. Which of them is
// for whom is the guard's to say.
func reachable(s *ipc.FetchSetup) []uint16 {
	ports := slices.Clone(s.Ports)
	for _, w := range s.Ways {
		ports = append(ports, w.Port)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// serve does what the core asks until it is gone.
func serve(ctx context.Context, conn *ipc.Conn, w *surfer) error {
	ctx, stop := context.WithCancel(ctx)
	group := supervise.New(nil)
	defer func() { stop(); _ = group.Wait() }()
	running := make(chan struct{}, maxRunning)
	table := newTable()
	for {
		m, err := conn.Receive()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch m := m.(type) {
		case ipc.Stop:
			return nil
		case ipc.FetchStop:
			table.stop(m.ID)
		case ipc.Fetch:
			ctx, done := table.begin(ctx, m.ID)
			group.Go(ctx, "fetch", func(ctx context.Context) error {
				defer done()
				select {
				case running <- struct{}{}:
					defer func() { <-running }()
				case <-ctx.Done():
					return conn.Send(failed(m.ID, ctx.Err()))
				}
				return one(ctx, conn, w, &m)
			})
		default:
			return fmt.Errorf("%w: %T out of turn", ipc.ErrProtocol, m)
		}
	}
}

// one makes one request and sends the answer.
func one(ctx context.Context, conn *ipc.Conn, w *surfer, m *ipc.Fetch) error {
	done, err := w.do(ctx, m, func(p []byte) error { return conn.Send(ipc.FetchBody{ID: m.ID, Data: p}) })
	if err != nil {
		f := failed(m.ID, err)
		f.Status, f.Header = done.Status, done.Header
		return conn.Send(f)
	}
	done.ID = m.ID
	return conn.Send(done)
}

// Codes of errors on their way to the core.
const (
	codeRefused  = "refused"
	codeTooLarge = "too_large"
	codeOther    = "failed"
)

func failed(id uint64, err error) ipc.Fetched {
	f := ipc.Fetched{ID: id, Error: err.Error(), Code: codeOther}
	f.Error = f.Error[:min(len(f.Error), 500)]
	switch {
	case errors.Is(err, ErrRefused):
		f.Code = codeRefused
	case errors.Is(err, ErrTooLarge):
		f.Code = codeTooLarge
	}
	return f
}
