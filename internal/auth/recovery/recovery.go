// Package recovery is the codes on paper that let somebody in whose second
// factor is lost. Each is good once; only hashes are kept.
package recovery

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"

	"honeyguide"
)

// Count is how many codes a set has.
const Count = 10

// A code has 80 random bits: it cannot be guessed even from its hash, so a fast
// hash is enough, and a login with one costs no memory.
const (
	codeBytes = 10
	codeChars = 16
	group     = 4
)

// letters leave out what is misread on paper: i, l, o, u.
var letters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New makes a set: the codes to show once, in groups of four, and the sums to keep
// in their order. The sums of a set before are to be thrown away.
func New() (codes []honeyguide.Secret, sums []string) {
	for range Count {
		var b [codeBytes]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		plain := letters.EncodeToString(b[:])
		codes = append(codes, honeyguide.Secret(strings.Join(slices.Collect(groups(plain)), "-")))
		sums = append(sums, sum(plain))
	}
	return codes, sums
}

func groups(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(s) > 0 {
			n := min(group, len(s))
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

// Use looks a code up among the sums that are left. It returns those left after
// it, to be kept in the same transaction that lets somebody in. It compares with
// every sum in constant time.
func Use(sums []string, given string) (left []string, ok bool) {
	plain, whole := normal(given)
	want, at := []byte(sum(plain)), -1
	for i, s := range sums {
		if subtle.ConstantTimeCompare([]byte(s), want) == 1 {
			at = i
		}
	}
	if at < 0 || !whole {
		return sums, false
	}
	return slices.Delete(slices.Clone(sums), at, at+1), true
}

// normal reads a code as people type it: in any case, with spaces or hyphens, and
// with the letters that are not used taken for the digits they look like.
func normal(given string) (string, bool) {
	if len(given) > 4*codeChars {
		return "", false
	}
	s := strings.NewReplacer(" ", "", "-", "", "\t", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(given))
	return s, len(s) == codeChars
}

func sum(plain string) string {
	h := sha256.Sum256([]byte("honeyguide recovery code\x00" + plain))
	return hex.EncodeToString(h[:])
}
