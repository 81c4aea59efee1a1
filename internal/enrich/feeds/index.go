package feeds

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// An entry is one indicator in the index: 24 bytes, whatever it was. The value
// itself is not kept: 64 bits of a hash with a secret start stand for it, so
// that nobody can write a value that meets another's. By chance one lookup in
// 18 million million meets one of a million. What is shown is the value that was
// looked up.
type entry struct {
	key     uint64
	expires uint32 // seconds since 1970; 0: with the feed
	seen    uint32 // when the feed learnt it; 0: it does not say
	label   uint32 // index in labels
	feed    uint16
	conf    int8 // -1: the feed's
	sort    sort
}

// An index finds the entries of a value: one array for all kinds together,
// sorted by key, and a directory of where the keys with the same first bits
// begin, about four to each. For networks there is one probe for each prefix
// length that occurs, which for the lists there are costs less than walking a
// tree and a fifth of its memory. It never changes once it is built; a new one
// takes its place, and then no more than both are in memory.
type index struct {
	seed    maphash.Seed
	entries []entry
	begin   []uint32 // by the first bits of the key; one more than there are
	shift   int
	bits4   []int // prefix lengths that occur, longest first
	bits6   []int
	domains bool
	links   bool
	hashes  bool
	labels  []string
}

// maxLabels bounds the distinct labels kept; the rest of the indicators have none.
const maxLabels = 1 << 16

// A builder gathers entries for an index.
type builder struct {
	x      *index
	list   []entry
	labels map[string]uint32
}

// newBuilder returns a builder for about n entries.
func newBuilder(seed maphash.Seed, n int) *builder {
	return &builder{x: &index{seed: seed, labels: []string{""}}, labels: map[string]uint32{"": 0}, list: make([]entry, 0, n)}
}

// carry takes over the entries of an index that keep accepts.
func (b *builder) carry(x *index, keep func(feed uint16) (uint16, bool)) {
	for _, e := range x.entries {
		feed, ok := keep(e.feed)
		if !ok {
			continue
		}
		e.feed, e.label = feed, b.label(x.labels[e.label])
		b.list = append(b.list, e)
	}
	// Lengths of what went may stay: a probe too many finds nothing.
	b.x.bits4, b.x.bits6 = slices.Clone(x.bits4), slices.Clone(x.bits6)
	b.x.domains, b.x.links, b.x.hashes = x.domains, x.links, x.hashes
}

// add takes an indicator of a feed.
func (b *builder) add(feed uint16, it *item) {
	e := entry{feed: feed, conf: int8(it.confidence), sort: it.sort, label: b.label(it.label), expires: seconds(it.expires), seen: seconds(it.seen)}
	switch it.sort {
	case network:
		lengths := &b.x.bits6
		if it.prefix.Addr().Is4() {
			lengths = &b.x.bits4
		}
		if !slices.Contains(*lengths, it.prefix.Bits()) {
			*lengths = append(*lengths, it.prefix.Bits())
		}
		e.key = b.x.networkKey(it.prefix)
	case domain:
		b.x.domains = true
		e.key = b.x.textKey(domain, it.text)
	case link:
		b.x.links = true
		e.key = b.x.textKey(link, it.text)
	default:
		b.x.hashes = true
		e.key = b.x.textKey(hash, it.text)
	}
	b.list = append(b.list, e)
}

func (b *builder) label(s string) uint32 {
	n, ok := b.labels[s]
	if !ok && len(b.x.labels) < maxLabels {
		n = uint32(len(b.x.labels))
		b.labels[strings.Clone(s)] = n
		b.x.labels = append(b.x.labels, strings.Clone(s))
	}
	return n
}

// build returns the index. Of what a feed says twice the newer stays.
func (b *builder) build() *index {
	x := b.x
	slices.SortFunc(b.list, func(a, c entry) int {
		return cmp.Or(cmp.Compare(a.key, c.key), cmp.Compare(a.feed, c.feed), cmp.Compare(a.seen, c.seen))
	})
	n := 0
	for i, e := range b.list {
		if i+1 < len(b.list) && b.list[i+1].key == e.key && b.list[i+1].feed == e.feed {
			continue
		}
		b.list[n] = e
		n++
	}
	x.entries = b.list[:n]
	first := bits.Len(uint(n / 4))
	x.shift = 64 - first
	x.begin = make([]uint32, 1<<first+1)
	for _, e := range x.entries {
		x.begin[x.bucket(e.key)+1]++
	}
	for i := 1; i < len(x.begin); i++ {
		x.begin[i] += x.begin[i-1]
	}
	for _, lengths := range [][]int{x.bits4, x.bits6} {
		slices.SortFunc(lengths, func(a, b int) int { return b - a })
	}
	b.list, b.labels = nil, nil
	return x
}

// bucket is what the first bits of a key say. A shift by 64 is 0.
func (x *index) bucket(key uint64) uint64 { return key >> x.shift }

func seconds(t time.Time) uint32 {
	if t.IsZero() || t.Unix() <= 0 {
		return 0
	}
	return uint32(min(t.Unix(), 1<<32-1))
}

func moment(s uint32) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

func (x *index) textKey(s sort, text string) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	_ = h.WriteByte(byte(s))
	_, _ = h.WriteString(text)
	return h.Sum64()
}

func (x *index) networkKey(p netip.Prefix) uint64 {
	b := p.Addr().As16()
	var buf [18]byte
	copy(buf[2:], b[:])
	buf[0], buf[1] = byte(network), byte(p.Bits())
	if p.Addr().Is4() {
		buf[0] |= 0x80 // an IPv4 length and an IPv6 length of the same number differ
	}
	return maphash.Bytes(x.seed, buf[:])
}

// find appends the entries of a key that count at now.
func (x *index) find(out []*entry, key uint64, now uint32) []*entry {
	at := x.bucket(key)
	for i := x.begin[at]; i < x.begin[at+1]; i++ {
		switch e := &x.entries[i]; {
		case e.key > key:
			return out
		case e.key == key && (e.expires == 0 || e.expires > now):
			out = append(out, e)
		}
	}
	return out
}

// A hit is one entry and the indicator it was found under, when that is not the
// value itself.
type hit struct {
	e     *entry
	match string
}

// addr finds an address in all networks that contain it.
func (x *index) addr(out []hit, a netip.Addr, now uint32) []hit {
	lengths := x.bits6
	if a.Is4() {
		lengths = x.bits4
	}
	var room [4]*entry
	for _, n := range lengths {
		p, err := a.Prefix(n)
		if err != nil {
			continue
		}
		for _, e := range x.find(room[:0], x.networkKey(p), now) {
			h := hit{e: e}
			if n != a.BitLen() {
				h.match = p.String()
			}
			out = append(out, h)
		}
	}
	return out
}

// maxLabelsOfName bounds the parents of a name that are looked up.
const maxLabelsOfName = 8

// name finds a domain name and the names above it.
func (x *index) name(out []hit, s string, now uint32) []hit {
	if !x.domains {
		return out
	}
	var room [4]*entry
	full := s
	for strings.Count(s, ".") >= maxLabelsOfName {
		_, s, _ = strings.Cut(s, ".")
	}
	for {
		for _, e := range x.find(room[:0], x.textKey(domain, s), now) {
			h := hit{e: e}
			if s != full {
				h.match = s
			}
			out = append(out, h)
		}
		_, rest, ok := strings.Cut(s, ".")
		if !ok || !strings.Contains(rest, ".") {
			return out
		}
		s = rest
	}
}

// text finds a URL or a hash.
func (x *index) text(out []hit, s sort, text string, now uint32) []hit {
	if s == link && !x.links || s == hash && !x.hashes {
		return out
	}
	var room [4]*entry
	for _, e := range x.find(room[:0], x.textKey(s, text), now) {
		out = append(out, hit{e: e})
	}
	return out
}
