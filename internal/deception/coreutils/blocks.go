package coreutils

import (
	"slices"
	"strings"

	"honeyguide/internal/deception/machine"
)

// A smartColumn is one column of the tables util-linux prints.
type smartColumn struct {
	name  string
	right bool
}

// smartTable prints rows as libsmartcols does: each column as wide as its
// widest cell or its head, one blank between, nothing after the last.
func (p *Proc) smartTable(columns []smartColumn, rows [][]string, head bool) {
	if head {
		var names []string
		for _, c := range columns {
			names = append(names, c.name)
		}
		rows = append([][]string{names}, rows...)
	}
	wide := make([]int, len(columns))
	for i := range columns {
		if columns[i].name == "SIZE" {
			wide[i] = 5 // asked for by the programs, whatever the sizes are
		}
		for _, r := range rows {
			wide[i] = max(wide[i], len([]rune(r[i])))
		}
	}
	for _, r := range rows {
		p.step(1)
		var b strings.Builder
		for i, cell := range r {
			fill := strings.Repeat(" ", wide[i]-len([]rune(cell)))
			switch {
			case columns[i].right:
				b.WriteString(fill + cell)
			case i == len(r)-1:
				b.WriteString(cell)
			default:
				b.WriteString(cell + fill)
			}
			if i < len(r)-1 {
				b.WriteByte(' ')
			}
		}
		p.print(b.String() + "\n")
	}
}

// smartColumns finds the columns a -o names; an unknown one is refused.
func (p *Proc) smartColumns(list string, known []smartColumn) ([]smartColumn, bool) {
	var out []smartColumn
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(known, func(c smartColumn) bool { return strings.EqualFold(c.name, name) })
		if i < 0 {
			p.errorf("unknown column: %s", list)
			return nil, false
		}
		out = append(out, known[i])
	}
	return out, true
}

// lsblkColumns are those of the columns of lsblk that are known here.
var lsblkColumns = []smartColumn{
	{"NAME", false},
	{"MAJ:MIN", false},
	{"RM", true},
	{"SIZE", true},
	{"RO", true},
	{"TYPE", false},
	{"MOUNTPOINTS", false},
	{"FSTYPE", false},
	{"FSVER", false},
	{"LABEL", false},
	{"UUID", false},
	{"FSAVAIL", true},
	{"FSUSE%", true},
	{"MOUNTPOINT", false},
	{"KNAME", false},
	{"PATH", false},
	{"MODEL", false},
	{"SERIAL", false},
	{"PKNAME", false},
	{"OWNER", false},
	{"GROUP", false},
	{"MODE", false},
	{"PARTUUID", false},
	{"STATE", false},
	{"ROTA", true},
	{"TRAN", false},
	{"VENDOR", false},
}

// A blockDevice is a line of lsblk.
type blockDevice struct {
	name, branch string
	minor        string
	disk         machine.Disk
	part         *machine.Part
}

func lsblk(p *Proc) int {
	opts, args, ok := p.getopt(strict["lsblk"].letters, strict["lsblk"].long...)
	if !ok {
		return 1
	}
	flags := map[string]string{}
	for _, o := range opts {
		flags[o.name] = o.val
	}
	has := func(n string) bool { _, ok := flags[n]; return ok }
	show := "NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS"
	switch {
	case has("o") && strings.HasPrefix(flags["o"], "+"):
		show += "," + flags["o"][1:]
	case has("o"):
		show = flags["o"]
	case has("f"):
		show = "NAME,FSTYPE,FSVER,LABEL,UUID,FSAVAIL,FSUSE%,MOUNTPOINTS"
	case has("m"):
		show = "NAME,SIZE,OWNER,GROUP,MODE"
	}
	columns, ok := p.smartColumns(show, lsblkColumns)
	if !ok {
		return 1
	}
	devices := p.blockDevices(has("l") || has("r") || has("P"), has("d"))
	status := 0
	if len(args) > 0 {
		devices, status = p.pickDevices(devices, args)
	}
	var rows [][]string
	for _, d := range devices {
		var row []string
		for _, c := range columns {
			row = append(row, p.blockCell(d, c.name, has("b"), has("p")))
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		p.smartTable(columns, rows, !has("n"))
	}
	return status
}

// blockDevices are the disks and their parts in lsblk's order.
func (p *Proc) blockDevices(flat, disksOnly bool) []blockDevice {
	var out []blockDevice
	for _, d := range p.machine().Disks {
		out = append(out, blockDevice{name: d.Name, minor: "0", disk: d})
		for i := range d.Parts {
			if disksOnly {
				break
			}
			branch := "├─"
			last := i == len(d.Parts)-1
			switch {
			case flat:
				branch = ""
			case !p.utf8():
				branch = map[bool]string{true: "`-", false: "|-"}[last]
			case last:
				branch = "└─"
			}
			part := d.Parts[i]
			out = append(out, blockDevice{name: part.Name, branch: branch, minor: strings.TrimPrefix(part.Name, d.Name), disk: d, part: &part})
		}
	}
	return out
}

// pickDevices keeps the devices named on the command line, a disk with its parts.
func (p *Proc) pickDevices(all []blockDevice, names []string) (picked []blockDevice, status int) {
	for _, a := range names {
		name := strings.TrimPrefix(p.path(a), "/dev/")
		found := false
		for _, d := range all {
			switch {
			case d.name == name:
				d.branch = ""
				picked, found = append(picked, d), true
			case d.part != nil && d.disk.Name == name:
				picked = append(picked, d)
			}
		}
		if !found {
			p.errorf("%s: not a block device", a)
			status = 32
		}
	}
	return picked, status
}

// blockCell is one cell of lsblk's table.
func (p *Proc) blockCell(d blockDevice, column string, bytes, full bool) string {
	size, kind, mounted, fs, uuid := d.disk.Size, "disk", "", "", ""
	if d.part != nil {
		size, kind, mounted, fs, uuid = d.part.Size, "part", d.part.Mount, d.part.Type, d.part.UUID
	}
	path := "/dev/" + d.name
	switch column {
	case "NAME":
		if full {
			return d.branch + path
		}
		return d.branch + d.name
	case "KNAME":
		return d.name
	case "PATH":
		return path
	case "PKNAME":
		if d.part != nil {
			return d.disk.Name
		}
	case "MAJ:MIN":
		return sprintf("%3d:%-3s", d.disk.Major, d.minor)
	case "RM", "RO":
		return "0"
	case "ROTA":
		return "1"
	case "SIZE":
		if bytes {
			return sprintf("%d", size)
		}
		s := humanSize(size, false)
		return strings.Replace(s, ".0", "", 1)
	case "TYPE":
		return kind
	case "MOUNTPOINTS", "MOUNTPOINT":
		return mounted
	case "FSTYPE":
		return fs
	case "FSVER":
		return map[string]string{"ext4": "1.0", "swap": "1"}[fs]
	case "UUID":
		return uuid
	case "OWNER":
		return "root"
	case "GROUP":
		return "disk"
	case "MODE":
		return "brw-rw----"
	case "TRAN":
		return "virtio"
	case "VENDOR":
		if d.part == nil {
			return "0x1af4"
		}
	case "FSAVAIL", "FSUSE%":
		return p.fileSystemUse(mounted, column)
	}
	return ""
}

// fileSystemUse is how full the file system mounted at target is.
func (p *Proc) fileSystemUse(target, column string) string {
	for _, t := range p.machine().Mounts {
		if t.Target != target || t.Size == 0 {
			continue
		}
		used := p.machine().UsedKiB(t, p.Now())
		avail := t.Size - used - t.Size*5/100
		if column == "FSAVAIL" {
			return strings.Replace(humanSize(avail*1024, false), ".0", "", 1)
		}
		return sprintf("%d%%", used*100/max(1, t.Size))
	}
	return ""
}

// findmntColumns are those of the columns of findmnt that are known here.
var findmntColumns = []smartColumn{
	{"TARGET", false}, {"SOURCE", false}, {"FSTYPE", false}, {"OPTIONS", false}, {"VFS-OPTIONS", false}, {"SIZE", true}, {"USED", true}, {"AVAIL", true}, {"USE%", true}, {"UUID", false}, {"LABEL", false},
}

func findmnt(p *Proc) int {
	opts, args, ok := p.getopt(strict["findmnt"].letters, strict["findmnt"].long...)
	if !ok {
		return 1
	}
	flags := map[string]string{}
	for _, o := range opts {
		flags[o.name] = o.val
	}
	has := func(n string) bool { _, ok := flags[n]; return ok }
	show := "TARGET,SOURCE,FSTYPE,OPTIONS"
	switch {
	case has("o"):
		show = flags["o"]
	case has("D"):
		show = "SOURCE,FSTYPE,SIZE,USED,AVAIL,USE%,TARGET"
	}
	columns, ok := p.smartColumns(show, findmntColumns)
	if !ok {
		return 1
	}
	mounts := p.selectMounts(flags, args)
	if len(mounts) == 0 {
		return 1
	}
	tree := len(args) == 0 && !has("l") && !has("r") && !has("t") && !has("T") && !has("D") && !has("S")
	var rows [][]string
	for i, m := range mounts {
		var row []string
		for _, c := range columns {
			cell := map[string]string{"TARGET": m.Target, "SOURCE": m.Source, "FSTYPE": m.Type, "OPTIONS": m.Options, "VFS-OPTIONS": m.Options}[c.name]
			if c.name == "TARGET" && tree {
				cell = p.mountBranch(mounts, i) + cell
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	p.smartTable(columns, rows, !has("n"))
	return 0
}

// selectMounts are the mounts findmnt was asked for, children after parents.
func (p *Proc) selectMounts(flags map[string]string, args []string) []machine.Mount {
	var out []machine.Mount
	for _, m := range p.machine().Mounts {
		ok := true
		for _, a := range args {
			ok = ok && (m.Target == p.path(a) || m.Source == a)
		}
		if t, set := flags["t"]; set && !slices.Contains(strings.Split(t, ","), m.Type) {
			ok = false
		}
		if s, set := flags["S"]; set && m.Source != s {
			ok = false
		}
		if ok {
			out = append(out, m)
		}
	}
	if t, set := flags["T"]; set {
		i, err := p.stat(t)
		return slices.DeleteFunc(out, func(m machine.Mount) bool { return err != nil || m.Dev != i.Dev })
	}
	if len(args) > 0 || p.machine() == nil {
		return out
	}
	var sorted []machine.Mount
	var add func(parent string)
	add = func(parent string) {
		for _, m := range out {
			if mountParent(out, m.Target) == parent && len(sorted) < len(out) {
				sorted = append(sorted, m)
				add(m.Target)
			}
		}
	}
	add("")
	return sorted
}

// mountParent is the mount point that a mount point lies on, "" for the root.
func mountParent(all []machine.Mount, target string) string {
	best := ""
	for _, m := range all {
		if m.Target != target && len(m.Target) > len(best) && (m.Target == "/" || strings.HasPrefix(target, m.Target+"/")) {
			best = m.Target
		}
	}
	return best
}

// mountBranch draws the tree before a mount point.
func (p *Proc) mountBranch(all []machine.Mount, at int) string {
	last := func(target string) bool {
		parent := mountParent(all, target)
		for i := len(all) - 1; i >= 0; i-- {
			if mountParent(all, all[i].Target) == parent {
				return all[i].Target == target
			}
		}
		return true
	}
	marks := []string{"├─", "└─", "│ ", "  "}
	if !p.utf8() {
		marks = []string{"|-", "`-", "| ", "  "}
	}
	pick := func(target string, at int) string {
		if last(target) {
			at++
		}
		return marks[at]
	}
	target := all[at].Target
	parent := mountParent(all, target)
	if parent == "" {
		return ""
	}
	branch := pick(target, 0)
	for mountParent(all, parent) != "" {
		branch = pick(parent, 2) + branch
		parent = mountParent(all, parent)
	}
	return branch
}
