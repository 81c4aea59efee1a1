package feeds

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"honeyguide/internal/enrich"
)

// Formats.
const (
	formatAuto  = "auto"
	formatList  = "list"  // one indicator a line
	formatCSV   = "csv"   // a table whose head names its columns
	formatMISP  = "misp"  // events or attributes as MISP writes them, also one after the other
	formatSTIX  = "stix"  // a STIX 2.1 bundle or TAXII 2.1 pages, also one after the other
	formatTAXII = "taxii" // the same, fetched page by page
	formatFeed  = "misp-feed"
)

// maxLine bounds one line of a list, bytes.
const maxLine = 64 << 10

// errFull ends a parse when there are as many indicators as may be.
var errFull = errors.New("full")

// A taker gets what a parser finds.
type taker struct {
	item func(*item) error // errFull ends the parse
	good int64
	bad  int64
	list []enrich.BadLine
	full bool
	part [2]float64 // of all addresses there are, IPv4 and IPv6: what the networks name, each for itself
}

// most is the part of all addresses a list may name: with more it would speak of
// everybody, by mistake or because its maker is no longer its master. Lists of
// what is unroutable and of stolen networks name a seventh.
const most = 0.5

// tooMuch says that a list speaks of everybody.
func (t *taker) tooMuch() error {
	for i, version := range []string{"IPv4", "IPv6"} {
		if t.part[i] > most {
			return fmt.Errorf("it names %.0f %% of all addresses of %s: it would be said of everybody", 100*t.part[i], version)
		}
	}
	return nil
}

func (t *taker) take(it item, err error, line int64) error {
	if err != nil {
		t.refuse(line, err.Error())
		return nil
	}
	if err := t.item(&it); err != nil {
		return err
	}
	t.good++
	switch {
	case it.sort != network:
	case it.prefix.Addr().Is4():
		t.part[0] += math.Exp2(-float64(it.prefix.Bits()))
	default: // an eighth of IPv6 is given out
		t.part[1] += math.Exp2(3 - float64(it.prefix.Bits()))
	}
	return nil
}

func (t *taker) refuse(line int64, reason string) {
	t.bad++
	if len(t.list) < enrich.MaxBadLines {
		t.list = append(t.list, enrich.BadLine{Line: line, Reason: reason})
	}
}

// parse reads a feed in one of the formats. open opens it from its beginning:
// some are read twice. Bad lines go to t; the error is for a feed that cannot be
// read at all.
func parse(open func() (io.ReadCloser, error), format, column string, t *taker) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := unpack(f)
	if err != nil {
		return err
	}
	if format == formatAuto || format == "" {
		format = sniff(r)
	}
	switch format {
	case formatCSV:
		err = parseCSV(r, column, t)
	case formatMISP, formatFeed:
		err = parseMISP(r, t)
	case formatSTIX, formatTAXII:
		err = parseSTIXTwice(open, r, t)
	default:
		err = parseList(r, t)
	}
	if errors.Is(err, errFull) {
		t.full = true
		return nil
	}
	return err
}

// unpack reads through gzip where there is any.
func unpack(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("unpack feed: %w", err)
		}
		b = bufio.NewReaderSize(io.LimitReader(z, maxUnpacked), 64<<10)
	}
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\ufeff")) {
		_, _ = b.Discard(3)
	}
	return b, nil
}

// maxUnpacked bounds what a packed feed may become, bytes.
const maxUnpacked = 1 << 30

// sniff tells the format by the beginning.
func sniff(r *bufio.Reader) string {
	head, _ := r.Peek(16 << 10)
	head = bytes.TrimSpace(head)
	switch {
	case len(head) > 0 && (head[0] == '{' || head[0] == '['):
		if bytes.Contains(head, []byte(`"Attribute"`)) || bytes.Contains(head, []byte(`"Event"`)) {
			return formatMISP
		}
		return formatSTIX
	case looksLikeTable(head):
		return formatCSV
	}
	return formatList
}

// looksLikeTable reports whether the first line with something on it, or the
// last remark before it, names columns.
func looksLikeTable(head []byte) bool {
	for line := range bytes.Lines(head) {
		s := strings.TrimSpace(string(line))
		remark := strings.HasPrefix(s, "#")
		cells := strings.FieldsFunc(strings.TrimLeft(s, "# "), func(r rune) bool { return r == ',' || r == ';' || r == '\t' })
		known := 0
		for _, c := range cells {
			if columnOf(c) != "" {
				known++
			}
		}
		switch {
		case len(cells) > 1 && known > 0 && columnsName(cells):
			return true
		case s != "" && !remark:
			return false
		}
	}
	return false
}

// columnsName reports whether one of the cells names the column of indicators.
func columnsName(cells []string) bool {
	for _, c := range cells {
		if columnOf(c) == "indicator" {
			return true
		}
	}
	return false
}

// parseList reads one indicator a line; what follows it names it.
func parseList(r *bufio.Reader, t *taker) error {
	var line []byte
	for n := int64(1); ; n++ {
		var long bool
		var err error
		line, long, err = readLine(r, line[:0])
		if err != nil && len(line) == 0 {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read feed: %w", err)
		}
		if long {
			t.refuse(n, "longer than 64 KiB")
			continue
		}
		value, label := splitLine(string(line))
		if value == "" {
			continue
		}
		it, err := classify(value)
		it.label = label
		if err := t.take(it, err, n); err != nil {
			return err
		}
	}
}

// readLine appends the next line; of one longer than maxLine it returns nothing.
func readLine(r *bufio.Reader, line []byte) (_ []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if !long {
			line = append(line, part...)
			if len(line) > maxLine {
				line, long = nil, true
			}
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long {
			return nil, true, nil
		}
		return line, false, err
	}
}

// splitLine takes the indicator off a line, and what the line says about it.
func splitLine(s string) (value, label string) {
	s = strings.TrimSpace(s)
	if s == "" || s[0] == '#' || s[0] == ';' || strings.HasPrefix(s, "//") || s[0] == '!' {
		return "", ""
	}
	at := strings.IndexAny(s, " \t")
	if !strings.Contains(s, "://") {
		if i := strings.IndexAny(s, ",;#"); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return s, ""
	}
	value, rest := s[:at], strings.TrimLeft(s[at:], " \t,;#|")
	if value == "0.0.0.0" || value == "127.0.0.1" || value == "::1" || value == "::" { // a hosts file
		value, rest, _ = strings.Cut(rest, " ")
		value, _, _ = strings.Cut(value, "\t")
		if value == "localhost" || !strings.Contains(value, ".") {
			return "", ""
		}
	}
	return value, clip(rest, maxLabel)
}

// maxLabel bounds what a feed calls an indicator, bytes.
const maxLabel = 80

func clip(s string, n int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\ufffd")
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// elements calls each for every element of every array that stands under key,
// at whatever depth, in a stream of JSON values. other is told the values of
// other keys that are texts.
func elements(r io.Reader, key string, each func(d *json.Decoder, n int64) error, other func(key, text string)) error {
	d := json.NewDecoder(r)
	var n int64
	var inObject []bool // for each open bracket
	name := ""          // the key whose value is due
	wantName := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read JSON: %w", err)
		}
		top := len(inObject) > 0 && inObject[len(inObject)-1]
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '[':
				if name == key {
					for d.More() {
						n++
						if err := each(d, n); err != nil {
							return err
						}
					}
					if _, err := d.Token(); err != nil {
						return fmt.Errorf("read JSON: %w", err)
					}
					name, wantName = "", top
					continue
				}
				inObject = append(inObject, false)
				wantName = false
			case '{':
				inObject = append(inObject, true)
				wantName = true
			default:
				inObject = inObject[:len(inObject)-1]
				wantName = len(inObject) > 0 && inObject[len(inObject)-1]
			}
			if len(inObject) > maxDepth {
				return errors.New("read JSON: nested too deeply")
			}
			name = ""
		case string:
			if top && wantName {
				name, wantName = v, false
				continue
			}
			if other != nil && name != "" {
				other(name, v)
			}
			name, wantName = "", top
		default:
			name, wantName = "", top
		}
	}
}

// maxDepth bounds the nesting of JSON.
const maxDepth = 64
