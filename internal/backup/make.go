package backup

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
)

// ArchiveSuffix is how the name of a store in one file ends.
const ArchiveSuffix = ".hgb"

// ActionBackup is the act whose entry in the audit log holds the SHA-256 of a
// manifest.
const ActionBackup = "backup"

// A Trail is the audit log of the folder that is copied.
type Trail interface {
	audit.Recorder
	Snapshot(ctx context.Context, take func(ctx context.Context, point audit.Checkpoint, parts []audit.Part) error) error
	SignStatement(text string) ([]byte, error)
	PublicKey() string
}

// A Job is one backup to be made.
type Job struct {
	Data   string   // folder that is copied
	To     string   // folder of backups, or a new file that ends in ArchiveSuffix
	Config []string // configuration files of the node
	Secret []string // files a plain backup leaves out wherever they lie: configuration that holds secrets, and what opens the keys

	Recipient  string            // encrypt to this public key (age1...)
	Passphrase honeyguide.Secret // or under this passphrase
	Plain      bool              // or not at all

	Node, Version string
	MasterKey     string // where the master key is when it is not in Data: "elsewhere" or "none"
	Running       bool   // the core works on Data meanwhile
	Full          bool   // read and copy everything anew
	Rate          int64  // bytes a second; 0 = any
	Actor, Kind   string // who asked, for the audit log

	Audit Trail
	// Last returns the number of the last event of the log.
	Last func(ctx context.Context) (int64, error)
	Now  func() time.Time // nil: time.Now
	// Erased returns the list of what was erased on this node, in a form of the
	// caller's. Nil: nothing ever is.
	Erased func(ctx context.Context) ([]byte, error)
	// Told hears what is going on, also from within a copy; it must be quick.
	Told func(phase string, bytes int64)
}

// A making is one backup under way.
type making struct {
	Job
	out   sink
	mark  Mark
	lock  Lock
	pace  *pace
	old   memory
	m     Manifest
	files []File
	seen  []seen
	sizes map[string]int64 // of the objects
}

// reserve is what a backup leaves free on the disk it is written to.
var reserve int64 = 16 << 20

// Make makes one backup. When it returns an error there is no backup, and what
// was there before is untouched.
func Make(ctx context.Context, job Job) (m *Manifest, err error) {
	if job.Now == nil {
		job.Now = time.Now
	}
	if job.Told == nil {
		job.Told = func(string, int64) {}
	}
	if job.To == "" {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "where to? Set backup.to, or give --to FOLDER"}
	}
	b := &making{Job: job, sizes: map[string]int64{}}
	b.pace = newPace(ctx, job.Rate, func(n int64) { job.Told("", n) })
	if err := stillThere(job); err != nil {
		return nil, err
	}
	if b.out, err = openSink(job.To, job.Data); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.out.Close()) }()
	if err := b.prepare(); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		phase string
		do    func(context.Context) error
	}{
		{"state", func(ctx context.Context) error { return b.all(ctx, 0) }},
		{"how far the log is", b.figures},
		{"databases", func(ctx context.Context) error { return b.all(ctx, 1) }},
		{"events", func(ctx context.Context) error { return b.all(ctx, 2) }},
		{"files", func(ctx context.Context) error { return b.all(ctx, 3) }},
		{"audit log", b.trail},
		{"keys", b.keys},
		{"configuration", b.configuration},
		{"manifest", b.finish},
	} {
		b.Told(step.phase, 0)
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("back up %s: %w", step.phase, err)
		}
	}
	return &b.m, nil
}

// stillThere refuses a folder that held the last backup and holds none now: most
// likely what is mounted there is away, and the copy would go to the disk below.
func stillThere(job Job) error {
	past, err := ReadPast(job.Data)
	if job.Full || err != nil || past.ID == "" || past.To != job.To || strings.HasSuffix(job.To, ArchiveSuffix) {
		return nil //nolint:nilerr // it is a note of ours, and no more
	}
	if _, err := os.Stat(filepath.Join(job.To, markName)); !errors.Is(err, fs.ErrNotExist) {
		return nil //nolint:nilerr // opening it says more
	}
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(
		"%s held the backup of %s and holds none now: is what belongs there mounted? honeyguide backup --full begins anew", job.To, past.At.Format(time.RFC3339))}
}

// openSink opens where a backup goes. Inside the data folder it would copy itself.
func openSink(to, data string) (sink, error) {
	abs, err := filepath.Abs(to)
	if err != nil {
		return nil, err
	}
	inside, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(inside, abs); err == nil && filepath.IsLocal(rel) {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: to + " lies in the data folder; a backup belongs elsewhere, best on another disk"}
	}
	if strings.HasSuffix(to, ArchiveSuffix) {
		return newArchive(abs)
	}
	return openFolder(abs)
}

// prepare agrees with the store on whom it is encrypted to.
func (b *making) prepare() error {
	m, made, err := b.out.mark()
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if b.lock, err = b.agree(&m, made); err != nil {
		return err
	}
	if !made {
		m.Format, m.Store, m.To = Format, randomID(16), b.lock.Public
		if err := b.out.begin(m); err != nil {
			return fmt.Errorf("begin the store: %w", err)
		}
	}
	b.mark = m
	if err := b.ownStore(); err != nil {
		return err
	}
	now := b.Now().UTC()
	b.m = Manifest{
		Format: Format, ID: b.newID(now), Store: m.Store, Began: now, Node: b.Node, Version: b.Version, Running: b.Running,
		Encrypted: !b.lock.Plain(), Recipient: b.lock.Public, AuditKey: b.Audit.PublicKey(), MasterKey: b.MasterKey,
	}
	b.old = memory{}
	if !b.Full && made {
		b.old = readMemory(b.Data, m.Store)
	}
	return nil
}

// idTime is how an id begins: ids are in the order backups were made.
const idTime = "20060102T150405.000Z"

// newID returns an id behind all there are, also when the clock was put back.
func (b *making) newID(now time.Time) string {
	stamp := now.Format(idTime)
	if last, _, _ := strings.Cut(b.out.last(), "-"); last >= stamp {
		if at, err := time.Parse(idTime, last); err == nil {
			stamp = at.Add(time.Millisecond).Format(idTime)
		}
	}
	return stamp + "-" + randomID(4)
}

// agree finds the lock. What the store says about itself is never believed:
// whoever can write to it would otherwise choose who reads the next backup.
func (b *making) agree(m *Mark, made bool) (l Lock, err error) {
	switch {
	case b.Plain:
	case b.Recipient != "":
		l, err = LockTo(b.Recipient)
	case b.Passphrase != "" && len(m.Identity) > 0:
		_, l, err = openIdentity(m.Identity, b.Passphrase)
	case b.Passphrase != "" && made:
		return l, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "this store was not made with a passphrase; name another folder"}
	case b.Passphrase != "":
		m.Identity, l, err = newIdentity(b.Passphrase)
	default:
		return l, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "whom is the backup encrypted to? Set backup.recipient (age-keygen makes a key), or give --encrypt-to age1..., --passphrase-file FILE, or --plain"}
	}
	if err == nil && made && l.Public != m.To {
		have := map[bool]string{true: "not encrypted", false: "encrypted to " + m.To}[m.To == ""]
		err = &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "the backups in this folder are " + have + "; name another folder for this one"}
	}
	return l, err
}

// figures notes how far the event log is once the state has been copied, and
// before the log is: so it is there in the copy, and the state's cursor before it.
func (b *making) figures(ctx context.Context) (err error) {
	b.m.Figures.Events, err = b.Last(ctx)
	return err
}

// all copies the files of one rank.
func (b *making) all(ctx context.Context, rank int) error {
	var list []seen
	if err := walk(b.Data, rank, func(p string, st fs.FileInfo) error {
		if opensKeys(p) {
			if b.m.MasterKey = "inside"; b.lock.Plain() {
				b.m.MasterKey = "left out"
				return nil
			}
		}
		if b.lock.Plain() && b.secret(st) {
			return nil
		}
		list = append(list, look(p, st))
		return nil
	}); err != nil {
		return err
	}
	for _, s := range list {
		if err := b.file(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
	}
	return nil
}

// secret reports whether a file is one of those that a copy in clear leaves out:
// a copy anybody may read holds nothing that opens anything.
func (b *making) secret(st fs.FileInfo) bool {
	return slices.ContainsFunc(b.Secret, func(file string) bool {
		other, err := os.Stat(file)
		return err == nil && os.SameFile(st, other)
	})
}

// keys copies the keys as they are at one moment: while they are changed for
// new ones the folder is in between, so it is copied until it did not change.
func (b *making) keys(ctx context.Context) error {
	const tries = 10
	for range tries {
		before, err := b.standing(5)
		if err != nil {
			return err
		}
		n, figures := len(b.files), b.m.Figures
		if err := b.all(ctx, 5); err != nil {
			return err
		}
		after, err := b.standing(5)
		if err != nil {
			return err
		}
		if slices.Equal(before, after) {
			return nil
		}
		b.files, b.seen, b.m.Figures = b.files[:n], b.seen[:n], figures
	}
	return errChanged
}

// standing tells the files of a rank from what they were.
func (b *making) standing(rank int) (list []seen, err error) {
	err = walk(b.Data, rank, func(p string, st fs.FileInfo) error {
		list = append(list, look(p, st))
		return nil
	})
	return list, err
}

// file copies one file, unless it is what it was at the last backup.
func (b *making) file(ctx context.Context, s seen) error {
	full := filepath.Join(b.Data, filepath.FromSlash(s.Path))
	kind, err := kindOf(full, s, b.Running, b.Now())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // retention took it meanwhile
	}
	if err != nil {
		return err
	}
	if old := b.old[s.Path]; kind != logged && s.same(old) && b.out.has(Object{old.Object, old.Stored}) {
		b.take(s, old.File)
		return nil
	}
	for try := 0; ; try++ {
		err := b.copy(s, source(ctx, kind, full, s, b.Running))
		switch {
		case errors.Is(err, errChanged) && try < 5:
			st, err := os.Stat(full)
			if err != nil {
				return err
			}
			s = look(s.Path, st)
		case errors.Is(err, fs.ErrNotExist):
			return nil
		default:
			return err
		}
	}
}

// copy stores one content.
func (b *making) copy(s seen, c content) error {
	if err := room(b.To, s.Size); err != nil {
		return err
	}
	got, err := b.out.put(c, b.lock, b.pace)
	if err != nil {
		return err
	}
	f := s.File
	f.Size, f.Sum, f.Object, f.Stored = got.size, got.sum, got.Name, got.Object.Size
	if old := b.old[s.Path]; old.Sum == f.Sum && b.out.has(Object{old.Object, old.Stored}) {
		if old.Object != f.Object {
			b.out.drop(f.Object) // the same once more
		}
		f.Object, f.Stored = old.Object, old.Stored
	} else {
		b.m.Figures.NewObjects++
		b.m.Figures.NewBytes += f.Stored
	}
	b.take(s, f)
	return nil
}

func (b *making) take(s seen, f File) {
	f.Path, f.Mode, f.Mtime = s.Path, s.File.Mode, s.Mtime
	s.File = f
	b.files, b.seen = append(b.files, f), append(b.seen, s)
	b.sizes[f.Object] = f.Stored
	b.m.Figures.Files++
	b.m.Figures.Bytes += f.Size
}

// trail copies the audit log: what its newest checkpoint signs for.
func (b *making) trail(ctx context.Context) error {
	return b.Audit.Snapshot(ctx, func(ctx context.Context, point audit.Checkpoint, parts []audit.Part) error {
		b.m.Figures.Audit, b.m.Figures.AuditRoot = point.Size, base64.StdEncoding.EncodeToString(point.Root[:])
		for _, p := range parts {
			full := filepath.Join(b.Data, auditDir, p.Name)
			st, err := os.Stat(full)
			if err != nil {
				return err
			}
			s := look(auditDir+"/"+p.Name, st)
			if old := b.old[s.Path]; p.Size < 0 && s.same(old) && b.out.has(Object{old.Object, old.Stored}) {
				b.take(s, old.File)
				continue
			}
			if err := b.copy(s, start(full, p.Size)); err != nil {
				return err
			}
		}
		return b.text(auditDir+"/checkpoint", point.Note, b.Now())
	})
}

// text stores a small content.
func (b *making) text(path string, raw []byte, at time.Time) error {
	s := seen{File: File{Path: path, Size: int64(len(raw)), Mode: 0o600, Mtime: at.UTC()}}
	return b.copy(s, func(w writer) error {
		_, err := w.Write(raw)
		return err
	})
}

// configuration copies the configuration files.
func (b *making) configuration(context.Context) error {
	for i, file := range b.Config {
		st, err := os.Stat(file)
		if err != nil {
			return err
		}
		if b.lock.Plain() && b.secret(st) {
			continue
		}
		raw, err := readSmall(file, 1<<20)
		if err != nil {
			return err
		}
		if err := b.text(fmt.Sprintf("%s/%02d-%s", configDir, i, filepath.Base(file)), raw, st.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the list of files, and then the manifest: signed, and its hash
// written down in the audit log before it is put in place.
func (b *making) finish(ctx context.Context) error {
	var list bytes.Buffer
	if err := writeFiles(&list, b.files); err != nil {
		return err
	}
	got, err := b.out.put(func(w writer) error {
		_, err := w.Write(list.Bytes())
		return err
	}, b.lock, b.pace)
	if err != nil {
		return err
	}
	b.m.Contents = got.Object
	b.sizes[got.Name] = got.Object.Size
	for _, name := range slices.Sorted(maps.Keys(b.sizes)) {
		b.m.Objects = append(b.m.Objects, Object{name, b.sizes[name]})
	}
	b.m.Ended = b.Now().UTC()
	raw, sum, err := b.sign()
	if err != nil {
		return err
	}
	f, isFolder := b.out.(*folder)
	if isFolder && b.Erased != nil {
		list, err := b.Erased(ctx)
		if err == nil {
			err = b.keepErased(f, list)
		}
		if err != nil {
			return err
		}
	}
	b.Told("recording", 0)
	if err := b.record(ctx, sum); err != nil {
		return err
	}
	b.Told("putting in place", 0)
	if err := b.out.commit(b.m.ID, raw); err != nil {
		return err
	}
	b.Told("remembering", 0)
	if isFolder {
		_ = writeMemory(b.Data, b.mark.Store, b.seen) // a cache
	}
	return nil
}

func (b *making) sign() (raw []byte, sum string, err error) {
	body, err := json.Marshal(&b.m)
	if err != nil {
		return nil, "", err
	}
	note, err := b.Audit.SignStatement(statement(signedHead, b.m.ID, body))
	if err != nil {
		return nil, "", err
	}
	raw, err = encodeEnvelope(string(note), body)
	return raw, sumOf(body), err
}

// record writes down what the manifest says, before it counts.
func (b *making) record(ctx context.Context, sum string) error {
	after, err := json.Marshal(map[string]any{
		"manifest_sha256": sum, "events": b.m.Figures.Events, "audit": b.m.Figures.Audit, "files": b.m.Figures.Files, "encrypted": b.m.Encrypted,
	})
	if err != nil {
		return err
	}
	return b.Audit.Record(ctx, honeyguide.AuditEntry{
		Actor: b.Actor, Kind: b.Kind, Action: ActionBackup, Object: "backup:" + b.m.ID, Outcome: honeyguide.AuditAsked, After: after,
	})
}

// room makes sure that a content of so many bytes leaves a reserve on the disk.
func room(to string, need int64) error {
	dir := to
	if strings.HasSuffix(to, ArchiveSuffix) {
		dir, need = filepath.Dir(to), need*2 // once beside the archive, and once in it
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return nil //nolint:nilerr // then the write itself will tell
	}
	if free := int64(st.Bavail) * st.Bsize; reserve > 0 && free < need+need/1000+reserve {
		return &honeyguide.Error{
			Code: honeyguide.CodeUnavailable, Err: syscall.ENOSPC,
			Message: fmt.Sprintf("%s has %d MiB free, and %d MiB are needed: make room, or name another folder", dir, free>>20, (need+reserve)>>20+1),
		}
	}
	return nil
}
