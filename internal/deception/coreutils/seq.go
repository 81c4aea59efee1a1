package coreutils

import (
	"math"
	"strconv"
	"strings"
)

func yes(p *Proc) int {
	line := "y\n"
	if len(p.Args) > 1 {
		line = strings.Join(p.Args[1:], " ") + "\n"
	}
	for {
		p.step(1)
		p.print(line)
	}
}

func seq(p *Proc) int {
	format, sep, equal := "", "\n", false
	args := p.Args[1:]
loop:
	for len(args) > 0 {
		switch a := args[0]; {
		case a == "-w":
			equal = true
		case a == "-s" && len(args) > 1:
			sep, args = args[1], args[1:]
		case a == "-f" && len(args) > 1:
			format, args = args[1], args[1:]
		case strings.HasPrefix(a, "-s") && len(a) > 2:
			sep = a[2:]
		case a == "--help":
			p.help()
		case a == "--version":
			p.version()
		case len(a) > 1 && a[0] == '-' && (a[1] < '0' || a[1] > '9') && a[1] != '.' && a != "-inf":
			q := *p
			q.Args = append([]string{"seq"}, args...)
			opts, rest, ok := q.getopt("+f:s:w", "equal-width,w", "format=,f", "separator=,s")
			if !ok {
				return 1
			}
			for _, o := range opts {
				switch o.name {
				case "w":
					equal = true
				case "s":
					sep = o.val
				case "f":
					format = o.val
				}
			}
			args = rest
			break loop
		default:
			break loop
		}
		args = args[1:]
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	if len(args) > 3 {
		p.errorf("extra operand %s", p.q(args[3]))
		return p.try(1)
	}
	nums := []float64{1, 1, 1}
	prec := 0
	for i, a := range args {
		v, err := strconv.ParseFloat(a, 64)
		if err != nil || math.IsNaN(v) {
			p.errorf("invalid floating point argument: %s", p.q(a))
			return p.try(1)
		}
		_, frac, _ := strings.Cut(a, ".")
		prec = max(prec, min(len(frac), 30))
		switch {
		case len(args) == 1:
			nums[2] = v
		case len(args) == 2:
			nums[i*2] = v
		default:
			nums[i] = v
		}
	}
	first, step, last := nums[0], nums[1], nums[2]
	if step == 0 {
		p.errorf("invalid Zero increment value: %s", p.q(args[1]))
		return p.try(1)
	}
	wide := 0
	if equal {
		wide = max(len(strconv.FormatFloat(first, 'f', prec, 64)), len(strconv.FormatFloat(last, 'f', prec, 64)))
	}
	for i := 0; ; i++ {
		v := first + float64(i)*step
		if step > 0 && v > last+1e-9 || step < 0 && v < last-1e-9 {
			if i > 0 {
				p.print("\n")
			}
			return 0
		}
		p.step(1)
		if i > 0 {
			p.print(sep)
		}
		s := strconv.FormatFloat(v, 'f', prec, 64)
		if format != "" {
			f := &formatter{p: p, args: []string{s}}
			f.format(format)
			continue
		}
		p.print(strings.Repeat("0", max(0, wide-len(s))) + s)
	}
}
