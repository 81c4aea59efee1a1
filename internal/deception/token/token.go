// Package token makes honeytokens: bait that cannot be real, that stands in one
// place only, and that is recognised wherever it turns up again.
//
// A token is an id of 26 characters. Every string planted for it derives from
// the deployment's secret by HMAC-SHA-256 over id and kind, so nothing secret
// needs to be stored: [Minter.Restore] makes the same strings again from the
// public [honeyguide.Honeytoken]. [Prove] says why such a string cannot be a
// real credential, [Registry] finds it in what attackers send, [Scanner] in
// what leaves a decoy.
//
// The planted strings are readable through [Token.Values], [Token.Needles],
// [Token.Credentials] and [Token.Render] only; no printed, logged or encoded
// form of a Token or Minter shows them.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"honeyguide"
)

// The kinds of tokens, as honeyguide.Honeytoken.Kind has them.
const (
	KindAWSKey   = "aws_key"  // access key id and secret access key
	KindDBURL    = "db_url"   // postgres://user:password@decoy/database
	KindPassword = "password" // a password that opens another decoy
)

// Styles of a token, as honeyguide.Honeytoken.Style has them.
const (
	StyleProvable = "provable" // no visible marker, but a structural impossibility
	StyleMarked   = "marked"   // carries a literal HONEYTOKEN, NOT-REAL, FAKE or EXAMPLE
)

// IDLen is the length of a token id.
const IDLen = 26

// tagAlphabet is lower-case base32hex: an id is a valid DNS label.
var tagAlphabet = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewID returns a fresh token id: 16 random bytes, lower-case base32hex.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return tagAlphabet.EncodeToString(b[:])
}

// ValidID reports whether id has the shape of a token id.
func ValidID(id string) bool {
	if len(id) != IDLen {
		return false
	}
	b, err := tagAlphabet.DecodeString(id)
	return err == nil && len(b) == 16
}

// A Value is one planted string of a token and the part it plays. It is a
// secret: hand it to a file or a matcher, never to a log.
type Value struct {
	Part string // key_id, secret, url, password
	Text string
}

// A Credential opens a decoy. It is a secret like [Value].
type Credential struct {
	Service  string // kind of the decoy it opens: ssh, telnet, http, ...
	User     string
	Password string
}

// A Token is a honeytoken with its planted strings.
type Token struct {
	face honeyguide.Honeytoken
	// A pointer to a pointer-free struct would be printed by %+v one level
	// deep; hidden stands two levels deep, so fmt shows an address at most.
	own *hidden
}

type hidden struct{ secret *secret }

type secret struct {
	values  []Value
	needles []Value // what is searched for; at least minNeedle bytes each
}

// Public returns what may be shown and stored of t.
func (t *Token) Public() honeyguide.Honeytoken { return t.face }

// ID returns the token's id.
func (t *Token) ID() string { return t.face.ID }

// Values returns the planted strings, the telling one first.
func (t *Token) Values() []Value { return append([]Value(nil), t.own.secret.values...) }

// Needles returns the byte strings whose leaving a decoy is an exposure and
// whose return is a use. They are shorter than the values where a value has
// parts that are no secret, as the host of a URL.
func (t *Token) Needles() [][]byte {
	var out [][]byte
	for _, v := range t.own.secret.needles {
		out = append(out, []byte(v.Text))
	}
	return out
}

// Credentials returns the log-ins the token opens on decoys; none for a token
// that opens nothing.
func (t *Token) Credentials() []Credential {
	if t.face.OpensSensor == "" || t.face.User == "" {
		return nil
	}
	for _, v := range t.own.secret.needles {
		if v.Part == partPassword {
			return []Credential{{Service: t.face.OpensSensor, User: t.face.User, Password: v.Text}}
		}
	}
	return nil
}

// Fingerprint returns the first 16 hexadecimal digits of the SHA-256 of text:
// enough to compare, too little to search for.
func Fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// Last4 returns the last four characters of text, or nothing of a text so
// short that four would give it away.
func Last4(text string) string {
	if len(text) < 12 {
		return ""
	}
	return text[len(text)-4:]
}

// String names the token without its planted strings.
func (t *Token) String() string {
	return fmt.Sprintf("%s %s …%s", t.face.Kind, t.face.ID, t.face.Last4)
}

// Format writes [Token.String] whatever the verb.
func (t *Token) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, t.String()) }

// LogValue is [Token.String] for slog.
func (t *Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText is [Token.String] for every encoder.
func (t *Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String masks the value.
func (v Value) String() string { return v.Part + " [masked]" }

// Format masks the value whatever the verb.
func (v Value) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, v.String()) }

// LogValue masks the value for slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalText masks the value for every encoder.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// String masks the password.
func (c Credential) String() string {
	return strings.Join([]string{c.Service, c.User, "[masked]"}, " ")
}

// Format masks the password whatever the verb.
func (c Credential) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue masks the password for slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText masks the password for every encoder.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
