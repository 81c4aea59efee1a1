package shell

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// longDoubleBits is the mantissa of the C type bash's printf counts with.
const longDoubleBits = 64

// longDouble reads a number with the precision of C's long double; false when it
// is infinite, no number or too far from one for that type.
func longDouble(s string) (*big.Float, bool) {
	v, _, err := big.ParseFloat(s, 0, longDoubleBits, big.ToNearestEven)
	if err != nil || v.IsInf() {
		return nil, false
	}
	if e := v.MantExp(nil); v.Sign() != 0 && (e > 16384 || e < -16445) {
		return nil, false
	}
	return v, true
}

// formatLong formats with one of the verbs of C's printf.
func formatLong(v *big.Float, verb byte, flags string, width, prec int) string {
	if verb == 'a' || verb == 'A' {
		return hexFloat(v, verb, flags, width, prec)
	}
	spec := "%" + flags
	if width > 0 {
		spec += strconv.Itoa(width)
	}
	return fmt.Sprintf(spec+"."+strconv.Itoa(prec)+string(verb), v)
}

// hexFloat is %a: the mantissa of a long double begins with a digit of four bits.
func hexFloat(v *big.Float, verb byte, flags string, width, prec int) string {
	mant := new(big.Float)
	exp := v.MantExp(mant)
	digits := strings.Repeat("0", 16)
	if v.Sign() != 0 {
		m, _ := mant.Abs(mant).SetMantExp(mant, longDoubleBits).Uint64()
		exp -= 4
		if prec >= 0 && prec < 15 {
			var up bool
			if m, up = roundDigits(m, prec+1); up {
				exp += 4
			}
		}
		digits = fmt.Sprintf("%016x", m)
	}
	frac := digits[1:]
	switch {
	case prec < 0:
		frac = strings.TrimRight(frac, "0")
	case prec < len(frac):
		frac = frac[:prec]
	default:
		frac += strings.Repeat("0", prec-len(frac))
	}
	out := digits[:1]
	if frac != "" || strings.Contains(flags, "#") {
		out += "." + frac
	}
	out += fmt.Sprintf("p%+d", exp)
	sign := ""
	switch {
	case v.Signbit():
		sign = "-"
	case strings.Contains(flags, "+"):
		sign = "+"
	case strings.Contains(flags, " "):
		sign = " "
	}
	sign += "0x"
	fill := max(0, width-len(sign)-len(out))
	switch {
	case strings.Contains(flags, "-"):
		out = sign + out + strings.Repeat(" ", fill)
	case strings.Contains(flags, "0"):
		out = sign + strings.Repeat("0", fill) + out
	default:
		out = strings.Repeat(" ", fill) + sign + out
	}
	if verb == 'A' {
		out = strings.ToUpper(out)
	}
	return out
}

// roundDigits keeps the first n of sixteen hexadecimal digits and reports
// whether rounding made one more of them.
func roundDigits(m uint64, n int) (uint64, bool) {
	shift := uint(64 - 4*n)
	kept, rest := m>>shift, m<<(64-shift)
	if rest > 1<<63 || rest == 1<<63 && kept&1 == 1 {
		kept++
	}
	if kept>>(4*n) != 0 {
		return 1 << 60, true
	}
	return kept << shift, false
}

// plainFloat formats what is infinite or no number.
func plainFloat(v float64, verb byte, flags string, width int) string {
	spec := "%" + strings.ReplaceAll(flags, "0", "")
	if width > 0 {
		spec += strconv.Itoa(width)
	}
	text := "inf"
	switch {
	case math.IsNaN(v):
		text = "nan"
	case v < 0:
		text = "-inf"
	case strings.Contains(flags, "+"):
		text = "+inf"
	}
	if verb == 'E' || verb == 'F' || verb == 'G' || verb == 'A' {
		text = strings.ToUpper(text)
	}
	return fmt.Sprintf(strings.NewReplacer("+", "", " ", "", "#", "").Replace(spec)+"s", text)
}
