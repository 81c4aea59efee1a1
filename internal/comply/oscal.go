package comply

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"honeyguide/internal/safetext"
)

// oscalVersion is the version of NIST's Open Security Controls Assessment
// Language the results are written in.
const oscalVersion = "1.1.3"

// The parts of assessment results that are used, by the names of the JSON schema
// (oscal-ar-*). What is optional there and says nothing here is left out.
type (
	oscalDoc struct {
		Results oscalAR `json:"assessment-results"`
	}
	oscalAR struct {
		UUID     string        `json:"uuid"`
		Metadata oscalMeta     `json:"metadata"`
		ImportAP oscalHref     `json:"import-ap"`
		Results  []oscalResult `json:"results"`
		Back     *oscalBack    `json:"back-matter,omitempty"`
	}
	oscalMeta struct {
		Title        string      `json:"title"`
		LastModified string      `json:"last-modified"`
		Version      string      `json:"version"`
		OSCAL        string      `json:"oscal-version"`
		Props        []oscalProp `json:"props,omitempty"`
		Remarks      string      `json:"remarks,omitempty"`
	}
	oscalHref struct {
		Href    string `json:"href"`
		Remarks string `json:"remarks,omitempty"`
	}
	oscalProp struct {
		Name  string `json:"name"`
		NS    string `json:"ns,omitempty"`
		Value string `json:"value"`
	}
	oscalResult struct {
		UUID         string             `json:"uuid"`
		Title        string             `json:"title"`
		Description  string             `json:"description"`
		Start        string             `json:"start"`
		End          string             `json:"end"`
		Props        []oscalProp        `json:"props,omitempty"`
		Reviewed     oscalReviewed      `json:"reviewed-controls"`
		Observations []oscalObservation `json:"observations,omitempty"`
		Findings     []oscalFinding     `json:"findings,omitempty"`
	}
	oscalReviewed struct {
		Selections []oscalSelection `json:"control-selections"`
	}
	oscalSelection struct {
		Include []oscalControl `json:"include-controls"`
	}
	oscalControl struct {
		ID string `json:"control-id"`
	}
	oscalObservation struct {
		UUID        string          `json:"uuid"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Props       []oscalProp     `json:"props,omitempty"`
		Methods     []string        `json:"methods"`
		Evidence    []oscalEvidence `json:"relevant-evidence,omitempty"`
		Collected   string          `json:"collected"`
		Remarks     string          `json:"remarks,omitempty"`
	}
	oscalEvidence struct {
		Href        string `json:"href,omitempty"`
		Description string `json:"description"`
	}
	oscalFinding struct {
		UUID        string         `json:"uuid"`
		Title       string         `json:"title"`
		Description string         `json:"description"`
		Target      oscalTarget    `json:"target"`
		Related     []oscalRelated `json:"related-observations,omitempty"`
		Remarks     string         `json:"remarks,omitempty"`
	}
	oscalTarget struct {
		Type   string      `json:"type"`
		ID     string      `json:"target-id"`
		Status oscalStatus `json:"status"`
	}
	oscalStatus struct {
		State   string `json:"state"`
		Reason  string `json:"reason"`
		Remarks string `json:"remarks,omitempty"`
	}
	oscalRelated struct {
		UUID string `json:"observation-uuid"`
	}
	oscalBack struct {
		Resources []oscalResource `json:"resources"`
	}
	oscalResource struct {
		UUID        string `json:"uuid"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
)

// oscalNS names our own properties: a URI nobody has to be able to open.
const oscalNS = "urn:honeyguide:compliance:1"

// oscal writes the report as OSCAL assessment results: each check is an
// observation made by testing, each control that has checks a finding. What is
// outside gets neither, and its control id is not said to have been reviewed.
func (r *Assessment) oscal() ([]byte, error) {
	at := r.At.UTC().Format(time.RFC3339)
	res := oscalResult{
		UUID: r.uuid("result"), Title: r.Framework.Name, Description: "Measured on node " + word(r.Node) + " by Honeyguide " + word(r.Version) + ". " + r.Framework.About,
		Start: r.Since.UTC().Format(time.RFC3339), End: at,
		Reviewed: oscalReviewed{[]oscalSelection{{}}},
	}
	for _, s := range Statuses() {
		res.Props = append(res.Props, oscalProp{strings.ReplaceAll(string(s), " ", "-"), oscalNS, number(int64(r.Counts[s]))})
	}
	facts := map[string]*Fact{}
	for i := range r.Facts {
		facts[r.Facts[i].ID] = &r.Facts[i]
	}
	seen := map[string]bool{}
	include := &res.Reviewed.Selections[0].Include
	for i := range r.Rows {
		row := &r.Rows[i]
		if len(row.Answers) == 0 {
			continue
		}
		*include = append(*include, oscalControl{row.ID})
		f := oscalFinding{
			UUID: r.uuid("finding " + row.ID), Title: row.ID + ": " + row.Title, Description: row.Asks,
			Target: oscalTarget{"objective-id", row.ID, state(row.Status)}, Remarks: own(row.Own),
		}
		for _, a := range row.Answers {
			id := r.uuid("observation " + a.Check)
			f.Related = append(f.Related, oscalRelated{id})
			if !seen[a.Check] {
				seen[a.Check] = true
				res.Observations = append(res.Observations, r.observation(id, at, &a, facts))
			}
		}
		res.Findings = append(res.Findings, f)
	}
	doc := oscalDoc{oscalAR{
		UUID: r.uuid("assessment-results"),
		Metadata: oscalMeta{
			Title: "Compliance of " + word(r.Node) + " with " + r.Framework.Name, LastModified: at, Version: r.At.UTC().Format("20060102T150405Z"), OSCAL: oscalVersion,
			Props:   []oscalProp{{"honeyguide-version", oscalNS, word(r.Version)}, {"node", oscalNS, word(r.Node)}, {"asked-by", oscalNS, word(r.By)}},
			Remarks: "Titles and questions are our own words; control ids are those of the framework (" + r.Framework.Source + ").",
		},
		ImportAP: oscalHref{"#" + r.uuid("plan"), "There is no plan in OSCAL form: the rules of the product are the plan, and each observation names its own."},
		Results:  []oscalResult{res},
		Back: &oscalBack{[]oscalResource{
			{r.uuid("plan"), "Rules of the product", "Shipped with Honeyguide " + word(r.Version) + "; documented in docs/reference/compliance.md."},
			{r.uuid("checkpoint"), "Checkpoint of the audit log", fmt.Sprintf("%d entries, root %s, key %s. %s", r.Audit.Size, r.Audit.Root, r.Audit.PublicKey, r.Audit.Line)},
		}},
	}}
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write OSCAL: %w", err)
	}
	return append(safetext.JSON(out), '\n'), nil
}

func (r *Assessment) observation(id, at string, a *CheckAnswer, facts map[string]*Fact) oscalObservation {
	o := oscalObservation{UUID: id, Title: a.Title, Methods: []string{"TEST"}, Collected: at, Description: "Met when " + a.Rule + ".", Remarks: a.Says}
	if a.Mend != "" {
		o.Remarks += " To mend: " + a.Mend
	}
	o.Props = []oscalProp{{"check", oscalNS, a.Check}, {"status", oscalNS, strings.ReplaceAll(string(a.Status), " ", "-")}}
	for _, name := range a.Facts {
		f := facts[name]
		if f == nil {
			continue
		}
		text := f.Title + ": " + f.Shown
		if f.Known {
			text += " (from " + f.From + ")"
		} else {
			text += " (" + f.Why + ")"
		}
		o.Evidence = append(o.Evidence, oscalEvidence{Description: text})
	}
	for _, e := range a.Evidence {
		href := "" // a setting, or an entry, has no address of its own
		if e.Kind == "api" || e.Kind == "doc" {
			href = e.Ref
		}
		o.Evidence = append(o.Evidence, oscalEvidence{href, where(e)})
	}
	return o
}

// state is a status in the words of OSCAL. What was not measured is not satisfied,
// for another reason than failing.
func state(s Status) oscalStatus {
	switch s {
	case Met:
		return oscalStatus{"satisfied", "pass", ""}
	case Partly:
		return oscalStatus{"not-satisfied", "fail", "Partly met."}
	case NotMeasured:
		return oscalStatus{"not-satisfied", "other", "Not measured: something a rule needs is not known here."}
	}
	return oscalStatus{"not-satisfied", "fail", ""}
}

func own(text string) string {
	if text == "" {
		return ""
	}
	return "Organisation: " + text
}

// word is text OSCAL takes as a value: not empty, without blanks at the ends.
func word(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return "unnamed"
	}
	return s
}

// uuid makes the same UUID (version 5 in form) for the same part of the same
// report, so that parts can name each other.
func (r *Assessment) uuid(part string) string {
	h := sha256.Sum256([]byte(strings.Join([]string{r.Framework.ID, r.Node, r.At.UTC().Format(time.RFC3339Nano), part}, "\x00")))
	b := h[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	t := hex.EncodeToString(b)
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}
