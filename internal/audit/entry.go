package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide"
)

// Bounds of an entry, in bytes. Texts come from people and attackers; whatever
// they send, an entry stays small.
const (
	maxName   = 128      // actor, kind, session, action, request
	maxObject = 512      // object
	maxText   = 1 << 10  // reason, detail
	maxValue  = 4 << 10  // before, after
	maxEntry  = 96 << 10 // an entry as a whole; JSON may need six bytes for one
)

// bound returns e with every text cut to its length and made valid.
func bound(e honeyguide.AuditEntry) honeyguide.AuditEntry {
	for _, x := range []struct {
		s *string
		n int
	}{
		{&e.Actor, maxName},
		{&e.Kind, maxName},
		{&e.Session, maxName},
		{&e.Action, maxName},
		{&e.Request, maxName},
		{&e.Object, maxObject},
		{&e.Reason, maxText},
		{&e.Detail, maxText},
	} {
		*x.s = cut(*x.s, x.n)
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	e.Address = e.Address.Unmap().WithZone("")
	e.Before, e.After = boundValue(e.Before), boundValue(e.After)
	e.ErasedBy = 0
	return e
}

func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// boundValue keeps a JSON value that is small, and of a large one its size and hash.
func boundValue(v json.RawMessage) json.RawMessage {
	switch {
	case len(v) == 0:
		return nil
	case !json.Valid(v):
		v = nil
	case len(v) <= maxValue:
		return v
	}
	sum := sha256.Sum256(v)
	out, _ := json.Marshal(map[string]any{"left_out": true, "bytes": len(v), "sha256": hex.EncodeToString(sum[:])}) // plain values always encode
	return out
}

// errTorn says that the last entry of a file is not whole.
var errTorn = errors.New("an entry is cut off, or its length is none")

// records reads the entries of a file, or the personal parts of one, one after
// the other.
type records struct {
	r   io.Reader
	off int64 // where the next one begins
	buf []byte
}

// next returns the JSON of the next entry, good until the one after it is
// asked for; io.EOF at the end, errTorn when what follows is no entry.
func (r *records) next() ([]byte, error) { return r.frame(2, maxEntry, false) }

// part returns the next personal part, salt and JSON; it is empty where one was removed.
func (r *records) part() ([]byte, error) { return r.frame(saltBytes+2, saltBytes+maxEntry, true) }

// frame reads a length and so many bytes.
func (r *records) frame(least, most int, none bool) ([]byte, error) {
	var head [4]byte
	switch n, err := io.ReadFull(r.r, head[:]); {
	case err == io.EOF && n == 0:
		return nil, io.EOF
	case err == io.ErrUnexpectedEOF:
		return nil, errTorn
	case err != nil:
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if (n < int64(least) || n > int64(most)) && (n != 0 || !none) {
		return nil, errTorn
	}
	if int64(cap(r.buf)) < n {
		r.buf = make([]byte, n, max(2*n, 1024))
	}
	r.buf = r.buf[:n]
	if _, err := io.ReadFull(r.r, r.buf); err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, errTorn
	} else if err != nil {
		return nil, err
	}
	r.off += 4 + n
	return r.buf, nil
}

// A Masker replaces secrets by hashes under a key of its own: the same secret
// gives the same text, and nobody without the key can try guesses.
type Masker struct{ key []byte }

// Mask returns what stands for a secret in the log.
func (m Masker) Mask(secret string) string {
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(secret))
	return "hmac-sha256:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// secretNames are the fields of JSON values whose texts are secrets.
var secretNames = []string{"password", "passphrase", "secret", "token", "key", "code", "credential", "authorization", "cookie", "recovery"}

func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, s := range secretNames {
		if name == s || strings.HasSuffix(name, "_"+s) || strings.HasSuffix(name, s+"s") && s != "key" {
			return true
		}
	}
	return name == "old" || name == "new"
}

// Value returns v as JSON in which secrets are masked by the names of their
// fields; nil when it says nothing.
func (m Masker) Value(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 1<<20 {
		return nil
	}
	var tree any
	if json.Unmarshal(text, &tree) != nil {
		return nil
	}
	switch x := tree.(type) {
	case nil:
		return nil
	case map[string]any:
		if len(x) == 0 {
			return nil
		}
	}
	out, err := json.Marshal(m.walk(tree, false))
	if err != nil {
		return nil
	}
	return out
}

func (m Masker) walk(v any, secret bool) any {
	switch x := v.(type) {
	case map[string]any:
		for name, inner := range x {
			x[name] = m.walk(inner, secret || secretName(name))
		}
	case []any:
		for i := range x {
			x[i] = m.walk(x[i], secret)
		}
	case string:
		if secret && x != "" {
			return m.Mask(x)
		}
	case float64, bool:
		if secret {
			return m.Mask(fmt.Sprint(x))
		}
	}
	return v
}

// NewMasker returns a masker under a key that nobody knows.
func NewMasker() Masker {
	m := Masker{make([]byte, 32)}
	_, _ = rand.Read(m.key) // never fails (crypto/rand)
	return m
}
