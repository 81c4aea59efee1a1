package sshwire

import "strings"

// A Profile is what one release of OpenSSH shows of itself before a login.
type Profile struct {
	Kex          []string
	HostKeys     []string
	Ciphers      []string
	MACs         []string
	Compressions []string
	// Extensions are the names and values of EXT_INFO, in order (RFC 8308).
	Extensions [][2]string
}

// OpenSSH92Debian12 is OpenSSH 9.2p1 Debian-2+deb12u10, recorded from a live
// server; its hasshServer is 425d29fe50d8e4f5e37efb6e24bcf660.
func OpenSSH92Debian12() Profile {
	return Profile{
		Kex: []string{
			"sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com",
			"curve25519-sha256", "curve25519-sha256@libssh.org",
			"ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
			"diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512",
			"diffie-hellman-group18-sha512", "diffie-hellman-group14-sha256",
			strictServer,
		},
		HostKeys: []string{"rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519"},
		Ciphers: []string{
			"chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
			"aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
		},
		MACs: []string{
			"umac-64-etm@openssh.com", "umac-128-etm@openssh.com",
			"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha1-etm@openssh.com",
			"umac-64@openssh.com", "umac-128@openssh.com",
			"hmac-sha2-256", "hmac-sha2-512", "hmac-sha1",
		},
		Compressions: []string{"none", zlibDelayed},
		Extensions: [][2]string{
			{"server-sig-algs", strings.Join([]string{
				"ssh-ed25519", "sk-ssh-ed25519@openssh.com",
				"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
				"sk-ecdsa-sha2-nistp256@openssh.com", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
				"ssh-dss", "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512",
			}, ",")},
			{"publickey-hostbound@openssh.com", "0"},
		},
	}
}

// Names with a meaning of their own.
const (
	strictServer = "kex-strict-s-v00@openssh.com"
	strictClient = "kex-strict-c-v00@openssh.com"
	extInfo      = "ext-info-c"
	zlibDelayed  = "zlib@openssh.com"
)

// kexInit returns the KEXINIT payload with an empty cookie. hostKeys are those
// of the profile there are keys for.
func (p *Profile) kexInit(hostKeys []string) []byte {
	b := append([]byte{msgKexInit}, make([]byte, cookieSize)...)
	for _, list := range [][]string{
		p.Kex, hostKeys, p.Ciphers, p.Ciphers, p.MACs, p.MACs, p.Compressions, p.Compressions, nil, nil,
	} {
		b = appendString(b, strings.Join(list, ","))
	}
	return append(b, 0, 0, 0, 0, 0) // no guess, reserved
}

const cookieSize = 16

// extInfoPayload is the EXT_INFO message.
func (p *Profile) extInfoPayload() []byte {
	b := appendNumber([]byte{msgExtInfo}, uint32(len(p.Extensions)))
	for _, e := range p.Extensions {
		b = appendString(appendString(b, e[0]), e[1])
	}
	return b
}
