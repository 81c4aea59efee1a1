package embedded

import (
	"context"
	"errors"
	"time"

	"honeyguide/internal/eventlog"
)

// Config says how the log trades delay, memory and size. The defaults fit two
// cores and a hundred to fifty thousand events a second.
type Config struct {
	Linger     time.Duration `yaml:"linger"`      // how long an append waits for others to share its fsync
	QueueMiB   int           `yaml:"queue_mib"`   // events waiting to be stored; beyond it Append waits
	FilterMiB  int           `yaml:"filter_mib"`  // Bloom filters kept in memory, newest days first
	RecentMiB  int           `yaml:"recent_mib"`  // newest events kept unpacked for consumers that keep up
	OpenFiles  int           `yaml:"open_files"`  // finished days open at once
	ReadBlocks int           `yaml:"read_blocks"` // unpacked blocks kept for readers, 1024 events each
}

var defaults = Config{Linger: 20 * time.Millisecond, QueueMiB: 64, FilterMiB: 64, RecentMiB: 8, OpenFiles: 8, ReadBlocks: 4}

// Validate reports a setting out of range.
func (c *Config) Validate() error {
	switch {
	case c.Linger < 0 || c.Linger > time.Second:
		return errors.New("linger: want 0 to 1s")
	case c.QueueMiB < 1 || c.FilterMiB < 0 || c.RecentMiB < 0:
		return errors.New("queue_mib, filter_mib, recent_mib: want sizes, the queue at least 1")
	case c.OpenFiles < 1 || c.OpenFiles > 256:
		return errors.New("open_files: want 1 to 256")
	case c.ReadBlocks < 1 || c.ReadBlocks > 1024:
		return errors.New("read_blocks: want 1 to 1024")
	}
	return nil
}

// withDefaults makes the zero Config the default one.
func (c Config) withDefaults() Config {
	if c == (Config{}) {
		return defaults
	}
	return c
}

func open(ctx context.Context, cfg Config, dep eventlog.Deps) (eventlog.Store, error) {
	return Open(ctx, cfg, dep)
}
