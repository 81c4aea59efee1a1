package coreutils

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/machine"
)

func diskCommands(name string) Command {
	switch name {
	case "df":
		return df
	case "du":
		return du
	case "mount":
		return mount
	case "umount", "swapoff":
		return umount
	case "swapon":
		return swapon
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
	unit, types := int64(1024), ""
	for _, o := range opts {
		flags[o.name] = true
		if o.name == "t" {
			types = o.val
		}
		if o.name == "B" {
			n, good := size(o.val)
			if _, err := strconv.Atoi(o.val[:min(1, len(o.val))]); err != nil {
				n, good = size("1" + o.val)
			}
			if !good || n < 1 {
				p.errorf("invalid -B argument %s", p.q(o.val))
				return 1
			}
			unit, flags["unit"] = n, true
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
	rows := [][]string{dfHead(flags, unit)}
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
			return strconv.FormatInt(blocksOf(k*1024, unit), 10)
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

// blocksOf rounds bytes up to blocks.
func blocksOf(n, unit int64) int64 { return (n + unit - 1) / unit }

func dfHead(flags map[string]bool, unit int64) []string {
	h := []string{"Filesystem"}
	if flags["T"] {
		h = append(h, "Type")
	}
	switch {
	case flags["i"]:
		h = append(h, "Inodes", "IUsed", "IFree", "IUse%")
	case flags["h"] || flags["H"]:
		h = append(h, "Size", "Used", "Avail", "Use%")
	case flags["unit"] && flags["P"]:
		h = append(h, strconv.FormatInt(unit, 10)+"-blocks", "Used", "Available", "Capacity")
	case flags["unit"]:
		h = append(h, unitName(unit)+"-blocks", "Used", "Available", "Use%")
	case flags["P"]:
		h = append(h, "1024-blocks", "Used", "Available", "Capacity")
	default:
		h = append(h, "1K-blocks", "Used", "Available", "Use%")
	}
	return append(h, "Mounted on")
}

// unitName names a block size as df's head does: by the largest power that
// divides it.
func unitName(n int64) string {
	letters := "BKMGTPE"
	i := 0
	for ; n%1024 == 0 && n > 0 && i < len(letters)-1; i++ {
		n /= 1024
	}
	if i > 0 {
		return strconv.FormatInt(n, 10) + letters[i:i+1]
	}
	for ; n%1000 == 0 && n > 0 && i < len(letters)-1; i++ {
		n /= 1000
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + "B"
	}
	return strconv.FormatInt(n, 10) + strings.Replace(letters[i:i+1], "K", "k", 1) + "B"
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
