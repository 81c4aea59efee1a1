package sshwire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"sync"
)

// A group is a multiplicative group of a safe prime.
type group struct {
	p *big.Int
	g int64
}

var errShare = errors.New("peer's share is not in the group")

// exponentBits is how long our secrets are: twice what the longest keys and
// hashes want.
const exponentBits = 1024

// minBitsSet is the least number of ones sshd wants to see in a share.
const minBitsSet = 4

// share takes the peer's value and returns ours and the secret.
func (d *group) share(theirs []byte) (ours, secret []byte, err error) {
	e := new(big.Int).SetBytes(theirs)
	top := new(big.Int).Sub(d.p, big.NewInt(1))
	if len(theirs) > 0 && theirs[0]&0x80 != 0 || e.Cmp(big.NewInt(1)) <= 0 || e.Cmp(top) >= 0 || ones(e) < minBitsSet {
		return nil, nil, errShare
	}
	raw := make([]byte, min(exponentBits, d.p.BitLen()-1)/8)
	_, _ = rand.Read(raw) // never fails
	y := new(big.Int).SetBytes(raw)
	f := new(big.Int).Exp(big.NewInt(d.g), y, d.p)
	k := new(big.Int).Exp(e, y, d.p)
	return appendMpint(nil, f.Bytes())[4:], appendMpint(nil, k.Bytes()), nil
}

func ones(n *big.Int) (count int) {
	for _, w := range n.Bits() {
		count += bits.OnesCount(uint(w))
	}
	return count
}

func group14(theirs []byte) (ours, secret []byte, err error) { return modp(2048).share(theirs) }
func group16(theirs []byte) (ours, secret []byte, err error) { return modp(4096).share(theirs) }
func group18(theirs []byte) (ours, secret []byte, err error) { return modp(8192).share(theirs) }

// modpAdd are the smallest numbers that make the formula of RFC 3526 a safe
// prime.
var modpAdd = map[int]int64{2048: 124476, 3072: 1690314, 4096: 240904, 6144: 929484, 8192: 4743158}

// modp returns a group of RFC 3526: p is 2^n - 2^(n-64) - 1 + 2^64 * (floor of
// 2^(n-130) pi, plus a small number); the generator is 2. It is computed at
// its first use.
func modp(n int) *group {
	known, ok := modpGroups.Load(n)
	if ok {
		return known.(*group)
	}
	one := big.NewInt(1)
	p := piTimes(n - 130)
	p.Add(p, big.NewInt(modpAdd[n])).Lsh(p, 64)
	p.Add(p, new(big.Int).Lsh(one, uint(n)))
	p.Sub(p, new(big.Int).Lsh(one, uint(n-64))).Sub(p, one)
	g := &group{p: p, g: 2}
	modpGroups.Store(n, g)
	return g
}

var modpGroups sync.Map // bits -> *group

// piTimes returns the floor of 2^n pi, by Machin's formula with guard bits.
func piTimes(n int) *big.Int {
	const guard = 64
	unit := new(big.Int).Lsh(big.NewInt(1), uint(n+guard))
	arctan := func(inverse int64) *big.Int {
		x, square := big.NewInt(inverse), big.NewInt(inverse*inverse)
		term := new(big.Int).Quo(unit, x)
		sum := new(big.Int).Set(term)
		for i := int64(3); term.Sign() != 0; i += 2 {
			term.Quo(term, square).Neg(term)
			sum.Add(sum, new(big.Int).Quo(term, big.NewInt(i)))
		}
		return sum
	}
	pi := arctan(5)
	pi.Mul(pi, big.NewInt(16))
	pi.Sub(pi, new(big.Int).Mul(arctan(239), big.NewInt(4)))
	return pi.Rsh(pi, guard)
}

// Bounds of sshd's group exchange, in bits (RFC 4419, RFC 8270).
const (
	gexMin = 2048
	gexMax = 8192
)

// groupExchange is RFC 4419: the peer says how large a group it wants.
func groupExchange(x *exchange) error {
	p, err := x.expect(msgGexRequest)
	if err != nil {
		return err
	}
	f := fields{p: p[1:]}
	least, want, most := f.number(), f.number(), f.number()
	low, high := max(least, gexMin), min(most, gexMax)
	if f.bad || most < least || want < least || most < want || most < gexMin || low > high {
		return fmt.Errorf("group of %d, %d, %d bits: %w", least, want, most, errShare)
	}
	d := chooseGroup(int(low), int(min(max(want, gexMin), gexMax)), int(high))
	prime, generator := appendMpint(nil, d.p.Bytes()), appendMpint(nil, big.NewInt(d.g).Bytes())
	if err := x.c.answerKex([]byte{msgGexGroup}, prime, generator); err != nil {
		return err
	}
	if p, err = x.expect(msgGexInit); err != nil {
		return err
	}
	f = fields{p: p[1:]}
	theirs := append([]byte(nil), f.bytes()...)
	if f.bad {
		return errCorrupt
	}
	ours, secret, err := d.share(theirs)
	if err != nil {
		return err
	}
	t := x.transcript()
	for _, n := range []uint32{least, want, most} {
		t = appendNumber(t, n)
	}
	t = append(append(t, prime...), generator...)
	t = appendString(appendString(t, theirs), ours)
	return x.sign(msgGexReply, t, ours, secret)
}
