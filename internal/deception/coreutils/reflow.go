package coreutils

import (
	"io"
	"strconv"
	"strings"
)

// expand turns tabs into blanks.
func expand(p *Proc) int {
	p.Args = oldTabs(p.Args)
	opts, args, ok := p.getopt("it:", "initial,i", "tabs=,t")
	if !ok {
		return 1
	}
	stops, initial, ok := p.tabStops(opts)
	if !ok {
		return 1
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, full bool) bool {
			col, lead := 0, true
			for _, c := range string(l) {
				if c == '\t' && (lead || !initial) {
					next := stops.after(col)
					p.print(strings.Repeat(" ", next-col))
					col = next
					continue
				}
				lead = lead && c == ' '
				p.print(string(c))
				col++
			}
			if full {
				p.print("\n")
			}
			return true
		})
	})
}

// unexpand turns blanks into tabs, at the start of a line or with -a anywhere.
func unexpand(p *Proc) int {
	opts, args, ok := p.getopt("at:", "all,a", "first-only,f", "tabs=,t")
	if !ok {
		return 1
	}
	stops, _, ok := p.tabStops(opts)
	if !ok {
		return 1
	}
	flags := letters(opts)
	all := (flags["a"] || flags["t"]) && !flags["f"]
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, full bool) bool {
			p.print(stops.tabify(string(l), all))
			if full {
				p.print("\n")
			}
			return true
		})
	})
}

// tabs are columns where a tab ends; one figure alone repeats.
type tabs []int

func (t tabs) after(col int) int {
	if len(t) == 1 {
		return col/t[0]*t[0] + t[0]
	}
	for _, s := range t {
		if s > col {
			return s
		}
	}
	return col + 1
}

func (t tabs) tabify(l string, all bool) string {
	var out strings.Builder
	col, blanks, from, lead := 0, "", 0, true
	for _, c := range l {
		if (c == ' ' || c == '\t') && (lead || all) {
			if blanks == "" {
				from = col
			}
			blanks += string(c)
			next := col + 1
			if c == '\t' {
				next = t.after(col)
			}
			if next == t.after(from) {
				// One blank before a stop stays a blank.
				if blanks != " " {
					blanks = "\t"
				}
				out.WriteString(blanks)
				blanks = ""
			}
			col = next
			continue
		}
		out.WriteString(blanks)
		blanks, lead = "", false
		out.WriteRune(c)
		col++
	}
	return out.String() + blanks
}

func (p *Proc) tabStops(opts []opt) (t tabs, initial, ok bool) {
	for _, o := range opts {
		switch o.name {
		case "i":
			initial = true
		case "t":
			for _, s := range listed(strings.ReplaceAll(o.val, " ", ",")) {
				n, err := strconv.Atoi(s)
				if err != nil {
					p.errorf("tab size contains invalid character(s): %s", p.q(s))
					return nil, false, false
				}
				if n == 0 {
					p.errorf("tab size cannot be 0")
					return nil, false, false
				}
				t = append(t, n)
			}
		}
	}
	if t == nil {
		t = tabs{8}
	}
	return t, initial, true
}

// oldTabs turns expand -4 into expand -t4.
func oldTabs(args []string) []string {
	out := oldWidth(args)
	for i, a := range out {
		if n, ok := strings.CutPrefix(a, "-w"); ok && a != args[i] {
			out[i] = "-t" + n
		}
	}
	return out
}

// fmtCmd fills paragraphs. It weighs ragged lines as fmt does: a line costs
// something in itself and more the further it is from the goal.
func fmtCmd(p *Proc) int {
	p.Args = oldWidth(p.Args)
	opts, args, ok := p.getopt("cp:stuw:g:", "crown-margin,c", "prefix=,p", "split-only,s", "tagged-paragraph,t", "uniform-spacing,u", "width=,w", "goal=,g")
	if !ok {
		return 1
	}
	wide, split := 75, false
	for _, o := range opts {
		switch o.name {
		case "w":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 0 || n > 2500 {
				p.errorf("invalid width: %s", p.q(o.val))
				return 1
			}
			wide = n
		case "s":
			split = true
		}
	}
	var words []string
	indent := ""
	end := func() {
		p.fill(words, indent, wide)
		words = nil
	}
	status := p.inputs(args, "cannot open %q for reading", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			text := string(l)
			lead := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
			if strings.TrimSpace(text) == "" {
				end()
				p.print("\n")
				return true
			}
			if lead != indent || split {
				end()
			}
			indent = lead
			words = append(words, strings.Fields(text)...)
			return true
		})
	})
	end()
	return status
}

// fill prints one paragraph.
func (p *Proc) fill(words []string, indent string, wide int) {
	if len(words) == 0 {
		return
	}
	goal := wide * 187 / 200
	n := len(words)
	best, cut, width := make([]int, n+1), make([]int, n+1), make([]int, n+1)
	for i := n - 1; i >= 0; i-- {
		length := len(indent)
		best[i] = -1
		for j := i + 1; j <= n; j++ {
			p.step(1)
			if length += len(words[j-1]); j > i+1 {
				length++
			}
			if j > i+1 && length >= wide {
				break
			}
			cost := best[j]
			if j < n {
				short := 10 * (goal - length)
				cost += 4900 + short*short
				if cut[j] < n {
					ragged := 10 * (length - width[j])
					cost += ragged * ragged / 2
				}
				if j == n-1 {
					cost += 22500 / (len(words[j]) + 2) // the last word alone
				}
			}
			if best[i] < 0 || cost < best[i] {
				best[i], cut[i], width[i] = cost, j, length
			}
		}
	}
	for i := 0; i < n; i = cut[i] {
		p.print(indent + strings.Join(words[i:cut[i]], " ") + "\n")
	}
}
