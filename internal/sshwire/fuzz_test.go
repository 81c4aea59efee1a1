package sshwire

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"
)

// script is a stream on which in arrives.
type script struct {
	io.Reader
	out int
}

func (s *script) Write(p []byte) (int, error) {
	s.out += len(p)
	return len(p), nil
}

// frame frames payloads in the clear.
func frame(payloads ...[]byte) []byte {
	o := outbound{seal: clearText{}}
	for _, p := range payloads {
		o.put(p)
	}
	return bytes.Clone(o.buf)
}

func FuzzInbound(f *testing.F) {
	f.Add(frame([]byte{msgIgnore, 0, 0, 0, 0}), byte(0))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, byte(1))
	f.Add(append([]byte{0, 0, 0, 12, 255, 20}, make([]byte, 40)...), byte(2))
	f.Add(make([]byte, 64), byte(3))
	modes := []string{"aes128-ctr", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"}
	f.Fuzz(func(t *testing.T, p []byte, which byte) {
		in := inbound{stream: &script{Reader: bytes.NewReader(p)}, idle: func() error { return nil }, open: clearText{}}
		if n := int(which % 6); n > 0 {
			name := modes[n%len(modes)]
			mac, _ := macs["umac-64-etm@openssh.com"].make(make([]byte, 16))
			m, err := ciphers[name].make(make([]byte, ciphers[name].key), make([]byte, ciphers[name].iv), mac, n > 2)
			if err != nil {
				t.Fatal(err)
			}
			in.open = m
		}
		if which&0x40 != 0 {
			in.inflate = newInflater()
		}
		read := 0
		for {
			payload, err := in.next()
			if err != nil {
				break
			}
			if read += len(payload); in.inflate == nil && read > len(p) || len(payload) == 0 {
				t.Fatalf("%d bytes of %d", read, len(p))
			}
		}
	})
}

func FuzzParseInit(f *testing.F) {
	f.Add(plainOffer.payload())
	f.Add([]byte{20, 0})
	s := testServer(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		k, err := parseInit(p)
		if err != nil {
			return
		}
		if c, err := s.agree(k); err == nil && (exchanges[c.kex].run == nil || s.keyFor(c.hostKey) == nil) {
			t.Errorf("agreed on %+v", c)
		}
	})
}

// FuzzHandshake gives a server what a peer sends before there are keys.
func FuzzHandshake(f *testing.F) {
	guess := plainOffer.payload()
	guess[len(guess)-5] = 1
	f.Add(frame(plainOffer.payload(), appendString([]byte{msgKexDHInit}, make([]byte, 32))))
	f.Add(frame(guess, []byte{msgKexDHInit}, appendString([]byte{msgKexDHInit}, bytes.Repeat([]byte{9}, 32))))
	gex := plainOffer
	gex.kex = "diffie-hellman-group-exchange-sha256"
	f.Add(frame(gex.payload(), []byte{msgGexRequest, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 32, 0}, appendString([]byte{msgGexInit}, make([]byte, 256))))
	hybrid := plainOffer
	hybrid.kex = "sntrup761x25519-sha512"
	f.Add(frame(hybrid.payload(), appendString([]byte{msgKexDHInit}, bytes.Repeat([]byte{1}, 1190))))
	s := testServer(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		if c, err := s.Handshake(&script{Reader: bytes.NewReader(p)}, peerVersion, nil, &door{}); err == nil || c != nil {
			t.Error("let in")
		}
	})
}

// packets cuts fuzz input into payloads: a length of two bytes before each.
func packets(p []byte) (out [][]byte) {
	for len(p) >= 2 {
		n := min(int(binary.BigEndian.Uint16(p)), len(p)-2)
		if n > 0 {
			out = append(out, p[2:2+n])
		}
		p = p[2+n:]
	}
	return out
}

func joined(payloads ...[]byte) (out []byte) {
	for _, p := range payloads {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(p))), p...)
	}
	return out
}

// FuzzUserauth gives a server what a peer sends once there are keys.
func FuzzUserauth(f *testing.F) {
	service := appendString([]byte{msgServiceRequest}, "ssh-userauth")
	request := func(method string) []byte {
		return appendString(appendString(appendString([]byte{msgAuthRequest}, "root"), "ssh-connection"), method)
	}
	blob := appendString(appendString(nil, "ssh-ed25519"), make([]byte, 32))
	key := appendString(appendString(appendBool(request("publickey"), false), "ssh-ed25519"), blob)
	proof := appendString(appendString(appendString(appendBool(request(hostBound), true), "ssh-ed25519"), blob), "host")
	f.Add(joined(service, request("none"), appendString(appendBool(request("password"), false), "x")))
	f.Add(joined(service, key, appendString(proof, "sig"), appendString(appendString(request("keyboard-interactive"), ""), ""), []byte{msgAuthResponse, 0, 0, 0, 1, 0, 0, 0, 0}))
	s := testServer(f, func(c *Config) { c.Interactive = true })
	f.Fuzz(func(t *testing.T, p []byte) {
		d := &door{keys: map[string]bool{string(blob): true}}
		c := s.newConn(&script{Reader: bytes.NewReader(frame(packets(p)...))}, peerVersion)
		c.initial, c.session, c.hostKey = false, []byte("session"), "ssh-ed25519"
		err := (&auth{c: c, l: d}).run()
		if err == nil && !bytes.Contains(p, []byte("abc123")) {
			t.Errorf("let in: %q", d.seen)
		}
		c.leave(err)
	})
}

// FuzzMux gives a server what a peer sends that is in.
func FuzzMux(f *testing.F) {
	open := appendNumber(appendNumber(appendNumber(appendString([]byte{msgOpen}, "session"), 7), 1<<20), 32768)
	exec := appendString(appendBool(appendString(appendNumber([]byte{msgRequest}, 0), "exec"), true), "cat")
	data := appendString(appendNumber([]byte{msgData}, 0), "hello")
	f.Add(joined(open, exec, data, []byte{msgEOF, 0, 0, 0, 0}, []byte{msgClose, 0, 0, 0, 0}))
	f.Add(joined(open, open, []byte{msgWindowAdjust, 0, 0, 0, 1, 255, 255, 255, 255}, appendBool(appendString([]byte{msgGlobalRequest}, proveRequest), true)))
	f.Add(joined(plainOffer.payload(), appendString([]byte{msgKexDHInit}, bytes.Repeat([]byte{9}, 32))))
	s := testServer(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		c := s.newConn(&script{Reader: bytes.NewReader(frame(packets(p)...))}, peerVersion)
		c.initial, c.authed, c.session, c.hostKey = false, true, []byte("session"), "ssh-ed25519"
		c.limitIn, c.limitOut = 1<<20, 1<<20
		h := &house{most: 3}
		if err := c.Serve(context.Background(), h); err == nil {
			t.Error("no end")
		}
		h.work.Wait()
		if h.sessions != 0 {
			t.Errorf("%d sessions are left", h.sessions)
		}
		if n := s.unread.Load(); n != 0 {
			t.Errorf("%d bytes are left", n)
		}
	})
}

func FuzzPublicKey(f *testing.F) {
	f.Add(appendString(appendString(nil, "ssh-ed25519"), make([]byte, 32)), []byte("sig"))
	f.Add(appendString(appendString(appendString(nil, "ssh-rsa"), []byte{1, 0, 1}), bytes.Repeat([]byte{0x7f}, 256)), appendString(appendString(nil, "rsa-sha2-512"), make([]byte, 256)))
	f.Add(appendString(appendString(appendString(nil, "ecdsa-sha2-nistp256"), "nistp256"), make([]byte, 65)), []byte{})
	f.Fuzz(func(t *testing.T, blob, sig []byte) {
		k, err := parsePublicKey(blob)
		if err != nil {
			return
		}
		for _, a := range k.algorithms {
			if k.verify(a, []byte("what nobody signed"), sig) {
				t.Errorf("%s verifies", a)
			}
		}
	})
}
