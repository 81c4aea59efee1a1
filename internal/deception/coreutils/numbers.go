package coreutils

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// size parses a number with one of the usual suffixes (b, k, K, KB, M, MB, G...).
func size(s string) (int64, bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, false
	}
	unit := int64(1)
	switch suffix := s[i:]; suffix {
	case "":
	case "c":
	case "w":
		unit = 2
	case "b":
		unit = 512
	default:
		base := int64(1024)
		if len(suffix) > 1 {
			switch suffix[1:] {
			case "B":
				base = 1000
			case "iB":
			default:
				return 0, false
			}
		}
		p := strings.IndexByte("kMGTP", suffix[0])
		if suffix[0] == 'K' {
			p = 0
		}
		if suffix[0] == 'm' {
			p = 1
		}
		if p < 0 {
			return 0, false
		}
		for range p + 1 {
			unit *= base
		}
	}
	if n > (1<<62)/unit {
		return 1 << 62, true
	}
	return n * unit, true
}

// width returns how many columns a name takes on a terminal.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r < 0x20 || r == 0x7f:
		case r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff):
			n += 2
		case r == utf8.RuneError:
			n++
		default:
			n++
		}
	}
	return n
}

// listed parts a list at its commas and blanks.
func listed(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
