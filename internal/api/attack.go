package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/auth"
	"honeyguide/internal/report"
	"honeyguide/internal/state"
)

// A Matrix is what was seen of ATT&CK.
type Matrix struct {
	Span    string         `json:"span"`
	Since   time.Time      `json:"since"`
	Until   time.Time      `json:"until"`
	Version string         `json:"attack_version" doc:"release the names were checked against"`
	Tactics []MatrixTactic `json:"tactics" doc:"in the order of the matrix; one without an id holds techniques nobody knows"`
	Most    int64          `json:"most" doc:"alerts of the busiest technique"`
	Credit  string         `json:"credit" doc:"to be shown beside it"`
}

// MatrixTactic is one column.
type MatrixTactic struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Alerts     int64             `json:"alerts" doc:"sum over its techniques; an alert that shows two counts twice"`
	Techniques []MatrixTechnique `json:"techniques" doc:"the known ones in the order of the matrix, also those nobody used"`
}

// MatrixTechnique is one cell. A technique stands under each of its tactics.
type MatrixTechnique struct {
	ID       string           `json:"id"`
	Name     string           `json:"name" doc:"without its parent's"`
	Title    string           `json:"title" doc:"with its parent's"`
	Parent   string           `json:"parent,omitempty" doc:"id, of a sub-technique"`
	Alerts   int64            `json:"alerts"`
	Events   int64            `json:"events" doc:"behind these alerts"`
	Severity string           `json:"severity,omitempty" doc:"the highest of its alerts"`
	By       map[string]int64 `json:"by_severity"`
}

type matrixIn struct {
	Recent
	Format string `query:"format" enum:"json,navigator" default:"json" doc:"navigator: a layer for the ATT&CK Navigator, as an attachment"`
}

// attackVersion is the release of ATT&CK the table was checked against.
const attackVersion = "18"

const attackCredit = "ATT&CK is a registered trademark of The MITRE Corporation. Names of techniques (c) The MITRE Corporation; see NOTICE."

func (s *server) attackMatrix() {
	o := op("/attack/matrix", "get-attack-matrix", "Tactics and techniques with the alerts that show them, and the events behind these")
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Matrix](), true, "Matrix")
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	s.router.need(o.Method+" "+o.Path, auth.PermRead)
	huma.Register(s.huma, o, func(ctx context.Context, in *matrixIn) (*huma.StreamResponse, error) {
		w, err := report.WindowOf(in.Span, s.dep.Now())
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		var list []report.Ranked
		err = s.dep.State.View(ctx, func(tx state.Tx) (err error) {
			list, err = report.Rank(ctx, tx, w, state.TallyTechnique)
			return err
		})
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		m := matrixOf(w, list)
		var doc any = m
		if in.Format == "navigator" {
			doc = layerOf(&m, s.dep.Node)
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "application/json")
			if in.Format == "navigator" {
				c.SetHeader("Content-Disposition", `attachment; filename="honeyguide-attack-`+m.Span+`.json"`)
			}
			c.SetStatus(http.StatusOK)
			_, _ = c.BodyWriter().Write(raw) // the peer may be gone
		}}, nil
	})
}

// unknownShown bounds the techniques nobody knows that are shown.
const unknownShown = 200

func matrixOf(w report.Window, list []report.Ranked) Matrix {
	m := Matrix{Span: w.Name, Since: w.Since, Until: w.Until, Version: attackVersion, Credit: attackCredit, Tactics: []MatrixTactic{}}
	seen := map[string]report.Ranked{}
	for _, r := range list {
		seen[r.Name] = r
		m.Most = max(m.Most, r.By.Total())
	}
	for t := range attack.Tactics() {
		column := MatrixTactic{ID: t.ID, Name: t.Name, Techniques: []MatrixTechnique{}}
		for _, x := range attack.Techniques() {
			if slices.Contains(x.Tactics, t.ID) {
				column.add(cell(x.ID, x.Name, seen[x.ID]))
			}
		}
		m.Tactics = append(m.Tactics, column)
	}
	other := MatrixTactic{Name: "Other", Techniques: []MatrixTechnique{}}
	for _, r := range list { // most first
		if _, known := attack.Lookup(r.Name); !known && len(other.Techniques) < unknownShown {
			other.add(cell(r.Name, r.Name, r))
		}
	}
	if len(other.Techniques) > 0 {
		m.Tactics = append(m.Tactics, other)
	}
	return m
}

func (t *MatrixTactic) add(x MatrixTechnique) {
	t.Techniques = append(t.Techniques, x)
	t.Alerts += x.Alerts
}

func cell(id, name string, r report.Ranked) MatrixTechnique {
	x := MatrixTechnique{ID: id, Name: name, Title: attack.Title(id), Alerts: r.By.Total(), Events: r.Events, By: severities(r.By)}
	if parent, _, sub := strings.Cut(id, "."); sub {
		x.Parent = parent
	}
	if worst := r.By.Worst(); worst > honeyguide.SeverityUnknown {
		x.Severity = worst.String()
	}
	return x
}

// A layer is a layer of the ATT&CK Navigator, version 4.5 of its format.
type layer struct {
	Name        string           `json:"name"`
	Versions    layerVersions    `json:"versions"`
	Domain      string           `json:"domain"`
	Description string           `json:"description"`
	Sorting     int              `json:"sorting"`
	HideDisable bool             `json:"hideDisabled"`
	Techniques  []layerTechnique `json:"techniques"`
	Gradient    layerGradient    `json:"gradient"`
}

type layerVersions struct {
	Attack    string `json:"attack"`
	Navigator string `json:"navigator"`
	Layer     string `json:"layer"`
}

type layerTechnique struct {
	ID      string `json:"techniqueID"`
	Tactic  string `json:"tactic,omitempty"`
	Score   int64  `json:"score"`
	Comment string `json:"comment"`
	Enabled bool   `json:"enabled"`
}

type layerGradient struct {
	Colors []string `json:"colors"`
	Min    int64    `json:"minValue"`
	Max    int64    `json:"maxValue"`
}

// layerOf writes what was seen as a layer: score is the number of alerts.
func layerOf(m *Matrix, node string) layer {
	l := layer{
		Name: "Honeyguide " + m.Span, Versions: layerVersions{attackVersion, "5.1.0", "4.5"}, Domain: "enterprise-attack", Sorting: 3,
		Description: "Alerts by technique from " + m.Since.Format(time.RFC3339) + " to " + m.Until.Format(time.RFC3339), Techniques: []layerTechnique{},
		Gradient: layerGradient{Colors: []string{"#ffffff", "#1f7a82"}, Max: max(m.Most, 1)},
	}
	if node != "" {
		l.Description += " on " + node
	}
	for _, t := range m.Tactics {
		for _, x := range t.Techniques {
			if x.Alerts > 0 && t.ID != "" {
				l.Techniques = append(l.Techniques, layerTechnique{
					ID: x.ID, Tactic: strings.ToLower(strings.ReplaceAll(t.Name, " ", "-")), Score: x.Alerts, Enabled: true, Comment: "highest severity " + x.Severity,
				})
			}
		}
	}
	return l
}
