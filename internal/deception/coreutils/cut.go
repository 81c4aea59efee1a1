package coreutils

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// span is a range of positions, from 1 on; to is large when open.
type span struct{ from, to int }

func parseSpans(s string) ([]span, string) {
	var out []span
	for _, part := range listed(s) {
		a, b, dash := strings.Cut(part, "-")
		x, y := span{1, math.MaxInt}, 0
		var err error
		if a != "" {
			if x.from, err = strconv.Atoi(a); err != nil {
				return nil, "invalid"
			}
			if x.from == 0 {
				return nil, "zero"
			}
		}
		switch {
		case !dash:
			x.to = x.from
		case b != "":
			if y, err = strconv.Atoi(b); err != nil {
				return nil, "invalid"
			}
			if x.to = y; x.to < x.from {
				return nil, "decreasing"
			}
		case a == "":
			return nil, "endless"
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return out, ""
}

func in(spans []span, n int) bool {
	for _, s := range spans {
		if n >= s.from && n <= s.to {
			return true
		}
	}
	return false
}

func cut(p *Proc) int {
	opts, args, ok := p.getopt("b:c:d:f:nsz", "bytes=,b", "characters=,c", "delimiter=,d", "fields=,f", "only-delimited,s", "zero-terminated,z", "complement", "output-delimiter=")
	if !ok {
		return 1
	}
	mode, list, delim, only, outDelim, complement, hasOut, hasDelim := "", "", "\t", false, "", false, false, false
	end := byte('\n')
	if letters(opts)["z"] {
		end = 0
	}
	for _, o := range opts {
		switch o.name {
		case "b", "c", "f":
			if mode != "" {
				p.errorf("only one list may be specified")
				return p.try(1)
			}
			mode, list = o.name, o.val
		case "d":
			if len([]rune(o.val)) > 1 {
				p.errorf("the delimiter must be a single character")
				return p.try(1)
			}
			delim, hasDelim = o.val, true
			if delim == "" {
				delim = "\x00"
			}
		case "s":
			only = true
		case "complement":
			complement = true
		case "output-delimiter":
			outDelim, hasOut = o.val, true
		}
	}
	if mode == "" {
		p.errorf("you must specify a list of bytes, characters, or fields")
		return p.try(1)
	}
	if hasDelim && mode != "f" {
		p.errorf("an input delimiter may be specified only when operating on fields")
		return p.try(1)
	}
	spans, bad := parseSpans(list)
	what := map[string]string{"f": "field", "b": "byte/character position", "c": "byte/character position"}[mode]
	switch bad {
	case "zero":
		if mode == "f" {
			p.errorf("fields are numbered from 1")
		} else {
			p.errorf("byte/character positions are numbered from 1")
		}
		return p.try(1)
	case "decreasing":
		p.errorf("invalid decreasing range")
		return p.try(1)
	case "endless":
		p.errorf("invalid range with no endpoint: -")
		return p.try(1)
	case "invalid":
		p.errorf("invalid %s value %s", what, p.q(list))
		return p.try(1)
	}
	if !hasOut {
		outDelim = delim
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.records(r, end, func(l []byte, _ bool) bool {
			if mode != "f" {
				var out []byte
				for i, c := range l {
					if in(spans, i+1) != complement {
						out = append(out, c)
					}
				}
				p.write(append(out, end))
				return true
			}
			if !bytes.Contains(l, []byte(delim)) {
				if !only {
					p.write(append(slices.Clone(l), end))
				}
				return true
			}
			var out []string
			for i, f := range strings.Split(string(l), delim) {
				if in(spans, i+1) != complement {
					out = append(out, f)
				}
			}
			p.print(strings.Join(out, outDelim) + "\n")
			return true
		})
	})
}
