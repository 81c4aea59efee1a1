package coreutils

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// oldCount turns the old form -N, as in head -3, into -n N.
func oldCount(args []string, letters string) []string {
	out := slices.Clone(args)
	for i := 1; i < len(out) && out[i] != "--"; i++ {
		a := out[i]
		if a == "-n" || a == "-c" || a == "-s" || a == "--lines" || a == "--bytes" {
			i++
			continue
		}
		if len(a) < 2 || (a[0] != '-' && (a[0] != '+' || !strings.Contains(letters, "+"))) || a[1] < '0' || a[1] > '9' {
			continue
		}
		j := 1
		for j < len(a) && a[j] >= '0' && a[j] <= '9' {
			j++
		}
		rest := a[j:]
		if strings.Trim(rest, "cbklqvf") != "" {
			continue
		}
		n := a[1:j]
		if a[0] == '+' {
			n = "+" + n
		}
		unit := "-n"
		if strings.Contains(rest, "c") {
			unit = "-c"
		}
		add := []string{unit, n}
		for _, c := range rest {
			if strings.ContainsRune("qvf", c) {
				add = append(add, "-"+string(c))
			}
		}
		out = append(out[:i:i], append(add, out[i+1:]...)...)
		i += len(add) - 1
	}
	return out
}

func head(p *Proc) int {
	p.Args = oldCount(p.Args, "")
	opts, args, ok := p.getopt("c:n:qvz", "bytes=,c", "lines=,n", "quiet,q", "silent,q", "verbose,v", "zero-terminated,z")
	if !ok {
		return 1
	}
	count, bytesMode, fromEnd, header, end := int64(10), false, false, 0, byte('\n')
	for _, o := range opts {
		switch o.name {
		case "c", "n":
			what := map[string]string{"c": "bytes", "n": "lines"}[o.name]
			v := o.val
			fromEnd = strings.HasPrefix(v, "-")
			n, good := size(strings.TrimPrefix(v, "-"))
			if !good {
				p.errorf("invalid number of %s: %s", what, p.q(strings.TrimPrefix(v, "-")))
				return 1
			}
			count, bytesMode = n, o.name == "c"
		case "q":
			header = -1
		case "v":
			header = 1
		case "z":
			end = 0
		}
	}
	return p.withHeaders(args, header, "cannot open %q for reading", func(_ string, r io.Reader) error {
		switch {
		case fromEnd:
			return p.butLast(r, count, bytesMode, end)
		case bytesMode:
			left := count
			if left == 0 {
				return nil
			}
			return p.each(io.LimitReader(r, count), func(b []byte) bool {
				p.write(b)
				left -= int64(len(b))
				return left > 0
			})
		}
		left := count
		if left == 0 {
			return nil
		}
		return p.records(r, end, func(l []byte, full bool) bool {
			p.write(l)
			if full {
				p.write([]byte{end})
			}
			left--
			return left > 0
		})
	})
}

// butLast prints all but the last n lines or bytes.
func (p *Proc) butLast(r io.Reader, n int64, bytesMode bool, end byte) error {
	b, err := p.all(r)
	if err != nil {
		return err
	}
	defer p.alloc(-len(b))
	if bytesMode {
		p.write(b[:max(0, int64(len(b))-n)])
		return nil
	}
	stop := len(b)
	for ; n > 0 && stop > 0; n-- {
		stop = bytes.LastIndexByte(b[:stop-1], end) + 1
	}
	p.write(b[:stop])
	return nil
}

// withHeaders is inputs with "==> name <==" before each when there are several.
func (p *Proc) withHeaders(args []string, header int, message string, fn func(string, io.Reader) error) int {
	if header == 0 && len(args) > 1 {
		header = 1
	}
	first := true
	status := 0
	args = orStdin(args)
	for _, a := range args {
		r, err := p.open(a)
		if err != nil {
			p.errorf("%s: %s", strings.ReplaceAll(message, "%q", qa(a)), why(err))
			status = 1
			continue
		}
		if header > 0 {
			name := a
			if a == "-" {
				name = "standard input"
			}
			if !first {
				p.print("\n")
			}
			p.print("==> " + name + " <==\n")
		}
		first = false
		if err := fn(a, r); err != nil {
			p.errorf("error reading %s: %s", qa(a), why(err))
			status = 1
		}
		_ = r.Close()
	}
	return status
}
