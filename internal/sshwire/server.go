package sshwire

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// A Config says what a server is.
type Config struct {
	Profile  Profile
	Version  string            // version line, without its end
	HostKeys map[string][]byte // PEM, by the names ssh_rsa, ssh_ecdsa, ssh_ed25519
	// MaxTries is after how many refusals a peer is disconnected.
	MaxTries int
	// Interactive offers keyboard-interactive too.
	Interactive bool
	// RekeyBytes is after how much data in one direction the server asks for
	// new keys; 0 is OpenSSH's, by cipher.
	RekeyBytes uint64
}

// A Server holds what all connections of a server share.
type Server struct {
	config  Config
	keys    []*hostKey
	names   []string // host key algorithms, in order
	kexInit []byte
	extInfo []byte
	blobs   []byte
	methods string
	unread  atomic.Int64
}

// NewServer reads the host keys. An error names the one that cannot be used.
func NewServer(c Config) (*Server, error) {
	s := &Server{config: c, methods: "publickey,password"}
	if c.Interactive {
		s.methods += ",keyboard-interactive"
	}
	have := map[string]bool{}
	for _, name := range []string{"ssh_rsa", "ssh_ecdsa", "ssh_ed25519"} { // sshd's order
		text, ok := c.HostKeys[name]
		if !ok {
			continue
		}
		k, err := parseHostKey(text)
		if err != nil {
			return nil, fmt.Errorf("read host key %s: %w", name, err)
		}
		s.keys = append(s.keys, k)
		s.blobs = appendString(s.blobs, k.blob)
		for _, a := range k.algorithms {
			have[a] = true
		}
	}
	if len(s.keys) == 0 {
		return nil, errors.New("no host key: want one of ssh_rsa, ssh_ecdsa, ssh_ed25519")
	}
	for _, name := range c.Profile.HostKeys {
		if have[name] {
			s.names = append(s.names, name)
		}
	}
	if err := c.Profile.check(); err != nil {
		return nil, err
	}
	s.kexInit = c.Profile.kexInit(s.names)
	s.extInfo = c.Profile.extInfoPayload()
	return s, nil
}

// check finds a name the code behind which is missing.
func (p *Profile) check() error {
	for _, name := range p.Kex {
		if _, ok := exchanges[name]; !ok && name != strictServer && name != "ext-info-s" {
			return fmt.Errorf("key exchange %s is not known", name)
		}
	}
	for _, name := range p.Ciphers {
		if _, ok := ciphers[name]; !ok {
			return fmt.Errorf("cipher %s is not known", name)
		}
	}
	for _, name := range p.MACs {
		if _, ok := macs[name]; !ok {
			return fmt.Errorf("MAC %s is not known", name)
		}
	}
	for _, name := range p.Compressions {
		if name != "none" && name != zlibDelayed {
			return fmt.Errorf("compression %s is not known", name)
		}
	}
	return nil
}

// strict reports whether the profile has OpenSSH's strict key exchange.
func (p *Profile) strict() bool { return slices.Contains(p.Kex, strictServer) }

// HostKeyBlobs returns the public host keys as hostkeys-00@openssh.com carries
// them.
func (s *Server) HostKeyBlobs() []byte { return s.blobs }

// keyFor returns the key that signs with an algorithm.
func (s *Server) keyFor(algorithm string) *hostKey {
	for _, k := range s.keys {
		if slices.Contains(k.algorithms, algorithm) {
			return k
		}
	}
	return nil
}

// keyOf returns the key with a public half.
func (s *Server) keyOf(blob []byte) *hostKey {
	for _, k := range s.keys {
		if bytes.Equal(k.blob, blob) {
			return k
		}
	}
	return nil
}
