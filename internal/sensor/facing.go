package sensor

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/ipc"
)

// standardPorts are where services live, by the port a decoy uses instead when
// it may not have that one: a firewall redirects there. A decoy on such a port
// is taken to be reached on the standard one, because nobody runs a real server
// on 2222 beside nothing on 22, and scanners count SSH on 2222 as a decoy's mark.
var standardPorts = map[string]map[uint16]uint16{
	"ssh": {2222: 22, 22222: 22}, "telnet": {2323: 23}, "http": {8080: 80}, "https": {8443: 443, 4443: 443}, "ftp": {2121: 21},
	"mysql": {33060: 3306, 13306: 3306}, "redis": {16379: 6379}, "mqtt": {11883: 1883}, "ntp": {1123: 123, 12300: 123},
}

// seenPort returns the port outsiders reach a sensor on: what the configuration
// says, else the standard port where the bound one stands for it, else the bound
// one.
func seenPort(s ipc.SensorSetup) uint16 {
	if s.Published != 0 {
		return s.Published
	}
	bound := listen(s.Addr).Port()
	if p, ok := standardPorts[s.Kind][bound]; ok {
		return p
	}
	return bound
}

// doors are the ports of the sensors of a process as outsiders see them.
func doors(sensors []ipc.SensorSetup) []machine.Door {
	var out []machine.Door
	for _, s := range sensors {
		if p := seenPort(s); p != 0 {
			out = append(out, machine.Door{Service: s.Kind, Network: strings.TrimRight(s.Network, "46"), Port: p})
		}
	}
	return out
}

// local returns the address of the pretended machine a session reached: the
// machine's own, not that of the container or the host the decoy runs in.
func (s *Session) local() netip.AddrPort {
	addr := s.Dst.Addr()
	if s.world != nil && (s.Src.Addr().Is4() || !addr.IsValid()) {
		addr = s.world.Host.Machine.Main().Addr.Addr()
	}
	port := s.Dst.Port()
	if s.facing != 0 {
		port = s.facing
	}
	return netip.AddrPortFrom(addr, port)
}

// publicKeys returns the lines of the .pub files of SSH host keys, without
// comment, by algorithm: rsa, ecdsa, ed25519.
func publicKeys(keys map[string][]byte) (map[string]string, error) {
	out := map[string]string{}
	for name, raw := range keys {
		block, _ := pem.Decode(raw)
		if block == nil {
			return nil, fmt.Errorf("host key %s: not in PEM", name)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("host key %s: %w", name, err)
		}
		line, err := publicLine(key)
		if err != nil {
			return nil, fmt.Errorf("host key %s: %w", name, err)
		}
		out[strings.TrimPrefix(name, "ssh_")] = line
	}
	return out, nil
}

// publicLine writes a public key as RFC 4253 section 6.6, RFC 5656 section 3.1
// and RFC 8709 section 4 have it.
func publicLine(key any) (string, error) {
	var name string
	var blob []byte
	field := func(b []byte) { blob = append(binary.BigEndian.AppendUint32(blob, uint32(len(b))), b...) }
	number := func(b []byte) {
		if len(b) > 0 && b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		field(b)
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		name = "ssh-rsa"
		field([]byte(name))
		number(bigEndian(uint64(k.E)))
		number(k.N.Bytes())
	case *ecdsa.PrivateKey:
		point, err := k.PublicKey.Bytes()
		if err != nil || k.Curve.Params().Name != "P-256" {
			return "", errors.Join(errors.New("not on P-256"), err)
		}
		name = "ecdsa-sha2-nistp256"
		field([]byte(name))
		field([]byte("nistp256"))
		field(point)
	case ed25519.PrivateKey:
		name = "ssh-ed25519"
		field([]byte(name))
		field(k.Public().(ed25519.PublicKey))
	default:
		return "", fmt.Errorf("a %T", key)
	}
	return name + " " + base64.StdEncoding.EncodeToString(blob), nil
}

// bigEndian writes a number without leading zeros.
func bigEndian(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b
}
