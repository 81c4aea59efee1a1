package persona

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"weak"

	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/image"
)

// dpkg is the host's package data base: which package brought which file. Texts
// are made from it when they are read, and forgotten when memory is wanted.
type dpkg struct {
	img      *vfs.Image
	packages map[string]*brought

	mu     sync.Mutex
	status weak.Pointer[string]
	lists  map[string]weak.Pointer[string]
}

// brought is what one package brought.
type brought struct {
	image.Package
	files []owned
	key   string           // of the name of its lists: the name, or name:architecture
	md5   [][md5.Size]byte // of its files, once somebody asked; they cost seconds, so they are kept
}

// owned is one file: its number in the image, and how its package has it.
type owned uint32

const (
	ownedConf  owned = 1 << 31 // as configuration
	ownedShort owned = 1 << 30 // under its name before /usr was merged
)

func (o owned) id() uint32 { return uint32(o &^ (ownedConf | ownedShort)) }

func (o owned) conf() bool { return o&ownedConf != 0 }

// take adds the packages of an index whose entries became the files ids.
func (d *dpkg) take(x *image.Index, ids []uint32) {
	if d.packages == nil {
		d.packages = map[string]*brought{}
	}
	for i := range x.Packages {
		p := &x.Packages[i]
		if b := d.packages[p.Name]; b == nil {
			d.packages[p.Name] = &brought{Package: *p}
		} else if len(p.Fields) > 0 {
			b.Package = *p
		}
	}
	for n, list := range x.Owned() {
		b := d.packages[x.Packages[n].Name]
		had := b.files // from the layers below
		b.files = slices.Grow(b.files, len(list))
		for _, i := range list {
			o := owned(ids[i])
			if x.Entries[i].Conf {
				o |= ownedConf
			}
			if x.Entries[i].Short {
				o |= ownedShort
			}
			if at := slices.IndexFunc(had, func(f owned) bool { return f.id() == o.id() }); at >= 0 {
				b.files[at] = o
				continue
			}
			b.files = append(b.files, o)
		}
	}
}

// path returns a file's path and the one its package lists.
func (d *dpkg) path(o owned) (real, listed string) {
	real = d.img.PathOf(o.id())
	if o&ownedShort != 0 {
		return real, strings.TrimPrefix(real, "/usr")
	}
	return real, real
}

// list is the text of NAME.list.
func (d *dpkg) list(b *brought) string {
	return d.cached("l"+b.Name, func() string {
		own := make([]image.Listed, len(b.files))
		for i, o := range b.files {
			_, p := d.path(o)
			own[i] = image.Listed{Path: p, Link: d.img.Type(o.id()) == vfs.Symlink}
		}
		return image.ListText(own, b.Extra)
	})
}

// sums is the text of NAME.md5sums: the check sums of what is no configuration.
func (d *dpkg) sums(b *brought) string {
	return d.cached("m"+b.Name, func() string {
		var lines []string
		all := d.digests(b)
		for i, o := range b.files {
			if _, listed := d.path(o); d.img.Type(o.id()) == vfs.Regular && !o.conf() {
				lines = append(lines, hex.EncodeToString(all[i][:])+"  "+listed[1:]+"\n")
			}
		}
		slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(a[34:], b[34:]) })
		return strings.Join(lines, "")
	})
}

// digests returns the check sums of a package's files, in their order.
func (d *dpkg) digests(b *brought) [][md5.Size]byte {
	d.mu.Lock()
	known := b.md5
	d.mu.Unlock()
	if known != nil {
		return known
	}
	known = make([][md5.Size]byte, len(b.files))
	for i, o := range b.files {
		if d.img.Type(o.id()) == vfs.Regular {
			h := md5.New()
			_ = d.img.Content(o.id(), h)
			h.Sum(known[i][:0])
		}
	}
	d.mu.Lock()
	b.md5 = known
	d.mu.Unlock()
	return known
}

func (d *dpkg) md5(id uint32) string {
	h := md5.New()
	_ = d.img.Content(id, h)
	return hex.EncodeToString(h.Sum(nil))
}

// cached returns a text made before, if it is still in memory.
func (d *dpkg) cached(key string, made func() string) string {
	d.mu.Lock()
	s := d.lists[key].Value()
	d.mu.Unlock()
	if s != nil {
		return *s
	}
	text := made()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lists == nil {
		d.lists = map[string]weak.Pointer[string]{}
	}
	d.lists[key] = weak.Make(&text)
	return text
}

// A made text is a file whose content is computed as a whole.
type madeText func() string

// ReadAt implements vfs.Source.
func (m madeText) ReadAt(p []byte, off int64) {
	if s := m(); off < int64(len(s)) {
		copy(p, s[off:])
	}
}

// dpkgFiles replaces the files of dpkg's data base by what follows from the index.
func (b *builder) dpkgFiles() {
	d := &b.h.dpkg
	const dir = "/var/lib/dpkg/"
	for _, name := range b.h.packageNames() {
		p := d.packages[name]
		p.key = name
		if _, ok := b.h.Image.Find(dir + "info/" + name + ":" + p.Get("Architecture") + ".list"); ok {
			p.key = name + ":" + p.Get("Architecture")
		}
		b.remake(dir+"info/"+p.key+".list", keep, func() string { return d.list(p) })
		if p.MD5 {
			b.remake(dir+"info/"+p.key+".md5sums", keep, func() string { return d.sums(p) })
		}
		b.remake(dir+"info/"+p.key+".conffiles", keep, func() string { return d.conf(p) })
	}
	status := func() string { return d.cached("status", b.h.dpkgStatus) }
	size := b.h.statusSize()
	b.remake(dir+"status", size, status)
	b.remake(dir+"status-old", size, status)
}

// conf is the text of NAME.conffiles.
func (d *dpkg) conf(b *brought) string {
	var s strings.Builder
	for _, o := range b.files {
		if o.conf() {
			_, listed := d.path(o)
			s.WriteString(listed + "\n")
		}
	}
	return s.String()
}

// keep says that the index states the size already.
const keep = -1

// remake gives a file of the index another content, facts but its size unchanged.
func (b *builder) remake(path string, size int64, made func() string) {
	e, ok := b.h.Image.Find(path)
	switch {
	case !ok && size == keep:
		return
	case !ok:
		e = vfs.Entry{Mode: vfs.Regular | 0o644, Mtime: b.at}
	case size == keep:
		size = e.Size
	}
	e.Path, e.Size, e.Source = path, size, madeText(made)
	b.add(e)
}

// remade gives a file of the index a fixed text, facts but its size unchanged.
func (b *builder) remade(path, text string) {
	e, ok := b.h.Image.Find(path)
	if !ok {
		e = vfs.Entry{Mode: vfs.Regular | 0o644, Mtime: b.at}
	}
	e.Path, e.Text, e.Source = path, text, nil
	b.add(e)
}

func (h *Host) packageNames() []string {
	names := make([]string, 0, len(h.dpkg.packages))
	for n := range h.dpkg.packages {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Files returns the paths a package brought as `dpkg -L` lists them, folders
// included, or false when it is not installed.
func (h *Host) Files(name string) ([]string, bool) {
	p := h.dpkg.packages[name]
	if p == nil {
		return nil, false
	}
	return strings.Split(strings.TrimSuffix(h.dpkg.list(p), "\n"), "\n"), true
}

// Sums returns the check sums dpkg recorded for a package's files: MD5 in hex by
// path, configuration included.
func (h *Host) Sums(name string) map[string]string {
	p := h.dpkg.packages[name]
	if p == nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(h.dpkg.sums(p)) {
		out["/"+strings.TrimSuffix(line[34:], "\n")] = line[:32]
	}
	for _, o := range p.files {
		if o.conf() {
			_, listed := h.dpkg.path(o)
			out[listed] = h.dpkg.md5(o.id())
		}
	}
	return out
}

// Conffiles returns the paths of a package's configuration.
func (h *Host) Conffiles(name string) []string {
	p := h.dpkg.packages[name]
	if p == nil {
		return nil
	}
	var out []string
	for _, o := range p.files {
		if o.conf() {
			_, listed := h.dpkg.path(o)
			out = append(out, listed)
		}
	}
	slices.SortFunc(out, image.ComparePaths)
	return out
}

// Owners returns the packages that brought a path, by name: one for a file, often
// many for a folder.
func (h *Host) Owners(path string) []string {
	var out []string
	for _, name := range h.packageNames() {
		if p := h.dpkg.packages[name]; strings.Contains(h.dpkg.list(p), "\n"+path+"\n") {
			out = append(out, name)
		}
	}
	return out
}

// Status returns a package's paragraph in dpkg's data base, "" when it is not
// installed.
func (h *Host) Status(name string) string {
	p := h.dpkg.packages[name]
	if p == nil {
		return ""
	}
	var b strings.Builder
	for _, f := range p.Fields {
		if f.Key == "Description" {
			h.conffiles(&b, p)
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Key, f.Value)
	}
	return b.String()
}

// conffiles writes that field, in the package's order of paths.
func (h *Host) conffiles(w io.StringWriter, p *brought) {
	var lines []string
	for _, o := range p.files {
		if o.conf() {
			_, listed := h.dpkg.path(o)
			lines = append(lines, " "+listed+" "+h.dpkg.md5(o.id())+"\n")
		}
	}
	if len(lines) == 0 {
		return
	}
	slices.SortFunc(lines, image.ComparePaths)
	_, _ = w.WriteString("Conffiles:\n" + strings.Join(lines, ""))
}

// dpkgStatus is /var/lib/dpkg/status.
func (h *Host) dpkgStatus() string {
	var b strings.Builder
	for _, name := range h.packageNames() {
		b.WriteString(h.Status(name))
		b.WriteByte('\n')
	}
	return b.String()
}

// statusSize is how long that is, without a check sum computed.
func (h *Host) statusSize() int64 {
	n := 0
	for _, p := range h.dpkg.packages {
		n++
		for _, f := range p.Fields {
			n += len(f.Key) + len(": ") + len(f.Value) + len("\n")
		}
		any := false
		for _, o := range p.files {
			if o.conf() {
				_, listed := h.dpkg.path(o)
				any = true
				n += len("  \n") + len(listed) + md5.Size*2
			}
		}
		if any {
			n += len("Conffiles:\n")
		}
	}
	return int64(n)
}

// facts turns dpkg's fields into the Package other parts know.
func (p *brought) facts() Package {
	summary, _, _ := strings.Cut(p.Get("Description"), "\n")
	return Package{
		Name: p.Name, Version: p.Get("Version"), Arch: p.Get("Architecture"), Size: p.Get("Installed-Size"), Section: p.Get("Section"),
		Priority: p.Get("Priority"), Essential: p.Get("Essential") == "yes", Summary: summary, Fields: p.Fields,
	}
}
