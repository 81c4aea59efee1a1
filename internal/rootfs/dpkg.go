package rootfs

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"honeyguide/internal/image"
)

const (
	statusFile = "/var/lib/dpkg/status"
	infoFolder = "/var/lib/dpkg/info/"
)

// packages reads dpkg's data base; a root without one has no packages.
func (r *reader) packages() error {
	f, err := os.Open(r.real(statusFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read packages: %w", err)
	}
	defer f.Close()
	d := dpkg{r: r, at: map[string]int32{}, conf: map[string]bool{}}
	for i := range r.x.Entries {
		d.at[r.x.Path(int32(i))] = int32(i)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		if err := d.line(lines.Text()); err != nil {
			return fmt.Errorf("read packages: %s line %d: %w", r.real(statusFile), n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read packages: %s: %w", r.real(statusFile), err)
	}
	if err := d.line(""); err != nil {
		return fmt.Errorf("read packages: %w", err)
	}
	d.sizes()
	return nil
}

type dpkg struct {
	r    *reader
	now  image.Package
	key  string
	at   map[string]int32 // entries by path
	conf map[string]bool  // of the package being read
}

// line takes one line of the status file; an empty one ends a package.
func (d *dpkg) line(s string) error {
	switch {
	case s == "":
		if d.now.Name == "" {
			return nil
		}
		defer func() { d.now, d.key = image.Package{}, ""; clear(d.conf) }()
		if !strings.HasSuffix(d.now.Get("Status"), " installed") {
			return nil
		}
		return d.installed()
	case s[0] == ' ':
		if d.key == "Conffiles" {
			p, _, _ := strings.Cut(s[1:], " ")
			d.conf[p] = true
		}
		return nil // the rest of a description is somebody's text, not a fact
	}
	key, value, ok := strings.Cut(s, ":")
	if !ok {
		return fmt.Errorf("%.40q is no field", s)
	}
	d.key, value = key, strings.TrimSpace(value)
	switch key {
	case "Package":
		d.now.Name = value
	case "Maintainer", "Original-Maintainer":
		value = team(value)
	}
	if key != "Conffiles" {
		d.now.Fields = append(d.now.Fields, image.Field{Key: key, Value: value})
	}
	return nil
}

// team leaves the names of groups and drops those of people.
func team(s string) string {
	for _, list := range []string{"@lists.", "@packages.", "@tracker.", "@alioth-lists."} {
		if strings.Contains(s, list) {
			return s
		}
	}
	return "Debian Developers <debian-devel@lists.debian.org>"
}

// installed reads the package's own lists and gives it its files.
func (d *dpkg) installed() error {
	p := d.now
	x := d.r.x
	me := int32(len(x.Packages))
	base := d.base(p)
	b, err := os.ReadFile(d.r.real(base + ".list"))
	if err != nil {
		return fmt.Errorf("package %s: %w", p.Name, err)
	}
	_, err = os.Stat(d.r.real(base + ".md5sums"))
	p.MD5 = err == nil
	listed := slices.Collect(strings.SplitSeq(strings.TrimSpace(string(b)), "\n"))
	var own []image.Listed
	mine := map[string]bool{"/.": true}
	for _, s := range listed {
		i, short, ok := d.find(s)
		if !ok || x.Entries[i].Type() == image.Dir || x.Entries[i].Owner >= 0 {
			continue
		}
		e := &x.Entries[i]
		e.Owner, e.Short, e.Conf = me, short, d.conf[s]
		own = append(own, image.Listed{Path: s, Link: e.Type() == image.Symlink})
		mine[s] = true
	}
	// What follows from the files needs no saying; the rest is kept.
	for s := range strings.SplitSeq(image.ListText(own, nil), "\n") {
		mine[s] = true
	}
	for _, s := range listed {
		if !mine[s] && !slices.ContainsFunc(listed, func(o string) bool { return !mine[o] && strings.HasPrefix(o, s+"/") }) {
			p.Extra = append(p.Extra, s)
		}
	}
	x.Packages = append(x.Packages, p)
	return nil
}

// base is where a package's own files lie: packages that may be installed for
// several architectures carry theirs in the name.
func (d *dpkg) base(p image.Package) string {
	arch := infoFolder + p.Name + ":" + p.Get("Architecture")
	if _, ok := d.at[arch+".list"]; ok {
		return arch
	}
	return infoFolder + p.Name
}

// find looks a listed path up, through the links of a merged /usr.
func (d *dpkg) find(s string) (i int32, short, ok bool) {
	if i, ok = d.at[s]; ok {
		return i, false, true
	}
	i, ok = d.at["/usr"+s]
	return i, ok, ok
}

// sizes gives the lists the length of the text the index makes of them.
func (d *dpkg) sizes() {
	x := d.r.x
	for n, own := range x.Owned() {
		p := &x.Packages[n]
		l := make([]image.Listed, len(own))
		for k, i := range own {
			l[k] = image.Listed{Path: x.Spelled(i), Link: x.Entries[i].Type() == image.Symlink}
		}
		if i, ok := d.at[d.base(*p)+".list"]; ok {
			x.Entries[i].Size = int64(len(image.ListText(l, p.Extra)))
		}
	}
}
