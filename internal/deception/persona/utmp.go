package persona

import (
	"encoding/binary"
	"net/netip"
	"time"

	"honeyguide/internal/deception/machine"
)

// Sizes of the records of utmp(5) and lastlog(5) on amd64.
const (
	utmpSize    = 384
	lastlogSize = 292
)

// Types of records, from utmp(5).
const (
	utRunLevel = 1
	utBoot     = 2
	utLogin    = 6
	utUser     = 7
	utDead     = 8
)

// A utmpEntry is one record of utmp, wtmp and btmp.
type utmpEntry struct {
	kind           uint16
	pid            int
	line, id, user string
	host           string
	at             time.Time
}

// bytes is the record as login(1) writes it.
func (u utmpEntry) bytes() []byte {
	b := make([]byte, utmpSize)
	le := binary.LittleEndian
	le.PutUint16(b, u.kind)
	le.PutUint32(b[4:], uint32(u.pid))
	copy(b[8:40], u.line)
	copy(b[40:44], u.id)
	copy(b[44:76], u.user)
	copy(b[76:332], u.host)
	le.PutUint32(b[340:], uint32(u.at.Unix()))
	le.PutUint32(b[344:], uint32(u.at.Nanosecond()/1000))
	if a, err := netip.ParseAddr(u.host); err == nil && a.Is4() {
		a4 := a.As4()
		copy(b[348:], a4[:])
	}
	return b
}

// booted are the records a start leaves behind: utmp begins with them.
func booted(m *machine.Machine) []utmpEntry {
	kernel := m.Kernel.Release
	return []utmpEntry{
		{kind: utBoot, line: "~", id: "~~", user: "reboot", host: kernel, at: m.Boot},
		{kind: utLogin, pid: 500 + int(m.Seed%200), line: "tty1", id: "tty1", user: "LOGIN", at: m.Boot.Add(9 * time.Second)},
		{kind: utRunLevel, pid: '5', line: "~", id: "~~", user: "runlevel", host: kernel, at: m.Boot.Add(12 * time.Second)},
	}
}

// wtmp is every login the machine remembers and the start behind them, oldest
// first.
func wtmp(m *machine.Machine) (all []utmpEntry) {
	all = booted(m)
	for i, l := range m.Logins {
		if l.Reboot || l.TTY == "" {
			continue
		}
		pid := l.PID
		if pid == 0 {
			pid = 1000 + int((m.Seed+uint64(i)*7919)%28000)
		}
		all = append(all, utmpEntry{utUser, pid, l.TTY, id(l.TTY), l.User, l.From, l.At})
		if !l.Until.IsZero() {
			all = append(all, utmpEntry{kind: utDead, pid: pid, line: l.TTY, id: id(l.TTY), at: l.Until})
		}
	}
	return all
}

// failures are the logins that failed in the two weeks up to the start, or since
// the machine was installed. Their records are made when they are read.
type failures struct {
	seed  uint64
	from  time.Time
	gap   time.Duration
	count int64
}

func btmp(m *machine.Machine) *failures {
	from, to := m.Boot.Add(-14*24*time.Hour), m.Boot.Add(time.Hour)
	if m.Installed.After(from) {
		from = m.Installed
	}
	n := int64(30 + m.Seed%400)
	gap := max(time.Minute, to.Sub(from)/time.Duration(n))
	return &failures{m.Seed, from, gap, max(1, min(n, int64(to.Sub(from)/gap)))}
}

// entry is the i-th of them.
func (f *failures) entry(i int64) utmpEntry {
	at := f.from.Add(time.Duration(i+1) * f.gap)
	k := mix(uint64(at.Unix()) ^ f.seed)
	peer := netip.AddrFrom4([4]byte{byte(45 + k>>8%150), byte(k >> 16), byte(k >> 24), byte(k>>32%254 + 1)})
	user := []string{"root", "admin", "ubuntu", "test", "oracle", "git", "ftpuser", "root"}[k>>40%8]
	return utmpEntry{utLogin, 1000 + int(k>>44%28000), "ssh:notty", "", user, peer.String(), at.Add(-time.Duration(k % uint64(f.gap)))}
}

// ReadAt implements vfs.Source.
func (f *failures) ReadAt(p []byte, off int64) {
	clear(p)
	for i := off / utmpSize; i < f.count && i*utmpSize < off+int64(len(p)); i++ {
		rec := f.entry(i).bytes()
		if from := i*utmpSize - off; from < 0 {
			copy(p, rec[-from:])
		} else {
			copy(p[from:], rec)
		}
	}
}

// id is the short name of a terminal: its last four letters.
func id(tty string) string { return tty[max(0, len(tty)-4):] }

// records are the bytes of a file of records.
func records(all []utmpEntry) string {
	var b []byte
	for _, u := range all {
		b = append(b, u.bytes()...)
	}
	return string(b)
}

// lastlog is the file of last logins, a record for each user's number.
func lastlog(m *machine.Machine, uid func(user string) (int, bool)) *sparse {
	s := &sparse{at: map[int64][]byte{}, step: lastlogSize}
	last := map[string]machine.Login{}
	for _, l := range m.Logins {
		if !l.Reboot && l.TTY != "" && l.At.After(last[l.User].At) {
			last[l.User] = l
		}
	}
	for user, l := range last {
		n, ok := uid(user)
		if !ok {
			continue
		}
		b := make([]byte, lastlogSize)
		binary.LittleEndian.PutUint32(b, uint32(l.At.Unix()))
		copy(b[4:36], l.TTY)
		copy(b[36:], l.From)
		s.at[int64(n)] = b
	}
	return s
}

// A sparse file has records at some places and zeros everywhere else.
type sparse struct {
	at   map[int64][]byte
	step int64
}

// ReadAt implements vfs.Source.
func (s *sparse) ReadAt(p []byte, off int64) {
	clear(p)
	for n, rec := range s.at {
		from := n*s.step - off
		switch {
		case from >= int64(len(p)) || from+s.step <= 0:
		case from < 0:
			copy(p, rec[-from:])
		default:
			copy(p[from:], rec)
		}
	}
}
