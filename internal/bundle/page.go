package bundle

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"strings"
	"time"

	"honeyguide/internal/incident"
	"honeyguide/internal/safetext"
)

//go:embed index.html
var indexText string

//go:embed README.txt
var readmeText string

// documents writes what people read first, and names it in the manifest.
func documents(m *Manifest, d *incident.Dossier) ([]content, error) {
	index, err := indexPage(m, d)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", indexName, err)
	}
	out := []content{{readmeName, []byte(readmeText)}, {indexName, index}}
	for _, c := range out {
		sum := sha256.Sum256(c.text)
		m.Documents = append(m.Documents, Document{c.path, hex.EncodeToString(sum[:]), int64(len(c.text))})
	}
	return out, nil
}

// indexPage is the page that leads to everything. It runs nothing and loads
// nothing; what attackers wrote is text in it.
func indexPage(m *Manifest, d *incident.Dossier) ([]byte, error) {
	t, err := template.New("index").Funcs(template.FuncMap{
		"safe": safetext.Term,
		"time": func(t time.Time) string {
			if t.IsZero() {
				return "-"
			}
			return t.UTC().Format("2006-01-02 15:04:05 UTC")
		},
		"object": objectPath,
		"join":   func(list []string) string { return safetext.Term(strings.Join(list, ", ")) },
	}).Parse(indexText)
	if err != nil {
		return nil, err
	}
	in := &d.Incident
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"M": m, "In": in, "Timeline": d.Timeline[:min(len(d.Timeline), 500)], "More": max(len(d.Timeline)-500, 0), "Severity": in.Severity.String(),
	})
	return b.Bytes(), err
}
