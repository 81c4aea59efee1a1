package comply

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"sync"
	"time"
)

//go:embed report.html
var page string

//go:embed report.css
var sheet string

var pageTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report").Funcs(template.FuncMap{
		"when":    when,
		"day":     func(t time.Time) string { return t.UTC().Format("2006-01-02") },
		"class":   func(s Status) string { return strings.ReplaceAll(string(s), " ", "-") },
		"percent": func(n, of int) string { return fmt.Sprintf("%.0f", 100*float64(n)/float64(max(of, 1))) },
		"join":    func(list []string) string { return strings.Join(list, ", ") },
		"where":   where,
	}).Parse(page)
})

// when writes a moment as all reports do.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// where says of a piece of evidence what to look at.
func where(e Reference) string {
	switch e.Kind {
	case "audit":
		return "audit entry " + e.Ref + " (" + e.Text + ")"
	case "api":
		return "GET " + e.Ref
	case "config":
		return "setting " + e.Ref
	}
	return e.Ref
}

// A view is what the page is made from.
type view struct {
	*Assessment
	Statuses []Status
	Lacking  []Shortfall
	Open     []Shortfall
	Groups   []viewGroup
	Style    template.CSS
	Policy   string
}

// A viewGroup is the rows of one group.
type viewGroup struct {
	ID, Part, Title, Own string
	Rows                 []ControlRow
}

// groups returns the rows by group, in order.
func (r *Assessment) groups() (out []viewGroup) {
	for _, row := range r.Rows {
		if n := len(out); n == 0 || out[n-1].ID != row.Group {
			out = append(out, viewGroup{ID: row.Group, Part: row.Part, Title: row.GroupIs, Own: row.GroupOwn})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, row)
	}
	return out
}

// lacking are the checks that fail, heaviest first.
func (r *Assessment) lacking() []Shortfall { return r.short(false) }

// open are the checks nobody can answer yet.
func (r *Assessment) open() []Shortfall { return r.short(true) }

func (r *Assessment) short(unmeasured bool) (out []Shortfall) {
	for _, m := range r.Gaps {
		if (m.Status == NotMeasured) == unmeasured {
			out = append(out, m)
		}
	}
	return out
}

// html writes the report as one file that loads nothing: no script, no image, and
// a style sheet that its own policy names by its hash.
func (r *Assessment) html() ([]byte, error) {
	t, err := pageTemplate()
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	sum := sha256.Sum256([]byte(sheet))
	v := view{
		Assessment: r, Statuses: Statuses(), Lacking: r.lacking(), Open: r.open(), Groups: r.groups(), Style: template.CSS(sheet),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("write HTML: %w", err)
	}
	return b.Bytes(), nil
}
