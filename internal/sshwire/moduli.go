package sshwire

import (
	_ "embed" // the table
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// moduliText is a part of the moduli that Debian 12 ships for group exchange:
// bits, generator, prime in hexadecimal digits. That they are safe primes is
// checked by a test.
//
//go:embed moduli.txt
var moduliText string

// moduli holds the table by size. Primes are parsed when they are chosen.
var moduli = sync.OnceValue(func() map[int][]modulus {
	m := map[int][]modulus{}
	for line := range strings.Lines(moduliText) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		bits, _ := strconv.Atoi(f[0])
		g, _ := strconv.Atoi(f[1])
		m[bits] = append(m[bits], modulus{int64(g), f[2]})
	}
	return m
})

type modulus struct {
	generator int64
	prime     string
}

func (m modulus) group() *group {
	p, ok := new(big.Int).SetString(m.prime, 16)
	if !ok {
		return modp(gexMin) // not with the shipped table
	}
	return &group{p: p, g: m.generator}
}

// chooseGroup chooses as sshd does: the smallest size that is not below what is
// wanted, else the largest, within the bounds; any prime of that size. Without
// one it takes a fixed group below the upper bound.
func chooseGroup(low, want, high int) *group {
	best := 0
	for _, size := range slices.Sorted(maps.Keys(moduli())) { // the order of the file
		if size < low || size > high {
			continue
		}
		if size > want && size < best || size > best && best < want {
			best = size
		}
	}
	switch list := moduli()[best]; {
	case len(list) > 0:
		return list[rand.IntN(len(list))].group()
	case high < 3072:
		return modp(2048)
	case high < 6144:
		return modp(4096)
	}
	return modp(8192)
}
