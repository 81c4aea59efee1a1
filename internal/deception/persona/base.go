package persona

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/image"
)

// The shipped indexes hold facts only. `make image` makes them from Debian's own
// packages; see docs/how-to/add-a-persona.md.
var (
	//go:embed images/debian-12.hgi
	debianIndex []byte // a server root of 246 packages
	//go:embed images/debian-12-kernel.hgi
	kernelIndex []byte // on top of it: a kernel and what it needs
	//go:embed images/debian-12-server.hgi
	serverIndex []byte // on top of both: web server, PHP, MariaDB, tools
)

// indexedRelease is the kernel the index was made with.
const indexedRelease = "6.1.0-56-amd64"

// layer puts an index into the image and takes over its packages.
func (b *builder) layer(raw []byte) {
	if b.err != nil {
		return
	}
	x, err := image.Read(raw)
	if err != nil {
		b.check(fmt.Errorf("read the index: %w", err))
		return
	}
	b.rename(x)
	for _, p := range x.Removed {
		b.check(b.h.Image.Remove(p))
	}
	g := vfs.Graft{Entries: make([]vfs.Entry, len(x.Entries)), Parent: make([]int32, len(x.Entries)), Same: make([]int32, len(x.Entries)), Order: x.Ordered}
	c := contents{x: x, forms: map[form]*form{}, files: make([]file, 0, regular(x)), keys: make([]uint64, len(x.Entries))}
	for i := range x.Entries {
		e := &x.Entries[i]
		g.Parent[i], g.Same[i] = e.Parent, e.Same
		g.Entries[i] = vfs.Entry{Path: e.Name, Mode: e.Mode, UID: e.UID, GID: e.GID, Size: e.Size, Mtime: b.when(e), Rdev: e.Rdev, Target: e.Target}
		c.keys[i] = hashOf(e.Name)
		if i > 0 {
			c.keys[i] ^= mix(c.keys[e.Parent])
		}
		if e.Type() == image.Regular && e.Same < 0 && e.Size > 0 {
			c.entry(&g.Entries[i], int32(i))
		}
	}
	ids, err := b.h.Image.Graft(g)
	if err != nil {
		b.check(fmt.Errorf("index %s: %w", x.Name, err))
		return
	}
	b.h.dpkg.take(x, ids)
}

// when turns an index's time into the host's: what the installation made has
// the time of this host's installation, and nothing is younger than the host.
func (b *builder) when(e *image.Entry) time.Time {
	if e.Late {
		return b.h.Machine.Installed.Add(time.Duration(e.Mtime) * time.Second)
	}
	t := time.Unix(e.Mtime, 0)
	if t.After(b.newest) {
		return b.newest
	}
	return t
}

// rename gives files and packages of the kernel the release this host runs.
func (b *builder) rename(x *image.Index) {
	k := b.h.Machine.Kernel.Release
	if k == indexedRelease {
		return
	}
	r := strings.NewReplacer(indexedRelease, k, strings.TrimSuffix(indexedRelease, "-amd64"), strings.TrimSuffix(k, "-amd64"))
	built := b.h.Machine.Kernel.Built().Add(10*time.Hour + 17*time.Minute + 40*time.Second).Unix()
	for i := range x.Entries {
		e := &x.Entries[i]
		if strings.Contains(e.Name, "6.1.0-56") || strings.Contains(e.Target, "6.1.0-56") {
			e.Name, e.Target = r.Replace(e.Name), r.Replace(e.Target)
		}
		if e.Owner >= 0 && !e.Late && strings.HasPrefix(x.Packages[e.Owner].Name, "linux-image-6") {
			e.Mtime = built
		}
	}
	for i := range x.Packages {
		p := &x.Packages[i]
		if !strings.Contains(p.Name, "linux-image") {
			continue
		}
		p.Name = r.Replace(p.Name)
		for n := range p.Fields {
			f := &p.Fields[n]
			switch f.Key {
			case "Version":
				f.Value = kernelVersion(b.h.Machine)
			case "Source":
				f.Value = "linux-signed-amd64 (" + strings.Replace(kernelVersion(b.h.Machine), "-", "+", 1) + ")"
			default:
				f.Value = r.Replace(f.Value)
			}
		}
		for n := range p.Extra {
			p.Extra[n] = r.Replace(p.Extra[n])
		}
	}
}

// contents gives the files of an index their bytes.
type contents struct {
	x     *image.Index
	forms map[form]*form
	files []file
	keys  []uint64           // of every path
	py    map[pySource]int32 // made when the first byte code comes
}

// regular counts the files that need bytes made for them.
func regular(x *image.Index) int {
	n := 0
	for i := range x.Entries {
		if e := &x.Entries[i]; e.Type() == image.Regular && e.Same < 0 && e.Size > 0 && e.Body == nil {
			n++
		}
	}
	return n
}

type pySource struct {
	folder int32
	name   string
}

func (c *contents) entry(e *vfs.Entry, i int32) {
	n := &c.x.Entries[i]
	if n.Body != nil {
		e.Text = string(n.Body)
		return
	}
	f := file{key: c.keys[i] ^ uint64(n.Size)*0x9e3779b97f4a7c15, size: n.Size}
	switch n.Kind {
	case image.Text:
		s, head := styleOf(n.Name, n.Head, c.machine(i))
		f.form = c.form(image.Text, head, s)
	case image.Gzip:
		name := ""
		if n.Head == "n" {
			name = strings.TrimSuffix(n.Name, ".gz") + "\x00"
		}
		f.form = c.form(image.Gzip, name, plain)
	case image.ELF:
		f.form = c.form(image.ELF, n.Head, plain)
	case image.Pyc:
		f.form = c.form(image.Pyc, "", plain)
		e.Source = &code{file: f, source: c.source(i, e.Mtime)}
		return
	default:
		f.form = c.form(n.Kind, n.Head, plain)
	}
	c.files = append(c.files, f) // never grows beyond what was made for it
	e.Source = &c.files[len(c.files)-1]
}

// machine reports whether a text is for the machine to read rather than for
// people: it is below /etc or /usr/lib.
func (c *contents) machine(i int32) bool {
	top, below := "", ""
	for ; i > 0; i = c.x.Entries[i].Parent {
		top, below = c.x.Entries[i].Name, top
	}
	return top == "etc" || top == "usr" && below == "lib"
}

func (c *contents) form(kind image.Kind, head string, s style) *form {
	like := form{kind: kind, head: head, style: s}
	f := c.forms[like]
	if f == nil {
		f = &form{kind: kind, head: head, style: s}
		if kind == image.ELF {
			f.elf, _ = image.ParseELF(head)
			f.head = ""
		}
		c.forms[like] = f
	}
	return f
}

// source returns time and size of the file a byte code was compiled from, as
// its header holds them.
func (c *contents) source(i int32, made time.Time) uint64 {
	if c.py == nil {
		c.py = map[pySource]int32{}
		for k := range c.x.Entries {
			if e := &c.x.Entries[k]; strings.HasSuffix(e.Name, ".py") {
				c.py[pySource{e.Parent, e.Name}] = int32(k)
			}
		}
	}
	e := &c.x.Entries[i]
	name, _, _ := strings.Cut(e.Name, ".")
	if k, ok := c.py[pySource{c.x.Entries[e.Parent].Parent, name + ".py"}]; ok {
		src := &c.x.Entries[k]
		return uint64(src.Size)<<32 | uint64(uint32(src.Mtime))
	}
	return uint64(e.Size)<<32 | uint64(uint32(made.Unix()))
}
