// Package password keeps passwords as argon2id hashes in PHC strings
// ($argon2id$v=19$m=...,t=...,p=...$salt$hash), which say how they were made. It
// also says how good one is, and whether it is known to those who guess.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"honeyguide"
)

// A Cost is how hard a hash is to make.
type Cost struct {
	Memory uint32 // KiB
	Time   uint32 // passes
	Lanes  uint8
}

// Default takes 46 MiB and two passes: 75 to 100 ms on one core of 2025.
func Default() Cost { return Cost{Memory: 46 << 10, Time: 2, Lanes: 1} }

const (
	saltSize = 16
	hashSize = 32
	// MaxLength is how many bytes of a password are looked at; more are refused
	// where one is set, and wrong where one is given.
	MaxLength = 512

	maxMemory = 1 << 20 // KiB a stored hash may ask for
	maxTime   = 64
	maxHash   = 64
)

// errHash says that a stored hash cannot be read.
var errHash = errors.New("this is no argon2id hash")

var text = base64.RawStdEncoding.Strict()

// Hash makes the PHC string of a password.
func Hash(p honeyguide.Secret, c Cost) string {
	var salt [saltSize]byte
	_, _ = rand.Read(salt[:]) // never fails (crypto/rand)
	sum := argon2.IDKey([]byte(p.Reveal()), salt[:], c.Time, c.Memory, c.Lanes, hashSize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Time, c.Lanes,
		text.EncodeToString(salt[:]), text.EncodeToString(sum))
}

// Check reports whether a password is the one that was hashed, and at what cost.
// The error is errHash.
func Check(phc string, p honeyguide.Secret) (ok bool, c Cost, err error) {
	c, salt, want, err := parse(phc)
	if err != nil {
		return false, c, err
	}
	given := p.Reveal()
	long := len(given) > MaxLength
	sum := argon2.IDKey([]byte(given[:min(len(given), MaxLength)]), salt, c.Time, c.Memory, c.Lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(sum, want) == 1 && !long, c, nil
}

// parse reads a PHC string; what would take too much to check is refused.
func parse(phc string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(phc) > 512 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return c, nil, nil, errHash
	}
	fields := strings.Split(parts[3], ",")
	if len(fields) != 3 {
		return c, nil, nil, errHash
	}
	var n [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(fields[i], name)
		if !ok {
			return c, nil, nil, errHash
		}
		if n[i], err = strconv.ParseUint(digits, 10, 32); err != nil || n[i] == 0 {
			return c, nil, nil, errHash
		}
	}
	if n[0] > maxMemory || n[1] > maxTime || n[2] > 16 || n[0] < 8*n[2] {
		return c, nil, nil, errHash
	}
	c = Cost{Memory: uint32(n[0]), Time: uint32(n[1]), Lanes: uint8(n[2])}
	salt, err1 := text.DecodeString(parts[4])
	sum, err2 := text.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > maxHash {
		return c, nil, nil, errHash
	}
	return c, salt, sum, nil
}
