package coreutils

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func tail(p *Proc) int {
	if a := p.Args; len(a) > 3 && len(a[1]) > 1 && a[1][0] == '-' && strings.Trim(a[1][1:], "0123456789") == "" {
		p.errorf("option used in invalid context -- %c", a[1][1])
		return 1
	}
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
