package ssh

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// kexInit is what a peer's KEXINIT tells about its software: HASSH is the MD5
// of key exchange, cipher, MAC and compression lists from client to server
// (github.com/salesforce/hassh).
type kexInit struct {
	algorithms string
	hassh      string
}

var errKexInit = errors.New("malformed KEXINIT")

// parseKexInit reads the ten name-lists of a KEXINIT payload after its type
// byte (RFC 4253 section 7.1).
func parseKexInit(p []byte) (kexInit, error) {
	if len(p) < 16 {
		return kexInit{}, errKexInit
	}
	p = p[16:] // cookie
	var lists [10]string
	for i := range lists {
		if len(p) < 4 {
			return kexInit{}, errKexInit
		}
		n := binary.BigEndian.Uint32(p)
		if uint64(n) > uint64(len(p)-4) {
			return kexInit{}, errKexInit
		}
		lists[i] = string(p[4 : 4+n])
		p = p[4+n:]
	}
	text := strings.Join([]string{lists[0], lists[2], lists[4], lists[6]}, ";")
	sum := md5.Sum([]byte(text))
	return kexInit{algorithms: strings.ToValidUTF8(text, "\ufffd"), hassh: hex.EncodeToString(sum[:])}, nil
}
