package machine

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A Table is the processes and logins one attacker sees: the machine's own and
// those of the attacker's sessions. It may be used from any goroutine.
type Table struct {
	M   *Machine
	now func() time.Time

	mu       sync.Mutex
	live     map[int]*Process
	dead     map[int]bool // of the machine's own
	last     int
	logins   []Login
	failures []Failure

	version uint64 // counts changes of what Past tells
}

// maxLive bounds the processes of one attacker's sessions.
const maxLive = 1024

// NewTable returns a table for one attacker.
func (m *Machine) NewTable(now func() time.Time) *Table {
	return &Table{M: m, now: now, live: map[int]*Process{}}
}

// TableOf returns the table a file system carries, nil when it carries none.
func TableOf(f *vfs.FS) *Table {
	t, _ := f.View().(*Table)
	return t
}

// pidMax is Linux' limit on 64-bit machines.
const pidMax = 4194304

// Spawn adds a process and returns its id. A PID of 0 is given the next free
// one, which grows with the clock as on a machine that does other work; a zero
// Start becomes now. It returns 0 when the table is full: fork fails.
func (t *Table) Spawn(p Process) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.live) >= maxLive {
		return 0
	}
	now := t.now()
	if p.PID == 0 {
		// About one process every 40 seconds is the machine's own doing.
		t.last = max(t.last+1, t.M.NextPID+int(now.Sub(t.M.Boot)/(40*time.Second)))
		if t.last >= pidMax {
			t.last = 300
		}
		p.PID = t.last
	}
	if p.Start.IsZero() {
		p.Start = now
	}
	if p.Name == "" && len(p.Args) > 0 {
		p.Name = p.Args[0][strings.LastIndexByte(p.Args[0], '/')+1:]
	}
	if len(p.Name) > 15 {
		p.Name = p.Name[:15]
	}
	t.live[p.PID] = &p
	return p.PID
}

// Exec replaces what a process runs, keeping its id, start and terminal.
func (t *Table) Exec(pid int, exe string, args []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.live[pid]; ok && len(args) > 0 {
		p.Exe, p.Args = exe, args
		p.Name = args[0][strings.LastIndexByte(args[0], '/')+1:]
		p.Name = p.Name[:min(15, len(p.Name))]
	}
}

// Exit removes a process of a session.
func (t *Table) Exit(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, pid)
}

// Get returns a process.
func (t *Table) Get(pid int) (Process, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.live[pid]; ok {
		return *p, true
	}
	i, ok := t.own(pid)
	if !ok || t.dead[pid] {
		return Process{}, false
	}
	return t.M.Processes[i], true
}

func (t *Table) own(pid int) (int, bool) {
	return slices.BinarySearchFunc(t.M.Processes, pid, func(p Process, pid int) int { return cmp.Compare(p.PID, pid) })
}

// List returns all processes by id.
func (t *Table) List() []Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Process, 0, len(t.M.Processes)+len(t.live))
	for _, p := range t.M.Processes {
		if !t.dead[p.PID] {
			out = append(out, p)
		}
	}
	for _, p := range t.live {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	return out
}

// Kill sends a signal as user uid: ESRCH when there is no such process, EPERM
// when it is not the user's. Signal 0 only asks.
func (t *Table) Kill(uid uint32, pid, sig int) error {
	p, ok := t.Get(pid)
	switch {
	case !ok:
		return &vfs.Error{Errno: vfs.ESRCH}
	case uid != 0 && uid != p.UID:
		return &vfs.Error{Errno: vfs.EPERM}
	case sig == 0 || pid == 1 || p.KernelThread() || harmless(sig):
		return nil
	case p.Signal != nil:
		p.Signal(sig)
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.live[pid]; ok {
		delete(t.live, pid)
		return nil
	}
	if t.dead == nil {
		t.dead = map[int]bool{}
	}
	t.dead[pid] = true
	t.version++
	return nil
}

// harmless signals do not end a daemon: HUP, WINCH, CONT, CHLD, URG, USR1 and
// USR2 mean reload or nothing to those that run here.
func harmless(sig int) bool { return slices.Contains([]int{1, 10, 12, 17, 18, 23, 28}, sig) }

// maxLogins bounds the logins of one attacker a table holds.
const maxLogins = 256

// login records a session; one without a terminal who and last do not show.
func (t *Table) login(l Login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.logins) >= maxLogins {
		gone := slices.IndexFunc(t.logins, func(l Login) bool { return !l.Until.IsZero() })
		if gone < 0 {
			return
		}
		t.logins = slices.Delete(t.logins, gone, gone+1)
	}
	t.logins = append(t.logins, l)
	t.version++
}

// logout ends the session of an sshd.
func (t *Table) logout(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.logins {
		if t.logins[i].PID == pid && t.logins[i].Until.IsZero() {
			t.logins[i].Until = t.now()
			t.version++
		}
	}
}

// Logins returns all sessions, oldest first.
func (t *Table) Logins() []Login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(slices.Clone(t.M.Logins), t.logins...)
}

// A Past is what a table knows of an attacker's earlier visits.
type Past struct {
	Logins []Login // oldest first
	Dead   []int   // the machine's own processes that were ended
}

// maxPast bounds the earlier logins that are kept: the latest.
const maxPast = 64

// Past returns what to remember. A login that is still open ends now in it:
// nobody knows what comes after.
func (t *Table) Past() Past {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := Past{Logins: slices.Clone(t.logins[max(0, len(t.logins)-maxPast):])}
	for i := range p.Logins {
		if p.Logins[i].Until.IsZero() {
			p.Logins[i].Until = t.now()
		}
	}
	for pid := range t.dead {
		p.Dead = append(p.Dead, pid)
	}
	slices.Sort(p.Dead)
	return p
}

// Recall puts the past before what the table knows.
func (t *Table) Recall(p Past) {
	t.mu.Lock()
	defer t.mu.Unlock()
	earlier := slices.Clone(p.Logins[max(0, len(p.Logins)-maxPast):])
	t.logins = append(earlier, t.logins...)
	for _, pid := range p.Dead {
		if _, ok := t.own(pid); ok && pid > 1 {
			if t.dead == nil {
				t.dead = map[int]bool{}
			}
			t.dead[pid] = true
		}
	}
}

// A Failure is a login of the attacker's that was refused.
type Failure struct {
	User   string
	Peer   netip.AddrPort
	At     time.Time
	Server string // sshd, telnetd
}

// maxFailures bounds the refused logins that are remembered.
const maxFailures = 32

// Fail notes a refused login.
func (t *Table) Fail(f Failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failures) < maxFailures {
		t.failures = append(t.failures, f)
	}
}

// Own returns the attacker's own logins, oldest first, and refused ones.
func (t *Table) Own() ([]Login, []Failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.logins), slices.Clone(t.failures)
}

// Version counts the changes of what Past tells.
func (t *Table) Version() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.version
}

// FreeTTY returns the name of an unused pseudo terminal.
func (t *Table) FreeTTY() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	used := map[string]bool{}
	for _, l := range t.logins {
		if l.Until.IsZero() {
			used[l.TTY] = true
		}
	}
	for i := range 64 {
		if tty := "pts/" + itoa(i); !used[tty] {
			return tty
		}
	}
	return "pts/64"
}

// itoa writes small numbers.
func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
