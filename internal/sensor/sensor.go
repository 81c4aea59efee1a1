// Package sensor is the host of the decoys. It accepts their connections,
// limits and counts them, recovers what panics, and carries what they saw to
// the core; the kinds below it speak the protocols.
//
// It runs inside the sandbox: it opens no file, resolves no name, starts no
// program and makes no socket. Whatever a peer asks for is answered from one
// [World], in which one source address finds the same files and the same
// accepted password on every service.
package sensor

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"honeyguide/internal/kind"
)

// A Sensor speaks one protocol to one peer at a time.
type Sensor interface {
	// ServeConn talks to one peer until either side ends it. It returns nil
	// when the peer left or ctx ended; an error says the decoy itself is at
	// fault. It emits an event for every request, also for one it does not
	// understand. The host closes the connection afterwards.
	ServeConn(ctx context.Context, s *Session) error
}

// A PacketSensor is a [Sensor] that also answers single packets.
type PacketSensor interface {
	// ServePacket returns the answer to data, or nil. An answer longer than
	// the request is not sent: a decoy is no amplifier. s lives for this
	// packet only and has no connection.
	ServePacket(ctx context.Context, s *Session, data []byte) (reply []byte)
}

// A Refuser is a [Sensor] whose program says something before it hangs up on a
// peer that has too many connections.
type Refuser interface{ Refusal() []byte }

// Deps is what the host lends to every sensor.
type Deps struct {
	Name     string            // instance name, e.g. "ssh" or "ssh-dmz"
	Log      *slog.Logger      // never given attacker bytes unescaped
	World    *World            // files, accounts and shells, one view per source address
	HostKeys map[string][]byte // ssh_rsa, ssh_ecdsa, ssh_ed25519: PEM, kept by the core
	Now      func() time.Time
	Seed     []byte         // secret of this deployment: what is drawn from it stays the same
	Listen   netip.AddrPort // where it listens, zero when unknown
}

// Set is the list of sensor kinds.
type Set = kind.Set[Deps, Sensor]

// Network returns what a kind listens on: "tcp", unless its configuration has a
// method Network that says "udp". The core then owns the socket and relays.
func Network(k kind.Kind[Deps, Sensor]) string {
	if n, ok := k.Defaults.(interface{ Network() string }); ok {
		return n.Network()
	}
	return "tcp"
}
