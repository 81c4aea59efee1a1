// Package fwhelper is the way to the firewall: blocks and redirects in a table
// of nftables of our own. They are made by a process of its own that may do that
// and nothing else: it holds no file and no connection, and of root's rights only
// CAP_NET_ADMIN. [Process] starts it, keeps it alive and asks it.
//
// The process counts whoever asks as hostile: it refuses by itself what must
// never be blocked (this host, its gateways and name servers, administrators who
// are logged in, the allowlist it was started with, networks too wide), what has
// no end within 30 days, and what is too much. It touches the table
// "inet honeyguide" and no other, and when nothing is blocked or redirected there
// is no such table.
//
// Every element ends by itself in the kernel, so blocks end also when nobody is
// left to end them.
package fwhelper

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// MaxTTL is the longest a block or redirect may last.
const MaxTTL = 30 * 24 * time.Hour

// MaxRedirects is how many redirects may be in force at a time.
const MaxRedirects = 256

// An Entry is an address or network and when its block ends.
type Entry struct {
	Prefix netip.Prefix
	Until  time.Time
}

// A Redirect sends new connections from some addresses to a port of this host's
// to a decoy instead.
type Redirect struct {
	From  netip.Prefix
	Proto string // tcp or udp
	Port  uint16 // that they were meant for
	// To is where they go. An unspecified address (0.0.0.0 or ::) means a port of
	// this host. Elsewhere, the host must forward packets and answers must come
	// back through it.
	To    netip.AddrPort
	Until time.Time
}

// A Table is all that is to be in force.
type Table struct {
	Blocks    []Entry
	Redirects []Redirect
}

// A Refusal is one entry that did not go in, and why.
type Refusal struct {
	Prefix netip.Prefix
	Reason string
}

// A RefusedError says that some entries did not go in. The others of the batch
// did.
type RefusedError struct {
	Refused []Refusal
	More    int // beyond those named
}

// Error names the first refusals.
func (e *RefusedError) Error() string {
	const shown = 3
	var b strings.Builder
	fmt.Fprintf(&b, "the firewall process refused %d: ", len(e.Refused)+e.More)
	for i, r := range e.Refused[:min(len(e.Refused), shown)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(r.Reason)
	}
	if len(e.Refused)+e.More > shown {
		b.WriteString("; ...")
	}
	return b.String()
}

// Reason returns why p was refused, "" when it was not among those named.
func (e *RefusedError) Reason(p netip.Prefix) string {
	for _, r := range e.Refused {
		if r.Prefix == p {
			return r.Reason
		}
	}
	return ""
}

// ErrUnavailable says that the process does not serve: it is being started, or
// it cannot be.
var ErrUnavailable = errors.New("the firewall process does not serve")

// A Status is what the kernel holds of a block.
type Status struct {
	Until   time.Time // when it ends, by the kernel's own account
	Packets uint64    // dropped from and to it since it was last written
}

// Health says how the table stands.
type Health struct {
	Serving    bool     // the process answers
	Table      bool     // the table exists
	Intact     bool     // the kernel holds what was put there, as far as was looked
	Blocks     int      // in force
	Redirects  int      // in force
	Denied     uint64   // entries refused since the process started
	Generation uint64   // changes since the process started
	Starts     int64    // of the process
	Layers     []string // of its cage
	Refusal    string   // the last reason why it could not be started
}
