package assets

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"honeyguide/internal/enrich"
)

// columns are the words a table may use for a column.
var columns = map[string]string{
	"network": "network", "address": "network", "ip": "network", "cidr": "network", "host": "network", "prefix": "network",
	"name": "name", "hostname": "name", "asset": "name",
	"owner": "owner", "team": "owner", "contact": "owner",
	"role": "role", "purpose": "role", "type": "role",
	"criticality": "criticality", "importance": "criticality",
	"zone": "zone",
}

// criticalities are the words of that column.
var criticalities = []string{"low", "medium", "high", "critical"}

// parse reads a table. Rows that cannot be read are told apart; the error is for
// a file that is no table at all.
func parse(ext string, raw []byte) ([]asset, []enrich.BadLine, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if e := strings.ToLower(ext); e == ".yaml" || e == ".yml" {
		return parseYAML(raw)
	}
	return parseCSV(raw)
}

// reader gathers rows and bad ones.
type reader struct {
	rows []asset
	bad  []enrich.BadLine
}

func (r *reader) refuse(line int, format string, args ...any) {
	r.bad = append(r.bad, enrich.BadLine{Line: int64(line), Reason: fmt.Sprintf(format, args...)})
}

// row takes one row by its columns.
func (r *reader) row(line int, cell map[string]string) {
	if len(r.rows) >= maxAssets {
		if len(r.rows) == maxAssets && (len(r.bad) == 0 || r.bad[len(r.bad)-1].Reason != tooMany) {
			r.refuse(line, tooMany)
		}
		return
	}
	p, err := network(cell["network"])
	if err != nil {
		r.refuse(line, "%v", err)
		return
	}
	a := asset{network: p, name: clip(cell["name"]), owner: clip(cell["owner"]), role: clip(cell["role"])}
	if c := strings.ToLower(cell["criticality"]); c != "" {
		if !slices.Contains(criticalities, c) {
			r.refuse(line, "criticality %.40q; want low, medium, high or critical", c)
			return
		}
		a.criticality = c
	}
	switch z := strings.ToLower(cell["zone"]); z {
	case "", zoneInternal:
	case zoneExternal:
		a.external = true
	default:
		r.refuse(line, "zone %.40q; want internal or external", z)
		return
	}
	r.rows = append(r.rows, a)
}

const tooMany = "the table is longer than 200000 rows; the rest was left out"

// parseCSV reads a table whose first row names its columns.
func parseCSV(raw []byte) ([]asset, []enrich.BadLine, error) {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	c := csv.NewReader(bytes.NewReader(raw))
	c.Comment, c.FieldsPerRecord, c.TrimLeadingSpace, c.ReuseRecord, c.LazyQuotes = '#', -1, true, true, true
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		c.Comma = ';' // what spreadsheets write where the comma is the decimal point
	}
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the head of the table: %w", err)
	}
	names := make([]string, len(head))
	for i, h := range head {
		names[i] = columns[strings.ToLower(strings.TrimSpace(h))]
	}
	if !slices.Contains(names, "network") {
		return nil, nil, errors.New("the first row names no column network; want network,name,owner,role,criticality")
	}
	var r reader
	for {
		record, err := c.Read()
		line, _ := c.FieldPos(0)
		switch {
		case errors.Is(err, io.EOF):
			return r.rows, r.bad, nil
		case err != nil:
			at := 0
			if p, ok := errors.AsType[*csv.ParseError](err); ok {
				at = p.Line
			}
			r.refuse(at, "%v", err)
			continue
		}
		cell := make(map[string]string, len(names))
		for i, v := range record[:min(len(record), len(names))] {
			if names[i] != "" && cell[names[i]] == "" {
				cell[names[i]] = strings.TrimSpace(v)
			}
		}
		r.row(line, cell)
	}
}

// network reads an address or a network; host bits are cleared.
func network(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return netip.Prefix{}, errors.New("network: empty")
	}
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("network %.60q is no address and no network such as 10.1.0.0/16", s)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("network %.60q mixes IPv4 and IPv6", s)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func clip(s string) string {
	const n = 200
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
