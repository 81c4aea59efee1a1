package coreutils

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

func diskCommands(name string) Command {
	switch name {
	case "df":
		return df
	case "du":
		return du
	case "mount":
		return mount
	case "umount", "swapon", "swapoff":
		return umount
	case "stat":
		return statCmd
	case "file":
		return fileCmd
	case "lsblk":
		return lsblk
	case "fdisk", "blkid":
		return blkid
	}
	return nil
}

func df(p *Proc) int {
	opts, args, ok := p.getopt("aB:hHiklPt:Tvx:", "all,a", "block-size=,B", "human-readable,h", "si,H", "inodes,i", "local,l", "portability,P", "total", "type=,t", "print-type,T", "exclude-type=,x", "output?", "sync", "no-sync")
	if !ok {
		return 1
	}
	flags := map[string]bool{}
	unit, types := int64(1), ""
	for _, o := range opts {
		flags[o.name] = true
		if o.name == "t" {
			types = o.val
		}
		if o.name == "B" {
			if n, good := size(strings.TrimLeft("1"+strings.TrimLeft(o.val, "0123456789"), " ")); good {
				unit = max(1, n/1024)
			}
		}
	}
	m := p.machine()
	var list []machine.Mount
	status := 0
	for _, t := range m.Mounts {
		if t.Size > 0 && (types == "" || t.Type == types) {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b machine.Mount) int { return 0 })
	if len(args) > 0 {
		var picked []machine.Mount
		for _, a := range args {
			i, err := p.stat(a)
			if err != nil {
				p.errorf("%s: %s", a, why(err))
				status = 1
				continue
			}
			for _, t := range m.Mounts {
				if t.Dev == i.Dev {
					picked = append(picked, t)
					break
				}
			}
		}
		list = picked
	}
	if len(list) == 0 {
		return cmp.Or(status, 1)
	}
	rows := [][]string{dfHead(flags)}
	for _, t := range list {
		used := m.UsedKiB(t, p.Now())
		avail := t.Size - used
		if t.Type == "ext4" {
			avail -= t.Size * 5 / 100
		}
		show := func(k int64) string {
			if flags["h"] || flags["H"] {
				return humanSize(k*1024, flags["H"])
			}
			return strconv.FormatInt((k+unit-1)/unit, 10)
		}
		pct := func(u, a int64) string {
			if u+a <= 0 {
				return "-"
			}
			return sprintf("%d%%", (u*100+u+a-1)/(u+a))
		}
		row := []string{t.Source}
		if flags["T"] {
			row = append(row, t.Type)
		}
		if flags["i"] {
			in := max(t.Inodes, t.Size/4)
			row = append(row, strconv.FormatInt(in, 10), strconv.FormatInt(max(1, t.InodesUsed), 10), strconv.FormatInt(in-max(1, t.InodesUsed), 10), pct(max(1, t.InodesUsed), in-max(1, t.InodesUsed)))
		} else {
			row = append(row, show(t.Size), show(used), show(max(0, avail)), pct(used, max(0, avail)))
		}
		rows = append(rows, append(row, t.Target))
	}
	p.table2(rows, flags["T"])
	return status
}

func dfHead(flags map[string]bool) []string {
	h := []string{"Filesystem"}
	if flags["T"] {
		h = append(h, "Type")
	}
	switch {
	case flags["i"]:
		h = append(h, "Inodes", "IUsed", "IFree", "IUse%")
	case flags["h"] || flags["H"]:
		h = append(h, "Size", "Used", "Avail", "Use%")
	case flags["P"]:
		h = append(h, "1024-blocks", "Used", "Available", "Capacity")
	default:
		h = append(h, "1K-blocks", "Used", "Available", "Use%")
	}
	return append(h, "Mounted on")
}

// table2 prints df's columns: names left, numbers right, at least so wide.
func (p *Proc) table2(rows [][]string, typed bool) {
	left := 1
	if typed {
		left = 2
	}
	w := make([]int, len(rows[0]))
	for i := range w {
		switch {
		case i == 0:
			w[i] = 14
		case i >= left && i < len(w)-2:
			w[i] = 5
		case i == len(w)-2:
			w[i] = 4
		}
		for _, r := range rows {
			w[i] = max(w[i], len(r[i]))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r {
			if i > 0 {
				b.WriteByte(' ')
			}
			switch {
			case i == len(r)-1:
				b.WriteString(c)
			case i < left:
				b.WriteString(sprintf("%-*s", w[i], c))
			default:
				b.WriteString(sprintf("%*s", w[i], c))
			}
		}
		p.print(b.String() + "\n")
	}
}

func du(p *Proc) int {
	opts, args, ok := p.getopt("0aB:bcd:DhHklLmPsSxX:t:", "all,a", "apparent-size", "block-size=,B", "bytes,b", "total,c", "max-depth=,d", "human-readable,h", "summarize,s", "separate-dirs,S", "one-file-system,x", "exclude=", "si", "time?", "threshold=,t", "null,0", "dereference,L")
	if !ok {
		return 1
	}
	flags := map[string]bool{}
	depth := 1 << 30
	var exclude []string
	for _, o := range opts {
		flags[o.name] = true
		switch o.name {
		case "d":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 0 {
				p.errorf("invalid maximum depth %s", p.q(o.val))
				return p.try(1)
			}
			depth = n
		case "s":
			depth = 0
		case "exclude":
			exclude = append(exclude, o.val)
		}
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	status := 0
	var total int64
	seen := map[uint64]bool{}
	show := func(n int64, name string) {
		switch {
		case flags["h"] || flags["si"]:
			p.print(humanSize(n, flags["si"]) + "\t" + name + "\n")
		case flags["b"]:
			p.printf("%d\t%s\n", n, name)
		case flags["m"]:
			p.printf("%d\t%s\n", (n+1<<20-1)>>20, name)
		default:
			p.printf("%d\t%s\n", (n+1023)/1024, name)
		}
	}
	var walk func(name string, i vfs.Info, d int) int64
	walk = func(name string, i vfs.Info, d int) int64 {
		p.step(2)
		for _, x := range exclude {
			if glob(x, base(name)) {
				return 0
			}
		}
		n := i.Blocks() * 512
		if flags["b"] || flags["apparent-size"] {
			n = i.Size
		}
		if i.Nlink > 1 && !i.IsDir() {
			if seen[i.Ino] {
				return 0
			}
			if len(seen) < 1<<14 {
				seen[i.Ino] = true
			}
		}
		if !i.IsDir() {
			if d == 0 || flags["a"] && d <= depth {
				show(n, name)
			}
			return n
		}
		list, err := p.FS.ReadDir(p.Cred, p.path(name))
		if err != nil {
			p.errorf("cannot read directory %s: %s", qa(name), why(err))
			status = 1
		}
		for _, e := range list {
			if d < maxTree {
				n += walk(strings.TrimSuffix(name, "/")+"/"+e.Name, e, d+1)
			}
		}
		if d <= depth {
			show(n, name)
		}
		return n
	}
	for _, a := range args {
		i, err := p.lstat(a)
		if err != nil {
			p.errorf("cannot access %s: %s", qa(a), why(err))
			status = 1
			continue
		}
		total += walk(a, i, 0)
	}
	if flags["c"] {
		show(total, "total")
	}
	return status
}

func mount(p *Proc) int {
	opts, args, ok := p.getopt("aBcfFhilnMo:O:rRsT:t:vVwL:U:", "all,a", "bind,B", "options=,o", "types=,t", "read-only,r", "verbose,v", "fake,f", "move,M", "rbind,R", "label=,L", "uuid=,U")
	if !ok {
		return 1
	}
	types := ""
	for _, o := range opts {
		switch o.name {
		case "t":
			types = o.val
		case "a":
			return 0
		}
	}
	if len(args) == 0 {
		for _, m := range p.machine().Mounts {
			if types == "" || slices.Contains(strings.Split(types, ","), m.Type) {
				p.printf("%s on %s type %s (%s)\n", m.Source, m.Target, m.Type, m.Options)
			}
		}
		return 0
	}
	if p.Cred.UID != 0 {
		p.complain("mount: " + args[len(args)-1] + ": must be superuser to use mount.\n       dmesg(1) may have more information after failed mount system call.\n")
		return 1
	}
	target := args[len(args)-1]
	if len(args) == 1 {
		for _, o := range opts {
			if o.name == "o" && strings.Contains(o.val, "remount") {
				return 0
			}
		}
		p.errorf("%s: can't find in /etc/fstab.", target)
		return 1
	}
	if i, err := p.stat(target); err != nil || !i.IsDir() {
		p.complain("mount: " + target + ": mount point does not exist.\n       dmesg(1) may have more information after failed mount system call.\n")
		return 32
	}
	if _, err := p.stat(args[0]); err != nil && types == "" {
		p.complain("mount: " + target + ": special device " + args[0] + " does not exist.\n       dmesg(1) may have more information after failed mount system call.\n")
		return 32
	}
	return 0
}

func umount(p *Proc) int {
	var args []string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			args = append(args, a)
		}
	}
	for _, a := range args {
		if p.Cred.UID != 0 {
			p.errorf("%s: must be superuser to unmount.", a)
			return 32
		}
		i, err := p.stat(a)
		mounted := slices.ContainsFunc(p.machine().Mounts, func(m machine.Mount) bool { return err == nil && m.Target == i.Path })
		switch {
		case p.name != "umount":
		case err != nil:
			p.errorf("%s: no mount point specified.", a)
			return 32
		case !mounted:
			p.errorf("%s: not mounted.", a)
			return 32
		default:
			p.errorf("%s: target is busy.", a)
			return 32
		}
	}
	return 0
}

func lsblk(p *Proc) int {
	p.print("NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n")
	short := func(n int64) string {
		s := humanSize(n, false)
		return strings.TrimSuffix(s, ".0"+s[len(s)-1:]) + map[bool]string{true: s[len(s)-1:]}[strings.HasSuffix(s, ".0"+s[len(s)-1:])]
	}
	for _, d := range p.machine().Disks {
		p.printf("%-6s %3d:%-3d  0 %4s  0 disk \n", d.Name, d.Major, 0, short(d.Size))
		for i, part := range d.Parts {
			branch := "├─"
			if i == len(d.Parts)-1 {
				branch = "└─"
			}
			if !p.utf8() {
				branch = map[bool]string{true: "`-", false: "|-"}[i == len(d.Parts)-1]
			}
			p.printf("%s%s %3d:%-3s  0 %4s  0 part %s\n", branch, part.Name, d.Major, strings.TrimPrefix(part.Name, d.Name), short(part.Size), part.Mount)
		}
	}
	return 0
}

func blkid(p *Proc) int {
	if p.Cred.UID != 0 {
		return 2
	}
	for _, d := range p.machine().Disks {
		if p.name == "fdisk" {
			p.printf("Disk /dev/%s: %d GiB, %d bytes, %d sectors\nUnits: sectors of 1 * 512 = 512 bytes\nSector size (logical/physical): 512 bytes / 512 bytes\nI/O size (minimum/optimal): 512 bytes / 512 bytes\nDisklabel type: dos\nDisk identifier: 0x%08x\n\nDevice     Boot    Start       End   Sectors  Size Id Type\n", d.Name, d.Size>>30, d.Size, d.Size/512, uint32(p.machine().Seed))
		}
		for _, part := range d.Parts {
			switch {
			case p.name == "fdisk":
				p.printf("/dev/%-6s %-2s %9d %9d %9d %4s %2s %s\n", part.Name, map[bool]string{true: "*"}[part.Mount == "/"], part.Start/512, (part.Start+part.Size)/512-1, part.Size/512, humanSize(part.Size, false), map[string]string{"ext4": "83", "swap": "82", "": "5"}[part.Type], map[string]string{"ext4": "Linux", "swap": "Linux swap / Solaris", "": "Extended"}[part.Type])
			case part.UUID != "":
				p.printf("/dev/%s: UUID=\"%s\" BLOCK_SIZE=\"4096\" TYPE=\"%s\" PARTUUID=\"%08x-0%s\"\n", part.Name, part.UUID, part.Type, uint32(p.machine().Seed), part.Name[len(part.Name)-1:])
			}
		}
	}
	return 0
}

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
	format, follow, end, fs := "", false, "\n", false
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
			format = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o"
		}
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
			p.statFS(a, i)
		case format != "":
			p.print(statFormat(p, format, a, i) + end)
		default:
			p.statLong(a, i)
		}
	}
	return status
}

func (p *Proc) statFS(a string, i vfs.Info) {
	m := p.machine()
	for _, t := range m.Mounts {
		if t.Dev == i.Dev {
			used := m.UsedKiB(t, p.Now())
			p.printf("  File: \"%s\"\n    ID: %x Namelen: 255     Type: %s\nBlock size: 4096       Fundamental block size: 4096\nBlocks: Total: %-10d Free: %-10d Available: %d\nInodes: Total: %-10d Free: %d\n",
				a, m.Seed, map[string]string{"ext4": "ext2/ext3"}[t.Type]+map[bool]string{true: t.Type}[t.Type != "ext4"], t.Size/4, (t.Size-used)/4, (t.Size-used)/4-t.Size/80, t.Inodes, t.Inodes-t.InodesUsed)
			return
		}
	}
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
			s = p.groupName(i.GID)
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
			s = p.userName(i.UID)
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

func fileCmd(p *Proc) int {
	opts, args, ok := p.getopt("bcdEf:F:hiIkLlm:NnpP:rsSvzZ0", "brief,b", "mime,i", "mime-type", "mime-encoding", "dereference,L", "no-dereference,h", "keep-going,k", "separator=,F", "magic-file=,m", "special-files,s", "extension", "print0,0")
	if !ok {
		return 1
	}
	brief, mime, follow := false, false, false
	for _, o := range opts {
		brief = brief || o.name == "b"
		mime = mime || o.name == "i" || o.name == "mime-type"
		follow = follow || o.name == "L"
	}
	if len(args) == 0 {
		p.complain("Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]\n            [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]\n            <file> ...\n       file -C [-m <magicfiles>]\n       file [--help]\n")
		return 1
	}
	wide := 0
	for _, a := range args {
		wide = max(wide, len(a))
	}
	for _, a := range args {
		kind := p.describe(a, follow)
		if mime {
			kind = mimeOf(kind)
		}
		if brief {
			p.print(kind + "\n")
		} else {
			p.print(a + ":" + strings.Repeat(" ", wide-len(a)+1) + kind + "\n")
		}
	}
	return 0
}

func mimeOf(kind string) string {
	for _, m := range [][2]string{{"ELF", "application/x-pie-executable; charset=binary"}, {"directory", "inode/directory; charset=binary"}, {"symbolic", "inode/symlink; charset=binary"}, {"shell script", "text/x-shellscript; charset=us-ascii"}, {"gzip", "application/gzip; charset=binary"}, {"empty", "inode/x-empty; charset=binary"}, {"text", "text/plain; charset=us-ascii"}, {"cannot open", kind}} {
		if strings.Contains(kind, m[0]) {
			return m[1]
		}
	}
	return "application/octet-stream; charset=binary"
}

func (p *Proc) describe(a string, follow bool) string {
	i, err := p.lstat(a)
	if err == nil && follow {
		i, err = p.stat(a)
	}
	if err != nil {
		return "cannot open `" + a + "' (" + why(err) + ")"
	}
	switch i.Type() {
	case vfs.Dir:
		if i.Mode&vfs.Sticky != 0 {
			return "sticky, directory"
		}
		return "directory"
	case vfs.Symlink:
		if _, err := p.stat(a); err != nil {
			return "broken symbolic link to " + i.Target
		}
		return "symbolic link to " + i.Target
	case vfs.Fifo:
		return "fifo (named pipe)"
	case vfs.Socket:
		return "socket"
	case vfs.Char:
		return sprintf("character special (%d/%d)", i.Rdev>>8, i.Rdev&255)
	case vfs.Block:
		return sprintf("block special (%d/%d)", i.Rdev>>8, i.Rdev&255)
	}
	f, err := p.FS.Open(p.Cred, p.path(a), vfs.O_RDONLY, 0)
	if err != nil {
		return "regular file, no read permission"
	}
	defer f.Close()
	buf := make([]byte, 8192)
	n, _ := io.ReadFull(f, buf)
	return magic(buf[:n], i)
}

// magic tells what bytes are.
func magic(b []byte, i vfs.Info) string {
	prefix := ""
	if i.Mode&vfs.Setuid != 0 {
		prefix = "setuid "
	}
	if i.Mode&vfs.Setgid != 0 {
		prefix += "setgid "
	}
	switch {
	case len(b) == 0:
		return "empty"
	case bytes.HasPrefix(b, []byte("\x7fELF")):
		return prefix + elfKind(b)
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return "gzip compressed data, from Unix"
	case bytes.HasPrefix(b, []byte("BZh")):
		return "bzip2 compressed data, block size = 900k"
	case bytes.HasPrefix(b, []byte("\xfd7zXZ")):
		return "XZ compressed data, checksum CRC64"
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return "Zip archive data, at least v2.0 to extract, compression method=deflate"
	case len(b) > 262 && string(b[257:262]) == "ustar":
		return "POSIX tar archive (GNU)"
	case bytes.HasPrefix(b, []byte("\x89PNG")):
		return "PNG image data"
	case bytes.HasPrefix(b, []byte("%PDF")):
		return "PDF document, version 1.4"
	case bytes.HasPrefix(b, []byte("-----BEGIN OPENSSH PRIVATE KEY")):
		return "OpenSSH private key"
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return "data"
	}
	kind := "ASCII text"
	if !ascii(b) {
		kind = "Unicode text, UTF-8 text"
		if !bytes.Equal(bytes.ToValidUTF8(b, nil), b) {
			return "ISO-8859 text"
		}
	}
	if bytes.Contains(b, []byte("\r\n")) {
		kind += ", with CRLF line terminators"
	} else if bytes.IndexByte(b, '\n') < 0 {
		kind += ", with no line terminators"
	}
	if line, _, _ := bytes.Cut(b, []byte("\n")); bytes.HasPrefix(line, []byte("#!")) {
		words := strings.Fields(string(line[2:]))
		if len(words) > 0 {
			name := base(words[len(words)-1])
			script := map[string]string{"sh": "POSIX shell script", "bash": "Bourne-Again shell script", "dash": "POSIX shell script", "python3": "Python script", "perl": "Perl script"}[name]
			if script == "" {
				script = "a " + strings.Join(words, " ") + " script"
			}
			return prefix + script + ", " + strings.Replace(kind, " text", " text executable", 1)
		}
	}
	return kind
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func elfKind(b []byte) string {
	if len(b) < 64 {
		return "ELF"
	}
	class := map[byte]string{1: "32-bit", 2: "64-bit"}[b[4]]
	var order binary.ByteOrder = binary.LittleEndian
	endian := "LSB"
	if b[5] == 2 {
		order, endian = binary.BigEndian, "MSB"
	}
	arch := map[uint16]string{0x3e: "x86-64", 3: "Intel 80386", 0x28: "ARM, EABI5", 8: "MIPS, MIPS-I", 0xb7: "ARM aarch64", 0x14: "PowerPC or cisco 4500", 2: "SPARC", 0x2a: "Renesas SH"}[order.Uint16(b[18:])]
	interp := bytes.Contains(b, []byte("/lib64/ld-linux"))
	kind := map[uint16]string{1: "relocatable", 2: "executable", 3: "shared object", 4: "core file"}[order.Uint16(b[16:])]
	link := "dynamically linked"
	switch {
	case kind == "shared object" && interp:
		kind = "pie executable"
	case kind == "executable" && !interp:
		link = "statically linked"
	}
	s := sprintf("ELF %s %s %s, %s, version 1 (SYSV), %s", class, endian, kind, arch, link)
	if interp {
		s += ", interpreter /lib64/ld-linux-x86-64.so.2"
	}
	if at := bytes.Index(b, []byte("\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00")); at >= 0 && at+32 <= len(b) {
		s += ", BuildID[sha1]=" + hex.EncodeToString(b[at+12:at+32])
		if interp {
			s += ", for GNU/Linux 3.2.0"
		}
	}
	return s + ", stripped"
}
