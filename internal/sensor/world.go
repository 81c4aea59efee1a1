package sensor

import (
	"container/list"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

// A Bait is a honeytoken planted in this world.
type Bait struct {
	ID, Kind, Path string
	Needles        [][]byte // byte strings that tell it left the decoy
	Credentials    []Credential
}

// A WorldConfig says what a world is made of.
type WorldConfig struct {
	Host  *persona.Host
	Seed  []byte
	Baits []Bait
	Quota vfs.Quota // of one source address; zero: the defaults of vfs
	Now   func() time.Time
	Shell ShellFunc // nil: the real shell

	Sources int          // remembered in this process; 0: 2048
	Memory  int64        // bytes all sessions and changed files may take together; 0: 256 MiB
	Keeper  Keeper       // remembers them for longer; nil: nothing does
	Log     *slog.Logger // nil discards
}

// A World is the pretended machine as all sensors of one process share it. One
// source address has one view of its files over all services and keeps it while
// it is remembered, here or by the [Keeper]. All methods may be called from any goroutine.
type World struct {
	Host *persona.Host

	seed   []byte
	quota  vfs.Quota
	now    func() time.Time
	shell  ShellFunc
	baits  []Bait
	bait   *needles
	users  map[string]Account
	most   int
	pool   *vfs.Pool // of all sessions and overlays
	memory int64     // that the pool has
	flow   outflow   // content on its way to the core
	files  numbering // of files sent

	keeper  Keeper
	log     *slog.Logger
	ended   chan struct{} // one token: a source's last session has ended
	handing sync.Mutex    // one handing over at a time

	mu      sync.Mutex
	active  map[*source]struct{}         // those that may have changed
	sources map[netip.Addr]*list.Element // of *source
	recent  list.List                    // most recently used first
}

// NewWorld returns the world of a host on which everything is planted already.
func NewWorld(c WorldConfig) *World {
	w := &World{
		Host: c.Host, seed: c.Seed, quota: c.Quota, now: c.Now, shell: c.Shell, baits: c.Baits,
		sources: map[netip.Addr]*list.Element{}, active: map[*source]struct{}{},
		keeper: c.Keeper, log: c.Log, ended: make(chan struct{}, 1),
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.most = c.Sources; w.most <= 0 {
		w.most = sourcesKept
	}
	if w.memory = c.Memory; w.memory <= 0 {
		w.memory = poolBytes
	}
	w.pool = vfs.NewPool(w.memory, nil)
	if w.now == nil {
		w.now = time.Now
	}
	if w.shell == nil {
		w.shell = newShell
	}
	var texts [][]byte
	var tags []int
	for i, b := range c.Baits {
		for _, n := range b.Needles {
			for _, form := range forms(n) {
				texts = append(texts, form)
				tags = append(tags, i)
			}
		}
	}
	w.bait = newNeedles(texts, tags)
	fs := c.Host.Image.NewFS(vfs.Quota{}, w.now)
	w.users = parseAccounts(text(fs, "/etc/passwd"), text(fs, "/etc/group"))
	return w
}

// forms returns a needle as it looks plain, in hex, and in base64 wherever it
// may begin in a group of three bytes.
func forms(n []byte) [][]byte {
	out := [][]byte{n, []byte(hex.EncodeToString(n))}
	for shift := range 3 {
		padded := append(make([]byte, shift), n...)
		text := base64.StdEncoding.EncodeToString(padded)
		// Characters that also carry bits of the neighbours are cut off.
		from := []int{0, 2, 3}[shift]
		to := len(padded) / 3 * 4
		if rest := len(padded) % 3; rest > 0 {
			to += rest // whole characters of the last, broken group
		}
		if to-from >= minNeedle {
			out = append(out, []byte(text[from:to]))
		}
	}
	return out
}

// FS returns the session's handle on its source's files. Reads of bait and
// finished writes through it become events of the session.
func (w *World) FS(s *Session) *vfs.FS {
	fs := w.filesOf(w.known(s.Src.Addr())).Handle()
	w.mu.Unlock()
	fs.OnRead(s.read)
	fs.OnWrite(s.wrote)
	fs.OnSettle(s.samples.settle)
	s.samples.watch(s, fs)
	return fs
}

// poolOf returns the memory a session's source may use.
func (w *World) poolOf(s *Session) *vfs.Pool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.source(s.Src.Addr()).pool
}

// read notes that a file was read: bait in it may leave by ways no search sees.
func (s *Session) read(path string) {
	// A login shell loads its own history; that is nobody reading it.
	if strings.HasSuffix(path, "_history") {
		return
	}
	for i := range s.world.baits {
		if s.world.baits[i].Path == path {
			s.mu.Lock()
			s.expose(i, false)
			s.mu.Unlock()
		}
	}
}

// wrote reports a file written from a shell.
func (s *Session) wrote(path string, size int64, sha string) { s.stored(path, size, sha, "") }

// stored reports a written file; tool is the protocol that brought it, "" for a
// shell.
func (s *Session) stored(path string, size int64, sha, tool string) {
	e := honeyguide.Event{Class: honeyguide.ClassFile, Activity: honeyguide.ActivityFileWrite}
	e.Set(honeyguide.AttrPath, clean(path))
	e.Set(honeyguide.AttrSize, size)
	e.Set(honeyguide.AttrSHA256, sha)
	e.Set(honeyguide.AttrTool, tool)
	s.Emit(e)
	s.samples.wrote(path, size, sha, tool)
}

// clean makes a path of the peer's choice text.
func clean(path string) string { return strings.ToValidUTF8(cut(path, 4096), "\ufffd") }

// exposureEvent says that bait left, and by what.
func (w *World) exposureEvent(x exposure, by string) honeyguide.Event {
	b := &w.baits[x.token]
	e := honeyguide.Event{
		Class: honeyguide.ClassFile, Activity: honeyguide.ActivityTokenExposed,
		Severity: honeyguide.SeverityMedium,
	}
	e.Set(honeyguide.AttrToken, b.ID)
	e.Set(honeyguide.AttrTokenKind, b.Kind)
	e.Set(honeyguide.AttrPath, b.Path)
	e.Set(honeyguide.AttrCommand, by)
	if x.sent {
		e.Set(honeyguide.AttrDetail, "seen in what was sent to the peer")
	} else {
		e.Set(honeyguide.AttrDetail, "its file was read; it was not seen in what was sent")
	}
	return e
}

// An Account is a line of the machine's passwd file.
type Account struct {
	User, Home, Shell string
	Cred              vfs.Cred
}

// Account returns the account called user if it has a login shell.
func (w *World) Account(user string) (Account, bool) {
	a, ok := w.users[user]
	return a, ok
}

// parseAccounts reads the accounts with a login shell from the texts of passwd
// and group.
func parseAccounts(passwd, group string) map[string]Account {
	out := map[string]Account{}
	for line := range strings.Lines(passwd) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 7 || !strings.HasSuffix(f[6], "sh") {
			continue
		}
		uid, err1 := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err1 != nil || err2 != nil {
			continue
		}
		out[f[0]] = Account{User: f[0], Home: f[5], Shell: f[6], Cred: vfs.Cred{UID: uint32(uid), GID: uint32(gid)}}
	}
	for line := range strings.Lines(group) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 4 {
			continue
		}
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		for user := range strings.SplitSeq(f[3], ",") {
			if a, ok := out[user]; ok && !slices.Contains(a.Cred.Groups, uint32(gid)) {
				a.Cred.Groups = append(a.Cred.Groups, uint32(gid))
				out[user] = a
			}
		}
	}
	return out
}

// text returns the content of a file of at most 1 MiB as root sees it, "" when
// there is none.
func text(fs *vfs.FS, path string) string {
	f, err := fs.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 1<<20))
	return string(b)
}

// draw returns a number that belongs to what under seed, always the same.
func draw(seed []byte, what string) uint64 {
	m := hmac.New(sha256.New, seed)
	m.Write([]byte(what))
	return binary.BigEndian.Uint64(m.Sum(nil))
}

// Kernel returns the release of the machine's kernel.
func (w *World) Kernel() string { return w.Host.Machine.Kernel.Release }
