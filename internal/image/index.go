// Package image is the index of a file system: the facts about every file of a
// root (name, mode, owner, size, time, link, what its bytes are) and about the
// packages that installed them, in one compact, reproducible file. It knows no
// disk: the room rootfs fills an [Index] from a real tree, the pretended host is
// made from one.
package image

import (
	"fmt"
	"strings"
)

// The file type bits of an entry's mode, as in Linux.
const (
	TypeMask uint32 = 0o170000
	Socket   uint32 = 0o140000
	Symlink  uint32 = 0o120000
	Regular  uint32 = 0o100000
	Block    uint32 = 0o060000
	Dir      uint32 = 0o040000
	Char     uint32 = 0o020000
	Fifo     uint32 = 0o010000
)

// A Kind says what a regular file's bytes are.
type Kind byte

// What regular files hold. The values are part of the format: append only.
const (
	None    Kind = iota // no regular file, or an empty one
	Text                // Head: the first line, when it is a fact (a script's interpreter)
	ELF                 // Head: see [ELFHead]
	Gzip                // Head: "n" when the header carries the file's name
	Pyc                 // Python byte code
	Archive             // ar, static libraries and .deb
	PNG
	GIF
	JPEG
	Message // gettext catalogue
	Terminfo
	Zone // compiled time zone
	XZ
	Bzip2
	Zstd
	Zip
	SQLite
	PGP  // binary key ring
	Data // anything else; Head: its first bytes when they are a known magic
	kinds
)

var kindNames = [...]string{"-", "text", "elf", "gzip", "pyc", "ar", "png", "gif", "jpeg", "mo", "terminfo", "zone", "xz", "bzip2", "zstd", "zip", "sqlite", "pgp", "data"}

// String returns the kind's short name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// An Entry is one name in the tree.
type Entry struct {
	Name     string // last element of the path; "" for the root
	Parent   int32  // position of the folder it is in; -1 for the root
	Mode     uint32 // type and permission bits
	UID, GID uint32
	Size     int64  // of regular files, and of folders as the file system said
	Mtime    int64  // Unix seconds; with Late, seconds after the installation began
	Late     bool   // made by the installation, not by a package
	Target   string // of a symbolic link
	Rdev     uint64 // of a device
	Same     int32  // position of the first name of a hard-linked file, or -1
	Kind     Kind
	Head     string // see Kind
	Owner    int32  // position of the package that installed it, or -1
	Conf     bool   // the package lists it as configuration
	Short    bool   // the package says /bin, /sbin or /lib where the file is below /usr
	Body     []byte // content, in images built with contents; nil otherwise
}

// Type returns the file type bits.
func (e *Entry) Type() uint32 { return e.Mode & TypeMask }

// A Field is one line of dpkg's data base.
type Field struct{ Key, Value string }

// A Package is one installed package: its fields without the description's long
// part, in dpkg's order, and the folders it lists though nothing of it is in them.
type Package struct {
	Name   string
	Fields []Field
	Extra  []string // further paths of its list, as it spells them
	MD5    bool     // it brought a list of check sums
}

// Get returns a field's value, "" when it is absent.
func (p *Package) Get(key string) string {
	for _, f := range p.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// An Index is one layer of an image: a whole root, or what changes on top of one.
type Index struct {
	Name     string
	Delta    bool     // a layer: entries replace or add, Removed are taken away
	Ordered  bool     // entries of a folder stand in the order the kernel listed them; else by name
	Entries  []Entry  // folders before what is in them; the first is the root
	Removed  []string // paths a layer takes away
	Packages []Package
}

// Path returns the absolute path of an entry.
func (x *Index) Path(i int32) string {
	if i <= 0 {
		return "/"
	}
	n := 0
	for k := i; k > 0; k = x.Entries[k].Parent {
		n += 1 + len(x.Entries[k].Name)
	}
	b := make([]byte, n)
	for k := i; k > 0; k = x.Entries[k].Parent {
		name := x.Entries[k].Name
		n -= len(name)
		copy(b[n:], name)
		n--
		b[n] = '/'
	}
	return string(b)
}

// Spelled returns the path as the entry's package lists it: files of packages
// older than the merged /usr are listed below /bin, /sbin and /lib.
func (x *Index) Spelled(i int32) string {
	p := x.Path(i)
	if x.Entries[i].Short {
		return strings.TrimPrefix(p, "/usr")
	}
	return p
}

// Check reports what makes an index unusable: the codec can carry it, a file
// system cannot.
func (x *Index) Check() error {
	if len(x.Entries) == 0 || x.Entries[0].Parent != -1 || x.Entries[0].Type() != Dir {
		return fmt.Errorf("index %q: the first entry is not the root folder", x.Name)
	}
	var above []int32 // the folders the entry before is in, and itself
	for i := range x.Entries {
		e := &x.Entries[i]
		bad := ""
		for len(above) > 0 && above[len(above)-1] != e.Parent {
			above = above[:len(above)-1]
		}
		switch {
		case i > 0 && (len(above) == 0 || x.Entries[e.Parent].Type() != Dir):
			bad = "is in no folder, or not next to what is in it"
		case i > 0 && (e.Name == "" || e.Name == "." || e.Name == ".." || len(e.Name) > 255 || strings.ContainsAny(e.Name, "/\x00")):
			bad = "has no lawful name"
		case e.Size < 0 || e.Size > maxSize:
			bad = "has an impossible size"
		case e.Same >= 0 && (int(e.Same) >= i || x.Entries[e.Same].Type() != Regular || x.Entries[e.Same].Same >= 0):
			bad = "is linked to what is no file before it"
		case e.Owner >= int32(len(x.Packages)):
			bad = "belongs to no package"
		case e.Type() == Symlink && (e.Target == "" || len(e.Target) > 4095):
			bad = "points nowhere"
		case e.Kind >= kinds:
			bad = "holds what this version does not know"
		case e.Body != nil && int64(len(e.Body)) != e.Size:
			bad = "has content of another size"
		}
		if bad != "" {
			return fmt.Errorf("index %q: entry %d (%q) %s", x.Name, i, e.Name, bad)
		}
		above = append(above, int32(i))
	}
	return nil
}

const maxSize = 1 << 44 // of one file, bytes
