package sigma

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// snapshotForm is the version of the form of snapshots.
const snapshotForm = 1

// errSnapshot is what a snapshot that makes no sense is met with.
var errSnapshot = errors.New("the saved state of correlations is damaged")

// Snapshot returns everything a Correlator knows. A correlator of the same
// rules that [Correlator.Restore] gives it to goes on as this one would: the
// same hits give the same findings with the same ids. The text is a few dozen
// bytes a hit remembered.
//
// Kept now and then beside the place in the log it belongs to, it survives a
// crash: restore, then show the correlator what came after that place again and
// throw away what it says until the place where effects were last written.
func (k *Correlator) Snapshot() []byte {
	b := []byte{snapshotForm}
	b = binary.AppendVarint(b, int64(k.now))
	b = binary.AppendUvarint(b, k.touches)
	for _, n := range []int64{k.lost.Groups, k.lost.Entries, k.lost.Late, k.lost.Ungrouped} {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(k.watches)))
	for _, w := range k.watches {
		b = w.snapshot(b)
	}
	return b
}

func (w *watch) snapshot(b []byte) []byte {
	mark := w.c.mark()
	b = append(b, mark[:]...)
	// Each watch has its length in front, so that one whose rule is gone can be
	// passed over.
	var in []byte
	in = binary.AppendUvarint(in, uint64(len(w.groups)))
	for el := w.recent.Back(); el != nil; el = el.Prev() {
		g := el.Value.(*group)
		in = putText(in, g.key)
		for i := range g.values {
			in = putText(in, g.values[i].Text)
		}
		in = binary.AppendUvarint(in, g.touched)
		fired := byte(0)
		if g.hasFired {
			fired = 1
		}
		in = append(in, fired)
		for _, t := range []stamp{g.newest, g.fired, g.start, g.due} {
			in = binary.AppendVarint(in, int64(t))
		}
		in = binary.AppendUvarint(in, uint64(len(g.entries)))
		at := g.newest
		for i := range g.entries {
			e := &g.entries[i]
			in = binary.AppendVarint(in, int64(e.at-at))
			at = e.at
			in = putText(putText(in, e.id), e.value)
			in = binary.AppendUvarint(in, uint64(e.rule))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(in)))
	return append(b, in...)
}

// mark tells apart correlations that do not count the same.
func (c *Correlation) mark() [16]byte {
	b := appendText(nil, c.Key())
	b = appendText(b, c.Type)
	list := func(l []string) {
		b = binary.AppendUvarint(b, uint64(len(l)))
		for _, s := range l {
			b = appendText(b, s)
		}
	}
	list(c.Rules)
	list(c.GroupBy)
	list(c.Fields)
	b = appendText(b, c.Timespan.String())
	b = fmt.Appendf(b, "%v%v", c.Bounds, c.Aliases) // maps print sorted
	h := sha256.Sum256(b)
	return [16]byte(h[:])
}

// Restore takes a snapshot over. Correlations that are not in it, or were
// changed since, begin anew; what it has of others is left out. On an error the
// correlator is empty.
func (k *Correlator) Restore(snapshot []byte) error {
	k.clear()
	p := &reader{b: snapshot}
	if p.byte() != snapshotForm {
		return fmt.Errorf("read the saved state of correlations: unknown form")
	}
	k.now, k.touches = stamp(p.int()), p.uint()
	for _, n := range []*int64{&k.lost.Groups, &k.lost.Entries, &k.lost.Late, &k.lost.Ungrouped} {
		*n = p.int()
	}
	by := map[[16]byte]*watch{}
	for _, w := range k.watches {
		by[w.c.mark()] = w
	}
	for range p.len() {
		var mark [16]byte
		copy(mark[:], p.take(len(mark)))
		in := &reader{b: p.take(p.len()), bad: p.bad}
		if w := by[mark]; w != nil && len(w.groups) == 0 {
			k.restore(w, in)
			p.bad = p.bad || in.bad || len(in.b) > 0
		}
		if p.bad {
			break
		}
	}
	if p.bad || len(p.b) > 0 {
		k.clear()
		return errSnapshot
	}
	return nil
}

func (k *Correlator) clear() {
	k.now, k.touches, k.bytes, k.lost, k.due = 0, 0, 0, Lost{}, nil
	for _, w := range k.watches {
		clear(w.groups)
		w.recent.Init()
	}
}

func (k *Correlator) restore(w *watch, p *reader) {
	for range p.len() {
		g := &group{w: w, key: p.text()}
		for _, by := range w.c.GroupBy {
			g.values = append(g.values, Field{Name: by, Text: p.text()})
		}
		g.touched, g.hasFired = p.uint(), p.byte() == 1
		for _, t := range []*stamp{&g.newest, &g.fired, &g.start, &g.due} {
			*t = stamp(p.int())
		}
		at := g.newest
		for range p.len() {
			e := entry{at: at + stamp(p.int()), id: p.text(), value: p.text()}
			if r := p.uint(); r < uint64(len(w.c.Rules)) {
				e.rule = int32(r)
			} else {
				p.bad = true
			}
			if p.bad {
				return
			}
			at = e.at
			if at < -farthest || at > farthest {
				p.bad = true
				return
			}
			g.entries = append(g.entries, e)
		}
		sorted := slices.IsSortedFunc(g.entries, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
		if p.bad || !sorted || w.groups[g.key] != nil || len(g.entries) > maxEntries || len(g.entries) == 0 && !w.zero && !g.hasFired {
			p.bad = true
			return
		}
		g.settle()
		k.remember(g)
	}
}

func putText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A reader takes a snapshot apart; bad is set by what makes no sense.
type reader struct {
	b   []byte
	bad bool
}

func (p *reader) take(n int) []byte {
	if p.bad || n < 0 || n > len(p.b) {
		p.bad = true
		return nil
	}
	out := p.b[:n]
	p.b = p.b[n:]
	return out
}

func (p *reader) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *reader) uint() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.bad = true
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *reader) int() int64 {
	v, n := binary.Varint(p.b)
	if n <= 0 || v < -farthest || v > farthest {
		p.bad = true
		return 0
	}
	p.b = p.b[n:]
	return v
}

// len reads a number of things that take a byte each at least.
func (p *reader) len() int {
	n := p.uint()
	if n > uint64(len(p.b)) {
		p.bad = true
	}
	if p.bad {
		return 0
	}
	return int(n)
}

func (p *reader) text() string { return string(p.take(p.len())) }
