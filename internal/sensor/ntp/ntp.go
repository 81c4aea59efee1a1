// Package ntp is a small NTP decoy: it tells the time to clients and nothing to
// anybody else. Control and private requests (modes 6 and 7), the ones used for
// amplification, are reported and never answered; an answer has the 48 bytes of
// the request at most.
package ntp

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
)

// Kind is the NTP sensor.
var Kind = kind.Of("ntp", "NTP server that tells the time and reports amplification probes.", Config{Stratum: 2}, open)

// Config configures an NTP sensor.
type Config struct {
	Stratum int `yaml:"stratum" doc:"distance from a reference clock: 2 to 15"`
}

// Validate says what is wrong with a configuration.
func (c *Config) Validate() error {
	if c.Stratum < 2 || c.Stratum > 15 {
		return errors.New("stratum: want 2 to 15")
	}
	return nil
}

// Network says that NTP speaks in datagrams.
func (Config) Network() string { return "udp" }

type service struct {
	cfg Config
	now func() time.Time
}

var (
	_ sensor.Sensor       = (*service)(nil)
	_ sensor.PacketSensor = (*service)(nil)
)

func open(_ context.Context, cfg Config, dep sensor.Deps) (sensor.Sensor, error) {
	return &service{cfg: cfg, now: dep.Now}, nil
}

// maxStream bounds what is read of a peer that came over TCP.
const maxStream = 4096

// ServeConn reads a little and answers nothing: NTP has no streams.
func (s *service) ServeConn(_ context.Context, ses *sensor.Session) error {
	_ = ses.SetDeadline(time.Now().Add(10 * time.Second))
	b, _ := io.ReadAll(io.LimitReader(ses, maxStream))
	if len(b) > 0 {
		report(ses, honeyguide.ActivityMalformed, "bytes on a stream", b)
	}
	return nil
}

// packetSize is that of an NTP packet without extensions (RFC 5905 figure 8).
const packetSize = 48

// ServePacket answers a client's request (mode 3) with the time.
func (s *service) ServePacket(_ context.Context, ses *sensor.Session, data []byte) []byte {
	if len(data) == 0 {
		report(ses, honeyguide.ActivityMalformed, "empty packet", nil)
		return nil
	}
	version, mode := data[0]>>3&7, data[0]&7
	switch {
	case mode == 6 || mode == 7:
		report(ses, honeyguide.ActivityRequest, "mode "+string('0'+rune(mode))+" request, not answered", data)
		return nil
	case mode != 3 || len(data) < packetSize || version == 0 || version > 4:
		report(ses, honeyguide.ActivityMalformed, "no client request", data)
		return nil
	case loops(ses.Src):
		report(ses, honeyguide.ActivityRequest, "client request from a service port, not answered", data)
		return nil
	}
	report(ses, honeyguide.ActivityRequest, "client request", data)
	return s.reply(data, version)
}

// loops reports a source that would answer our answer.
func loops(src netip.AddrPort) bool {
	return src.Port() < 1024 && src.Port() != 123 || src.Addr().IsMulticast()
}

// reply is a server's answer: precision 2^-23, no root delay, a reference in the
// documentation network; the peer's transmit time comes back as origin.
func (s *service) reply(q []byte, version byte) []byte {
	p := make([]byte, packetSize)
	now := s.now()
	p[0] = version<<3 | 4 // no leap second, server
	p[1] = byte(s.cfg.Stratum)
	p[2] = q[2]
	p[3] = 0xe9
	copy(p[12:16], []byte{192, 0, 2, 1})
	putTime(p[16:], now.Add(-time.Duration(now.UnixNano()%(64*int64(time.Second)))))
	copy(p[24:32], q[40:48])
	putTime(p[32:], now)
	putTime(p[40:], now)
	return p
}

// epoch is 1900, where NTP begins to count.
const epoch = 2208988800

func putTime(p []byte, t time.Time) {
	binary.BigEndian.PutUint32(p, uint32(t.Unix()+epoch))
	binary.BigEndian.PutUint32(p[4:], uint32(uint64(t.Nanosecond())<<32/1e9))
}

func report(ses *sensor.Session, activity, what string, data []byte) {
	e := honeyguide.Event{Class: honeyguide.ClassNetwork, Activity: activity, Severity: honeyguide.SeverityInformational}
	e.Set(honeyguide.AttrDetail, what)
	e.Set("packet", hex.EncodeToString(data[:min(len(data), 64)]))
	e.Set(honeyguide.AttrBytesIn, len(data))
	ses.Emit(e)
}
