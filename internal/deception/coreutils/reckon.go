package coreutils

import (
	"io"
	"math"
	"strconv"
	"strings"
)

// seldomCommands are small tools seldom seen.
func seldomCommands(name string) Command {
	switch name {
	case "join":
		return join
	case "expand":
		return expand
	case "unexpand":
		return unexpand
	case "fmt":
		return fmtCmd
	case "factor":
		return factor
	case "tsort":
		return tsort
	case "numfmt":
		return numfmt
	case "sum":
		return sum
	case "mknod":
		return mknod
	case "fallocate":
		return fallocate
	case "mountpoint":
		return mountpoint
	case "getconf":
		return getconf
	case "man", "apropos", "whatis":
		return manual
	}
	return nil
}

// words calls fn with every blank-separated word of the operands or of
// standard input.
func (p *Proc) wordsOf(args []string, fn func(string)) error {
	for _, a := range args {
		fn(a)
	}
	if len(args) > 0 {
		return nil
	}
	return p.lines(p.Stdin, func(l []byte, _ bool) bool {
		for w := range strings.FieldsSeq(string(l)) {
			fn(w)
		}
		return true
	})
}

func factor(p *Proc) int {
	_, args, ok := p.getopt("h", "exponents,h")
	if !ok {
		return 1
	}
	status := 0
	_ = p.wordsOf(args, func(w string) {
		n, err := strconv.ParseUint(strings.TrimPrefix(w, "+"), 10, 64)
		if err != nil {
			p.errorf("%s is not a valid positive integer", p.q(w))
			status = 1
			return
		}
		p.printf("%d:", n)
		for d := uint64(2); d <= n/d; d++ {
			p.step(1)
			for n%d == 0 {
				p.printf(" %d", d)
				n /= d
			}
		}
		if n > 1 {
			p.printf(" %d", n)
		}
		p.print("\n")
	})
	return status
}

// tsort prints every item before those it stands before.
func tsort(p *Proc) int {
	_, args, ok := p.getopt("")
	if !ok {
		return 1
	}
	if len(args) > 1 {
		p.errorf("extra operand %s", p.q(args[1]))
		return p.try(1)
	}
	name := "-"
	if len(args) == 1 {
		name = args[0]
	}
	lines, err := p.readLines(name)
	if err != nil {
		p.errorf("%s: %s", name, why(err))
		return 1
	}
	items := strings.Fields(strings.Join(lines, " "))
	if len(items)%2 == 1 {
		p.errorf("%s: input contains an odd number of tokens", name)
		return 1
	}
	after, waits, order := map[string][]string{}, map[string]int{}, []string(nil)
	for _, w := range items {
		if _, known := waits[w]; !known {
			waits[w], order = 0, append(order, w)
		}
	}
	for i := 0; i < len(items); i += 2 {
		if a, b := items[i], items[i+1]; a != b {
			after[a] = append(after[a], b)
			waits[b]++
		}
	}
	var ready []string
	for _, w := range order {
		if waits[w] == 0 {
			ready = append(ready, w)
		}
	}
	printed := 0
	for len(ready) > 0 {
		p.step(1)
		w := ready[0]
		ready = ready[1:]
		p.print(w + "\n")
		printed++
		for _, b := range after[w] {
			if waits[b]--; waits[b] == 0 {
				ready = append(ready, b)
			}
		}
	}
	if printed < len(order) {
		p.errorf("%s: input contains a loop:", name)
		return 1
	}
	return 0
}

// numfmt writes figures with or without the letters of a scale.
func numfmt(p *Proc) int {
	opts, args, ok := p.getopt("d:z", "to=", "from=", "suffix=", "padding=", "field=", "header?", "round=", "grouping", "invalid=", "format=", "delimiter=,d", "to-unit=", "from-unit=", "debug")
	if !ok {
		return 1
	}
	to, from, suffix, padding := "none", "none", "", 0
	for _, o := range opts {
		switch o.name {
		case "to":
			to = o.val
		case "from":
			from = o.val
		case "suffix":
			suffix = o.val
		case "padding":
			padding, _ = strconv.Atoi(o.val)
		}
	}
	status := 0
	_ = p.wordsOf(args, func(w string) {
		f, bad := scaled(strings.TrimSuffix(w, suffix), from)
		if bad != "" {
			p.errorf("%s: %s", bad, p.q(w))
			status = 2
			return
		}
		p.printf("%*s\n", min(max(padding, -1000), 1000), scale(f, to)+suffix)
	})
	return status
}

const scaleLetters = "KMGTPEZY"

func scaled(w, from string) (f float64, bad string) {
	i := len(w)
	for i > 0 && strings.IndexByte("0123456789.", w[i-1]) < 0 {
		i--
	}
	f, err := strconv.ParseFloat(w[:i], 64)
	if err != nil {
		return 0, "invalid number"
	}
	if i == len(w) {
		return f, ""
	}
	if from == "none" {
		return 0, "rejecting suffix in input: " + qa(w) + " (consider using --from)"
	}
	e := strings.IndexByte(scaleLetters, w[i])
	if e < 0 {
		return 0, "invalid suffix in input"
	}
	base := 1000.0
	if from == "iec" || from == "iec-i" || from == "auto" && strings.HasSuffix(w, "i") {
		base = 1024
	}
	return f * math.Pow(base, float64(e+1)), ""
}

func scale(f float64, to string) string {
	base, mark := 1000.0, ""
	switch to {
	case "none":
		return strconv.FormatFloat(f, 'f', -1, 64)
	case "iec":
		base = 1024
	case "iec-i":
		base, mark = 1024, "i"
	}
	e := 0
	for math.Abs(f) >= base && e < len(scaleLetters) {
		f /= base
		e++
	}
	if e == 0 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	digits := 0
	if math.Abs(f) < 10 {
		f, digits = math.Ceil(f*10)/10, 1
	}
	if digits == 0 || f >= 10 {
		f, digits = math.Ceil(f), 0
	}
	return strconv.FormatFloat(f, 'f', digits, 64) + scaleLetters[e-1:e] + mark
}

// sum is the checksum of BSD, or with -s of System V.
func sum(p *Proc) int {
	opts, args, ok := p.getopt("rs", "sysv,s")
	if !ok {
		return 1
	}
	sysv := letters(opts)["s"]
	named := len(args) > 0
	return p.inputs(args, "%s", func(name string, r io.Reader) error {
		var bsd uint16
		var plain uint32
		size := 0
		err := p.each(r, func(b []byte) bool {
			size += len(b)
			for _, c := range b {
				bsd = bsd>>1 | bsd<<15
				bsd += uint16(c)
				plain += uint32(c)
			}
			return true
		})
		if err != nil {
			return err
		}
		switch {
		case sysv:
			folded := plain&0xffff + plain>>16
			p.printf("%d %d", folded&0xffff+folded>>16, (size+511)/512)
		default:
			p.printf("%05d %5d", bsd, (size+1023)/1024)
		}
		if named {
			p.print(" " + name)
		}
		p.print("\n")
		return nil
	})
}
