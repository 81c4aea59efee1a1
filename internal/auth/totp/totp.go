// Package totp is the six digits of an authenticator app (RFC 6238).
//
// It is written on crypto/hmac instead of a library: a library that answers only
// "valid" cannot say which step of time a code belongs to, and without that the
// same code is accepted twice.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // what every authenticator app computes with (RFC 6238, 1.2)
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"honeyguide"
)

// The parameters all apps understand; others are ignored by some of them.
const (
	Digits = 6
	Step   = 30 * time.Second
	// window is how many steps a clock may be off in each direction. RFC 6238, 5.2
	// asks for at most one.
	window     = 1
	secretSize = 20 // bytes, the length of the hash (RFC 4226, 4 R6)
)

var text = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret makes a secret of 160 random bits in Base32, as apps take it by hand.
func NewSecret() honeyguide.Secret {
	var b [secretSize]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return honeyguide.Secret(text.EncodeToString(b[:]))
}

// URI returns the otpauth address that an app reads from a picture. issuer and
// account are what the app shows beside the code.
func URI(secret honeyguide.Secret, issuer, account string) string {
	// The label divides its parts by a colon, so neither part may hold one.
	clean := strings.NewReplacer(":", " ", "/", " ")
	issuer, account = clean.Replace(issuer), clean.Replace(account)
	// Some apps read + in a query as a plus sign, hence %20.
	query := strings.ReplaceAll(url.Values{
		"secret": {secret.Reveal()}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(Digits)}, "period": {fmt.Sprint(int(Step.Seconds()))},
	}.Encode(), "+", "%20")
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + query
}

// Code returns the code of a moment. The error says that the secret is none.
func Code(secret honeyguide.Secret, at time.Time) (string, error) {
	key, err := decode(secret)
	if err != nil {
		return "", err
	}
	return code(key, counter(at)), nil
}

// Verify reports whether a code is right now, give or take one step, and newer
// than last: the counter of the code accepted before, 0 when there was none. It
// returns the counter to keep in its place. A caller has to keep it in the same
// transaction that lets somebody in: it is what makes a code good for one use.
//
// Spaces in the code are ignored, for apps show them.
func Verify(secret honeyguide.Secret, given string, last uint64, now time.Time) (uint64, bool) {
	key, err := decode(secret)
	given = strings.ReplaceAll(given, " ", "")
	if err != nil || len(given) != Digits {
		return last, false
	}
	hit, middle := uint64(0), counter(now)
	// Every step is computed whatever comes out, so that the time taken tells nothing.
	for c := max(middle, window) - window; c <= middle+window; c++ {
		same := subtle.ConstantTimeCompare([]byte(code(key, c)), []byte(given)) == 1
		if same && c > last {
			hit = c
		}
	}
	if hit == 0 {
		return last, false
	}
	return hit, true
}

func counter(at time.Time) uint64 {
	return uint64(max(at.Unix(), 0)) / uint64(Step.Seconds())
}

// decode reads a secret as people type it: in any case, with spaces or hyphens.
func decode(secret honeyguide.Secret) ([]byte, error) {
	clean := strings.NewReplacer(" ", "", "-", "", "=", "").Replace(strings.ToUpper(secret.Reveal()))
	key, err := text.DecodeString(clean)
	if err != nil || len(key) < 10 || len(key) > 128 {
		return nil, fmt.Errorf("read the secret of a time code: want 16 or more characters of Base32")
	}
	return key, nil
}

// code computes HOTP (RFC 4226, 5.3).
func code(key []byte, c uint64) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, c) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", Digits, n%1_000_000)
}
