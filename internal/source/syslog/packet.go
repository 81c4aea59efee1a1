package syslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"honeyguide/internal/source"
)

// datagrams receives until ctx ends. A datagram is one message (RFC 5426), or
// lines of them: some relays put several into one.
func (s *server) datagrams(ctx context.Context, sink *source.Sink, gate *limiter, peers *peers) error {
	stop := context.AfterFunc(ctx, func() { _ = s.packet.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.packet.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := s.packet.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
			continue
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			return fmt.Errorf("receive a datagram: %w", err)
		}
		peer := addrOf(from)
		if !s.allowed(peer) {
			continue
		}
		if !gate.take(peer, time.Now()) {
			sink.Drop(1)
			continue
		}
		peers.count(peer, int64(n))
		for _, msg := range messages(buf[:n]) {
			switch {
			case len(msg) > s.cfg.MaxMessage:
				s.refuse(sink, peer, 0, int64(len(msg)), source.TooLong(s.cfg.MaxMessage), msg)
			case !s.in.put(peer, msg):
				sink.Drop(1)
			}
		}
	}
}

// messages cuts a datagram. Only a line break before another priority separates
// messages: others belong to the text.
func messages(p []byte) (out [][]byte) {
	for {
		n := bytes.Index(p, []byte("\n<"))
		if n < 0 {
			break
		}
		if msg := bytes.TrimRight(p[:n], "\r\n\x00"); len(msg) > 0 {
			out = append(out, msg)
		}
		p = p[n+1:]
	}
	if p = bytes.TrimRight(p, "\r\n\x00"); len(p) > 0 {
		out = append(out, p)
	}
	return out
}
