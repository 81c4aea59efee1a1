package sshwire

import "slices"

// proveRequest asks for proof of the host keys that hostkeys-00@openssh.com
// named (OpenSSH's PROTOCOL, section 2.5): clients that learn keys send it, and
// complain aloud when it fails.
const proveRequest = "hostkeys-prove-00@openssh.com"

// maxProofs bounds the signatures of one request.
const maxProofs = 8

// prove signs each key the request names; false when it names one that is not
// ours. An RSA key signs as it did in the key exchange, or with SHA-512.
func (c *Conn) prove(payload []byte) (reply []byte, ok bool) {
	f := fields{p: payload}
	for n := 0; len(f.p) > 0; n++ {
		blob := f.bytes()
		key := c.server.keyOf(blob)
		if f.bad || key == nil || n == maxProofs {
			return nil, false
		}
		algorithm := key.algorithms[0]
		if slices.Contains(key.algorithms, c.hostKey) {
			algorithm = c.hostKey
		}
		data := appendString(appendString(appendString(nil, proveRequest), c.session), blob)
		sig, err := key.sign(algorithm, data)
		if err != nil {
			return nil, false
		}
		reply = appendString(reply, sig)
	}
	return reply, len(reply) > 0
}
