package incident

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-pdf/fpdf"
)

// Measures of a page, in millimetres and points: A4, portrait.
const (
	margin   = 15.0
	pageWide = 210.0 - 2*margin
	pageLong = 297.0 - 2*margin
	line     = 3.8
	small    = 7.5
)

// pdf writes a dossier to print. It uses the fonts every reader has, so that no
// font file is needed: they know the characters of Windows-1252, and others are
// written as U+XXXX, which the last page says.
func (d *Dossier) pdf() ([]byte, error) {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetMargins(margin, margin, margin)
	doc.SetAutoPageBreak(false, margin)
	doc.SetCreationDate(d.MadeAt)
	doc.SetModificationDate(d.MadeAt)
	doc.SetCatalogSort(true) // the same dossier gives the same bytes
	doc.SetProducer("Honeyguide", false)
	doc.SetTitle("Incident "+d.Incident.Short, false)
	doc.AliasNbPages("")
	doc.SetFooterFunc(func() {
		doc.SetY(-margin + 4)
		doc.SetFont("Helvetica", "", small)
		doc.CellFormat(0, line, fmt.Sprintf("Incident %s, written %s, page %d of {nb}", d.Incident.Short, when(d.MadeAt), doc.PageNo()), "", 0, "C", false, 0, "")
	})
	p := &printer{doc: doc}
	doc.AddPage()
	doc.SetFont("Helvetica", "B", 16)
	doc.CellFormat(0, 9, latin("Incident "+d.Incident.Short), "", 1, "L", false, 0, "")
	for _, s := range d.compose() {
		p.section(&s)
	}
	if p.escaped {
		p.room(2 * line)
		doc.SetFont("Helvetica", "I", small)
		doc.CellFormat(0, line, "Characters that the fonts of this document lack are written as U+ and their number.", "", 1, "L", false, 0, "")
	}
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}

// A printer lays sections out on pages.
type printer struct {
	doc     *fpdf.Fpdf
	escaped bool // something was written as U+XXXX
}

// text turns text into what the fonts know.
func (p *printer) text(s string) string {
	out := latin(s)
	p.escaped = p.escaped || out != s && strings.Contains(out, "U+")
	return out
}

// room makes sure that so much of the page is left, and says whether it is a new one.
func (p *printer) room(need float64) bool {
	if p.doc.GetY()+need <= margin+pageLong {
		return false
	}
	p.doc.AddPage()
	return true
}

func (p *printer) section(s *section) {
	if len(s.fields) == 0 && len(s.rows) == 0 {
		return
	}
	p.room(6 * line)
	p.doc.Ln(2)
	p.doc.SetFont("Helvetica", "B", 11)
	p.doc.CellFormat(0, 6, latin(s.title), "B", 1, "L", false, 0, "")
	p.doc.Ln(1)
	if s.note != "" {
		p.doc.SetFont("Helvetica", "I", small)
		p.doc.CellFormat(0, line, latin(s.note), "", 1, "L", false, 0, "")
	}
	for _, f := range s.fields {
		p.row([]float64{2, 9}, f[:], "B", "")
	}
	if len(s.rows) == 0 {
		return
	}
	p.row(s.widths, s.head, "B", "B")
	for _, r := range s.rows {
		if p.room(p.height(s.widths, r)) {
			p.row(s.widths, s.head, "B", "B")
		}
		p.row(s.widths, r, "", "")
	}
}

// wide returns the widths of columns in millimetres.
func wide(shares []float64) []float64 {
	sum := 0.0
	for _, w := range shares {
		sum += w
	}
	out := make([]float64, len(shares))
	for i, w := range shares {
		out[i] = w / sum * pageWide
	}
	return out
}

// wrap cuts the cells of a row into lines.
func (p *printer) wrap(shares []float64, cells []string, first, style string) (lines [][]string, most int) {
	for i, w := range wide(shares) {
		p.doc.SetFont("Helvetica", pick(i, first, style), small)
		var cut []string
		for _, l := range p.doc.SplitLines([]byte(p.text(cells[i])), w) {
			cut = append(cut, string(l))
		}
		lines, most = append(lines, cut), max(most, len(cut))
	}
	return lines, most
}

func pick(i int, first, style string) string {
	if i == 0 {
		return first
	}
	return style
}

func (p *printer) height(shares []float64, cells []string) float64 {
	_, n := p.wrap(shares, cells, "", "")
	return float64(max(n, 1)) * line
}

// row prints one row; what does not fit on a page goes on on the next.
func (p *printer) row(shares []float64, cells []string, first, style string) {
	lines, most := p.wrap(shares, cells, first, style)
	widths := wide(shares)
	for n := range max(most, 1) {
		p.room(line)
		for i, cut := range lines {
			text := ""
			if n < len(cut) {
				text = cut[n]
			}
			p.doc.SetFont("Helvetica", pick(i, first, style), small)
			p.doc.CellFormat(widths[i], line, text, "", 0, "L", false, 0, "")
		}
		p.doc.Ln(line)
	}
}

// extra are the characters of Windows-1252 from 0x80 on that are not those of
// Latin-1, in order; 0 where it has none.
var extra = [32]rune{
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
}

// latin writes text in Windows-1252, with U+XXXX for what it lacks. The arrow of
// our own lines becomes two characters.
func latin(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 0x20 && r < 0x7f || r >= 0xa0 && r <= 0xff:
			b.WriteByte(byte(r))
		case r == '→':
			b.WriteString("->")
		default:
			if i := indexRune(r); i >= 0 {
				b.WriteByte(byte(0x80 + i))
			} else {
				fmt.Fprintf(&b, "U+%04X", r)
			}
		}
	}
	return b.String()
}

func indexRune(r rune) int {
	for i, x := range extra {
		if x == r && x != 0 {
			return i
		}
	}
	return -1
}
