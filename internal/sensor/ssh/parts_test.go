package ssh

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/sensor/sensortest"
)

// kexInitOf makes a KEXINIT payload, after its type byte, of ten lists.
func kexInitOf(lists ...string) []byte {
	p := make([]byte, 16)
	for _, l := range lists {
		p = binary.BigEndian.AppendUint32(p, uint32(len(l)))
		p = append(p, l...)
	}
	return append(p, 0, 0, 0, 0, 0)
}

func TestHASSH(t *testing.T) {
	// The lists and the digest are those recorded from a live OpenSSH 9.2p1.
	kex := "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org," +
		"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256," +
		"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,kex-strict-s-v00@openssh.com"
	enc := "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com"
	mac := "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com," +
		"hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1"
	k, err := parseKexInit(kexInitOf(kex, "ssh-ed25519", enc, "other", mac, "other", "none,zlib@openssh.com", "other", "", ""))
	if err != nil || k.hassh != "425d29fe50d8e4f5e37efb6e24bcf660" {
		t.Errorf("got %s, %v", k.hassh, err)
	}
}

func TestJudge(t *testing.T) {
	for line, want := range map[string]error{
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10": nil, "SSH-1.99-Old": nil, "SSH-2.2-New": nil, "SSH-2.0-x": nil,
		"SSH-1.5-Old": errMajor, "SSH-3.0-x": errMajor, "SSH-1111-OpenSSH_9.0": errForeign, "SSH-1337": errForeign,
		"SSH-2.0-": errForeign, "SSH-2.0": errForeign, "ssh-2.0-x": errForeign, "": errForeign, "QUIT": errForeign,
		"SSH-2.0-Probe-1": errScanner, "SSH-2.0-OpenSSH_SSH_Version_Mapper": errScanner,
	} {
		if err := judge(line); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", line, err, want)
		}
	}
}

func TestIdentificationIsBounded(t *testing.T) {
	for in, want := range map[string]error{
		strings.Repeat("A", maxIdentification) + "\n": nil,
		strings.Repeat("A", maxIdentification+1):      errForeign,
		"SSH-2.0-x":                                   io.EOF,
		"\x00\x00":                                    errForeign,
	} {
		line, _, err := readIdentification(strings.NewReader(in))
		if !errors.Is(err, want) || len(line) > maxIdentification {
			t.Errorf("%.10q: %d bytes, %v", in, len(line), err)
		}
	}
}

func TestPaceIsOpenSSHs(t *testing.T) {
	p := pace{delay: 2 * time.Second, secret: sensortest.Seed()}
	for _, user := range []string{"root", "admin", "", "nosuch", strings.Repeat("x", 300)} {
		floor := p.floor(user)
		if floor < 5*time.Millisecond || floor > 9300*time.Microsecond || floor != p.floor(user) {
			t.Errorf("%.10s: floor %v", user, floor)
		}
		for range 50 {
			used := p.refusal()
			if used < 1500*time.Millisecond || used > 2500*time.Millisecond {
				t.Fatalf("refusal after %v", used)
			}
			due := p.due(user, used)
			steps := 0
			for d := floor; d < due; d *= 2 {
				steps++
			}
			if due < used || due >= 2*used || floor<<steps != due {
				t.Errorf("%.10s: due %v for %v, floor %v", user, due, used, floor)
			}
		}
	}
	other := pace{delay: time.Second, secret: []byte("another deployment")}
	if other.floor("root") == p.floor("root") {
		t.Error("two deployments share a floor")
	}
}

func FuzzKexInit(f *testing.F) {
	f.Add(kexInitOf("a", "b", "c", "d", "e", "f", "g", "h", "", ""))
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, p []byte) {
		if k, err := parseKexInit(p); err == nil && len(k.hassh) != 32 {
			t.Errorf("hassh %q", k.hassh)
		}
	})
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'x', 0, 0, 0, 22})
	f.Fuzz(func(t *testing.T, p []byte) {
		r := reader{p: p}
		for !r.bad {
			if text := r.text(); len(text) > len(p) {
				t.Errorf("%d bytes of %d", len(text), len(p))
			}
			r.number()
		}
	})
}
