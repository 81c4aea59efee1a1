package coreutils

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

func (s *sorter) compare(a, b string) int {
	if c := s.byKeys(a, b); c != 0 {
		return c
	}
	if strings.ContainsAny(s.flags, "su") {
		return 0
	}
	c := s.text(a, b)
	if strings.Contains(s.flags, "r") {
		c = -c
	}
	return c
}

func (s *sorter) text(a, b string) int {
	if s.p.language() {
		l := &lister{p: s.p}
		return l.collate(a, b)
	}
	return cmp.Compare(a, b)
}

func (s *sorter) byKeys(a, b string) int {
	if len(s.keys) == 0 {
		c := s.one(a, b, s.flags)
		return c
	}
	for _, k := range s.keys {
		flags := k.flags
		if strings.Trim(flags, "b") == "" {
			flags += strings.Trim(s.flags, "usz")
		}
		if c := s.one(s.cut(a, k), s.cut(b, k), flags); c != 0 {
			return c
		}
	}
	return 0
}

// one compares two keys with some flags.
func (s *sorter) one(a, b, flags string) int {
	if strings.Contains(flags, "b") {
		a, b = strings.TrimLeft(a, " \t"), strings.TrimLeft(b, " \t")
	}
	c := 0
	switch {
	case strings.Contains(flags, "n"):
		c = cmp.Compare(leadingNumber(a), leadingNumber(b))
	case strings.Contains(flags, "g"):
		c = cmp.Compare(generalNumber(a), generalNumber(b))
	case strings.Contains(flags, "h"):
		c = cmp.Compare(humanNumber(a), humanNumber(b))
	case strings.Contains(flags, "M"):
		c = cmp.Compare(month(a), month(b))
	case strings.Contains(flags, "V"):
		c = versionCompare(a, b)
	case strings.Contains(flags, "R"):
		c = cmp.Compare(hashText(a), hashText(b))
	default:
		if strings.Contains(flags, "f") {
			a, b = strings.ToUpper(a), strings.ToUpper(b)
		}
		if strings.Contains(flags, "d") {
			keep := func(r rune) rune {
				if r == ' ' || r == '\t' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
					return r
				}
				return -1
			}
			a, b = strings.Map(keep, a), strings.Map(keep, b)
		}
		c = s.text(a, b)
	}
	if strings.Contains(flags, "r") {
		c = -c
	}
	return c
}

func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func leadingNumber(s string) float64 {
	s = strings.TrimLeft(s, " \t")
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	f, err := strconv.ParseFloat(strings.TrimRight(s[:i], "."), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0
	}
	return f
}

// generalNumber reads what strtold does; what is no number comes first.
func generalNumber(s string) float64 {
	s = strings.TrimSpace(s)
	for i := min(len(s), 40); i > 0; i-- {
		f, err := strconv.ParseFloat(s[:i], 64)
		if err == nil || math.IsInf(f, 0) {
			return f
		}
	}
	return math.Inf(-1)
}

func humanNumber(s string) float64 {
	f := leadingNumber(s)
	t := strings.TrimLeft(strings.TrimSpace(s), "-+0123456789.")
	if t != "" {
		if i := strings.IndexByte("KMGTPEZY", strings.ToUpper(t)[0]); i >= 0 {
			f *= math.Pow(1024, float64(i+1))
		}
	}
	return f
}

func month(s string) int {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) < 3 {
		return 0
	}
	i := strings.Index("JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", s[:3])
	if i < 0 || i%3 != 0 {
		return 0
	}
	return i/3 + 1
}

// versionCompare orders file2 before file10.
func versionCompare(a, b string) int {
	for a != "" && b != "" {
		da, db := digitsOf(a), digitsOf(b)
		if da > 0 && db > 0 {
			x, y := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digitsOf(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}
