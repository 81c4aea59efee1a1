package sshwire

import (
	"fmt"
	"sync"
)

const maxCodeBits = 15

// prefixCode is a canonical prefix code (RFC 1951 section 3.2.2): codes of one
// length are consecutive numbers, and stand behind all shorter ones.
type prefixCode struct {
	count   [maxCodeBits + 1]int // symbols by length of their code
	symbols []int                // in the order of their codes
}

// newPrefixCode makes a code of its lengths; zero is no code.
func newPrefixCode(lengths []byte) (p prefixCode, err error) {
	for _, n := range lengths {
		p.count[n]++
	}
	p.count[0] = 0
	free := 1
	var at [maxCodeBits + 2]int
	for n := 1; n <= maxCodeBits; n++ {
		free = free<<1 - p.count[n]
		at[n+1] = at[n] + p.count[n]
		if free < 0 {
			return p, fmt.Errorf("%w: code lengths", errInflate)
		}
	}
	p.symbols = make([]int, at[maxCodeBits+1])
	for s, n := range lengths {
		if n > 0 {
			p.symbols[at[n]] = s
			at[n]++
		}
	}
	return p, nil
}

// read reads a symbol.
func (p *prefixCode) read(z *inflater) (symbol int, ok bool, err error) {
	code, first, index := 0, 0, 0
	for n := 1; n <= maxCodeBits; n++ {
		bit, ok := z.bits(1)
		if !ok {
			return 0, false, nil
		}
		code |= bit
		if k := p.count[n]; code-first < k {
			return p.symbols[index+code-first], true, nil
		}
		index += p.count[n]
		first = (first + p.count[n]) << 1
		code <<= 1
	}
	return 0, false, fmt.Errorf("%w: no such code", errInflate)
}

// fixedCodes are those of section 3.2.6.
var fixedCodes = sync.OnceValues(func() (lit, dist prefixCode) {
	lengths := make([]byte, 288)
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	lit, _ = newPrefixCode(lengths)
	for i := range lengths[:30] {
		lengths[i] = 5
	}
	dist, _ = newPrefixCode(lengths[:30])
	return lit, dist
})

// codeOrder is how the lengths of the code of code lengths stand.
var codeOrder = [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// codes reads the codes of a block that brings its own (section 3.2.7).
func (z *inflater) codes() (ok bool, err error) {
	v, ok := z.bits(14)
	if !ok {
		return false, nil
	}
	lits, dists, n := v&31+257, v>>5&31+1, v>>10+4
	var meta [19]byte
	for _, at := range codeOrder[:n] {
		v, ok := z.bits(3)
		if !ok {
			return false, nil
		}
		meta[at] = byte(v)
	}
	code, err := newPrefixCode(meta[:])
	if err != nil {
		return false, err
	}
	lengths := make([]byte, 0, 320)
	for len(lengths) < lits+dists {
		s, ok, err := code.read(z)
		if !ok || err != nil {
			return false, err
		}
		if s < 16 {
			lengths = append(lengths, byte(s))
			continue
		}
		var fill byte
		if s == 16 {
			if len(lengths) == 0 {
				return false, fmt.Errorf("%w: nothing to repeat", errInflate)
			}
			fill = lengths[len(lengths)-1]
		}
		run := [...]struct{ base, extra int }{{3, 2}, {3, 3}, {11, 7}}[s-16]
		more, ok := z.bits(run.extra)
		if !ok {
			return false, nil
		}
		for range run.base + more {
			lengths = append(lengths, fill)
		}
	}
	if len(lengths) > lits+dists {
		return false, fmt.Errorf("%w: too many code lengths", errInflate)
	}
	if z.lit, err = newPrefixCode(lengths[:lits]); err != nil {
		return false, err
	}
	z.dist, err = newPrefixCode(lengths[lits:])
	return err == nil, err
}
