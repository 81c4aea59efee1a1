package coreutils

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func catCommands(name string) Command {
	switch name {
	case "cat":
		return cat
	case "head":
		return head
	case "tail":
		return tail
	case "wc":
		return wc
	case "tee":
		return tee
	case "tac":
		return tac
	case "rev":
		return rev
	case "nl":
		return nl
	case "more", "less", "pager":
		return pager
	case "fold":
		return fold
	}
	return nil
}

func cat(p *Proc) int {
	opts, args, ok := p.getopt("AbeEnstTuv", "show-all,A", "number-nonblank,b", "show-ends,E", "number,n", "squeeze-blank,s", "show-tabs,T", "show-nonprinting,v")
	if !ok {
		return 1
	}
	flags := ""
	for _, o := range opts {
		flags += map[string]string{"A": "vET", "e": "vE", "t": "vT"}[o.name] + o.name
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	status, line, blank := 0, 0, false
	for _, a := range args {
		r, err := p.openFile(a)
		if err != nil {
			p.flush() // cat does not buffer
			p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		if strings.Trim(flags, "u") == "" {
			err = p.each(r, func(b []byte) bool {
				p.write(b)
				p.flush()
				return true
			})
		} else {
			err = p.lines(r, func(l []byte, full bool) bool {
				if strings.Contains(flags, "s") && len(l) == 0 && blank {
					return true
				}
				blank = len(l) == 0
				if strings.Contains(flags, "b") && len(l) > 0 || strings.Contains(flags, "n") && !strings.Contains(flags, "b") {
					line++
					p.printf("%6d\t", line)
				}
				end := ""
				if full && strings.Contains(flags, "E") {
					if n := len(l); n > 0 && l[n-1] == '\r' && !strings.Contains(flags, "v") {
						l, end = l[:n-1], "^M"
					}
					end += "$"
				}
				p.write(visible(l, flags))
				p.print(end)
				if full {
					p.print("\n")
				}
				return true
			})
		}
		_ = r.Close()
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			status = 1
		}
	}
	return status
}

// visible shows control characters as cat -v does.
func visible(b []byte, flags string) []byte {
	if !strings.ContainsAny(flags, "vT") {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for _, c := range b {
		switch {
		case c == '\t' && !strings.Contains(flags, "T"):
			out = append(out, c)
		case c == '\t':
			out = append(out, "^I"...)
		case !strings.Contains(flags, "v"):
			out = append(out, c)
		default:
			if c >= 0x80 {
				out = append(out, "M-"...)
				c -= 0x80
			}
			switch {
			case c < 0x20:
				out = append(out, '^', c+0x40)
			case c == 0x7f:
				out = append(out, "^?"...)
			default:
				out = append(out, c)
			}
		}
	}
	return out
}

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
	if len(args) == 0 {
		args = []string{"-"}
	}
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

func tail(p *Proc) int {
	p.Args = oldCount(p.Args, "+")
	opts, args, ok := p.getopt("c:fFn:qs:vz", "bytes=,c", "lines=,n", "follow?,f", "quiet,q", "silent,q", "verbose,v", "zero-terminated,z", "pid=", "retry", "sleep-interval=,s")
	if !ok {
		return 1
	}
	count, bytesMode, fromStart, header, follow, end := int64(10), false, false, 0, false, byte('\n')
	for _, o := range opts {
		switch o.name {
		case "c", "n":
			v := strings.TrimPrefix(o.val, "-")
			fromStart = strings.HasPrefix(v, "+")
			n, good := size(strings.TrimPrefix(v, "+"))
			if !good {
				p.errorf("invalid number of %s: %s", map[string]string{"c": "bytes", "n": "lines"}[o.name], p.q(v))
				return 1
			}
			count, bytesMode = n, o.name == "c"
		case "q":
			header = -1
		case "v":
			header = 1
		case "f", "F":
			follow = true
		case "z":
			end = 0
		}
	}
	status := p.withHeaders(args, header, "cannot open %q for reading", func(_ string, r io.Reader) error {
		if fromStart {
			return p.fromStart(r, count, bytesMode, end)
		}
		b, err := p.lastPart(r, count, bytesMode, end)
		p.write(b)
		return err
	})
	if follow && len(args) > 0 {
		p.flush()
		return p.forever()
	}
	return status
}

// forever waits until the session ends it.
func (p *Proc) forever() int {
	if p.Sleep == nil {
		return 0
	}
	for {
		p.sleep(3600e9)
	}
}

func (p *Proc) fromStart(r io.Reader, n int64, bytesMode bool, end byte) error {
	if n > 0 {
		n--
	}
	if bytesMode {
		return p.each(r, func(b []byte) bool {
			skip := min(n, int64(len(b)))
			n -= skip
			p.write(b[skip:])
			return true
		})
	}
	return p.records(r, end, func(l []byte, full bool) bool {
		if n > 0 {
			n--
			return true
		}
		p.write(l)
		if full {
			p.write([]byte{end})
		}
		return true
	})
}

// tailWindow is how many bytes tail keeps at most.
const tailWindow = 4 << 20

// lastPart returns the last n lines or bytes, keeping a window of the input.
func (p *Proc) lastPart(r io.Reader, n int64, bytesMode bool, end byte) ([]byte, error) {
	if f, ok := r.(*vfs.File); ok { // a file need not be read from its beginning
		if i := f.Stat(); i.IsRegular() && i.Size > tailWindow {
			_, _ = f.Seek(i.Size-tailWindow, io.SeekStart)
		}
	}
	var win []byte
	err := p.each(r, func(b []byte) bool {
		if len(win)+len(b) > cap(win) {
			p.alloc(len(b))
		}
		win = append(win, b...)
		if len(win) > 2*tailWindow {
			p.alloc(-(len(win) - tailWindow))
			win = slices.Clone(win[len(win)-tailWindow:])
		}
		return true
	})
	if bytesMode {
		return win[max(0, int64(len(win))-n):], err
	}
	from := len(win)
	if from > 0 && win[from-1] == end {
		from--
	}
	if n == 0 {
		return nil, err
	}
	for ; n > 0 && from > 0; n-- {
		from = bytes.LastIndexByte(win[:from], end)
		if from < 0 {
			return win, err
		}
	}
	if from == 0 && n > 0 {
		return win, err
	}
	return win[min(len(win), from+1):], err
}

func wc(p *Proc) int {
	opts, args, ok := p.getopt("cLlmw", "bytes,c", "chars,m", "lines,l", "words,w", "max-line-length,L", "files0-from=", "total=")
	if !ok {
		return 1
	}
	flags := ""
	for _, o := range opts {
		flags += o.name
	}
	if flags == "" {
		flags = "lwc"
	}
	type counts struct{ l, w, m, c, L int64 }
	var all []counts
	var names []string
	var total counts
	stdin := len(args) == 0
	var sizes int64
	odd := false
	status := p.inputs(args, "%s", func(name string, r io.Reader) error {
		var n counts
		if f, ok := r.(*vfs.File); ok {
			i := f.Stat()
			sizes += i.Size
			odd = odd || !i.IsRegular()
			if i.IsDir() {
				p.errorf("%s: Is a directory", name)
				all, names = append(all, n), append(names, name)
				return errQuiet
			}
		}
		inWord, col := false, int64(0)
		err := p.each(r, func(b []byte) bool {
			n.c += int64(len(b))
			for _, c := range b {
				if c&0xc0 != 0x80 || !p.utf8() {
					n.m++
				}
				switch {
				case c == '\n':
					n.l++
					n.L, col = max(n.L, col), 0
				case c == '\t':
					col += 8 - col%8
				case c >= 0x20 && c&0xc0 != 0x80:
					col++
				}
				space := c == ' ' || c >= 9 && c <= 13
				if !space && !inWord {
					n.w++
				}
				inWord = !space
			}
			return true
		})
		n.L = max(n.L, col)
		all, names = append(all, n), append(names, name)
		total.l, total.w, total.m, total.c, total.L = total.l+n.l, total.w+n.w, total.m+n.m, total.c+n.c, max(total.L, n.L)
		return err
	})
	wide := 1
	if len(flags) > 1 || len(args) > 1 {
		wide = len(strconv.FormatInt(max(sizes, total.c), 10))
		if stdin || odd || slices.Contains(args, "-") {
			wide = 7
		}
	}
	show := func(n counts, name string) {
		sep := ""
		for _, f := range []struct {
			flag string
			v    int64
		}{{"l", n.l}, {"w", n.w}, {"m", n.m}, {"c", n.c}, {"L", n.L}} {
			if strings.Contains(flags, f.flag) {
				p.printf("%s%*d", sep, wide, f.v)
				sep = " "
			}
		}
		if name != "" {
			p.print(" " + name)
		}
		p.print("\n")
	}
	for i, n := range all {
		if stdin {
			names[i] = ""
		}
		show(n, names[i])
	}
	if len(args) > 1 {
		show(total, "total")
	}
	return status
}

// errQuiet marks what a command has already complained about.
var errQuiet = errors.New("reported")

func tee(p *Proc) int {
	opts, args, ok := p.getopt("aip", "append,a", "ignore-interrupts,i", "output-error?")
	if !ok {
		return 1
	}
	flags := vfs.O_WRONLY | vfs.O_CREATE | vfs.O_TRUNC
	for _, o := range opts {
		if o.name == "a" {
			flags = vfs.O_WRONLY | vfs.O_CREATE | vfs.O_APPEND
		}
	}
	status := 0
	var out []io.WriteCloser
	for _, a := range args {
		f, err := p.create(a, flags)
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		out = append(out, f)
	}
	defer func() {
		for _, f := range out {
			_ = f.Close()
		}
	}()
	_ = p.each(p.Stdin, func(b []byte) bool {
		p.write(b)
		p.flush()
		for i, f := range out {
			if _, err := f.Write(b); err != nil && status == 0 {
				p.errorf("%s: %s", args[min(i, len(args)-1)], why(err))
				status = 1
			}
		}
		return true
	})
	return status
}

func tac(p *Proc) int {
	_, args, ok := p.getopt("brs:", "before,b", "regex,r", "separator=,s")
	if !ok {
		return 1
	}
	return p.inputs(args, "failed to open %q for reading", func(_ string, r io.Reader) error {
		b, err := p.all(r)
		defer p.alloc(-len(b))
		for len(b) > 0 {
			i := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
			p.write(b[i:])
			b = b[:i]
		}
		return err
	})
}

func rev(p *Proc) int {
	_, args, ok := p.getopt("0", "zero,0")
	if !ok {
		return 1
	}
	return p.inputs(args, "cannot open %s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, full bool) bool {
			rs := []rune(string(l))
			slices.Reverse(rs)
			p.print(string(rs))
			if full {
				p.print("\n")
			}
			return true
		})
	})
}

func nl(p *Proc) int {
	opts, args, ok := p.getopt("b:d:f:h:i:l:n:ps:v:w:", "body-numbering=,b", "line-increment=,i", "number-format=,n", "number-separator=,s", "starting-line-number=,v", "number-width=,w")
	if !ok {
		return 1
	}
	all, sep, n, inc, wide, format := false, "\t", 1, 1, 6, "rn"
	for _, o := range opts {
		v, _ := strconv.Atoi(o.val)
		switch o.name {
		case "b":
			all = o.val == "a"
		case "s":
			sep = o.val
		case "v":
			n = v
		case "i":
			inc = v
		case "w":
			wide = min(max(1, v), 100)
		case "n":
			format = o.val
		}
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			if len(l) == 0 && !all {
				p.print(strings.Repeat(" ", wide+len(sep)) + "\n")
				return true
			}
			verb := map[string]string{"ln": "%-*d", "rz": "%0*d"}[format]
			if verb == "" {
				verb = "%*d"
			}
			p.printf(verb+"%s%s\n", wide, n, sep, l)
			n += inc
			return true
		})
	})
}

// pager shows everything at once: without a terminal that is what less does.
func pager(p *Proc) int {
	var args []string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "+") {
			args = append(args, a)
		}
	}
	if len(args) == 0 && p.StdinTTY {
		fmt.Fprintf(p.Stderr, "Missing filename (\"%s --help\" for help)\n", p.name)
		return 1
	}
	status := 0
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, a := range args {
		r, err := p.openFile(a)
		if err != nil {
			msg := why(err)
			if errors.Is(err, vfs.EISDIR) {
				msg = "is a directory"
			}
			if p.name == "more" {
				fmt.Fprintf(p.Stderr, "more: cannot open %s: %s\n", a, msg)
			} else {
				fmt.Fprintf(p.Stderr, "%s: %s\n", a, msg)
			}
			if p.name != "more" {
				status = 1
			}
			continue
		}
		_ = p.each(r, func(b []byte) bool { p.write(b); return true })
		_ = r.Close()
	}
	return status
}

func fold(p *Proc) int {
	p.Args = oldWidth(p.Args)
	opts, args, ok := p.getopt("bsw:", "bytes,b", "spaces,s", "width=,w")
	if !ok {
		return 1
	}
	wide := 80
	for _, o := range opts {
		if o.name == "w" {
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 1 {
				p.errorf("invalid number of columns: %s", p.q(o.val))
				return 1
			}
			wide = n
		}
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, full bool) bool {
			for len(l) > wide {
				p.write(l[:wide])
				p.print("\n")
				l = l[wide:]
			}
			p.write(l)
			if full {
				p.print("\n")
			}
			return true
		})
	})
}

// oldWidth turns fold -72 into fold -w 72.
func oldWidth(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if i > 0 && len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "0123456789") == "" {
			out[i] = "-w" + a[1:]
		}
	}
	return out
}
