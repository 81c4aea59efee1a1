package sensor

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
)

// Limits of the content that leaves for the core. Beyond them a file is still
// reported, with its size and hash.
const (
	maxSample     = 10 << 20  // bytes sent of one file
	maxPerSession = 32 << 20  // bytes of one session
	maxPerMinute  = 128 << 20 // bytes of all sessions
	maxDirty      = 1024      // files of one session waiting to be taken
	maxTaken      = 4096      // contents of one session remembered as taken
)

// A capture takes the files a peer brings or builds. A file is taken when what
// is in it matters: an upload when it is over, anything else when it is run,
// made executable, about to vanish, and at the end of the session. So a program
// put together by a thousand echoes is one sample, not a thousand.
type capture struct {
	mu    sync.Mutex
	ses   *Session
	fs    *vfs.FS
	dirty map[string]written // by real path
	order []string           // of dirty, oldest first
	taken map[taken]bool
	sums  map[string]string // by path, of what was taken
	sent  int64
	lost  int
}

// written is what is known of a file when it is closed.
type written struct {
	size int64
	sum  string
	tool string
}

// taken is one content under one name.
type taken struct{ sum, path string }

// watch gives the capture its session and the files of the session's source.
func (c *capture) watch(s *Session, fs *vfs.FS) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fs == nil {
		c.ses, c.fs = s, fs.Handle()
	}
}

// bookkeeping are files that commands of the machine itself write.
var bookkeeping = []string{
	"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/", "/run/", "/proc/", "/dev/",
}

// wrote notes a file that was closed after a write.
func (c *capture) wrote(path string, size int64, sum, tool string) {
	if size == 0 || strings.HasSuffix(path, "_history") {
		return
	}
	for _, own := range bookkeeping {
		if strings.HasPrefix(path, own) && path != "/dev/shm" && !strings.HasPrefix(path, "/dev/shm/") && tool == "" {
			return
		}
	}
	c.mu.Lock()
	if c.dirty == nil {
		c.dirty = map[string]written{}
	}
	if _, known := c.dirty[path]; !known {
		if len(c.order) >= maxDirty {
			c.lost++
			c.mu.Unlock()
			return
		}
		c.order = append(c.order, path)
	}
	c.dirty[path] = written{size, sum, tool}
	c.mu.Unlock()
	if tool != "" {
		c.settle(path)
	}
}

// settle takes the file at path if it was written since it was last taken.
func (c *capture) settle(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.dirty[path]
	if !ok || c.ses == nil {
		return
	}
	delete(c.dirty, path)
	for i, p := range c.order {
		if p == path {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.take(path, w)
}

// finish takes what is left at the end of the session.
func (c *capture) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, path := range c.order {
		c.take(path, c.dirty[path])
	}
	c.dirty, c.order = nil, nil
	if c.lost > 0 {
		e := honeyguide.Event{Activity: honeyguide.ActivityGap}
		e.Set(honeyguide.AttrCount, c.lost)
		e.Set(honeyguide.AttrDetail, "files beyond the limit of one session")
		c.ses.Emit(e)
		c.lost = 0
	}
}

// known returns the hash of what was taken from path last, "" when nothing was.
func (c *capture) known(path string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sums[path]
}

// recognise finds out the hash of a file that another session of the source
// brought, before it is run.
func (c *capture) recognise(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fs == nil || c.sums[path] != "" || len(c.sums) >= maxTaken {
		return
	}
	f, err := c.fs.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if own := f.Own(); own <= 0 || f.Stat().Size > maxSample {
		return
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxSample)); err != nil {
		return
	}
	if c.sums == nil {
		c.sums = map[string]string{}
	}
	c.sums[path] = hex.EncodeToString(h.Sum(nil))
}

// take sends one file and reports it; c.mu is held.
func (c *capture) take(path string, w written) {
	f, err := c.fs.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return // gone, by a way that no hook sees: its write is reported
	}
	defer f.Close()
	own := f.Own()
	if own < 0 {
		return // a copy of one of the machine's own files
	}
	size := f.Stat().Size
	e := honeyguide.Event{Class: honeyguide.ClassFile, Activity: honeyguide.ActivitySample, Severity: honeyguide.SeverityMedium}
	e.Set(honeyguide.AttrPath, clean(path))
	e.Set(honeyguide.AttrSize, size)
	e.Set(honeyguide.AttrTool, w.tool)
	key := taken{w.sum, path}
	if w.size == size && c.taken[key] {
		return
	}
	switch room := min(maxPerSession-c.sent, maxSample); {
	case own == 0:
		e.Set(honeyguide.AttrSHA256, w.sum)
		e.Set(honeyguide.AttrKept, "no: only zeros")
	case w.size == size && c.ses.world.flow.knows(w.sum, c.ses.now()):
		e.Set(honeyguide.AttrSHA256, w.sum) // the core has it
	case room <= 0 || !c.ses.world.flow.take(min(size, room), c.ses.now()):
		e.Set(honeyguide.AttrSHA256, w.sum)
		e.Set(honeyguide.AttrKept, "no: over the limit of content")
	default:
		n, sum := c.send(f, min(size, room), &e)
		c.sent += n
		if n == size {
			w.sum = sum
			c.ses.world.flow.learn(sum, c.ses.now())
		}
		e.Set(honeyguide.AttrSHA256, w.sum)
	}
	c.note(taken{w.sum, path})
	c.ses.Emit(e)
}

// note remembers what was taken; c.mu is held.
func (c *capture) note(k taken) {
	if c.taken == nil {
		c.taken = map[taken]bool{}
	}
	if c.sums == nil {
		c.sums = map[string]string{}
	}
	if len(c.taken) < maxTaken {
		c.taken[k] = true
		c.sums[k.path] = k.sum
	}
}

// send sends the first n bytes of a file in pieces, under a number that the event
// names, and returns how many there were and their hash.
func (c *capture) send(f *vfs.File, n int64, e *honeyguide.Event) (sent int64, sum string) {
	number := c.ses.world.files.Add(1)
	e.Set(ipc.AttrFile, int64(number))
	var h hash.Hash = sha256.New()
	for sent < n {
		buf := make([]byte, min(n-sent, ipc.MaxPiece))
		k, err := io.ReadFull(f, buf)
		if k == 0 {
			break
		}
		_, _ = h.Write(buf[:k])
		c.ses.sink.Piece(ipc.Piece{File: number, At: uint64(sent), Data: buf[:k]})
		sent += int64(k)
		if err != nil {
			break
		}
	}
	return sent, hex.EncodeToString(h.Sum(nil))
}

// outflow bounds the content all sessions send within a minute, and remembers
// for a while what was sent: bots of one kind bring one program.
type outflow struct {
	mu   sync.Mutex
	last time.Time
	used int64
	sent map[string]time.Time // by hash
}

// What is remembered as sent, and for how long: the core may give it up later.
const (
	maxSent  = 4096
	sentLife = 30 * time.Minute
)

// knows reports content that was sent lately.
func (o *outflow) knows(sum string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, ok := o.sent[sum]
	return ok && now.Sub(at) < sentLife && now.Sub(at) >= 0
}

// learn notes content that was sent whole.
func (o *outflow) learn(sum string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent == nil || len(o.sent) >= maxSent {
		o.sent = map[string]time.Time{}
	}
	o.sent[sum] = now
}

// take reports whether n more bytes may leave now.
func (o *outflow) take(n int64, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if passed := now.Sub(o.last); passed < 0 || passed >= time.Minute {
		o.used = 0
		o.last = now
	}
	if o.used+n > maxPerMinute {
		return false
	}
	o.used += n
	return true
}

// numbering gives files their numbers.
type numbering = atomic.Uint64
