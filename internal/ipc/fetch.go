package ipc

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// The frames of the process that reaches out. It is greeted as a sensor process
// is, by Cage and Hello, and is then asked for one thing after the other; each
// answer is any number of FetchBody and one Fetched.
const (
	kindFetchSetup kind = iota + 0x40
	kindFetch
	kindFetchStop
)

const (
	kindFetchBody kind = iota + 0xc0
	kindFetched
)

// Bounds of these frames.
const (
	MaxFetch  = 2 << 20 // bytes of a Fetch
	maxSetup2 = 4 << 20 // bytes of a FetchSetup: certificates
	maxDone   = 64 << 10
)

// FetchSetup follows Cage: what the process may reach. It is read before the
// cage is closed, for the ports are part of it.
type FetchSetup struct {
	Ports     []uint16       // it may connect to
	Allow     []netip.Prefix // addresses it may reach although they are not public
	Own       []netip.Addr   // addresses of this host, never reached
	Resolvers []netip.AddrPort
	Hosts     map[string][]netip.Addr // names of the host's own table
	Roots     []byte                  // PEM: further authorities to trust
	Proxy     string                  // URL; "" for none
	Agent     string                  // User-Agent
	Ways      []FetchWay              // places beyond Ports, each for one scheme
	Inside    []string                // hosts whose addresses may be private, because the settings name them
}

// A FetchWay is a place that requests of one scheme may go to, whatever Ports
// say: the mail server, the webhook on a port of its own.
type FetchWay struct {
	Scheme string // http, https, smtp, smtps, syslog+udp, syslog+tcp, syslog+tls
	Host   string // name or address, as the URL has it
	Port   uint16
}

// Fetch asks for one thing.
type Fetch struct {
	ID       uint64
	Method   string
	URL      string
	Header   map[string]string
	Body     []byte
	MaxBytes int64
	Timeout  time.Duration
	Mail     *FetchMail // of smtp and smtps: who sends to whom
	Stay     bool       // a redirect is the answer and is not followed
}

// FetchMail is the envelope of a message and how the server is spoken to.
type FetchMail struct {
	From     string
	To       []string
	Hello    string // name we greet by; "" = the domain of From
	User     string // "" = no authentication
	Password string
	Clear    bool // smtp without STARTTLS: for a server on a wire one trusts
}

// FetchStop gives a request up.
type FetchStop struct{ ID uint64 }

// FetchBody is a piece of an answer.
type FetchBody struct {
	ID   uint64
	Data []byte
}

// Fetched ends an answer.
type Fetched struct {
	ID     uint64
	Status int
	Header map[string]string
	Error  string // why there is no answer; "" when there is one
	Code   string // which kind of error: refused, too_large, or ""
}

func (FetchSetup) kind() kind { return kindFetchSetup }
func (Fetch) kind() kind      { return kindFetch }
func (FetchStop) kind() kind  { return kindFetchStop }
func (FetchBody) kind() kind  { return kindFetchBody }
func (Fetched) kind() kind    { return kindFetched }

func (m FetchSetup) append(dst []byte) ([]byte, error) { return toJSON(dst, m) }
func (m Fetch) append(dst []byte) ([]byte, error)      { return toJSON(dst, m) }
func (m Fetched) append(dst []byte) ([]byte, error)    { return toJSON(dst, m) }

func (m FetchStop) append(dst []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, m.ID), nil
}

func (m FetchBody) append(dst []byte) ([]byte, error) {
	if len(m.Data) > MaxPiece {
		return dst, fmt.Errorf("%w: piece of %d bytes", ErrTooLarge, len(m.Data))
	}
	return append(binary.BigEndian.AppendUint64(dst, m.ID), m.Data...), nil
}

// decodeFetch reads the frames of this file.
func decodeFetch(k kind, p []byte) (Message, error) {
	r := reader{b: p}
	switch k {
	case kindFetchSetup:
		return fromJSON[FetchSetup](p)
	case kindFetch:
		return fromJSON[Fetch](p)
	case kindFetched:
		return fromJSON[Fetched](p)
	case kindFetchStop:
		m := FetchStop{ID: r.uint64()}
		return m, r.end("stop of a fetch")
	case kindFetchBody:
		m := FetchBody{ID: r.uint64()}
		m.Data = r.rest()
		return m, r.end("piece of an answer")
	}
	return nil, broken("frame type %d", k)
}
