package personal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"honeyguide"
)

// Kind is what sort of value a subject is.
type Kind string

// The kinds of subjects.
const (
	Address Kind = "address"
	User    Kind = "user"
	Email   Kind = "email"
)

// A Subject is one value that says who somebody is, in the form in which equal
// values are equal.
type Subject struct {
	Kind  Kind
	Value string
}

// maxSubject bounds a subject in bytes.
const maxSubject = 256

// common are names that stand for no person: accounts every system has, and
// words this product uses by itself. To replace them would erase nobody and
// break much.
var common = strings.Fields(`root admin administrator user test guest oracle postgres mysql ubuntu debian pi nobody daemon www-data ftp mail bin sys
local system key keys new open closed low medium high critical informational unknown ssh telnet http https ftp session sessions alert alerts incident
incidents event events attacker attackers address block blocks login connect close command request password name true false null yes no none all
run runs plan plans token tokens honeytoken sensor sensors source sources detect sigma behaviour correlate violation finding status state kind type
active shadow queued sent failed asked refused resolved escalated acknowledged suppressed planned waiting applying applied verified reverting reverted
expired cancelled public private loopback link_local ip url hash domain user.name erased honeyguide`)

// Parse reads address:203.0.113.7, user:bob or email:bob@example.com.
func Parse(text string) (Subject, error) {
	kind, value, ok := strings.Cut(strings.TrimSpace(text), ":")
	if !ok || len(value) > maxSubject {
		return Subject{}, bad("whose data? Want address:203.0.113.7, user:NAME or email:NAME@HOST")
	}
	return New(Kind(kind), value)
}

// New checks a value and brings it to the form in which it is compared.
func New(kind Kind, value string) (Subject, error) {
	value = strings.TrimSpace(value)
	switch kind {
	case Address:
		a, err := netip.ParseAddr(value)
		if err != nil || a.IsUnspecified() {
			return Subject{}, bad("address: want one address such as 203.0.113.7 or 2001:db8::7")
		}
		return Subject{Address, canonAddr(a).String()}, nil
	case User:
		lower := strings.ToLower(value)
		switch {
		case utf8.RuneCountInString(value) < 2 || len(value) > maxSubject || strings.ContainsFunc(value, unicode.IsControl) || !strings.ContainsFunc(value, unicode.IsLetter):
			return Subject{}, bad("user: want a name of two characters or more, one of them a letter")
		case slices.Contains(common, lower):
			return Subject{}, bad(fmt.Sprintf("user: %q is an account or a word everybody uses and names no person; ask for the address or the e-mail address instead", lower))
		}
		return Subject{User, lower}, nil
	case Email:
		lower := strings.ToLower(value)
		name, host, ok := strings.Cut(lower, "@")
		if !ok || name == "" || !strings.Contains(host, ".") || strings.ContainsFunc(lower, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '"' }) || len(lower) > maxSubject {
			return Subject{}, bad("email: want NAME@HOST")
		}
		return Subject{Email, lower}, nil
	}
	return Subject{}, bad("whose data? Want address:203.0.113.7, user:NAME or email:NAME@HOST")
}

func bad(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

// String is the form Parse reads. It is personal itself: it goes into no log.
func (s Subject) String() string { return string(s.Kind) + ":" + s.Value }

// Hash is what a ledger keeps of a subject: who has the key can tell whether a
// value is the one, and nobody can tell which it is.
func (s Subject) Hash(key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("honeyguide erased subject\x00" + s.String()))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// A Mark is what stands in place of an erased value.
type Mark struct{ bits uint64 }

// NewMark returns a mark of random bits.
func NewMark() Mark {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return Mark{binary.BigEndian.Uint64(b[:]) | 1<<63}
}

// ParseMark reads what String wrote.
func ParseMark(s string) (Mark, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 8 {
		return Mark{}, bad("a mark is 16 hexadecimal digits")
	}
	return Mark{binary.BigEndian.Uint64(b)}, nil
}

// String is the mark as 16 hexadecimal digits.
func (m Mark) String() string { return fmt.Sprintf("%016x", m.bits) }

// discard is the prefix of erased addresses (RFC 6666), dummy that of pseudonyms
// (RFC 9780).
var (
	discard = netip.MustParsePrefix("100::/64")
	dummy   = netip.MustParsePrefix("100:0:0:1::/64")
)

func within(p netip.Prefix, bits uint64) netip.Addr {
	a := p.Addr().As16()
	binary.BigEndian.PutUint64(a[8:], bits)
	return netip.AddrFrom16(a)
}

// IsMark reports whether an address stands for another: erased, or a pseudonym.
func IsMark(a netip.Addr) bool { return discard.Contains(a) || dummy.Contains(a) }

func canonAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// A stand is what stands in place of a value: as an address, and as a word.
type stand struct {
	addr netip.Addr
	word string // of letters, digits and dashes
}

func (s stand) email() string { return s.word + nobody }

func (m Mark) stand() stand {
	return stand{within(discard, m.bits), "erased-" + m.String()}
}

// Pseudonyms are keyed stand-ins for all values: the same value has the same
// one as long as the key is the same.
type Pseudonyms struct{ key []byte }

// NewPseudonyms returns the pseudonyms of a key, of a random one when it is nil.
func NewPseudonyms(key []byte) *Pseudonyms {
	if key == nil {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
	}
	return &Pseudonyms{slices.Clone(key)}
}

// Fingerprint tells keys apart and says nothing about them.
func (p *Pseudonyms) Fingerprint() string { return hex.EncodeToString(p.sum("fingerprint", "")[:4]) }

func (p *Pseudonyms) sum(kind, value string) []byte {
	m := hmac.New(sha256.New, p.key)
	m.Write([]byte("honeyguide pseudonym\x00" + kind + "\x00" + value))
	return m.Sum(nil)
}

// Addr returns the pseudonym of an address.
func (p *Pseudonyms) Addr(a netip.Addr) netip.Addr {
	a = canonAddr(a)
	if IsMark(a) {
		return a
	}
	bits := 24
	if a.Is6() {
		bits = 48
	}
	net, _ := a.Prefix(bits) // 24 and 48 are always possible
	hi, lo := p.sum("network", net.String()), p.sum("address", a.String())
	return within(dummy, uint64(binary.BigEndian.Uint32(hi))<<32|uint64(binary.BigEndian.Uint32(lo)))
}

// Name returns the pseudonym of a user's name. A name everybody has, such as root,
// is nobody's and stays.
func (p *Pseudonyms) Name(name string) string {
	lower := strings.ToLower(name)
	if name == "" || stands(name) || slices.Contains(common, lower) {
		return name
	}
	return "user-" + hex.EncodeToString(p.sum("user", lower)[:6])
}

// stands reports whether a name stands for another: erased, or a pseudonym. Only
// the whole form counts, because peers choose their names.
func stands(name string) bool {
	digits, ok := strings.CutPrefix(name, "user-")
	want := 12
	if !ok {
		if digits, ok = strings.CutPrefix(name, "erased-"); !ok {
			return false
		}
		want = 16
	}
	return len(digits) == want && !strings.ContainsFunc(digits, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

// Aliases returns what stands for a subject where it became a pseudonym: who asks
// about somebody means these, too, as long as the key is there.
func (p *Pseudonyms) Aliases(s Subject) []Subject {
	to := p.stand(s)
	switch s.Kind {
	case Address:
		return []Subject{{Address, to.addr.String()}, {User, to.word}}
	case Email:
		return []Subject{{Email, to.email()}}
	}
	return []Subject{{User, to.word}}
}

func (p *Pseudonyms) stand(s Subject) stand {
	if s.Kind == Address {
		if a, err := netip.ParseAddr(s.Value); err == nil {
			to := p.Addr(a)
			return stand{to, "host-" + hex.EncodeToString(p.sum("address", s.Value)[:6])}
		}
	}
	return stand{word: p.Name(s.Value)}
}
