package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"honeyguide"
)

// Parts of a token.
const (
	partKeyID    = "key_id"
	partSecret   = "secret"
	partURL      = "url"
	partPassword = "password"
)

// A Spec says which token to mint and where it will stand.
type Spec struct {
	Kind        string
	Persona     string
	Path        string // absolute path of the file it is planted in
	OpensSensor string // kind of the decoy its credential opens; required for a password
	User        string // user of that credential
}

// A Place is the decoy a db_url points at.
type Place struct {
	Host     string // the decoy's own name or address; the proof of a db_url rests on it
	Port     uint16 // 0 means 5432, or 3306 for mysql
	Scheme   string // "" means postgres; mysql where the persona runs MariaDB
	Database string // "" means app_production
	User     string // "" means app
}

// A Minter makes tokens from the deployment's secret.
type Minter struct {
	key   *minterKey // behind a pointer: see Token
	place Place
}

type minterKey struct{ key *[]byte }

// NewMinter returns a minter. secret is the deployment's own, at least 16
// bytes; with another one every token would be another.
func NewMinter(secret []byte, place Place) (*Minter, error) {
	if len(secret) < 16 {
		return nil, errors.New("token secret: want at least 16 bytes")
	}
	if place.Host == "" {
		return nil, errors.New("token place: a db_url needs the host name of a decoy")
	}
	key := append([]byte(nil), secret...)
	return &Minter{key: &minterKey{&key}, place: place}, nil
}

// Mint makes a new token. The caller stores its [Token.Public] and plants what
// [Token.Render] gives at Spec.Path.
func (m *Minter) Mint(spec Spec, now time.Time) (*Token, error) {
	if spec.Path == "" || spec.Path[0] != '/' {
		return nil, fmt.Errorf("mint %s token: path %q is not absolute; a token has exactly one place", spec.Kind, spec.Path)
	}
	if spec.Kind == KindPassword && (spec.OpensSensor == "" || spec.User == "") {
		return nil, errors.New("mint password token: name the decoy it opens and the user")
	}
	return m.derive(honeyguide.Honeytoken{
		ID: NewID(), Kind: spec.Kind, Style: StyleProvable, Persona: spec.Persona, Path: spec.Path,
		OpensSensor: spec.OpensSensor, User: spec.User, CreatedAt: now.UTC().Truncate(time.Microsecond),
	})
}

// Restore makes the token t again from its public form. It fails when the
// secret is not the one t was minted with.
func (m *Minter) Restore(t honeyguide.Honeytoken) (*Token, error) {
	got, err := m.derive(t)
	if err != nil {
		return nil, err
	}
	if t.Fingerprint != got.face.Fingerprint {
		return nil, fmt.Errorf("restore token %s: fingerprint %s, stored is %s; it was minted with another secret",
			t.ID, got.face.Fingerprint, t.Fingerprint)
	}
	return got, nil
}

// derive fills in everything that follows from id, kind and secret.
func (m *Minter) derive(face honeyguide.Honeytoken) (*Token, error) {
	if !ValidID(face.ID) {
		return nil, fmt.Errorf("derive token: %q is no token id", face.ID)
	}
	t := &Token{face: face, own: &hidden{&secret{}}}
	switch face.Kind {
	case KindAWSKey:
		m.awsKey(t)
	case KindDBURL:
		m.dbURL(t)
	case KindPassword:
		pw := m.password(face.ID, face.Kind)
		t.own.secret.values = []Value{{partPassword, pw}}
		t.own.secret.needles = t.own.secret.values
	default:
		return nil, fmt.Errorf("derive token %s: no kind %q; there are: %s, %s, %s", face.ID, face.Kind, KindAWSKey, KindDBURL, KindPassword)
	}
	for _, v := range t.own.secret.values {
		if err := prove(face.Kind, v, []string{m.place.Host}); err != nil {
			return nil, fmt.Errorf("derive token %s: %w", face.ID, err)
		}
	}
	// What is searched for identifies the token, not what surrounds it: a
	// decoy that moves to another address keeps its tokens.
	telling := t.own.secret.needles[0].Text
	t.face.Fingerprint, t.face.Last4, t.face.Proof = Fingerprint(telling), Last4(telling), proofs[face.Kind]
	return t, nil
}

// bytes returns n deterministic bytes for a token and a purpose: HMAC-SHA-256
// in counter mode over id | purpose.
func (m *Minter) bytes(id, purpose string, n int) []byte {
	var out []byte
	for i := byte(0); len(out) < n; i++ {
		h := hmac.New(sha256.New, *m.key.key)
		h.Write([]byte(id))
		h.Write([]byte{'|'})
		h.Write([]byte(purpose))
		h.Write([]byte{'|', i})
		out = h.Sum(out)
	}
	return out[:n]
}

// Bounds of the account number inside an AWS key id: from 13 digits on no
// account exists, and the field holds 40 bits.
const (
	firstImpossibleAccount = 1_000_000_000_000
	accountBits            = 40
)

// awsKey lays out an AWS access key id: AKIA and the base32 of 10 bytes, the
// first 6 of which hold bit 47 set, a 40-bit account number and 7 more bits.
func (m *Minter) awsKey(t *Token) {
	b := m.bytes(t.face.ID, t.face.Kind, 8+1+4+30)
	account := firstImpossibleAccount + binary.BigEndian.Uint64(b[:8])%(1<<accountBits-firstImpossibleAccount)
	var raw [10]byte
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], 1<<47|account<<7|uint64(b[8]&0x7f))
	copy(raw[:6], head[2:])
	copy(raw[6:], b[9:13])
	id := "AKIA" + base32.StdEncoding.EncodeToString(raw[:])
	t.own.secret.values = []Value{{partKeyID, id}, {partSecret, base64.StdEncoding.EncodeToString(b[13:])}}
	t.own.secret.needles = t.own.secret.values
}

func (m *Minter) dbURL(t *Token) {
	place := m.place
	if place.Scheme == "" {
		place.Scheme = "postgres"
	}
	if place.Port == 0 {
		place.Port = 5432
		if place.Scheme == "mysql" {
			place.Port = 3306
		}
	}
	if place.Database == "" {
		place.Database = "app_production"
	}
	if t.face.User == "" {
		t.face.User = place.User
	}
	if t.face.User == "" {
		t.face.User = "app"
	}
	pw := m.generated(t.face.ID, t.face.Kind)
	u := url.URL{
		Scheme: place.Scheme, User: url.UserPassword(t.face.User, pw),
		Host: hostPort(place.Host, place.Port), Path: "/" + place.Database,
	}
	t.own.secret.values = []Value{{partURL, u.String()}}
	t.own.secret.needles = []Value{{partPassword, pw}}
}

func hostPort(host string, port uint16) string {
	for _, c := range host {
		if c == ':' { // an IPv6 address
			host = "[" + host + "]"
			break
		}
	}
	return host + ":" + strconv.Itoa(int(port))
}

// generated is a password as deployment tools make them for a database: 20
// letters and digits, about 119 bits.
func (m *Minter) generated(id, kind string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	pw := m.bytes(id, kind+"|generated", 20)
	for i, b := range pw {
		pw[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(pw)
}

// password chooses two words and two digits: about 22 bits, far above what a
// guesser reaches by chance and typable like a password of a tired admin.
func (m *Minter) password(id, kind string) string {
	b := m.bytes(id, kind+"|words", 6)
	first, second := wordAt(b[0:2]), wordAt(b[2:4])
	return title(first) + title(second) + fmt.Sprintf("%02d", 10+int(b[4])%90)
}

func wordAt(b []byte) string { return words[int(binary.BigEndian.Uint16(b))%len(words)] }

func title(w string) string { return string(w[0]-'a'+'A') + w[1:] }
