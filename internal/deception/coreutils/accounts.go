package coreutils

import (
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// A table is one of the files of accounts: lines of fields between colons.
// Lines of another shape are kept as they are.
type table struct {
	p    *Proc
	path string
	rows [][]string
}

// The files of accounts and how many fields their lines have.
const (
	passwdFile, passwdFields   = "/etc/passwd", 7
	shadowFile, shadowFields   = "/etc/shadow", 9
	groupFile, groupFields     = "/etc/group", 4
	gshadowFile, gshadowFields = "/etc/gshadow", 4
)

func (p *Proc) accounts(path string) *table {
	t := &table{p: p, path: path}
	for line := range strings.Lines(p.slurp(path)) {
		p.step(1)
		t.rows = append(t.rows, strings.Split(strings.TrimSuffix(line, "\n"), ":"))
	}
	return t
}

// by finds the row whose column col holds val and which has at least n fields.
func (t *table) by(col int, val string, n int) []string {
	for _, r := range t.rows {
		if len(r) >= n && r[col] == val {
			return r
		}
	}
	return nil
}

func (t *table) add(fields ...string) { t.rows = append(t.rows, fields) }

// drop removes the rows of that name and tells whether there were any.
func (t *table) drop(name string) bool {
	n := len(t.rows)
	t.rows = slices.DeleteFunc(t.rows, func(r []string) bool { return r[0] == name })
	return len(t.rows) < n
}

// save writes the file back, whoever runs the program: those that get here are
// root's or set-uid.
func (t *table) save() {
	var b strings.Builder
	for _, r := range t.rows {
		b.WriteString(strings.Join(r, ":") + "\n")
	}
	_ = t.p.asRoot(func() error { return t.p.writeText(t.path, b.String()) })
}

// ids are the numbers in column 2 of passwd or group.
func (t *table) ids() map[uint64]bool {
	m := map[uint64]bool{}
	for _, r := range t.rows {
		if len(r) > 3 {
			if n, err := strconv.ParseUint(r[2], 10, 32); err == nil {
				m[n] = true
			}
		}
	}
	return m
}

// freeID picks a number as the shadow tools do: for people the one after the
// highest of 1000 to 60000, for the system the one below the lowest of 101 to
// 999, or the first free from above.
func freeID(used map[uint64]bool, system bool) uint64 {
	low, high := uint64(1000), uint64(60000)
	if system {
		low, high = 101, 999
	}
	next := low
	if system {
		next = high
	}
	for n := range used {
		switch {
		case n < low || n > high:
		case system && n <= next:
			next = n - 1
		case !system && n >= next:
			next = n + 1
		}
	}
	if next >= low && next <= high {
		return next
	}
	for i := low; i <= high; i++ {
		n := i
		if system {
			n = low + high - i
		}
		if !used[n] {
			return n
		}
	}
	return high
}

// members changes who belongs to which groups: in each group that pick accepts
// user is put or taken out. Both files of groups are kept in step.
func (p *Proc) members(user string, change func(group string, in bool) bool) {
	for _, path := range []string{groupFile, gshadowFile} {
		t := p.accounts(path)
		for _, r := range t.rows {
			if len(r) != groupFields {
				continue
			}
			list := splitList(r[3])
			in := slices.Contains(list, user)
			switch want := change(r[0], in); {
			case want && !in:
				list = append(list, user)
			case !want && in:
				list = slices.DeleteFunc(list, func(s string) bool { return s == user })
			default:
				continue
			}
			r[3] = strings.Join(list, ",")
		}
		t.save()
	}
}

// splitList cuts a list at its commas; an empty one has no members.
func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// today is the day as /etc/shadow counts: since 1970.
func (p *Proc) today() string { return strconv.FormatInt(p.Now().Unix()/86400, 10) }

// usage prints the first line of the program's usage text.
func (p *Proc) usage(status int) int {
	p.complain(manners[p.name].after)
	return status
}

// mayLock refuses all but root, as a program does that cannot lock its file.
func (p *Proc) mayLock(file string) bool {
	if p.Cred.UID == 0 {
		return true
	}
	p.errorf("Permission denied.")
	p.errorf("cannot lock %s; try again later.", file)
	return false
}

// addSubIDs gives the next 65536 subordinate ids of both kinds to a user.
func (p *Proc) addSubIDs(name string) {
	for _, path := range []string{"/etc/subuid", "/etc/subgid"} {
		t := p.accounts(path)
		next := uint64(100000)
		for _, r := range t.rows {
			if len(r) == 3 {
				from, _ := strconv.ParseUint(r[1], 10, 32)
				n, _ := strconv.ParseUint(r[2], 10, 32)
				next = max(next, from+n)
			}
		}
		t.add(name, strconv.FormatUint(next, 10), "65536")
		t.save()
	}
}

// makeHome copies the skeleton to a new home and gives it to its owner.
func (p *Proc) makeHome(skel, home string, uid, gid uint32) {
	c := &copier{p: p, recursive: true, noDeref: true}
	if i, err := p.stat(skel); err == nil && i.IsDir() {
		c.copy(skel, home, 0)
	} else if err := p.FS.Mkdir(p.Cred, home, 0o755); err != nil {
		p.errorf("cannot create directory %s", home)
		return
	}
	p.giveAway(home, uid, gid, 0)
	_ = p.FS.Chmod(p.Cred, home, 0o755)
}

// giveAway changes the owner of a whole folder.
func (p *Proc) giveAway(path string, uid, gid uint32, depth int) {
	p.step(1)
	_ = p.FS.Chown(p.Cred, path, uid, gid, false)
	list, err := p.FS.ReadDir(p.Cred, path)
	if err != nil || depth > 64 {
		return
	}
	for _, i := range list {
		if i.Name != "." && i.Name != ".." {
			p.giveAway(vfs.Join(path, i.Name), uid, gid, depth+1)
		}
	}
}
