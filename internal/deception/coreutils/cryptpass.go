package coreutils

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"
)

// crypt64 is the alphabet of crypt(3).
const crypt64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// cryptBytes writes bytes as crypt(3) does: three at a time by the indexes of
// order, the last of each three lowest; -1 stands for no byte.
func cryptBytes(sum []byte, order [][3]int) string {
	var b strings.Builder
	for _, o := range order {
		v, n := 0, 1
		for _, i := range o {
			v <<= 8
			if i >= 0 {
				v |= int(sum[i])
				n++
			}
		}
		for range n {
			b.WriteByte(crypt64[v&63])
			v >>= 6
		}
	}
	return b.String()
}

// md5Crypt is the $1$ scheme, with that or another magic.
func md5Crypt(password, salt, magic string) string {
	if len(salt) > 8 {
		salt = salt[:8]
	}
	pw := []byte(password)
	alt := md5.Sum([]byte(password + salt + password))
	h := md5.New()
	h.Write([]byte(password + magic + salt))
	h.Write(repeatTo(alt[:], len(pw)))
	for n := len(pw); n > 0; n >>= 1 {
		if n&1 == 1 || len(pw) == 0 {
			h.Write([]byte{0})
		} else {
			h.Write(pw[:1])
		}
	}
	sum := h.Sum(nil)
	for i := range 1000 {
		r := md5.New()
		first, last := pw, sum
		if i&1 == 0 {
			first, last = sum, pw
		}
		r.Write(first)
		if i%3 != 0 {
			r.Write([]byte(salt))
		}
		if i%7 != 0 {
			r.Write(pw)
		}
		r.Write(last)
		sum = r.Sum(nil)
	}
	return magic + salt + "$" + cryptBytes(sum, [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}, {-1, -1, 11}})
}

// repeatTo fills n bytes with copies of b.
func repeatTo(b []byte, n int) []byte {
	out := make([]byte, 0, n+len(b))
	for len(out) < n {
		out = append(out, b...)
	}
	return out[:n]
}

// shaCrypt is the $5$ (SHA-256) or $6$ (SHA-512) scheme with its 5000 rounds.
func shaCrypt(password, salt string, wide bool) string {
	fresh, magic := sha256.New, "$5$"
	if wide {
		fresh, magic = sha512.New, "$6$"
	}
	if len(salt) > 16 {
		salt = salt[:16]
	}
	sum := func(parts ...[]byte) []byte {
		h := fresh()
		for _, b := range parts {
			h.Write(b)
		}
		return h.Sum(nil)
	}
	pw, sa := []byte(password), []byte(salt)
	alt := sum(pw, sa, pw)
	h := fresh()
	h.Write(pw)
	h.Write(sa)
	h.Write(repeatTo(alt, len(pw)))
	for n := len(pw); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write(alt)
		} else {
			h.Write(pw)
		}
	}
	a := h.Sum(nil)
	pb := repeatTo(repeatHash(fresh, pw, len(pw)), len(pw))
	sb := repeatTo(repeatHash(fresh, sa, 16+int(a[0])), len(sa))
	for i := range 5000 {
		first, last := pb, a
		if i&1 == 0 {
			first, last = a, pb
		}
		mid := [][]byte{first}
		if i%3 != 0 {
			mid = append(mid, sb)
		}
		if i%7 != 0 {
			mid = append(mid, pb)
		}
		a = sum(append(mid, last)...)
	}
	return magic + salt + "$" + cryptBytes(a, shaOrder(wide))
}

// repeatHash is the hash of b written n times.
func repeatHash(fresh func() hash.Hash, b []byte, n int) []byte {
	h := fresh()
	for range n {
		h.Write(b)
	}
	return h.Sum(nil)
}

// shaOrder is in which order the bytes of the sum are written.
func shaOrder(wide bool) (order [][3]int) {
	third, last := 10, [3]int{-1, 31, 30}
	if wide {
		third, last = 21, [3]int{-1, -1, 63}
	}
	for i := range third {
		t := [3]int{i, i + third, i + 2*third}
		turn := i % 3 // the columns change places from row to row
		if !wide {
			turn = (3 - turn) % 3
		}
		order = append(order, [3]int{t[turn], t[(turn+1)%3], t[(turn+2)%3]})
	}
	return append(order, last)
}
