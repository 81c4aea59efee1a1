package evidence

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"filippo.io/age"

	"honeyguide"
	"honeyguide/internal/indicator"
	"honeyguide/internal/seal"
)

// SampleOptions bound a [Samples]. Zero fields mean the defaults in brackets.
type SampleOptions struct {
	File   int64            // bytes kept of one sample [10 MiB]
	Source int64            // bytes of new samples of one source address a day [100 MiB]
	Total  int64            // bytes of all samples [2 GiB]
	Staged int              // files on their way at a time, of one sensor process [64]
	Now    func() time.Time // [time.Now]
	Vault  *seal.Vault      // keeps the key, samples.key; made when it is missing
	Holder Holder           // what must stay whatever its age; nil: nothing
}

func (o SampleOptions) orDefault() SampleOptions {
	if o.File <= 0 {
		o.File = 10 << 20
	}
	if o.Source <= 0 {
		o.Source = 100 << 20
	}
	if o.Total <= 0 {
		o.Total = 2 << 30
	}
	if o.Staged <= 0 {
		o.Staged = 64
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Samples is a folder of what attackers brought: one file for each content,
// named by its SHA-256, encrypted with age so that nothing on the disk is what
// it was. Its methods may be called from any goroutine.
type Samples struct {
	dir  *os.Root
	opts SampleOptions
	key  *age.X25519Identity

	mu     sync.Mutex
	paused bool
	total  int64
	staged map[string]map[uint64]*staged // by sensor process, by number
	day    string
	bytes  map[string]int64 // new today, by source
}

const (
	sampleSuffix = ".age"
	stageSuffix  = ".part"
	headBytes    = 256 << 10 // of the content, kept to see what it is
	maxSources   = 100_000   // counted a day
)

// OpenSamples opens the folder at path, making it and the key if need be. What a
// crash left half written is removed.
func OpenSamples(path string, o SampleOptions) (*Samples, error) {
	key, err := sampleKey(o.Vault)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make samples folder: %w", err)
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open samples folder: %w", err)
	}
	s := &Samples{dir: dir, opts: o.orDefault(), key: key, staged: map[string]map[uint64]*staged{}, bytes: map[string]int64{}}
	if err := s.sweep(); err != nil {
		_ = dir.Close()
		return nil, err
	}
	return s, nil
}

// keyFile is the name of the key in a vault.
const keyFile = "samples.key"

// sampleKey reads the key, or makes it. It is kept durably before it is used:
// samples must not outlive their key.
func sampleKey(v *seal.Vault) (*age.X25519Identity, error) {
	raw, err := v.Keep(keyFile, func() ([]byte, error) {
		key, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		return []byte(key.String() + "\n"), nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the key of the samples: %w", err)
	}
	defer clear(raw)
	key, err := age.ParseX25519Identity(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, &honeyguide.Error{ // not err itself: it may show the text
			Code:    honeyguide.CodeInvalid,
			Message: keyFile + " in " + v.Dir() + " holds no age key; restore it from a backup, or move it and the samples away to begin anew",
		}
	}
	return key, nil
}

// sweep counts what is there and removes what is half.
func (s *Samples) sweep() error {
	return s.each(func(name string, size int64, _ time.Time) error {
		if strings.HasSuffix(name, stageSuffix) {
			return s.dir.Remove(name)
		}
		s.total += size
		return nil
	})
}

// each calls fn for every file of the folder.
func (s *Samples) each(fn func(name string, size int64, at time.Time) error) error {
	return fs.WalkDir(s.dir.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // removed meanwhile
		}
		return fn(name, info.Size(), info.ModTime())
	})
}

// IsSum reports a SHA-256 in hex, small letters.
func IsSum(id string) bool {
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == 32 && id == strings.ToLower(id)
}

func samplePath(id string) string { return path.Join(id[:2], id+sampleSuffix) }

// Has reports whether the content is kept.
func (s *Samples) Has(id string) bool {
	if !IsSum(id) {
		return false
	}
	_, err := s.dir.Stat(samplePath(id))
	return err == nil
}

// Sealed returns a sample as it lies on the disk, encrypted. CodeNotFound.
func (s *Samples) Sealed(id string) (io.ReadCloser, error) {
	if !IsSum(id) {
		return nil, noSample()
	}
	f, err := s.dir.Open(samplePath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noSample()
	}
	if err != nil {
		return nil, fmt.Errorf("open sample: %w", err)
	}
	return f, nil
}

func noSample() error {
	return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "the content of this sample is not kept: it never was, or its time is over"}
}

// grace is how long content may lie without anybody knowing of it: its event is
// on its way.
const grace = time.Hour

// Prune removes the contents that known does not ask for, but for those that
// have just come.
func (s *Samples) Prune(ctx context.Context, known func(ctx context.Context, id string) (bool, error)) (removed int, err error) {
	var old []string
	err = s.each(func(name string, _ int64, at time.Time) error {
		if strings.HasSuffix(name, sampleSuffix) && s.opts.Now().Sub(at) > grace {
			old = append(old, name)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("list samples: %w", err)
	}
	for _, name := range old {
		wanted, err := known(ctx, strings.TrimSuffix(path.Base(name), sampleSuffix))
		if err != nil {
			return removed, err
		}
		if wanted || s.opts.Holder != nil && s.opts.Holder.HoldsSample(strings.TrimSuffix(path.Base(name), sampleSuffix)) {
			continue
		}
		info, err := s.dir.Stat(name)
		if err == nil {
			err = s.dir.Remove(name)
		}
		if err != nil {
			return removed, fmt.Errorf("remove old sample: %w", err)
		}
		s.mu.Lock()
		s.total -= info.Size()
		s.mu.Unlock()
		removed++
	}
	return removed, nil
}

// Close gives up what is on its way and closes the folder.
func (s *Samples) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for owner := range s.staged {
		s.drop(owner)
	}
	return s.dir.Close()
}

// observables are what a sample's content tells: its hash, and what stands in
// it.
func observables(sum string, head []byte, kind string) []honeyguide.Observable {
	out := []honeyguide.Observable{{Name: honeyguide.AttrSHA256, Type: indicator.Hash, Value: sum}}
	text := string(head)
	if Executable(kind) || strings.HasPrefix(kind, TypeData) {
		text = stringsOf(head)
	}
	return indicator.Add(out, indicator.Find("file.content", text), indicator.MaxFound)
}

// stringsOf returns the texts in a program, as strings(1) finds them.
func stringsOf(p []byte) string {
	var b strings.Builder
	for run := range bytes.FieldsFuncSeq(p, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		if len(run) >= 6 {
			b.Write(run)
			b.WriteByte('\n')
		}
	}
	return b.String()
}
