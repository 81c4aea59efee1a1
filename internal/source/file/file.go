// Package file follows files that other programs write, through every way of
// rotating them.
//
// A file is known by its device and inode and by a fingerprint of its first KiB,
// and a place in it also by the bytes right before it. So a renamed file is read
// on where it was left, a file that was emptied or replaced is read from its
// beginning, and the copy or compressed copy of a file whose original is gone is
// read from where the original was left to its end, once. Nothing is asked of
// the kernel but the size of files: it works on every file system, network and
// container alike.
//
// A last line without a line break is waited for, until the file has been
// rotated away and nobody writes to it any more.
package file

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
)

// Where to begin in files that are there at the first start.
const (
	fromBeginning = "beginning"
	fromEnd       = "end"
)

// Kind follows files.
var Kind = kind.Of("file", "Files that grow, followed through rotation.", Config{From: fromBeginning, Poll: 250 * time.Millisecond, OpenFiles: 64, MaxFiles: 4096}, open)

// Config configures a file source.
type Config struct {
	Path      []string      `yaml:"path" doc:"files, patterns such as /var/log/app/*.log, or folders; absolute"`
	Exclude   []string      `yaml:"exclude" doc:"patterns of file names that are not read"`
	From      string        `yaml:"from" doc:"beginning or end: where to begin in files that are there at the first start"`
	Poll      time.Duration `yaml:"poll" doc:"how often files are looked at, 10ms to 1m"`
	OpenFiles int           `yaml:"open_files" doc:"files held open at the same time"`
	MaxFiles  int           `yaml:"max_files" doc:"files followed at the same time; more are left alone and told of"`
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	if len(c.Path) == 0 {
		return invalid("path: missing; say what to read, for example path: /var/log/suricata/eve.json")
	}
	for _, p := range c.Path {
		if !filepath.IsAbs(p) {
			return invalid("path: " + p + " is not absolute; a service has no working folder of its own")
		}
	}
	for _, p := range append(c.Path, c.Exclude...) {
		if _, err := filepath.Match(p, ""); err != nil {
			return invalid("path, exclude: " + p + " is no pattern; brackets have to be closed, or escaped with a backslash")
		}
	}
	switch {
	case c.From != fromBeginning && c.From != fromEnd:
		return invalid("from: want beginning or end")
	case c.Poll < 10*time.Millisecond || c.Poll > time.Minute:
		return invalid("poll: want 10ms to 1m")
	case c.OpenFiles < 1 || c.OpenFiles > 4096 || c.MaxFiles < 1 || c.MaxFiles > 65536:
		return invalid("open_files: want 1 to 4096; max_files: want 1 to 65536")
	}
	return nil
}

func invalid(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

type follower struct {
	cfg Config
	log *slog.Logger
	now func() time.Time
}

func open(_ context.Context, cfg Config, dep source.Deps) (source.Source, error) {
	return &follower{cfg, dep.Log, dep.Now}, nil
}

const (
	// scanEvery is how often folders are looked through for new names.
	scanEvery = time.Second
	// quietTime is how long nobody may have written to a rotated file before its
	// last line is taken as it is.
	quietTime = 30 * time.Second
	// closeTime is how long a file without news is held open.
	closeTime = 10 * time.Second
	// forgetTime is how long the place in a file that is gone is kept: a compressed
	// copy of it may come.
	forgetTime = 24 * time.Hour
)

// Run follows the files until ctx ends.
func (f *follower) Run(ctx context.Context, sink *source.Sink) error {
	r := &run{follower: f, sink: sink, buf: make([]byte, pieceSize)}
	defer r.close()
	if err := r.load(ctx); err != nil {
		return err
	}
	var scanned time.Time
	for ctx.Err() == nil {
		if now := time.Now(); now.Sub(scanned) >= scanEvery || r.stale {
			if err := r.scan(ctx); err != nil {
				return err
			}
			scanned = now
		}
		more, err := r.round(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(f.cfg.Poll):
		}
	}
	return ctx.Err()
}

// run is one life of a follower.
type run struct {
	*follower
	sink  *source.Sink
	buf   []byte
	tails []*tail
	first bool      // nothing was kept by an earlier run
	since time.Time // when this source ran for the first time
	stale bool      // a file is not what it was: look at names again at once
	known map[ident]probe
	full  bool // max_files was told of
	bad   bool // something was wrong since the last scan
}

func (r *run) close() {
	for _, t := range r.tails {
		t.close()
	}
}

// round reads one piece of every file that has news, and reports whether there
// may be more at once.
func (r *run) round(ctx context.Context) (more bool, err error) {
	r.limitOpen()
	var behind int64
	for _, t := range r.tails {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		again, err := r.read(ctx, t)
		if err != nil {
			return false, err
		}
		more = more || again
		if left := t.size - t.mark.Offset; left > 0 && !t.zipped() && (t.seen || t.file != nil) {
			behind += left
		}
	}
	r.show(behind)
	return more, nil
}

// show tells what is read.
func (r *run) show(behind int64) {
	streams := make([]source.Stream, 0, len(r.tails))
	for _, t := range r.tails {
		if t.state() != "" {
			streams = append(streams, source.Stream{Name: t.mark.Path, Position: t.mark.Offset, Size: t.size, State: t.state()})
		}
	}
	r.sink.Show(streams, behind)
}

// limitOpen closes the files that had no news for longest when too many are open.
func (r *run) limitOpen() {
	n := 0
	for _, t := range r.tails {
		if t.file != nil {
			n++
		}
	}
	for n >= r.cfg.OpenFiles {
		var oldest *tail
		for _, t := range r.tails {
			if t.file != nil && !t.gone && (oldest == nil || t.news.Before(oldest.news)) {
				oldest = t
			}
		}
		if oldest == nil {
			return // all are unlinked: they cannot be opened again
		}
		oldest.close()
		n--
	}
}
