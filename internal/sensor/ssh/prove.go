package ssh

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"

	"golang.org/x/crypto/ssh"
)

// proveRequest asks for proof of the host keys that hostkeys-00@openssh.com
// named (OpenSSH's PROTOCOL, section 2.5): clients that learn keys send it, and
// complain aloud when it fails.
const proveRequest = "hostkeys-prove-00@openssh.com"

// maxProofs bounds the signatures of one request.
const maxProofs = 8

// prove signs each key the request names; false when it names one that is not
// ours.
func (l *libraryLink) prove(payload []byte) ([]byte, bool) {
	var reply []byte
	r := reader{p: payload}
	for n := 0; len(r.p) > 0; n++ {
		blob := []byte(r.text())
		key := l.key(blob)
		if r.bad || key == nil || n == maxProofs {
			return nil, false
		}
		sig, err := key.Sign(rand.Reader, proof(l.conn.SessionID(), blob))
		if err != nil {
			return nil, false
		}
		out := ssh.Marshal(sig)
		reply = binary.BigEndian.AppendUint32(reply, uint32(len(out)))
		reply = append(reply, out...)
	}
	return reply, len(reply) > 0
}

// proof is what is signed for a key.
func proof(session, blob []byte) []byte {
	var p []byte
	for _, field := range [][]byte{[]byte(proveRequest), session, blob} {
		p = binary.BigEndian.AppendUint32(p, uint32(len(field)))
		p = append(p, field...)
	}
	return p
}

// key returns the signer of a public key. An RSA key signs as it did in the key
// exchange, or with SHA-512.
func (l *libraryLink) key(blob []byte) ssh.Signer {
	negotiated := ""
	if m, ok := l.conn.Conn.(ssh.AlgorithmsConnMetadata); ok {
		negotiated = m.Algorithms().HostKey
	}
	var found ssh.Signer
	for _, k := range l.keys {
		if !bytes.Equal(k.PublicKey().Marshal(), blob) {
			continue
		}
		if found == nil || k.PublicKey().Type() == negotiated {
			found = k
		}
	}
	return found
}
