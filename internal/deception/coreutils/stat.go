package coreutils

import (
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

var typeNames = map[uint32]string{vfs.Dir: "directory", vfs.Symlink: "symbolic link", vfs.Regular: "regular file", vfs.Fifo: "fifo", vfs.Char: "character special file", vfs.Block: "block special file", vfs.Socket: "socket"}

func typeName(i vfs.Info) string {
	if i.IsRegular() && i.Size == 0 {
		return "regular empty file"
	}
	return typeNames[i.Type()]
}

func statCmd(p *Proc) int {
	opts, args, ok := p.getopt("c:fLt", "format=,c", "printf=", "dereference,L", "file-system,f", "terse,t", "cached=")
	if !ok {
		return 1
	}
	format, follow, end, fs, terse := "", false, "\n", false, false
	for _, o := range opts {
		switch o.name {
		case "c":
			format, end = o.val, "\n"
		case "printf":
			format, _ = unescape(o.val, false)
			end = ""
		case "L":
			follow = true
		case "f":
			fs = true
		case "t":
			terse = true
		}
	}
	switch {
	case terse && fs:
		format = "%n %i %l %t %s %S %b %f %a %c %d"
	case terse:
		format = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o"
	}
	if !p.operands(args, 1) {
		return 1
	}
	status := 0
	for _, a := range args {
		get := p.lstat
		if follow {
			get = p.stat
		}
		i, err := get(a)
		if err != nil {
			verb := "cannot statx"
			if fs {
				verb = "cannot read file system information for"
			}
			p.errorf("%s %s: %s", verb, qa(a), why(err))
			status = 1
			continue
		}
		switch {
		case fs:
			p.statFS(a, i, format, end)
		case format != "":
			p.print(statFormat(p, format, a, i) + end)
		default:
			p.statLong(a, i)
		}
	}
	return status
}

func (p *Proc) statFS(a string, i vfs.Info, format, end string) {
	m := p.machine()
	for _, t := range m.Mounts {
		if t.Dev == i.Dev {
			used := m.UsedKiB(t, p.Now())
			if format != "" {
				p.print(statFSFormat(format, a, m.Seed, t, used) + end)
				return
			}
			p.printf("  File: \"%s\"\n    ID: %x Namelen: 255     Type: %s\nBlock size: 4096       Fundamental block size: 4096\nBlocks: Total: %-10d Free: %-10d Available: %d\nInodes: Total: %-10d Free: %d\n",
				a, m.Seed, map[string]string{"ext4": "ext2/ext3"}[t.Type]+map[bool]string{true: t.Type}[t.Type != "ext4"], t.Size/4, (t.Size-used)/4, (t.Size-used)/4-t.Size/80, t.Inodes, t.Inodes-t.InodesUsed)
			return
		}
	}
}

// fsMagic are the numbers of statfs(2) for the types a server mounts.
var fsMagic = map[string]string{
	"ext4": "ef53", "tmpfs": "1021994", "proc": "9fa0", "sysfs": "62656572", "devtmpfs": "1021994", "devpts": "1cd1", "cgroup2": "63677270",
	"securityfs": "73636673", "pstore": "6165676c", "bpf": "cafe4a11", "autofs": "187", "mqueue": "19800202", "debugfs": "64626720",
	"tracefs": "74726163", "hugetlbfs": "958458f6", "configfs": "62656570", "fusectl": "65735543", "ramfs": "858458f6",
}

// statFSFormat fills in stat -f -c.
func statFSFormat(format, name string, seed uint64, t machine.Mount, used int64) string {
	kind := t.Type
	switch kind {
	case "ext4":
		kind = "ext2/ext3"
	case "devtmpfs":
		kind = "tmpfs"
	case "bpf":
		kind = "bpf_fs"
	case "cgroup2":
		kind = "cgroup2fs"
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return strings.NewReplacer("%%", "%", "%a", number((t.Size-used)/4-map[bool]int64{true: t.Size / 80}[t.Type == "ext4"]), "%b", number(t.Size/4), "%c", number(t.Inodes),
		"%d", number(t.Inodes-t.InodesUsed), "%f", number((t.Size-used)/4), "%i", strconv.FormatUint(seed, 16), "%l", "255", "%n", name, "%N", name,
		"%s", "4096", "%S", "4096", "%t", fsMagic[t.Type], "%T", kind).Replace(format)
}

func (p *Proc) statLong(a string, i vfs.Info) {
	name := a
	if i.IsSymlink() {
		name += " -> " + i.Target
	}
	p.printf("  File: %s\n", name)
	p.printf("  Size: %-10d\tBlocks: %-10d IO Block: %-6d %s\n", i.Size, i.Blocks(), 4096, typeName(i))
	dev := sprintf("Device: %d,%d\tInode: %-11d Links: %d", i.Dev>>8, i.Dev&255, i.Ino, i.Nlink)
	if i.Type() == vfs.Char || i.Type() == vfs.Block {
		dev = sprintf("Device: %d,%d\tInode: %-11d Links: %-5d Device type: %d,%d", i.Dev>>8, i.Dev&255, i.Ino, i.Nlink, i.Rdev>>8, i.Rdev&255)
	}
	p.print(dev + "\n")
	p.printf("Access: (%04o/%s)  Uid: (%5d/%8s)   Gid: (%5d/%8s)\n", i.Perm(), modeString(i.Mode), i.UID, p.userName(i.UID), i.GID, p.groupName(i.GID))
	const layout = "2006-01-02 15:04:05.000000000 -0700"
	p.printf("Access: %s\nModify: %s\nChange: %s\n Birth: %s\n", i.Atime.Format(layout), i.Mtime.Format(layout), i.Ctime.Format(layout), p.birth(i).Format(layout))
}

// birth is when a file was made: the system's own with the system.
func (p *Proc) birth(i vfs.Info) time.Time {
	if m := p.machine(); i.Ctime.After(m.Installed) {
		return i.Ctime
	}
	return p.machine().Installed
}

func statFormat(p *Proc, format, name string, i vfs.Info) string {
	var b strings.Builder
	const layout = "2006-01-02 15:04:05.000000000 -0700"
	for k := 0; k < len(format); k++ {
		if format[k] != '%' || k+1 == len(format) {
			b.WriteByte(format[k])
			continue
		}
		k++
		start := k
		for k+1 < len(format) && strings.IndexByte("0123456789-.#+ ", format[k]) >= 0 {
			k++
		}
		s := ""
		switch format[k] {
		case '%':
			s = "%"
		case 'a':
			s = strconv.FormatUint(uint64(i.Perm()), 8)
		case 'A':
			s = modeString(i.Mode)
		case 'b':
			s = strconv.FormatInt(i.Blocks(), 10)
		case 'B':
			s = "512"
		case 'd':
			s = strconv.FormatUint(i.Dev, 10)
		case 'D':
			s = strconv.FormatUint(i.Dev, 16)
		case 'f':
			s = strconv.FormatUint(uint64(i.Mode), 16)
		case 'F':
			s = typeName(i)
		case 'g':
			s = strconv.Itoa(int(i.GID))
		case 'G':
			s = known(p.groupName(i.GID), i.GID)
		case 'h':
			s = strconv.Itoa(int(i.Nlink))
		case 'i':
			s = strconv.FormatUint(i.Ino, 10)
		case 'm':
			s = "/"
		case 'n':
			s = name
		case 'N':
			s = qa(name)
			if i.IsSymlink() {
				s += " -> " + qa(i.Target)
			}
		case 'o':
			s = "4096"
		case 's':
			s = strconv.FormatInt(i.Size, 10)
		case 't':
			s = strconv.FormatUint(i.Rdev>>8, 16)
		case 'T':
			s = strconv.FormatUint(i.Rdev&255, 16)
		case 'u':
			s = strconv.Itoa(int(i.UID))
		case 'U':
			s = known(p.userName(i.UID), i.UID)
		case 'w':
			s = p.birth(i).Format(layout)
		case 'W':
			s = strconv.FormatInt(p.birth(i).Unix(), 10)
		case 'x':
			s = i.Atime.Format(layout)
		case 'X':
			s = strconv.FormatInt(i.Atime.Unix(), 10)
		case 'y':
			s = i.Mtime.Format(layout)
		case 'Y':
			s = strconv.FormatInt(i.Mtime.Unix(), 10)
		case 'z':
			s = i.Ctime.Format(layout)
		case 'Z':
			s = strconv.FormatInt(i.Ctime.Unix(), 10)
		default:
			s = "?"
		}
		if w, err := strconv.Atoi(format[start:k]); err == nil && w < 1000 && w > -1000 {
			s = sprintf("%*s", w, s)
		}
		b.WriteString(s)
	}
	return b.String()
}

// known is a name, or what stat says of an id that has none.
func known(name string, id uint32) string {
	if name == strconv.FormatUint(uint64(id), 10) {
		return "UNKNOWN"
	}
	return name
}
