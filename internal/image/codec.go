package image

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// The file: "HGIX", version, CRC-32 of the rest (IEEE, little endian), uvarint
// length of the columns unpacked, the columns deflated. Each column is a uvarint
// length and its bytes; what is alike stands together and so packs well.
const (
	magic   = "HGIX"
	version = 1

	maxPacked  = 512 << 20 // bytes of a file
	maxColumns = 1 << 30   // bytes of all columns
	maxEntries = 2 << 20
)

// Errors of Read.
var (
	ErrFormat = errors.New("not an image index")
	ErrDamage = errors.New("the image index is damaged")
)

// column numbers
const (
	cMeta = iota
	cDepth
	cPrefix
	cSuffix
	cMode
	cSize
	cTime
	cTarget
	cSame
	cKind
	cOwner
	cTables
	cPackages
	cBodies
	columns
)

// Write packs an index. Equal indexes give equal bytes.
func Write(w io.Writer, x *Index) error {
	if err := x.Check(); err != nil {
		return err
	}
	e := encoder{x: x, modes: table[[3]uint32]{}, heads: table[string]{}, times: table[int64]{}, recent: map[int32]int64{}}
	e.entries()
	e.packages()
	var raw bytes.Buffer
	for i := range e.col {
		raw.Write(binary.AppendUvarint(nil, uint64(e.col[i].Len())))
		raw.Write(e.col[i].Bytes())
	}
	var packed bytes.Buffer
	packed.Write(binary.AppendUvarint(nil, uint64(raw.Len())))
	z, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = z.Write(raw.Bytes())
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("pack index: %w", err)
	}
	head := append([]byte(magic), version)
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(packed.Bytes()))
	if _, err := w.Write(append(head, packed.Bytes()...)); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

// A table numbers values in the order they come.
type table[T comparable] map[T]int

func (t table[T]) of(v T) (n int, fresh bool) {
	n, ok := t[v]
	if !ok {
		n = len(t)
		t[v] = n
	}
	return n, !ok
}

type encoder struct {
	x     *Index
	col   [columns]bytes.Buffer
	modes table[[3]uint32]
	heads table[string]
	times table[int64]
	// recent is the last time of each owner.
	recent map[int32]int64
}

func (e *encoder) num(c int, n uint64) {
	var b [binary.MaxVarintLen64]byte
	e.col[c].Write(b[:binary.PutUvarint(b[:], n)])
}

func (e *encoder) str(c int, s string) {
	e.num(c, uint64(len(s)))
	e.col[c].WriteString(s)
}

func flag(b bool, v uint64) uint64 {
	if b {
		return v
	}
	return 0
}

// entries writes one row of every column per entry. Depth says how many folders
// to leave before the name; front coding is against the entry before.
func (e *encoder) entries() {
	x := e.x
	e.str(cMeta, x.Name)
	e.num(cMeta, flag(x.Delta, 1)|flag(x.Ordered, 2))
	e.num(cMeta, uint64(len(x.Entries)))
	e.num(cMeta, uint64(len(x.Removed)))
	for _, p := range x.Removed {
		e.str(cMeta, p)
	}
	last := ""
	lastOwner := int32(-1)
	for i := range x.Entries {
		n := &x.Entries[i]
		if i > 0 {
			up := uint64(0)
			for k := int32(i - 1); k != n.Parent; k = x.Entries[k].Parent {
				up++
			}
			e.num(cDepth, up)
		}
		p := shared(last, n.Name)
		e.num(cPrefix, uint64(p))
		e.col[cSuffix].WriteString(n.Name[p:])
		e.col[cSuffix].WriteByte(0)
		last = n.Name
		m, fresh := e.modes.of([3]uint32{n.Mode, n.UID, n.GID})
		e.num(cMode, uint64(m))
		if fresh {
			for _, v := range [3]uint32{n.Mode, n.UID, n.GID} {
				e.num(cTables, uint64(v))
			}
		}
		e.body(i, n)
		o := uint64(0)
		if n.Owner != lastOwner {
			o = uint64(n.Owner + 2)
		}
		e.num(cOwner, o<<2|flag(n.Conf, 1)|flag(n.Short, 2))
		lastOwner = n.Owner
		e.time(n)
	}
}

// time writes a time as that of the same package's last file (1), as the number
// of one seen before (from 2 on, backwards), or as new (0).
func (e *encoder) time(n *Entry) {
	key := n.Mtime << 1
	if n.Late {
		key |= 1
	}
	last, any := e.recent[n.Owner]
	e.recent[n.Owner] = key
	if any && last == key {
		e.num(cTime, 1)
		return
	}
	t, fresh := e.times.of(key)
	if fresh {
		e.num(cTime, 0)
		e.num(cTime, uint64(key)<<1^uint64(key>>63))
		return
	}
	e.num(cTime, uint64(len(e.times)-t)+1)
}

func (e *encoder) body(i int, n *Entry) {
	switch n.Type() {
	case Symlink:
		e.col[cTarget].WriteString(n.Target)
		e.col[cTarget].WriteByte(0)
	case Char, Block:
		e.num(cSize, n.Rdev)
	case Dir:
		e.num(cSize, uint64(n.Size)/1024<<1|flag(n.Size%1024 != 0, 1))
		if n.Size%1024 != 0 {
			e.num(cSize, uint64(n.Size)%1024)
		}
	case Regular:
		if n.Same >= 0 {
			e.num(cSame, uint64(i)<<1|1)
			e.num(cSame, uint64(n.Same))
		}
		e.num(cSize, uint64(n.Size))
		e.col[cKind].WriteByte(byte(n.Kind))
		h, fresh := e.heads.of(n.Head)
		e.num(cKind, uint64(h))
		if fresh {
			e.str(cPackages, n.Head)
		}
		if n.Body != nil {
			e.num(cBodies, uint64(i))
			e.str(cBodies, string(n.Body))
		}
	}
}

func (e *encoder) packages() {
	e.num(cMeta, uint64(len(e.x.Packages)))
	for i := range e.x.Packages {
		p := &e.x.Packages[i]
		e.str(cPackages, p.Name)
		e.num(cPackages, uint64(len(p.Fields)))
		for _, f := range p.Fields {
			e.str(cPackages, f.Key)
			e.str(cPackages, f.Value)
		}
		e.num(cPackages, uint64(len(p.Extra))<<1|flag(p.MD5, 1))
		for _, s := range p.Extra {
			e.str(cPackages, s)
		}
	}
}

func shared(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// Read unpacks an index. Whatever the bytes are, it answers with a sound index
// or an error and takes memory in proportion to what it read.
func Read(b []byte) (*Index, error) {
	if len(b) < 9 || string(b[:4]) != magic || len(b) > maxPacked {
		return nil, ErrFormat
	}
	if b[4] != version {
		return nil, fmt.Errorf("%w of version %d: version %d is there", ErrFormat, version, b[4])
	}
	packed := b[9:]
	if crc32.ChecksumIEEE(packed) != binary.LittleEndian.Uint32(b[5:]) {
		return nil, fmt.Errorf("%w: check sum", ErrDamage)
	}
	size, n := binary.Uvarint(packed)
	if n <= 0 || size > maxColumns {
		return nil, fmt.Errorf("%w: length", ErrDamage)
	}
	raw := bytes.NewBuffer(make([]byte, 0, min(size+512, 16<<20)))
	z := flate.NewReader(bytes.NewReader(packed[n:]))
	if got, err := io.Copy(raw, io.LimitReader(z, int64(size)+1)); err != nil || uint64(got) != size {
		return nil, fmt.Errorf("%w: columns", ErrDamage)
	}
	d := &decoder{recent: map[int32]int64{}}
	rest := raw.Bytes()
	for i := range d.col {
		l, n := binary.Uvarint(rest)
		if n <= 0 || l > uint64(len(rest)-n) {
			return nil, fmt.Errorf("%w: column %d", ErrDamage, i)
		}
		d.col[i], rest = rest[n:n+int(l)], rest[n+int(l):]
	}
	x := d.index()
	if d.bad {
		return nil, ErrDamage
	}
	if err := x.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamage, err)
	}
	return x, nil
}

type decoder struct {
	col   [columns][]byte
	bad   bool
	modes [][3]uint32
	heads []string
	times []int64
	// recent is the last time of each owner.
	recent map[int32]int64
}

func (d *decoder) num(c int) uint64 {
	v, n := binary.Uvarint(d.col[c])
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.col[c] = d.col[c][n:]
	return v
}

func (d *decoder) str(c int) string {
	n := d.num(c)
	if n > uint64(len(d.col[c])) {
		d.bad = true
		return ""
	}
	s := string(d.col[c][:n])
	d.col[c] = d.col[c][n:]
	return s
}

// word takes a zero-terminated string's bytes.
func (d *decoder) word(c int) []byte {
	i := bytes.IndexByte(d.col[c], 0)
	if i < 0 {
		d.bad = true
		return nil
	}
	w := d.col[c][:i]
	d.col[c] = d.col[c][i+1:]
	return w
}

// count reads how many of something follow; each takes a byte at least.
func (d *decoder) count(c int) int {
	n := d.num(c)
	if n > uint64(len(d.col[c])) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) index() *Index {
	x := &Index{Name: d.str(cMeta)}
	flags := d.num(cMeta)
	x.Delta, x.Ordered = flags&1 != 0, flags&2 != 0
	n := d.num(cMeta)
	// Every entry has a byte in the column of modes.
	if n > maxEntries || n > uint64(len(d.col[cMode])) {
		d.bad = true
		return x
	}
	for range d.count(cMeta) {
		x.Removed = append(x.Removed, d.str(cMeta))
	}
	x.Entries = make([]Entry, n)
	d.names(x)
	targets := string(d.col[cTarget]) // one string for all
	owner := int32(-1)
	for i := range x.Entries {
		if d.bad {
			return x
		}
		e := &x.Entries[i]
		d.mode(e)
		e.Same = -1
		targets = d.body(e, targets)
		o := d.num(cOwner)
		e.Conf, e.Short = o&1 != 0, o&2 != 0
		if o>>2 > 0 {
			owner = int32(min(o>>2, maxEntries)) - 2
		}
		e.Owner = owner
		d.time(e)
	}
	d.links(x)
	d.packages(x)
	return x
}

// names rebuilds the tree. All names share one string.
func (d *decoder) names(x *Index) {
	arena := make([]byte, 0, 2*len(d.col[cSuffix]))
	ends := make([]int, len(x.Entries))
	last := 0
	for i := range x.Entries {
		p := d.num(cPrefix)
		s := d.word(cSuffix)
		if d.bad || p > uint64(len(arena)-last) || p > 255 {
			d.bad = true
			return
		}
		from := len(arena)
		arena = append(arena, arena[last:last+int(p)]...)
		arena = append(arena, s...)
		last, ends[i] = from, len(arena)
		parent := int32(-1)
		if i > 0 {
			parent = int32(i - 1)
			for up := d.num(cDepth); up > 0 && parent >= 0; up-- {
				parent = x.Entries[parent].Parent
			}
		}
		x.Entries[i].Parent = parent
	}
	all, from := string(arena), 0
	for i, to := range ends {
		x.Entries[i].Name = all[from:to]
		from = to
	}
}

func (d *decoder) mode(e *Entry) {
	m := d.num(cMode)
	if m == uint64(len(d.modes)) {
		var v [3]uint32
		for k := range v {
			v[k] = uint32(d.num(cTables))
		}
		d.modes = append(d.modes, v)
	}
	if m >= uint64(len(d.modes)) {
		d.bad = true
		return
	}
	v := d.modes[m]
	e.Mode, e.UID, e.GID = v[0], v[1], v[2]
}

func (d *decoder) time(e *Entry) {
	t := d.num(cTime)
	key, any := d.recent[e.Owner]
	if t == 0 {
		v := d.num(cTime)
		d.times = append(d.times, int64(v>>1)^-int64(v&1))
		t = 2
	}
	switch {
	case t == 1 && any:
	case t < 2 || t-1 > uint64(len(d.times)):
		d.bad = true
		return
	default:
		key = d.times[uint64(len(d.times))-(t-1)]
	}
	d.recent[e.Owner] = key
	e.Mtime, e.Late = key>>1, key&1 != 0
}

func (d *decoder) body(e *Entry, targets string) string {
	switch e.Type() {
	case Symlink:
		t, rest, ok := strings.Cut(targets, "\x00")
		d.bad = d.bad || !ok
		e.Target, targets = t, rest
	case Char, Block:
		e.Rdev = d.num(cSize)
	case Dir:
		v := d.num(cSize)
		e.Size = int64(min(v>>1, maxSize)) * 1024
		if v&1 != 0 {
			e.Size += int64(d.num(cSize) % 1024)
		}
	case Regular:
		e.Size = int64(min(d.num(cSize), maxSize+1))
		if len(d.col[cKind]) == 0 {
			d.bad = true
			return targets
		}
		e.Kind = Kind(d.col[cKind][0])
		d.col[cKind] = d.col[cKind][1:]
		h := d.num(cKind)
		if h == uint64(len(d.heads)) {
			d.heads = append(d.heads, d.str(cPackages))
		}
		if h >= uint64(len(d.heads)) {
			d.bad = true
			return targets
		}
		e.Head = d.heads[h]
	}
	return targets
}

// links reads the hard links and the contents, which few entries have.
func (d *decoder) links(x *Index) {
	for len(d.col[cSame]) > 0 && !d.bad {
		i, first := d.num(cSame)>>1, d.num(cSame)
		if i >= uint64(len(x.Entries)) || first >= i {
			d.bad = true
			return
		}
		x.Entries[i].Same = int32(first)
	}
	for len(d.col[cBodies]) > 0 && !d.bad {
		i := d.num(cBodies)
		body := d.str(cBodies)
		if i >= uint64(len(x.Entries)) {
			d.bad = true
			return
		}
		x.Entries[i].Body = []byte(body)
	}
}

func (d *decoder) packages(x *Index) {
	n := d.num(cMeta)
	if n > uint64(len(d.col[cPackages])) {
		d.bad = true
		return
	}
	x.Packages = make([]Package, n)
	for i := range x.Packages {
		if d.bad {
			return
		}
		p := &x.Packages[i]
		p.Name = d.str(cPackages)
		for range d.count(cPackages) {
			p.Fields = append(p.Fields, Field{d.str(cPackages), d.str(cPackages)})
		}
		extra := d.num(cPackages)
		p.MD5 = extra&1 != 0
		if extra>>1 > uint64(len(d.col[cPackages])) {
			d.bad = true
			return
		}
		for range extra >> 1 {
			p.Extra = append(p.Extra, d.str(cPackages))
		}
	}
}
