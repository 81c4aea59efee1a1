package coreutils

import (
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// front is inode and size, as -i and -s ask.
func (l *lister) front(e entry, wi, ws int) string {
	s := ""
	if l.flags['i'] {
		s += sprintf("%*d ", wi, e.Ino)
	}
	if l.flags['s'] {
		b := sprintf("%d", e.Blocks()/2)
		if l.human {
			b = humanSize(e.Blocks()*512, l.si)
		}
		s += sprintf("%*s ", ws, b)
	}
	if l.flags['Z'] && l.format != 'l' {
		s += "? "
	}
	return s
}

func (l *lister) linkTarget(e entry) string {
	t := e.Target
	path := e.Path
	i, err := l.p.FS.Stat(l.p.Cred, path)
	if l.quote {
		t = lsQuote(t)
	}
	if l.color && err == nil {
		if c := l.colours.of(l.p, i); c != "" {
			t = "\x1b[" + c + "m" + t + "\x1b[0m"
		}
	}
	if (l.classify || l.slash) && err == nil {
		t += classOf(i, l.classify, false)
	}
	return t
}

// long prints the lines of -l.
func (l *lister) long(list []entry, inFolder bool) {
	p := l.p
	var total int64
	var cells [][]string
	var wides [6]int
	major, minor := 0, 0
	for _, e := range list {
		if e.Type() == vfs.Char || e.Type() == vfs.Block {
			major, minor = max(major, len(sprintf("%d", e.Rdev>>8))), max(minor, len(sprintf("%d", e.Rdev&255)))
		}
	}
	for _, e := range list {
		total += e.Blocks()
		size := sprintf("%d", e.Size)
		if l.human {
			size = humanSize(e.Size, l.si)
		} else if l.block > 1 {
			size = sprintf("%d", (e.Size+l.block-1)/l.block)
		}
		if e.Type() == vfs.Char || e.Type() == vfs.Block {
			size = sprintf("%*d, %*d", major, e.Rdev>>8, minor, e.Rdev&255)
		}
		row := []string{sprintf("%d", e.Nlink), l.user(e.UID), l.group(e.GID), size, sprintf("%d", e.Ino), sprintf("%d", e.Blocks()/2)}
		if l.human {
			row[5] = humanSize(e.Blocks()*512, l.si)
		}
		for k, c := range row {
			wides[k] = max(wides[k], len(c))
		}
		cells = append(cells, row)
	}
	if inFolder {
		sum := sprintf("%d", total/2)
		if l.human {
			sum = humanSize(total*512, l.si)
		}
		p.print("total " + sum + "\n")
	}
	for i, e := range list {
		p.step(1)
		c := cells[i]
		line := l.front(e, wides[4], wides[5]) + modeString(e.Mode) + sprintf(" %*s", wides[0], c[0])
		if !l.flags['g'] {
			line += sprintf(" %-*s", wides[1], c[1])
		}
		if !l.flags['o'] && !l.flags['G'] {
			line += sprintf(" %-*s", wides[2], c[2])
		}
		if l.author {
			line += sprintf(" %-*s", wides[1], c[1])
		}
		if l.flags['Z'] {
			line += " ?"
		}
		line += sprintf(" %*s ", wides[3], c[3]) + l.when(l.time(e.Info)) + " " + e.shown + e.link
		p.print(line + "\n")
	}
}

func (l *lister) user(uid uint32) string {
	return l.named(uid, l.owners, l.p.userName)
}

func (l *lister) group(gid uint32) string {
	return l.named(gid, l.groups, l.p.groupName)
}

// named is the name of an id, looked up once, or its number under -n.
func (l *lister) named(id uint32, known map[uint32]string, lookup func(uint32) string) string {
	if l.flags['n'] {
		return sprintf("%d", id)
	}
	if _, ok := known[id]; !ok {
		known[id] = lookup(id)
	}
	return known[id]
}

// when writes a time: with the clock for the last six months, else the year.
func (l *lister) when(t time.Time) string {
	switch l.style {
	case "full-iso":
		return t.Format("2006-01-02 15:04:05.000000000 -0700")
	case "long-iso":
		return t.Format("2006-01-02 15:04")
	case "iso":
		return t.Format("01-02 15:04")
	}
	if strings.HasPrefix(l.style, "+") {
		return strftime(l.style[1:], t)
	}
	now := l.p.Now()
	if t.After(now) || now.Sub(t) > 31556952*time.Second/2 {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// modeString writes a mode as ls does.
func modeString(mode uint32) string {
	b := []byte("-rwxrwxrwx")
	b[0] = map[uint32]byte{vfs.Dir: 'd', vfs.Symlink: 'l', vfs.Char: 'c', vfs.Block: 'b', vfs.Fifo: 'p', vfs.Socket: 's', vfs.Regular: '-'}[mode&vfs.TypeMask]
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			b[1+i] = '-'
		}
	}
	special := func(bit uint32, at int, with, without byte) {
		if mode&bit != 0 {
			if b[at] == 'x' {
				b[at] = with
			} else {
				b[at] = without
			}
		}
	}
	special(vfs.Setuid, 3, 's', 'S')
	special(vfs.Setgid, 6, 's', 'S')
	special(vfs.Sticky, 9, 't', 'T')
	return string(b)
}

// humanSize writes a size as ls -h and df -h do: rounded up, one decimal below 10.
func humanSize(n int64, si bool) string {
	base, units := 1024.0, "KMGTPE"
	if si {
		base, units = 1000, "kMGTPE"
	}
	f := float64(n)
	if f < base {
		return sprintf("%d", n)
	}
	i := -1
	for f >= base && i < len(units)-1 {
		f /= base
		i++
	}
	ceil := func(x float64) float64 {
		t := float64(int64(x))
		if x > t {
			t++
		}
		return t
	}
	if t := ceil(f*10) / 10; t < 10 {
		return sprintf("%.1f%c", t, units[i])
	}
	t := ceil(f)
	if t >= base && i < len(units)-1 {
		return sprintf("1.0%c", units[i+1])
	}
	return sprintf("%.0f%c", t, units[i])
}
