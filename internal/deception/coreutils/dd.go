package coreutils

import (
	"errors"
	"io"
	"slices"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// dd copies blocks and tells what it did.
func dd(p *Proc) int {
	d := &ddJob{p: p, ibs: 512, obs: 512, count: -1}
	for _, a := range p.Args[1:] {
		if a == "--help" {
			p.help()
		}
		if a == "--version" {
			p.version()
		}
		if strings.HasPrefix(a, "-") {
			if _, _, ok := p.getopt(""); !ok {
				return 1
			}
		}
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			p.errorf("unrecognized operand %s", p.q(a))
			return p.try(1)
		}
		if !d.set(k, v, a) {
			return p.try(1)
		}
	}
	return d.run()
}

type ddJob struct {
	p                            *Proc
	in, out, conv, status, oflag string
	iflag                        string
	ibs, obs, count, skip, seek  int64
	bytesIn                      int64
	full, part, wFull, wPart     int64
}

func (d *ddJob) set(k, v, whole string) bool {
	switch k {
	case "if":
		d.in = v
	case "of":
		d.out = v
	case "conv":
		d.conv = v
		return d.known(v, "conversion", "ascii ebcdic ibm block unblock lcase ucase sparse swab sync excl nocreat notrunc noerror fdatasync fsync")
	case "status":
		d.status = v
		return d.known(v, "status level", "none noxfer progress")
	case "oflag", "iflag":
		if d.oflag += "," + v; k == "iflag" {
			d.iflag += "," + v
		}
		return d.known(v, map[string]string{"oflag": "output flag", "iflag": "input flag"}[k], "append direct directory dsync sync fullblock nonblock noatime nocache noctty nofollow count_bytes skip_bytes seek_bytes cio binary text")
	case "bs", "ibs", "obs", "count", "skip", "seek", "cbs":
		n, ok := size(v)
		if !ok || n == 0 && strings.HasSuffix(k, "bs") {
			d.p.errorf("invalid number: %s", d.p.q(v))
			panic(stop{1})
		}
		switch k {
		case "bs":
			d.ibs, d.obs = n, n
		case "ibs":
			d.ibs = n
		case "obs":
			d.obs = n
		case "count":
			d.count = n
		case "skip", "iseek":
			d.skip = n
		case "seek", "oseek":
			d.seek = n
		}
	default:
		d.p.errorf("unrecognized operand %s", d.p.q(whole))
		return false
	}
	return true
}

// known refuses a symbol that is not in the list.
func (d *ddJob) known(v, what, list string) bool {
	for s := range strings.SplitSeq(v, ",") {
		if !slices.Contains(strings.Fields(list), s) {
			d.p.errorf("invalid %s: %s", what, d.p.q(s))
			return false
		}
	}
	return true
}

// ddBlock bounds one block in memory.
const ddBlock = 64 << 20

func (d *ddJob) run() int {
	p := d.p
	var r io.Reader = p.Stdin
	if d.in != "" {
		f, err := p.open(d.in)
		if err != nil {
			p.errorf("failed to open %s: %s", qa(d.in), why(err))
			return 1
		}
		defer f.Close()
		r = f
	}
	var w io.Writer = p.out
	if d.out != "" {
		flags := vfs.O_WRONLY | vfs.O_CREATE
		if !strings.Contains(d.conv, "notrunc") && d.seek == 0 && !strings.Contains(d.oflag, "append") {
			flags |= vfs.O_TRUNC
		}
		if strings.Contains(d.oflag, "append") {
			flags |= vfs.O_APPEND
		}
		f, err := p.create(d.out, flags)
		if err != nil {
			p.errorf("failed to open %s: %s", qa(d.out), why(err))
			return 1
		}
		defer f.Close()
		if v, ok := f.(*vfs.File); ok && d.seek > 0 {
			if !strings.Contains(d.conv, "notrunc") {
				_ = v.Truncate(d.seek * d.obs)
			}
			_, _ = v.Seek(d.seek*d.obs, io.SeekStart)
		}
		w = f
	}
	if d.ibs > ddBlock {
		p.errorf("memory exhausted by input buffer of size %d bytes (%s)", d.ibs, human(float64(d.ibs), 1024))
		return 1
	}
	p.alloc(int(d.ibs))
	defer p.alloc(-int(d.ibs))
	start := p.Now()
	status := d.copy(r, w)
	p.flush()
	d.report(p.Now().Sub(start).Seconds())
	return status
}

func (d *ddJob) copy(r io.Reader, w io.Writer) int {
	p := d.p
	buf := make([]byte, d.ibs)
	if strings.Contains(d.iflag, "skip_bytes") {
		_, _ = io.CopyN(io.Discard, &metered{p: p, r: r}, d.skip)
		d.skip = 0
	}
	for n := int64(0); n < d.skip; n++ {
		p.step(1)
		if _, err := io.ReadFull(r, buf); err != nil {
			break
		}
	}
	whole := strings.Contains(d.oflag, "fullblock")
	for d.count < 0 || d.full+d.part < d.count {
		p.step(1 + int(d.ibs/8192))
		var n int
		var err error
		if whole {
			n, err = io.ReadFull(r, buf)
		} else {
			n, err = r.Read(buf)
		}
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return 0
			}
			p.errorf("error reading %s: %s", qa(d.in), why(err))
			return 1
		}
		d.bytesIn += int64(n)
		if int64(n) == d.ibs {
			d.full++
		} else {
			d.part++
		}
		block := buf[:n]
		switch {
		case strings.Contains(d.conv, "ucase"):
			block = []byte(strings.ToUpper(string(block)))
		case strings.Contains(d.conv, "lcase"):
			block = []byte(strings.ToLower(string(block)))
		}
		if strings.Contains(d.conv, "swab") {
			for i := 0; i+1 < len(block); i += 2 {
				block[i], block[i+1] = block[i+1], block[i]
			}
		}
		if _, err := w.Write(block); err != nil {
			if d.out == "" {
				return p.writeFailed(err)
			}
			p.errorf("error writing %s: %s", qa(d.out), why(err))
			return 1
		}
		if int64(n) == d.obs {
			d.wFull++
		} else {
			d.wPart++
		}
	}
	return 0
}

func (d *ddJob) report(seconds float64) {
	p := d.p
	if d.status == "none" {
		return
	}
	if d.ibs != d.obs { // blocks are regrouped
		d.wFull, d.wPart = d.bytesIn/d.obs, 0
		if d.bytesIn%d.obs > 0 {
			d.wPart = 1
		}
	}
	p.complain(sprintf("%d+%d records in\n%d+%d records out\n", d.full, d.part, d.wFull, d.wPart))
	if d.status == "noxfer" {
		return
	}
	// A pretended disk writes about 600 MB/s; small copies take their time too.
	seconds = max(seconds, 0.00003+float64(d.bytesIn)/6e8+float64(p.PID%97)*1e-7)
	rate := human(float64(d.bytesIn)/seconds, 1000) + "/s"
	size := sprintf("%d bytes", d.bytesIn)
	if d.bytesIn == 1 {
		size = "1 byte"
	}
	if d.bytesIn >= 1000 {
		size += " (" + human(float64(d.bytesIn), 1000)
		if d.bytesIn >= 1024 {
			size += ", " + human(float64(d.bytesIn), 1024)
		}
		size += ")"
	}
	p.complain(sprintf("%s copied, %s s, %s\n", size, short(seconds), rate))
}

// short writes a number with six significant digits, as %g does.
func short(f float64) string { return sprintf("%.6g", f) }

// human writes a size as dd does: 1.0 kB, 10 MB, 1.0 KiB.
func human(n float64, base float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	if base == 1024 {
		units = []string{"B", "KiB", "MiB", "GiB", "TiB"}
	}
	i := 0
	for n >= base-0.5 && i < len(units)-1 {
		n /= base
		i++
	}
	switch {
	case i == 0:
		return sprintf("%.0f %s", n, units[i])
	case n < 9.95:
		return sprintf("%.1f %s", n, units[i])
	}
	return sprintf("%.0f %s", n, units[i])
}
