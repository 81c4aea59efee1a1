package warden

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"honeyguide"
)

// sockets are what the sensors of one process listen on. The core keeps them
// for good; a process gets copies of the listeners and never sees the others.
type sockets struct {
	listeners []*net.TCPListener
	packets   map[int]*net.UDPConn // by place in the setup
}

// openSockets listens for every sensor of o and writes the bound addresses and
// the listeners' places into its setup.
func openSockets(ctx context.Context, o *Options) (*sockets, error) {
	s := &sockets{packets: map[int]*net.UDPConn{}}
	var wrong []error
	sensors := append(o.Setup.Sensors[:0:0], o.Setup.Sensors...)
	for i := range sensors {
		addr, at, err := s.open(ctx, i, sensors[i].Network, sensors[i].Addr)
		if err != nil {
			wrong = append(wrong, explain(err, sensors[i].Network, sensors[i].Addr, o.ConfigKey(sensors[i].Name)))
			continue
		}
		sensors[i].Addr, sensors[i].Listener = addr.String(), at
	}
	if len(wrong) > 0 {
		_ = s.close()
		return nil, errors.Join(wrong...)
	}
	o.Setup.Sensors = sensors
	return s, nil
}

// open opens the socket of sensor i and returns its address and the index of
// its listener, -1 for datagrams.
func (s *sockets) open(ctx context.Context, i int, network, addr string) (net.Addr, int, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	switch network {
	case "tcp", "tcp4", "tcp6":
		l, err := lc.Listen(ctx, network, addr)
		if err != nil {
			return nil, 0, err
		}
		s.listeners = append(s.listeners, l.(*net.TCPListener))
		return l.Addr(), len(s.listeners) - 1, nil
	case "udp", "udp4", "udp6":
		c, err := lc.ListenPacket(ctx, network, addr)
		if err != nil {
			return nil, 0, err
		}
		s.packets[i] = c.(*net.UDPConn)
		return c.LocalAddr(), -1, nil
	}
	return nil, 0, fmt.Errorf("network %q: want tcp or udp", network)
}

// files returns copies of the listeners to hand on. The caller closes them.
func (s *sockets) files() ([]*os.File, error) {
	var files []*os.File
	for _, l := range s.listeners {
		f, err := l.File()
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return nil, fmt.Errorf("copy listener %s: %w", l.Addr(), err)
		}
		files = append(files, f)
	}
	return files, nil
}

func (s *sockets) close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	for _, c := range s.packets {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// explain makes an error of listening one a user can act on.
func explain(err error, network, addr, key string) error {
	msg := fmt.Sprintf("cannot listen on %s %s", network, addr)
	code := honeyguide.CodeUnavailable
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		code = honeyguide.CodeConflict
		msg += ": the port is in use"
		if who := holder(network, addr); who != "" {
			msg += " by " + who
		}
		msg += fmt.Sprintf("; stop that program or set %s to another address", key)
	case errors.Is(err, syscall.EACCES):
		code = honeyguide.CodeForbidden
		msg += fmt.Sprintf(": this user may not use the port; set %s to a port above 1023 or grant CAP_NET_BIND_SERVICE", key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		code = honeyguide.CodeInvalid
		msg += fmt.Sprintf(": this machine does not have the address; set %s to one it has", key)
	default:
		msg += "; check " + key
	}
	return &honeyguide.Error{Code: code, Message: msg, Err: err}
}

// Listen opens a TCP listener of the core itself. The error says who holds the
// address and which configuration key to change.
func Listen(ctx context.Context, addr, key string) (net.Listener, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, explain(err, "tcp", addr, key)
	}
	return l, nil
}
