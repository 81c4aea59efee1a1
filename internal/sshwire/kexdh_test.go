package sshwire

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// TestModp compares the computed primes with what RFC 3526 prints last, and
// the small ones with their definition.
func TestModp(t *testing.T) {
	for bits, end := range map[int]string{
		2048: "15728e5a8aacaa68ffffffffffffffff", 4096: "4df435c934063199ffffffffffffffff", 8192: "60c980dd98edd3dfffffffffffffffff",
	} {
		g := modp(bits)
		text := fmt.Sprintf("%x", g.p)
		if g.p.BitLen() != bits || !strings.HasSuffix(text, end) || !strings.HasPrefix(text, "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1") {
			t.Errorf("%d: %s", bits, text)
		}
		if bits == 2048 && !safePrime(g.p) {
			t.Errorf("%d: no safe prime", bits)
		}
	}
}

func safePrime(p *big.Int) bool {
	return p.ProbablyPrime(1) && new(big.Int).Rsh(p, 1).ProbablyPrime(1)
}

func TestModuli(t *testing.T) {
	seen := map[string]bool{}
	for _, bits := range []int{2048, 3072, 4096, 6144, 7680, 8192} {
		list := moduli()[bits]
		if len(list) < 4 {
			t.Errorf("%d primes of %d bits", len(list), bits)
		}
		for i, m := range list {
			g := m.group()
			if g.p.BitLen() != bits || g.p.Bit(0) == 0 || g.p.Bit(1) == 0 || g.g != 2 && g.g != 5 || seen[m.prime] {
				t.Errorf("%d bits, number %d: %.40s", bits, i, m.prime)
			}
			seen[m.prime] = true
			if bits == 2048 && i < 2 && !safePrime(g.p) {
				t.Errorf("%d bits, number %d: no safe prime", bits, i)
			}
		}
	}
}

func TestChooseGroup(t *testing.T) {
	for _, tc := range []struct{ low, want, high, bits int }{
		{2048, 2048, 8192, 2048},
		{2048, 3000, 8192, 3072},
		{2048, 4096, 4096, 4096},
		{2048, 8192, 8192, 8192},
		{2048, 8192, 7000, 6144},
		{2048, 7000, 8192, 7680},
		{2100, 2100, 2200, 2048},
		{3100, 3100, 3200, 4096},
	} {
		if got := chooseGroup(tc.low, tc.want, tc.high).p.BitLen(); got != tc.bits {
			t.Errorf("%d, %d, %d: %d bits, want %d", tc.low, tc.want, tc.high, got, tc.bits)
		}
	}
}

func TestShareOutsideTheGroup(t *testing.T) {
	g := modp(2048)
	one := big.NewInt(1)
	for _, e := range []*big.Int{new(big.Int), one, big.NewInt(1 << 20), new(big.Int).Sub(g.p, one), g.p, new(big.Int).Lsh(g.p, 1)} {
		if _, _, err := g.share(appendMpint(nil, e.Bytes())[4:]); err == nil {
			t.Errorf("%.20x is taken", e)
		}
	}
	ours, secret, err := g.share(new(big.Int).Rsh(g.p, 1).Bytes())
	if err != nil || len(ours) < 200 || len(secret) < 200 {
		t.Errorf("%d and %d bytes, %v", len(ours), len(secret), err)
	}
}
