package token

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// proofs are the sentences stored with a token, by kind.
var proofs = map[string]string{
	KindAWSKey:   "the account number inside the key id has 13 digits; AWS accounts have 12",
	KindDBURL:    "the database host is a decoy of this deployment, no real server",
	KindPassword: "word pair and digits derived from this deployment's secret; it opens decoys only",
}

// ErrUnproven is in every error of [Prove]: the value could be real.
var ErrUnproven = errors.New("no proof that it is fake")

// Prove returns nil when value, of a kind, cannot be a real credential: it
// carries a visible marker or the kind's structural impossibility. decoys are
// the host names and addresses a db_url may point at besides reserved ones.
// For an aws_key value is the key id. The error wraps [ErrUnproven] and never
// quotes the value.
func Prove(kind, value string, decoys ...string) error {
	part := map[string]string{KindAWSKey: partKeyID, KindDBURL: partURL, KindPassword: partPassword}[kind]
	return prove(kind, Value{part, value}, decoys)
}

func prove(kind string, v Value, decoys []string) error {
	if Marked(v.Text) {
		return nil
	}
	var why string
	switch {
	case kind == KindAWSKey && v.Part == partSecret:
		why = awsSecretFault(v.Text)
	case kind == KindAWSKey:
		why = awsFault(v.Text)
	case kind == KindDBURL:
		why = urlFault(v.Text, decoys)
	case kind == KindPassword:
		why = passwordFault(v.Text)
	default:
		why = "unknown kind"
	}
	if why != "" {
		return fmt.Errorf("%s: %w: %s", kind, ErrUnproven, why)
	}
	return nil
}

// Marked reports whether text carries a literal marker: HONEYTOKEN, NOT-REAL,
// FAKE or EXAMPLE, in capitals.
func Marked(text string) bool {
	return slices.ContainsFunc([]string{"HONEYTOKEN", "NOT-REAL", "NOTREAL", "FAKE", "EXAMPLE"},
		func(m string) bool { return strings.Contains(text, m) })
}

// AWSAccount returns the account number inside an AWS access key id: the
// first 6 of its 10 bytes as a 48-bit number, bits 7 to 46.
func AWSAccount(keyID string) (uint64, error) {
	if len(keyID) != 20 {
		return 0, fmt.Errorf("AWS key id: %d characters, want 20", len(keyID))
	}
	raw, err := base32.StdEncoding.DecodeString(keyID[4:])
	if err != nil {
		return 0, errors.New("AWS key id: not base32")
	}
	head := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[:6]...))
	return head & 0x7fffffffff80 >> 7, nil
}

func awsFault(id string) string {
	if !strings.HasPrefix(id, "AKIA") && !strings.HasPrefix(id, "ASIA") {
		return "not an access key id"
	}
	account, err := AWSAccount(id)
	if err != nil {
		return "" // it has no account at all, so AWS never issued it
	}
	if account < firstImpossibleAccount {
		return "its account number has at most 12 digits and may exist"
	}
	return ""
}

// awsSecretFault: a secret alone proves nothing; it is useless without its key
// id, which carries the proof. Only the shape can be checked.
func awsSecretFault(s string) string {
	if b, err := base64.StdEncoding.DecodeString(s); err != nil || len(b) != 30 {
		return "not a secret access key"
	}
	return ""
}

// reservedNames are the top-level names of RFC 2606 and RFC 6761 that never
// resolve on the Internet.
var reservedNames = []string{".example", ".test", ".invalid", ".localhost", "example.com", "example.net", "example.org"}

func urlFault(raw string, decoys []string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "not a URL with a host"
	}
	host := strings.ToLower(u.Hostname())
	if slices.ContainsFunc(decoys, func(d string) bool { return strings.EqualFold(d, host) }) {
		return ""
	}
	if slices.ContainsFunc(reservedNames, func(n string) bool {
		return host == strings.TrimPrefix(n, ".") || strings.HasSuffix(host, "."+strings.TrimPrefix(n, "."))
	}) {
		return ""
	}
	if a, err := netip.ParseAddr(host); err == nil && documentation(a) {
		return ""
	}
	return "its host is neither a decoy nor a reserved name"
}

// documentation reports whether a belongs to RFC 5737 or RFC 3849.
func documentation(a netip.Addr) bool {
	for _, p := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}

var passwordShape = regexp.MustCompile(`^([A-Z][a-z]+)([A-Z][a-z]+)([1-9][0-9])$`)

func passwordFault(s string) string {
	m := passwordShape.FindStringSubmatch(s)
	if m == nil || !slices.Contains(words, strings.ToLower(m[1])) || !slices.Contains(words, strings.ToLower(m[2])) {
		return "not a word pair of the minter"
	}
	return ""
}
