package feeds

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columnOf says what a column of a table holds, by the names feeds use.
func columnOf(s string) string {
	switch strings.ToLower(strings.Trim(strings.TrimSpace(s), `"'# `)) {
	case "indicator", "ioc", "ioc_value", "value", "ip", "ip_address", "ipaddress", "dst_ip", "dstip", "address", "domain", "host", "hostname",
		"fqdn", "url", "cidr", "network", "prefix", "sha256", "sha256_hash", "sha1", "sha1_hash", "md5", "md5_hash", "hash":
		return "indicator"
	case "confidence", "confidence_level", "score":
		return "confidence"
	case "first_seen", "first_seen_utc", "firstseen", "dateadded", "date_added", "date", "seen", "created", "last_seen":
		return "seen"
	case "expires", "valid_until", "expiration", "until":
		return "expires"
	case "threat", "malware", "malware_printable", "signature", "threat_type", "category", "reason", "description", "comment", "tags", "label", "name":
		return "label"
	}
	return ""
}

// parseCSV reads a table. Its head is the first row or a remark before it;
// column names the one with the indicators where the name is not a usual one.
func parseCSV(r *bufio.Reader, column string, t *taker) error {
	lines := &remarks{r: r}
	c := csv.NewReader(lines)
	c.FieldsPerRecord, c.LazyQuotes, c.TrimLeadingSpace, c.ReuseRecord = -1, true, true, true
	if head, _ := r.Peek(16 << 10); strings.Count(string(head), "\t") > strings.Count(string(head), ",") {
		c.Comma = '\t'
	} else if strings.Count(string(head), ";") > strings.Count(string(head), ",") {
		c.Comma = ';'
	}
	var cols []string
	for n := int64(1); ; n++ {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if p, ok := errors.AsType[*csv.ParseError](err); ok {
			t.refuse(int64(p.Line), p.Err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("read feed: %w", err)
		}
		if cols == nil {
			var isHead bool
			if cols, isHead, err = heads(record, lines.last, c.Comma, column); err != nil {
				return err
			}
			if isHead {
				continue
			}
		}
		if err := takeRow(record, cols, n, t); err != nil {
			return err
		}
	}
}

// heads finds the names of the columns.
func heads(record []string, remark string, comma rune, column string) (cols []string, isHead bool, err error) {
	name := func(cells []string) []string {
		out := make([]string, len(cells))
		for i, c := range cells {
			out[i] = columnOf(c)
			if column != "" {
				bare := strings.Trim(strings.TrimSpace(c), `"'# `)
				switch {
				case strings.EqualFold(bare, column):
					out[i] = "indicator"
				case out[i] == "indicator":
					out[i] = ""
				}
			}
		}
		return out
	}
	if cols = name(record); slices.Contains(cols, "indicator") {
		return cols, true, nil
	}
	if cols = name(strings.Split(remark, string(comma))); slices.Contains(cols, "indicator") {
		return cols, false, nil
	}
	if n, err := strconv.Atoi(column); err == nil && n >= 1 && n <= 64 {
		cols = make([]string, n)
		cols[n-1] = "indicator"
		return cols, false, nil
	}
	if column != "" {
		return nil, false, fmt.Errorf("the table has no column %.40q", column)
	}
	for i, cell := range record { // no head: the first cell that is an indicator shows where they are
		if it, err := classify(cell); err == nil && it.sort != 0 {
			cols = make([]string, i+1)
			cols[i] = "indicator"
			return cols, false, nil
		}
	}
	return nil, false, errors.New("no column of the table holds indicators; name it with column")
}

func takeRow(record, cols []string, line int64, t *taker) error {
	var it item
	var err error
	cell := map[string]string{}
	for i, v := range record[:min(len(record), len(cols))] {
		switch {
		case cols[i] == "indicator" && (it.sort == 0 || err != nil):
			if strings.TrimSpace(v) != "" {
				it, err = classify(v)
			}
		case cols[i] != "" && cell[cols[i]] == "":
			cell[cols[i]] = v
		}
	}
	if it.sort == 0 && err == nil {
		err = errors.New("no indicator in the row")
	}
	it.label = clip(cell["label"], maxLabel)
	if n, bad := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(cell["confidence"]), "%")); bad == nil && n >= 0 && n <= 100 {
		it.confidence = n
	}
	it.seen, it.expires = readTime(cell["seen"]), readTime(cell["expires"])
	return t.take(it, err, line)
}

// timeForms are the ways feeds write a moment.
var timeForms = []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04:05 MST", "2006-01-02T15:04:05", "2006-01-02", "02/01/2006 15:04"}

// readTime reads a moment, the zero time when it is none.
func readTime(s string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 1e8 && n < 1<<32 {
		return time.Unix(n, 0).UTC()
	}
	return time.Time{}
}

// remarks is a reader that leaves out lines which begin with # and remembers
// the last one.
type remarks struct {
	r    *bufio.Reader
	last string
	rest []byte
	err  error
}

// Read reads the lines that are no remarks.
func (m *remarks) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		var line []byte
		var long bool
		line, long, m.err = readLine(m.r, nil)
		switch {
		case long:
			line = []byte("\"line longer than 64 KiB\"\n")
		case len(line) > 0 && line[0] == '#':
			if strings.ContainsAny(string(line), ",;\t") {
				m.last = strings.TrimSpace(string(line))
			}
			line = nil
		}
		m.rest = line
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}
