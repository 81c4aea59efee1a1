package bundle

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/state"
)

// produce gathers, seals and writes one archive. The hash of its manifest is in
// the audit log before the archive has its name.
func (r *Room) produce(ctx context.Context, o order) (honeyguide.Bundle, error) {
	b := o.bundle
	g, err := r.look(ctx, b.Incident, o.who, b.At)
	if err != nil {
		return b, err
	}
	s, err := newStage(r.dep.Dir, r.progress(ctx, b))
	if err != nil {
		return b, err
	}
	defer func() {
		if err := s.remove(); err != nil {
			r.dep.Log.WarnContext(ctx, "what was gathered was not removed", "error", err)
		}
	}()
	if err := r.gather(ctx, s, &g, o.to); err != nil {
		return b, fmt.Errorf("gather evidence: %w", err)
	}
	m := Manifest{
		Format: manifestFormat, Incident: g.dossier.Incident.Short, IncidentID: g.dossier.Incident.ID, Title: g.dossier.Incident.Title, Node: r.dep.Node,
		Collected:  Collected{At: state.Time(b.At), By: o.who.Name, Kind: o.who.Kind, Reason: b.Reason},
		Recipients: b.Recipients, Items: s.items, Missing: s.missing,
	}
	docs, err := documents(&m, &g.dossier)
	if err != nil {
		return b, err
	}
	manifest, err := encode(m)
	if err != nil {
		return b, fmt.Errorf("write the manifest: %w", err)
	}
	if len(manifest) > maxManifest {
		return b, errTooLarge
	}
	sum := sha256.Sum256(manifest)
	b.Manifest = hex.EncodeToString(sum[:])
	sealed, err := r.sealed(ctx, b, o.who)
	if err != nil {
		return b, fmt.Errorf("seal evidence: %w", err)
	}
	b.Audit, b.Objects = sealed.Proof.Seq, len(s.objects)
	text, err := encode(sealed)
	if err != nil {
		return b, fmt.Errorf("seal evidence: %w", err)
	}
	if b.Size, b.SHA256, err = r.write(b, s, append(docs, content{manifestName, manifest}, content{sealName, text})); err != nil {
		return b, fmt.Errorf("write evidence: %w", err)
	}
	return b, nil
}

// progressEvery is how much is gathered between two notes of how far it has come.
const progressEvery = 16 << 20

// progress notes in the row how much has been gathered.
func (r *Room) progress(ctx context.Context, b honeyguide.Bundle) func(int64) {
	last := int64(0)
	return func(total int64) {
		if total-last < progressEvery {
			return
		}
		last = total
		err := r.dep.State.Update(ctx, func(tx state.Tx) error {
			now := b
			now.Done = total
			return tx.Bundles().Save(ctx, &now)
		})
		if err != nil {
			r.dep.Log.WarnContext(ctx, "progress of evidence not noted", "error", err)
		}
	}
}

// A content is an entry of an archive that is in memory.
type content struct {
	path string
	text []byte
}

// write writes the archive under its name: whole, on the disk, or not at all.
func (r *Room) write(b honeyguide.Bundle, s *stage, docs []content) (size int64, sum string, err error) {
	var members []member
	opens := map[string]func() (io.ReadCloser, error){}
	for _, d := range docs {
		members = append(members, member{path: d.path, size: int64(len(d.text)), crc: crc32.ChecksumIEEE(d.text)})
		opens[d.path] = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.text)), nil }
	}
	for _, id := range slices.Sorted(maps.Keys(s.objects)) {
		o := s.objects[id]
		members = append(members, member{path: objectPath(id), size: o.size, crc: o.crc})
		opens[objectPath(id)] = func() (io.ReadCloser, error) { return os.Open(o.path) }
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(rank(a.path), rank(b.path)) })
	part := r.path(b.ID) + partEnd
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	defer os.Remove(part) // not there any more when all went well
	h := sha256.New()
	size, err = writeArchive(io.MultiWriter(f, h), members, func(i int) (io.ReadCloser, error) { return opens[members[i].path]() })
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Chmod(0o400), f.Close()); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(h.Sum(nil)), place(part, r.path(b.ID))
}

// place gives a file its name and sees to it that the name is on the disk.
func place(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sealed records the hash of a manifest, proves that, and signs all of it.
func (r *Room) sealed(ctx context.Context, b honeyguide.Bundle, who Actor) (s Seal, err error) {
	key, certificate, err := r.signer(ctx, who)
	if err != nil {
		return s, err
	}
	seq, err := r.record(ctx, actSeal, "bundle:"+b.Manifest, b.Reason, "evidence of "+b.Incident, who)
	if err != nil {
		return s, err
	}
	proof, err := r.prove(ctx, seq)
	if err != nil {
		return s, err
	}
	s = Seal{
		Format: sealFormat, Manifest: b.Manifest, AuditKey: r.dep.Trail.PublicKey(), Proof: proof,
		Key: base64Of(key.Public().(ed25519.PublicKey)), KeyProof: certificate,
	}
	s.Signature = base64Of(ed25519.Sign(key, s.signedText()))
	return s, nil
}

func (r *Room) prove(ctx context.Context, seq int64) (audit.Proof, error) {
	_, p, err := r.dep.Trail.Prove(ctx, seq)
	return p, err
}

// signFile holds the key that signs archives: 32 bytes (RFC 8032) in hex.
const signFile = "evidence.key"

// signer returns the key that signs, and the proof that the audit log knows it.
// It is made and certified when it is needed first.
func (r *Room) signer(ctx context.Context, who Actor) (ed25519.PrivateKey, audit.Proof, error) {
	r.signing.Lock()
	defer r.signing.Unlock()
	key, err := r.signKey()
	if err != nil {
		return nil, audit.Proof{}, err
	}
	object := "evidence-key:" + base64Of(key.Public().(ed25519.PublicKey))
	seq, err := r.entryOf(ctx, actCertify, object)
	if err != nil {
		return nil, audit.Proof{}, err
	}
	if seq >= 0 {
		if p, err := r.prove(ctx, seq); err == nil {
			return key, p, nil
		} // its text was dropped with age: it is certified again
	}
	if seq, err = r.record(ctx, actCertify, object, "", "signs archives of evidence", who); err != nil {
		return nil, audit.Proof{}, err
	}
	p, err := r.prove(ctx, seq)
	return key, p, err
}

func (r *Room) signKey() (ed25519.PrivateKey, error) {
	text, err := r.dep.Keys.Read(signFile)
	if errors.Is(err, fs.ErrNotExist) {
		seed := make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(seed) // never fails (crypto/rand)
		return ed25519.NewKeyFromSeed(seed), r.dep.Keys.Write(signFile, []byte(hex.EncodeToString(seed)+"\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("read the key that signs evidence: %w", err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: signFile + " holds no key: want 64 hexadecimal digits; restore it from a backup, or move it away: then a new one is made and certified"}
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// isFull reports a full disk or quota.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
