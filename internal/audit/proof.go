package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
)

// A Proof shows that an entry is part of the log a checkpoint signs for. It
// needs nothing else but the public key.
type Proof struct {
	Seq        int64    `json:"seq"`
	Record     string   `json:"record" doc:"the entry as it stands in the log, byte for byte: its hash is over these bytes"`
	Salt       string   `json:"salt,omitempty" doc:"base64: with the personal part it gives what the entry commits to"`
	Personal   string   `json:"personal,omitempty" doc:"the personal part as it stands beside the log, byte for byte; missing when it was removed or is not handed on"`
	Hashes     []string `json:"hashes" doc:"base64: the path from the entry to the root (RFC 6962, 2.1.1)"`
	Checkpoint string   `json:"checkpoint" doc:"signed note: origin, number of entries, root"`
}

// Prove returns the entry of a number with the proof that it is part of the log.
func (l *Log) Prove(_ context.Context, seq int64) (honeyguide.AuditEntry, Proof, error) {
	r, err := l.get(seq)
	if err != nil {
		return r.entry, Proof{}, err
	}
	l.files.RLock()
	defer l.files.RUnlock()
	if l.hashes.f == nil {
		return r.entry, Proof{}, l.broken()
	}
	path, err := tlog.ProveRecord(l.point.Size, seq, l.hashes)
	if err != nil {
		return r.entry, Proof{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	if err := tlog.CheckRecord(path, l.point.Size, l.point.Root, seq, tlog.RecordHash(r.text)); err != nil {
		return r.entry, Proof{}, l.asError(damage("the stored hashes give no proof of entry %d", seq))
	}
	return r.entry, r.proof(path, &l.point), nil
}

// proof puts together what shows that a row is part of the log.
func (r *row) proof(path []Hash, point *Checkpoint) Proof {
	p := Proof{Seq: r.entry.Seq, Record: string(r.text), Hashes: texts(path), Checkpoint: string(point.Note)}
	if len(r.part) > saltBytes {
		p.Salt, p.Personal = base64.StdEncoding.EncodeToString(r.part[:saltBytes]), string(r.part[saltBytes:])
	}
	return p
}

// Consistency returns the hashes that show that the log of size entries is the
// beginning of the log of now, and the checkpoint of now.
func (l *Log) Consistency(_ context.Context, size int64) ([]string, Checkpoint, error) {
	l.files.RLock()
	defer l.files.RUnlock()
	if l.hashes.f == nil {
		return nil, l.point, l.broken()
	}
	if size < 1 || size > l.point.Size {
		return nil, l.point, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("from: want a number of entries from 1 to %d", l.point.Size)}
	}
	path, err := tlog.ProveTree(l.point.Size, size, l.hashes)
	if err != nil {
		return nil, l.point, fmt.Errorf("prove consistency with %d entries: %w", size, err)
	}
	return texts(path), l.point, nil
}

func texts(list []Hash) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = base64.StdEncoding.EncodeToString(list[i][:])
	}
	return out
}

func hashesOf(list []string) ([]Hash, error) {
	if len(list) > 64 {
		return nil, errors.New("proof: it has more hashes than any proof needs")
	}
	out := make([]Hash, len(list))
	for i, text := range list {
		raw, err := FromBase64(text)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, fmt.Errorf("proof: hash %d is none", i)
		}
		out[i] = Hash(raw)
	}
	return out, nil
}

// CheckProof verifies a proof by the public key of the log and returns the entry,
// without actor, address, object and what else is personal when the proof has no
// personal part.
func CheckProof(p Proof, key string) (honeyguide.AuditEntry, Checkpoint, error) {
	var e honeyguide.AuditEntry
	if len(p.Record) > maxEntry || len(p.Personal) > maxEntry {
		return e, Checkpoint{}, errors.New("proof: its entry is too long")
	}
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return e, Checkpoint{}, fmt.Errorf("read the public key: %w", err)
	}
	c, err := openOwn([]byte(p.Checkpoint), v)
	if err != nil {
		return e, c, err
	}
	path, err := hashesOf(p.Hashes)
	if err != nil {
		return e, c, err
	}
	if p.Seq < 0 || p.Seq >= c.Size {
		return e, c, fmt.Errorf("proof: the checkpoint has no entry %d", p.Seq)
	}
	if err := tlog.CheckRecord(path, c.Size, c.Root, p.Seq, tlog.RecordHash([]byte(p.Record))); err != nil {
		return e, c, errors.New("proof: the entry is not part of the log the checkpoint signs for")
	}
	r, err := decode([]byte(p.Record), p.Seq)
	if err != nil || p.Personal == "" && p.Salt == "" {
		return r.AuditEntry, c, err
	}
	salt, err := FromBase64(p.Salt)
	if err != nil || len(salt) != saltBytes || r.form != 2 {
		return e, c, errors.New("proof: it has a personal part that belongs to no entry")
	}
	part := append(salt, p.Personal...)
	if err := r.hold(part); err != nil {
		return e, c, fmt.Errorf("proof: %w", err)
	}
	if err := r.fill(part); err != nil {
		return e, c, fmt.Errorf("proof: %w", err)
	}
	return r.AuditEntry, c, nil
}

// ParseProof reads a proof that stands in a file of its own, as it was written here
// or by a program that formats JSON as most do: indented by two blanks, or not at
// all. In any other writing a byte was changed.
func ParseProof(text []byte) (p Proof, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("it is no proof: %w", err)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	for _, indent := range []string{"", "  "} {
		for _, html := range []bool{false, true} {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(html)
			e.SetIndent("", indent)
			if err := e.Encode(p); err != nil {
				return p, err
			}
			if bytes.Equal(bytes.TrimSuffix(b.Bytes(), []byte("\n")), text) {
				return p, nil
			}
		}
	}
	return p, errors.New("it is a proof and not written as proofs are: it was changed")
}

// CheckConsistency verifies that the log of an older checkpoint is the beginning
// of the log of a newer one.
func CheckConsistency(older, newer Checkpoint, hashes []string) error {
	path, err := hashesOf(hashes)
	if err != nil {
		return err
	}
	if older.Size < 1 || older.Size > newer.Size {
		return errors.New("proof: the older checkpoint has to be of 1 entry at least and no more than the newer")
	}
	if tlog.CheckTree(path, newer.Size, newer.Root, older.Size, older.Root) != nil {
		return errors.New("proof: the older checkpoint is not of the beginning of this log")
	}
	return nil
}
