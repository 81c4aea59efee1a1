package comply

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-pdf/fpdf"
)

// Fonts: parts of DejaVu (fonts/LICENSE) with the letters of Latin, Greek and
// Cyrillic scripts. What they lack is written as U+ and its number.
var (
	//go:embed fonts/sans.ttf
	sansFile []byte
	//go:embed fonts/bold.ttf
	boldFile []byte
	//go:embed fonts/mono.ttf
	monoFile []byte
)

// Measures, in millimetres and points: A4, portrait.
const (
	margin = 16.0
	paperW = 210.0
	paperH = 297.0
	wide   = paperW - 2*margin
	bottom = paperH - 18.0
	small  = 8.0
	tiny   = 6.5
	pad    = 1.3         // above and below the text of a row
	gutter = 3.0         // right of the text of a column
	mm     = 25.4 / 72.0 // of a point
	lead   = 1.32        // height of a line in font sizes
	sans   = "sans"      // families
	bold   = "bold"
	mono   = "mono"
)

// A color is red, green and blue.
type color [3]int

var (
	ink    = color{26, 33, 42}
	muted  = color{79, 87, 99}
	hair   = color{205, 209, 214}
	accent = color{0, 104, 113}
	shades = map[Status]color{Met: {23, 105, 51}, Partly: {125, 103, 0}, Gap: {149, 25, 62}, NotMeasured: {120, 128, 138}, Outside: {190, 195, 201}}
	words  = map[Status]color{Met: {23, 105, 51}, Partly: {110, 90, 0}, Gap: {149, 25, 62}, NotMeasured: {79, 87, 99}, Outside: {79, 87, 99}}
)

// A run is text of one style, a paragraph of a cell.
type run struct {
	font  string
	size  float64
	color color
	text  string
}

// A cell is paragraphs below each other.
type cell []run

// status is the word of a status in its colour.
func status(s Status) run { return run{bold, small, words[s], mark + string(s)} }

// mark stands where a status has its sign drawn.
const mark = "\x00"

// A piece is one line of a cell, ready to be drawn.
type piece struct {
	run
	sign  bool
	above float64 // room above it, so that one answer is told from the next
}

// A paper is a report on pages.
type paper struct {
	doc    *fpdf.Fpdf
	r      *Assessment
	pages  int // of the whole; 0: not known yet
	begins []begin
}

func newPaper(r *Assessment, pages int) *paper {
	doc := fpdf.New("P", "mm", "A4", "")
	p := &paper{doc: doc, r: r, pages: pages}
	doc.AddUTF8FontFromBytes(sans, "", sansFile)
	doc.AddUTF8FontFromBytes(bold, "", boldFile)
	doc.AddUTF8FontFromBytes(mono, "", monoFile)
	doc.SetMargins(margin, margin, margin)
	doc.SetAutoPageBreak(false, margin)
	doc.SetCreationDate(r.At)
	doc.SetModificationDate(r.At)
	doc.SetCatalogSort(true)
	doc.SetProducer("Honeyguide", false)
	doc.SetTitle(printable(r.Framework.Name+": "+r.Node), true)
	doc.SetLang("en")
	doc.SetHeaderFunc(p.head)
	doc.SetFooterFunc(p.foot)
	return p
}

func (p *paper) head() {
	if p.doc.PageNo() == 1 {
		return
	}
	p.put(margin, 11, run{sans, 7.5, muted, p.r.Framework.Short + "  ·  " + clip(p.r.Node, 60)})
	right := run{sans, 7.5, muted, when(p.r.At)}
	p.put(paperW-margin-p.width(right), 11, right)
	p.line(13)
	p.doc.SetY(margin + 3)
}

func (p *paper) foot() {
	text := strconv.Itoa(p.doc.PageNo())
	if p.pages > 0 {
		text = fmt.Sprintf("Page %d of %d", p.doc.PageNo(), p.pages)
	}
	p.put(margin, paperH-9, run{sans, 7.5, muted, "Honeyguide " + clip(p.r.Version, 40)})
	right := run{sans, 7.5, muted, text}
	p.put(paperW-margin-p.width(right), paperH-9, right)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func (p *paper) line(y float64) {
	p.doc.SetDrawColor(hair[0], hair[1], hair[2])
	p.doc.SetLineWidth(0.2)
	p.doc.Line(margin, y, paperW-margin, y)
}

func (p *paper) width(r run) float64 {
	p.doc.SetFont(r.font, "", r.size)
	return p.doc.GetStringWidth(printable(r.text))
}

// put draws text with its base line at y.
func (p *paper) put(x, y float64, r run) {
	p.doc.SetFont(r.font, "", r.size)
	p.doc.SetTextColor(r.color[0], r.color[1], r.color[2])
	p.doc.Text(x, y, printable(r.text))
}

// cut wraps the paragraphs of a cell to a width.
func (p *paper) cut(c cell, width float64) (out []piece) {
	for _, r := range c {
		text, sign := strings.CutPrefix(r.text, mark)
		room := width
		if sign {
			room -= signWide
		}
		p.doc.SetFont(r.font, "", r.size)
		for i, line := range p.wrap(printable(text), room) {
			l := piece{run: run{r.font, r.size, r.color, line}, sign: sign && i == 0}
			if l.sign && len(out) > 0 {
				l.above = 1
			}
			out = append(out, l)
		}
	}
	return out
}

// signWide is the room the sign of a status takes.
const signWide = 3.6

// wrap breaks text at spaces, and words that are wider than a line anywhere.
func (p *paper) wrap(text string, width float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		try := word
		if line != "" {
			try = line + " " + word
		}
		if p.doc.GetStringWidth(try) <= width {
			line = try
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for p.doc.GetStringWidth(word) > width {
			n := p.fits(word, width)
			lines, word = append(lines, string([]rune(word)[:n])), string([]rune(word)[n:])
		}
		line = word
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// fits is how many characters of a word go into a width, at least one. It likes
// to break behind a mark between parts of a path or an id.
func (p *paper) fits(word string, width float64) int {
	runes := []rune(word)
	n := 1
	for n < len(runes) && p.doc.GetStringWidth(string(runes[:n+1])) <= width {
		n++
	}
	for i := n; i > n*2/3 && i > 1; i-- {
		if strings.ContainsRune("/.,:;_-", runes[i-1]) {
			return i
		}
	}
	return n
}

func high(l *piece) float64 { return l.size*mm*lead + l.above }

// row draws one row that is no part of a table: cells beside each other.
func (p *paper) row(widths []float64, cells []cell, lined bool) {
	pieces, _ := p.cutRow(widths, cells)
	p.rowOf(widths, pieces, lined, func() {})
}

// cutRow wraps the cells of a row, and says how high it becomes without the room
// above and below.
func (p *paper) cutRow(widths []float64, cells []cell) (pieces [][]piece, tall float64) {
	pieces = make([][]piece, len(cells))
	for i, c := range cells {
		pieces[i] = p.cut(c, widths[i]-gutter)
		tall = max(tall, height(pieces[i]))
	}
	return pieces, tall
}

func height(list []piece) (h float64) {
	for i := range list {
		h += high(&list[i])
	}
	return h
}

// rowOf draws a row that is cut already. What does not fit on the page goes on on
// the next, below what again draws there.
func (p *paper) rowOf(widths []float64, pieces [][]piece, lined bool, again func()) {
	for {
		y := p.doc.GetY() + pad
		room := bottom - y - pad
		end, left := y, false
		x := margin
		for i, list := range pieces {
			at := y
			n := 0
			for n < len(list) && (at+high(&list[n])-y <= room+0.01) {
				p.piece(x, at, &list[n])
				at += high(&list[n])
				n++
			}
			pieces[i] = list[n:]
			left = left || n < len(list)
			end = max(end, at)
			x += widths[i]
		}
		p.doc.SetY(end + pad)
		if !left {
			if lined {
				p.line(end + pad)
			}
			return
		}
		p.doc.AddPage()
		again()
	}
}

func (p *paper) piece(x, top float64, l *piece) {
	base := top + l.above + l.size*mm*1.02
	if l.sign {
		p.sign(x, base-l.size*mm*0.72, l.color, l.text)
		x += signWide
	}
	p.put(x, base, l.run)
}

// sign draws the sign of a status: full, half, or empty.
func (p *paper) sign(x, y float64, c color, word string) {
	const side = 2.1
	p.doc.SetDrawColor(c[0], c[1], c[2])
	p.doc.SetFillColor(c[0], c[1], c[2])
	p.doc.SetLineWidth(0.3)
	switch {
	case strings.HasPrefix(word, string(Met)):
		p.doc.Rect(x, y, side, side, "FD")
	case strings.HasPrefix(word, string(Partly)):
		p.doc.Rect(x, y, side/2, side, "F")
		p.doc.Rect(x, y, side, side, "D")
	case strings.HasPrefix(word, string(Gap)):
		p.doc.Rect(x, y, side, side, "D")
		p.doc.Line(x, y, x+side, y+side)
		p.doc.Line(x, y+side, x+side, y)
	default:
		p.doc.Rect(x, y, side, side, "D")
	}
}

// A section is what stands above a table and stays with its first row.
type section struct{ title, text string }

// table draws a head and rows, with the head again on every page. A row that does
// not fit begins a new page, unless it is longer than one.
func (p *paper) table(s section, widths []float64, names []string, rows [][]cell) {
	heads := make([]cell, len(names))
	for i, n := range names {
		heads[i] = cell{{bold, 7.5, muted, n}}
	}
	head := func() { p.row(widths, heads, true) }
	const page = bottom - margin - 20
	begun := false
	for _, cells := range rows {
		pieces, tall := p.cutRow(widths, cells)
		need := tall + 2*pad
		if !begun {
			need += 8
		}
		if s.title != "" {
			text := p.cut(cell{{sans, small, muted, s.text}}, wide)
			need += 8 + height(text)
		}
		if room := bottom - p.doc.GetY(); need > room && (tall <= page || room < page/2) {
			p.doc.AddPage()
			begun = false
		}
		if s.title != "" {
			p.heading(s.title, 1, false)
			if s.text != "" {
				p.paragraph(run{sans, small, muted, s.text}, wide)
			}
			s = section{}
		}
		if !begun {
			head()
			begun = true
		}
		p.rowOf(widths, pieces, true, head)
	}
	p.doc.Ln(3)
}

// paragraph draws text over a width.
func (p *paper) paragraph(r run, width float64) {
	for _, l := range p.cut(cell{r}, width) {
		if p.doc.GetY()+high(&l) > bottom {
			p.doc.AddPage()
		}
		p.piece(margin, p.doc.GetY(), &l)
		p.doc.SetY(p.doc.GetY() + high(&l))
	}
}

// heading begins a part, on a new page when it asks for one or little room is left.
func (p *paper) heading(title string, level int, page bool) {
	const least = 40.0 // a heading, a head and the beginning of a row
	if page || p.doc.GetY()+least > bottom {
		p.doc.AddPage()
	} else {
		p.doc.Ln(2)
	}
	p.begins = append(p.begins, begin{title: title, level: level, page: p.doc.PageNo()})
	p.doc.Bookmark(printable(title), level, p.doc.GetY())
	if level == 0 {
		p.paragraph(run{bold, 15, ink, title}, wide)
		p.doc.Ln(2)
		return
	}
	p.paragraph(run{bold, 10, ink, title}, wide)
	p.doc.Ln(0.5)
}

// entry draws one line of the table of contents.
func (p *paper) entry(b begin) {
	size, x := 9.0, margin
	font := bold
	if b.level > 0 {
		size, x, font = 8.5, margin+5, sans
	}
	h := size * mm * lead
	if p.doc.GetY()+h > bottom {
		p.doc.AddPage()
	}
	y := p.doc.GetY()
	left := run{font, size, ink, b.title}
	right := run{sans, size, muted, strconv.Itoa(b.page)}
	base := y + size*mm*1.02
	p.put(x, base, left)
	end := paperW - margin - p.width(right)
	p.put(end, base, right)
	p.doc.SetDrawColor(hair[0], hair[1], hair[2])
	p.doc.SetLineWidth(0.2)
	p.doc.SetDashPattern([]float64{0.3, 1}, 0)
	if from := x + p.width(left) + 2; from < end-2 {
		p.doc.Line(from, base, end-2, base)
	}
	p.doc.SetDashPattern(nil, 0)
	link := p.doc.AddLink()
	p.doc.SetLink(link, 0, b.page)
	p.doc.Link(x, y, paperW-margin-x, h, link)
	p.doc.SetY(y + h)
}

// bar draws the statuses as one bar, with a legend in numbers.
func (p *paper) bar() {
	const tall = 7.0
	x, y := margin, p.doc.GetY()
	for _, s := range Statuses() {
		w := wide * float64(p.r.Counts[s]) / float64(max(p.r.Controls, 1))
		if w == 0 {
			continue
		}
		c := shades[s]
		p.doc.SetFillColor(c[0], c[1], c[2])
		p.doc.Rect(x, y, max(w-0.6, 0.3), tall, "F")
		x += w
	}
	p.doc.SetY(y + tall + 3)
	y = p.doc.GetY()
	step := wide / float64(len(Statuses()))
	for i, s := range Statuses() {
		x := margin + float64(i)*step
		c := shades[s]
		p.doc.SetFillColor(c[0], c[1], c[2])
		p.doc.Rect(x, y, 1.2, 9.5, "F")
		p.put(x+3, y+4.6, run{bold, 13, ink, strconv.Itoa(p.r.Counts[s])})
		p.put(x+3, y+9, run{sans, 8, muted, string(s)})
	}
	p.doc.SetY(y + 12)
	p.paragraph(run{sans, 8, muted, fmt.Sprintf("n = %d controls", p.r.Controls)}, wide)
}

// printable writes text in what the fonts have. Control characters never get
// this far as such: they, and letters of other scripts, become U+ and a number.
func printable(s string) string {
	ok := true
	for _, r := range s {
		ok = ok && covered(r)
	}
	if ok {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if covered(r) {
			b.WriteRune(r)
		} else if r != 0 {
			fmt.Fprintf(&b, "U+%04X", r)
		}
	}
	return b.String()
}

// covered reports whether the fonts have a character.
func covered(r rune) bool {
	switch {
	case r >= 0x20 && r < 0x7f, r >= 0xa0 && r < 0x250 && r != 0xad, r >= 0x400 && r <= 0x45f, r >= 0x1e00 && r <= 0x1eff:
		return true
	case r >= 0x384 && r <= 0x3ce && r != 0x38b && r != 0x38d && r != 0x3a2:
		return true
	}
	return strings.ContainsRune("‐–—‘’‚“”„†‡•…‰‹›€™←↑→↓−≠≤≥", r)
}
