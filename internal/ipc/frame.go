package ipc

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// A kind is a frame type.
type kind byte

// Frame types. Those of the sensor have the high bit.
const (
	kindCage kind = iota + 1
	kindSetup
	kindAck
	kindPacket
	kindStop
	kindRecalled
	kindHello kind = iota + 0x80 - 5
	kindReady
	kindEvents
	kindChunk
	kindReply
	kindLog
	kindRecall
	kindRemember
	kindPiece
)

// Bounds of what one frame may carry.
const (
	MaxSetup  = 32 << 20  // bytes of a Setup
	MaxEvents = 1 << 20   // bytes of an Events frame
	MaxBatch  = 4096      // events of an Events frame
	MaxEvent  = 256 << 10 // bytes of one event's row
	MaxChunk  = 64 << 10  // data bytes of a Chunk
	MaxPiece  = 64 << 10  // data bytes of a Piece
	MaxWorld  = 24 << 20  // bytes of what a source left behind
	MaxPacket = 64 << 10  // data bytes of a Packet or PacketReply
	maxName   = 256       // bytes of a session id
	maxLog    = 16 << 10
	maxHello  = 64 << 10
	maxCage   = 4 << 10
	header    = 5
)

// limit says how long the payload of each type may be.
var limit = map[kind]int{
	kindCage: maxCage, kindSetup: MaxSetup, kindAck: binary.MaxVarintLen64,
	kindPacket: MaxPacket + 64, kindStop: 0,
	kindHello: maxHello, kindReady: 0, kindEvents: MaxEvents,
	kindChunk: MaxChunk + maxName + 32, kindReply: MaxPacket + 16, kindLog: maxLog,
	kindRecall: 32, kindRemember: MaxWorld + 32, kindRecalled: MaxWorld + 32,
	kindPiece:         MaxPiece + 2*binary.MaxVarintLen64,
	kindFirewallSetup: maxFirewallSetup, kindFirewallPart: maxFirewallAsk, kindFirewallAsk: maxFirewallAsk, kindFirewallAnswer: maxFirewallAnswer,
	kindFetchSetup: maxSetup2, kindFetch: MaxFetch, kindFetchStop: 8, kindFetchBody: MaxPiece + 8, kindFetched: maxDone,
}

// ErrProtocol is in the chain of every error that says the peer does not keep
// the protocol. The connection is of no use afterwards.
var ErrProtocol = errors.New("ipc protocol broken")

// ErrTooLarge says that a message does not fit into its frame.
var ErrTooLarge = errors.New("message too large for its frame")

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
}

// appendFrame appends m as one frame.
func appendFrame(dst []byte, m Message) ([]byte, error) {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(m.kind()))
	dst, err := m.append(dst)
	if err != nil {
		return dst[:at], err
	}
	n := len(dst) - at - header
	if n > limit[m.kind()] {
		return dst[:at], fmt.Errorf("%w: %T of %d bytes", ErrTooLarge, m, n)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(n))
	return dst, nil
}

// decode reads the payload of a frame. Nothing it returns shares memory with p.
func decode(k kind, p []byte) (Message, error) {
	switch k {
	case kindCage:
		return fromJSON[Cage](p)
	case kindSetup:
		return fromJSON[Setup](p)
	case kindHello:
		return fromJSON[Hello](p)
	case kindLog:
		return fromJSON[Log](p)
	case kindStop:
		return Stop{}, nil
	case kindReady:
		return Ready{}, nil
	case kindAck:
		return decodeAck(p)
	case kindPacket:
		return decodePacket(p)
	case kindReply:
		return decodeReply(p)
	case kindChunk:
		return decodeChunk(p)
	case kindEvents:
		return decodeEvents(p)
	case kindPiece:
		return decodePiece(p)
	case kindRecall, kindRemember, kindRecalled:
		return decodeWorld(k, p)
	case kindFirewallSetup, kindFirewallPart, kindFirewallAsk, kindFirewallAnswer:
		return decodeFirewall(k, p)
	}
	return decodeFetch(k, p)
}

func fromJSON[T Message](p []byte) (Message, error) {
	var m T
	if err := json.Unmarshal(p, &m); err != nil {
		// The cause may repeat the peer's bytes; the type says enough.
		return nil, broken("%T is no valid JSON", m)
	}
	return m, nil
}

func toJSON(dst []byte, m any) ([]byte, error) {
	b, err := json.Marshal(m)
	return append(dst, b...), err
}

func (Cage) kind() kind        { return kindCage }
func (Setup) kind() kind       { return kindSetup }
func (Ack) kind() kind         { return kindAck }
func (Packet) kind() kind      { return kindPacket }
func (Stop) kind() kind        { return kindStop }
func (Hello) kind() kind       { return kindHello }
func (Ready) kind() kind       { return kindReady }
func (Events) kind() kind      { return kindEvents }
func (Chunk) kind() kind       { return kindChunk }
func (PacketReply) kind() kind { return kindReply }
func (Log) kind() kind         { return kindLog }
func (Piece) kind() kind       { return kindPiece }
func (Recall) kind() kind      { return kindRecall }
func (Remember) kind() kind    { return kindRemember }
func (Recalled) kind() kind    { return kindRecalled }

func (m Cage) append(dst []byte) ([]byte, error)  { return toJSON(dst, m) }
func (m Setup) append(dst []byte) ([]byte, error) { return toJSON(dst, m) }
func (m Hello) append(dst []byte) ([]byte, error) { return toJSON(dst, m) }
func (m Log) append(dst []byte) ([]byte, error)   { return toJSON(dst, m) }
func (Stop) append(dst []byte) ([]byte, error)    { return dst, nil }
func (Ready) append(dst []byte) ([]byte, error)   { return dst, nil }

func (m Ack) append(dst []byte) ([]byte, error) {
	return binary.AppendUvarint(dst, uint64(m.N)), nil
}

func decodeAck(p []byte) (Message, error) {
	r := reader{b: p}
	n := r.uvarint()
	if n > 1<<31 {
		return nil, broken("ack of %d events", n)
	}
	return Ack{N: int(n)}, r.end("ack")
}

func (m Packet) append(dst []byte) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(m.Sensor))
	dst = binary.BigEndian.AppendUint64(dst, m.ID)
	dst = appendAddr(dst, m.From)
	return append(dst, m.Data...), nil
}

func decodePacket(p []byte) (Message, error) {
	r := reader{b: p}
	m := Packet{Sensor: int(r.uvarint() & 0xffff), ID: r.uint64(), From: r.addr()}
	m.Data = r.rest()
	return m, r.end("packet")
}

func (m PacketReply) append(dst []byte) ([]byte, error) {
	return append(binary.BigEndian.AppendUint64(dst, m.ID), m.Data...), nil
}

func decodeReply(p []byte) (Message, error) {
	r := reader{b: p}
	m := PacketReply{ID: r.uint64()}
	m.Data = r.rest()
	return m, r.end("packet reply")
}

func (m Chunk) append(dst []byte) ([]byte, error) {
	if len(m.Session) > maxName || len(m.Data) > MaxChunk {
		return dst, fmt.Errorf("%w: chunk of %d bytes", ErrTooLarge, len(m.Data))
	}
	dst = appendString(dst, m.Session)
	dst = binary.AppendVarint(dst, m.Time.UnixMicro())
	dst = append(dst, m.Stream)
	return append(dst, m.Data...), nil
}

func decodeChunk(p []byte) (Message, error) {
	r := reader{b: p}
	m := Chunk{Session: r.str(), Time: r.time(), Stream: r.byte()}
	m.Data = r.rest()
	if len(m.Session) > maxName || len(m.Data) > MaxChunk {
		return nil, broken("chunk of %d bytes", len(m.Data))
	}
	return m, r.end("chunk")
}

func (m Recall) append(dst []byte) ([]byte, error) { return appendWorld(dst, m.Source, nil) }

func (m Remember) append(dst []byte) ([]byte, error) { return appendWorld(dst, m.Source, m.World) }

func (m Recalled) append(dst []byte) ([]byte, error) { return appendWorld(dst, m.Source, m.World) }

func appendWorld(dst []byte, source netip.Addr, world []byte) ([]byte, error) {
	if len(world) > MaxWorld {
		return dst, fmt.Errorf("%w: world of %d bytes", ErrTooLarge, len(world))
	}
	dst = appendAddr(dst, netip.AddrPortFrom(source, 0))
	return append(dst, world...), nil
}

func decodeWorld(k kind, p []byte) (Message, error) {
	r := reader{b: p}
	source := r.addr().Addr()
	world := r.rest()
	if err := r.end("world"); err != nil {
		return nil, err
	}
	if !source.IsValid() || Source(source) != source {
		return nil, broken("world of no source")
	}
	switch k {
	case kindRecall:
		if len(world) > 0 {
			return nil, broken("recall with a world")
		}
		return Recall{Source: source}, nil
	case kindRemember:
		return Remember{Source: source, World: world}, nil
	}
	return Recalled{Source: source, World: world}, nil
}

// Source returns the address that stands for all a peer at addr may use: of
// IPv6 the first of its /64, for the rest is the peer's to choose. It is invalid
// for an invalid one.
func Source(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr
	}
	p, _ := addr.Prefix(64)
	return p.Addr()
}

func (m Piece) append(dst []byte) ([]byte, error) {
	if len(m.Data) > MaxPiece {
		return dst, fmt.Errorf("%w: piece of %d bytes", ErrTooLarge, len(m.Data))
	}
	dst = binary.AppendUvarint(dst, m.File)
	return append(binary.AppendUvarint(dst, m.At), m.Data...), nil
}

func decodePiece(p []byte) (Message, error) {
	r := reader{b: p}
	m := Piece{File: r.uvarint(), At: r.uvarint()}
	m.Data = r.rest()
	if len(m.Data) > MaxPiece {
		return nil, broken("piece of %d bytes", len(m.Data))
	}
	return m, r.end("piece")
}
