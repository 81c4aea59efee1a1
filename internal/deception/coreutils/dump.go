package coreutils

import (
	"errors"
	"io"
	"strconv"

	"honeyguide/internal/deception/vfs"
)

func dumpCommands(name string) Command {
	switch name {
	case "od":
		return od
	case "xxd":
		return xxd
	case "hexdump", "hd":
		return hexdump
	case "strings":
		return stringsCmd
	}
	return nil
}

// readers makes one stream of the operands.
func (p *Proc) readers(args []string) (io.Reader, int) {
	if len(args) == 0 {
		return p.Stdin, 0
	}
	var list []io.Reader
	status := 0
	for _, a := range args {
		f, err := p.openFile(a)
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		list = append(list, f)
	}
	return io.MultiReader(list...), status
}

// rows reads r in blocks of n bytes.
func (p *Proc) rows(r io.Reader, n int, fn func(off int64, b []byte)) int64 {
	buf := make([]byte, n)
	var off int64
	for {
		k, err := io.ReadFull(r, buf)
		p.step(1)
		if k > 0 {
			fn(off, buf[:k])
			off += int64(k)
		}
		if err != nil {
			return off
		}
	}
}

func printable(b []byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		if c < 32 || c > 126 {
			c = '.'
		}
		out[i] = c
	}
	return string(out)
}

func stringsCmd(p *Proc) int {
	opts, args, ok := p.getopt("adefn:ost:T:vVwU:", "all,a", "bytes=,n", "radix=,t", "print-file-name,f", "data,d", "encoding=,e")
	if !ok {
		return 1
	}
	least, radix := 4, ""
	for _, o := range opts {
		n, err := strconv.Atoi(o.val)
		switch {
		case o.name == "o":
			radix = "o"
		case o.name == "t":
			radix = o.val
		case o.name == "n" && err != nil:
			p.errorf("invalid integer argument %s", o.val)
			return 1
		case o.name == "n" && n < 1:
			p.errorf("invalid minimum string length %d", n)
			return 1
		case o.name == "n":
			least = n
		}
	}
	status := 0
	args = orStdin(args)
	for _, a := range args {
		f, err := p.openFile(a)
		if err != nil {
			switch {
			case errors.Is(err, vfs.ENOENT):
				p.complain("strings: '" + a + "': No such file\n")
			case errors.Is(err, vfs.EISDIR):
				p.complain("strings: Warning: '" + a + "' is a directory\n")
			default:
				p.errorf("%s: %s", a, why(err))
			}
			status = 1
			continue
		}
		var run []byte
		at := 0
		show := func() {
			if len(run) < least {
				return
			}
			switch radix {
			case "d":
				p.printf("%7d ", at-len(run))
			case "o":
				p.printf("%7o ", at-len(run))
			case "x":
				p.printf("%7x ", at-len(run))
			}
			p.write(append(run, '\n'))
		}
		_ = p.each(f, func(b []byte) bool {
			for _, c := range b {
				at++
				if c >= 32 && c < 127 || c == '\t' {
					if len(run) < maxLine {
						run = append(run, c)
					}
					continue
				}
				at--
				show()
				at++
				run = run[:0]
			}
			return true
		})
		show()
		_ = f.Close()
	}
	return status
}
