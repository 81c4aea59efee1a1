package comply

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// value sets a fact of any unit.
func (f *Facts) value(id string, n float64, text string) {
	x := Fact{Unit: catalog[id].unit, Number: n, Text: text, From: "test", N: 100, Hits: int64(n * 100)}
	f.put(id, x)
}

// near returns values at the border of a condition: one that holds and one that does
// not. Both are such as the fact can have: no count is below 0, no share above 1.
func near(t *testing.T, x Test) (good, bad float64, word, other string) {
	t.Helper()
	if x.is {
		return 0, 0, x.text, x.text + "x"
	}
	held, failed := false, false
	for _, v := range catalog[x.Fact].unit.around(x.num) {
		if ok := x.holds(&Fact{Number: v}); ok && !held {
			good, held = v, true
		} else if !ok && !failed {
			bad, failed = v, true
		}
	}
	if !held || !failed {
		t.Fatalf("%s: nothing measured can make it hold and fail", x)
	}
	return good, bad, "", ""
}

// good returns facts by which a check is met.
func good(t *testing.T, c *Check) *Facts {
	t.Helper()
	f := NewFacts(noon, noon.AddDate(0, 0, -90))
	// What is met is narrower than what is partly so, and comes last.
	for _, x := range slices.Concat(c.When, c.Partly, c.Met) {
		n, _, word, _ := near(t, x)
		f.value(x.Fact, n, word)
	}
	return f
}

// Each check is met by some facts; each condition of it that stops holding takes
// that away, and each fact that is not measured makes it unclaimed. So no check is
// always met, and none can be met by what nobody knows.
func TestEveryFactCounts(t *testing.T) {
	lib, err := shelf()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range lib.order {
		c := lib.checks[id]
		if a := c.answer(good(t, c)); a.Status != Met || a.Mend != "" {
			t.Errorf("%s: %s, though all holds: %s", id, a.Status, a.Says)
			continue
		}
		for _, x := range c.Met {
			f := good(t, c)
			_, bad, _, word := near(t, x)
			f.value(x.Fact, bad, word)
			a := c.answer(f)
			if a.Status == Met {
				t.Errorf("%s: still met when %s does not hold", id, x)
			} else if a.Says == "" || strings.Contains(a.Says, "{") {
				t.Errorf("%s: says %q", id, a.Says)
			}
			delete(f.list, x.Fact)
			if a := c.answer(f); a.Status != NotMeasured && a.Status != Gap && a.Status != Partly || a.Status == Met {
				t.Errorf("%s: %s without %s", id, a.Status, x.Fact)
			}
			f = good(t, c)
			delete(f.list, x.Fact)
			if a := c.answer(f); a.Status != NotMeasured || !strings.Contains(a.Says, "measure") {
				t.Errorf("%s: %s when nobody measures %s: %q", id, a.Status, x.Fact, a.Says)
			}
		}
		for _, x := range c.When {
			f := good(t, c)
			_, bad, _, word := near(t, x)
			f.value(x.Fact, bad, word)
			if a := c.answer(f); a.Status != NotMeasured || a.Says != c.Idle {
				t.Errorf("%s: %s %q although %s does not hold", id, a.Status, a.Says, x)
			}
		}
	}
}

// Every control that stands on checks changes its status when a fact changes.
func TestEveryControlMoves(t *testing.T) {
	lib, err := shelf()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fw := range lib.frameworks {
		empty := NewFacts(noon, noon.AddDate(0, 0, -90))
		none, err := Assess(fw, empty, "test")
		if err != nil {
			t.Fatal(err)
		}
		if none.Counts[Met] != 0 {
			t.Errorf("%s: %d controls are met although nothing was measured", fw.ID, none.Counts[Met])
		}
		for i := range none.Rows {
			row := &none.Rows[i]
			if len(row.Answers) == 0 {
				if row.Own == "" || row.Status != Outside {
					t.Errorf("%s %s: %s, and nothing to write", fw.ID, row.ID, row.Status)
				}
				continue
			}
			n++
			if row.Status != NotMeasured {
				t.Errorf("%s %s: %s although nothing was measured", fw.ID, row.ID, row.Status)
			}
			var answers []CheckAnswer
			for _, a := range row.Answers {
				answers = append(answers, lib.checks[a.Check].answer(good(t, lib.checks[a.Check])))
			}
			if got := together(answers); got != Met {
				t.Errorf("%s %s: %s although every check is met", fw.ID, row.ID, got)
			}
			for j := range answers {
				broken := slices.Clone(answers)
				broken[j].Status = Gap
				want := Partly
				if len(answers) == 1 {
					want = Gap
				}
				if got := together(broken); got != want {
					t.Errorf("%s %s: %s when %s is a gap, want %s", fw.ID, row.ID, got, broken[j].Check, want)
				}
				broken[j].Status = NotMeasured
				if got := together(broken); got != NotMeasured {
					t.Errorf("%s %s: %s when %s is not measured", fw.ID, row.ID, got, broken[j].Check)
				}
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d controls stand on checks", n)
	}
}

// Frameworks are whole: what was promised is there, by id.
func TestWhole(t *testing.T) {
	has := func(fw string) map[string]bool {
		f, err := Lookup(fw)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, g := range f.Groups {
			ids[g.ID] = true
			for _, c := range g.Controls {
				ids[c.ID] = true
			}
		}
		return ids
	}
	nist := has("nist-csf")
	for _, id := range strings.Fields("GV.OC GV.RM GV.RR GV.PO GV.OV GV.SC ID.AM ID.RA ID.IM PR.AA PR.AT PR.DS PR.PS PR.IR DE.CM DE.AE RS.MA RS.AN RS.CO RS.MI RC.RP RC.CO") {
		if !nist[id] {
			t.Errorf("NIST CSF: category %s is missing", id)
		}
	}
	iso := has("iso27001")
	for chapter, n := range map[string]int{"A.5": 37, "A.6": 8, "A.7": 14, "A.8": 34} {
		for i := 1; i <= n; i++ {
			if id := chapter + "." + number(int64(i)); !iso[id] {
				t.Errorf("ISO 27001: %s is missing", id)
			}
		}
	}
	soc := has("soc2")
	for i := 1; i <= 9; i++ {
		if !soc["CC"+number(int64(i))] {
			t.Errorf("SOC 2: CC%d is missing", i)
		}
	}
	gdpr := has("gdpr")
	for _, id := range strings.Fields("5 6 13 14 15 16 17 25 28 30 32 33 34 35") {
		if !gdpr["art-"+id] {
			t.Errorf("GDPR: article %s is missing", id)
		}
	}
}

// hostile is what somebody may call a node.
const hostile = "evil</style><script>alert(1)</script>\x1b[2J\u202e日本"

// sample is a report with everything in it, made from facts some of which hold.
func sample(t testing.TB, framework string) *Assessment {
	t.Helper()
	f := NewFacts(noon, noon.AddDate(0, 0, -90))
	f.Node, f.Version = hostile, "1.2.3"
	for i, id := range IDs() {
		switch {
		case i%5 == 0: // not measured
		case catalog[id].unit == UnitText:
			f.Words(id, hostile, hostile)
		default:
			f.value(id, float64(i%3), "")
		}
	}
	f.Act(CountedAct{Action: "create-key", N: 3, Seq: 77, At: noon})
	f.Checkpoint = SignedPoint{Origin: "x", Size: 90, Root: strings.Repeat("A", 43) + "=", Line: "honeyguide-checkpoint:" + strings.Repeat("b", 300), PublicKey: "k"}
	fw, err := Lookup(framework)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Assess(fw, f, "eve<b>")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var tag = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)

// A page has our tags alone, runs nothing and loads nothing.
func TestHTML(t *testing.T) {
	for _, name := range Names() {
		doc, _, err := sample(t, name).Write("html")
		if err != nil {
			t.Fatal(err)
		}
		text := string(doc)
		allowed := strings.Fields("!doctype html head meta title style body header nav main section p h1 h2 h3 b a table caption thead tbody tr th td dl dt dd br code span")
		for _, m := range tag.FindAllString(text, -1) {
			word := strings.ToLower(strings.FieldsFunc(m, func(r rune) bool { return strings.ContainsRune("<>/ \n", r) })[0])
			if !slices.Contains(allowed, word) {
				t.Errorf("%s: there is a %s", name, m)
			}
			for _, bad := range []string{" on", "javascript:", " src=", "url("} {
				if strings.Contains(strings.ToLower(m), bad) {
					t.Errorf("%s: %s", name, m)
				}
			}
		}
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Error("control characters")
		}
		for _, want := range []string{"sha256-", "Gaps, the heaviest first", "create-key", "audit entry 77"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
	}
}

// A PDF is laid out for every framework, with its bookmarks; hostile text becomes
// harmless.
func TestPDF(t *testing.T) {
	for _, name := range Names() {
		doc, _, err := sample(t, name).Write("pdf")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(doc, []byte("%PDF-")) || bytes.Contains(doc, []byte("/JavaScript")) || len(doc) < 20_000 {
			t.Errorf("%s: %d bytes of something else", name, len(doc))
		}
	}
	if got := printable("a\x1b[2J\u202e日ß"); got != "aU+001B[2JU+202EU+65E5ß" {
		t.Errorf("printable: %q", got)
	}
}

// What stands above a table is on the page of its first row, and a row that is longer
// than a page goes on on the next.
func TestTablesStayWithTheirHeads(t *testing.T) {
	long := strings.Repeat("word ", 400)
	for _, x := range []struct {
		from        float64 // how far down the page it begins
		text        string
		head, pages int
	}{
		{20, "short", 1, 1},
		{bottom - 45, "short", 1, 1},
		{bottom - 45, long, 2, 2},           // there is room for the heading, and none for the row
		{20, strings.Repeat(long, 8), 1, 4}, // longer than any page
	} {
		p := newPaper(sample(t, "gdpr"), 0)
		p.doc.AddPage()
		p.doc.SetY(x.from)
		p.table(section{title: "A group", text: "Organisation: something."}, []float64{40, 100}, []string{"Control", "What was found"}, [][]cell{{{{mono, small, ink, "id"}}, {{sans, small, ink, x.text}}}})
		if err := p.doc.Error(); err != nil {
			t.Fatal(err)
		}
		if got := p.begins[0].page; got != x.head || p.doc.PageNo() != x.pages {
			t.Errorf("%d letters at %.0f mm: the heading is on page %d of %d, want %d of %d", len(x.text), x.from, got, p.doc.PageNo(), x.head, x.pages)
		}
	}
}

func TestJSON(t *testing.T) {
	r := sample(t, "gdpr")
	doc, _, err := r.Write("json")
	if err != nil {
		t.Fatal(err)
	}
	var back Assessment
	if err := json.Unmarshal(doc, &back); err != nil {
		t.Fatal(err)
	}
	if back.Schema != Schema || len(back.Rows) != r.Controls || len(back.Facts) != len(catalog) || back.Counts[Gap] != r.Counts[Gap] {
		t.Errorf("%s: %d rows, %d facts", back.Schema, len(back.Rows), len(back.Facts))
	}
	sum := 0
	for _, n := range back.Counts {
		sum += n
	}
	if sum != back.Controls {
		t.Errorf("the statuses are %d, of %d controls", sum, back.Controls)
	}
	for i := 1; i < len(back.Gaps); i++ {
		if heavy(back.Gaps[i-1].Status) > heavy(back.Gaps[i].Status) {
			t.Error("gaps are not in order")
		}
	}
	if _, _, err := r.Write("docx"); err == nil {
		t.Error("a form there is not")
	}
}

// Patterns of OSCAL 1.1.3's JSON schema: tokens, UUIDs, moments.
var (
	oscalToken = regexp.MustCompile(`^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$`)
	oscalUUID  = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$`)
	oscalText  = regexp.MustCompile(`^\S(.*\S)?$`)
)

// OSCAL results have what the schema demands, in its forms, and name only parts
// that are there.
func TestOSCAL(t *testing.T) {
	for _, name := range Names() {
		r := sample(t, name)
		raw, _, err := r.Write("oscal")
		if err != nil {
			t.Fatal(err)
		}
		var doc oscalDoc
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		ar := doc.Results
		ids := map[string]bool{}
		unique := func(id string) {
			if !oscalUUID.MatchString(id) || ids[id] {
				t.Errorf("%s: uuid %q is none, or twice there", name, id)
			}
			ids[id] = true
		}
		unique(ar.UUID)
		for _, x := range ar.Back.Resources {
			unique(x.UUID)
		}
		if len(ar.Results) != 1 || ar.Metadata.OSCAL != "1.1.3" || !ids[strings.TrimPrefix(ar.ImportAP.Href, "#")] {
			t.Fatalf("%s: %+v", name, ar.Metadata)
		}
		for _, p := range ar.Metadata.Props {
			if !oscalToken.MatchString(p.Name) || !oscalText.MatchString(p.Value) {
				t.Errorf("%s: property %q = %q", name, p.Name, p.Value)
			}
		}
		res := ar.Results[0]
		unique(res.UUID)
		for _, o := range res.Observations {
			unique(o.UUID)
			if len(o.Methods) == 0 || o.Description == "" || len(o.Evidence) == 0 {
				t.Errorf("%s: %+v", name, o)
			}
		}
		for _, at := range []string{res.Start, res.End, ar.Metadata.LastModified} {
			if _, err := time.Parse(time.RFC3339, at); err != nil {
				t.Error(err)
			}
		}
		satisfied := 0
		for _, f := range res.Findings {
			unique(f.UUID)
			if !oscalToken.MatchString(f.Target.ID) || f.Target.Type != "objective-id" || len(f.Related) == 0 {
				t.Errorf("%s: %+v", name, f.Target)
			}
			switch f.Target.Status.State {
			case "satisfied":
				satisfied++
			case "not-satisfied":
			default:
				t.Errorf("%s: state %q", name, f.Target.Status.State)
			}
			for _, x := range f.Related {
				if !ids[x.UUID] {
					t.Errorf("%s: no observation %s", name, x.UUID)
				}
			}
		}
		if len(res.Findings)+r.Counts[Outside] != r.Controls || satisfied != r.Counts[Met] || len(res.Reviewed.Selections[0].Include) != len(res.Findings) {
			t.Errorf("%s: %d findings, %d satisfied, of %v", name, len(res.Findings), satisfied, r.Counts)
		}
	}
}

// A condition that holds whatever is measured, or never, is a fault of the file.
func TestConditionsDecide(t *testing.T) {
	for text, want := range map[string]bool{
		"holds.active >= 0": false, "audit.witnesses < 0": false, "users.mfa > 1": false, "users.mfa <= 1": false, "tls.on >= 0": false,
		"holds.active >= 1": true, "users.mfa >= 1": true, "kpi.tokens > 0.9": true, "tls.on == yes": true, "kpi.detect < 300000": true, `node.mode == "production"`: true,
	} {
		x, err := ParseTest(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.decides(); got != want {
			t.Errorf("%s decides: %v", text, got)
		}
		c := Check{ID: "x", Title: "x", Met: []Test{x}, Gap: "x", Mend: "x", Weight: 1, See: []string{"doc:x"}}
		if err := c.faults("file"); (err == nil) != want {
			t.Errorf("%s as the rule of a check: %v", text, err)
		}
	}
}

// What is named as evidence can be looked at: routes, keys and pages exist, and acts
// are those the audit log knows.
func TestEvidenceExists(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		} `json:"paths"`
	}
	read := func(name string) []byte {
		raw, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if err := json.Unmarshal(read("docs/reference/openapi.json"), &doc); err != nil {
		t.Fatal(err)
	}
	keys := string(read("docs/reference/configuration.md"))
	acts := map[string]bool{"backup": true, "erase-personal": true, "export-evidence": true} // of rooms, not of routes
	for _, methods := range doc.Paths {
		for _, o := range methods {
			acts[o.ID] = true
		}
	}
	lib, err := shelf()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range lib.checks {
		for _, act := range c.Acts {
			if !acts[act] {
				t.Errorf("%s: the audit log knows no act %s", c.ID, act)
			}
		}
		for _, s := range c.See {
			kind, at, _ := strings.Cut(s, ":")
			switch kind {
			case "api":
				if doc.Paths[at] == nil && at != "/metrics" && at != "/api/v1/openapi.json" {
					t.Errorf("%s: no route %s", c.ID, at)
				}
			case "config":
				if !strings.Contains(keys, "`"+at) {
					t.Errorf("%s: no key %s", c.ID, at)
				}
			default:
				read(at)
			}
		}
	}
}

// What is wrong in a rule is told.
func TestParseTest(t *testing.T) {
	for _, good := range []string{"a.b >= 1", "a == yes", `a != "x y"`, "a < -0.5"} {
		if x, err := ParseTest(good); err != nil || x.Fact != "a.b" && x.Fact != "a" {
			t.Errorf("%q: %+v %v", good, x, err)
		}
	}
	for _, bad := range []string{"", "a", "a >=", "a => 1", "a >= x", `a >= "x"`, "a == NaN", "  >= 1 "} {
		if x, err := ParseTest(bad); err == nil {
			t.Errorf("%q: %+v", bad, x)
		}
	}
}

func FuzzParseTest(f *testing.F) {
	for _, s := range []string{"a.b >= 1", "a == yes", `a != "x"`, "a >= 1e309", "\x00 < 1", `a == "`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := ParseTest(s)
		if err != nil {
			return
		}
		if y, err := ParseTest(x.String()); err != nil || y.op != x.op || y.text != x.text {
			t.Errorf("%q becomes %q: %v", s, x, err)
		}
	})
}

// A fact of another unit, or one nobody knows, is a fault of the wiring.
func TestUnknownFacts(t *testing.T) {
	f := NewFacts(noon, noon)
	f.Count("no.such", 1, "x")
	f.Flag("users.active", true, "x")
	f.Missing("nor.this", "x")
	f.Count("users.active", 1, "x")
	if len(f.Unknown()) != 3 {
		t.Errorf("%v", f.Unknown())
	}
	if x := f.Get("users.active"); !x.Known || x.Shown != "1" || !x.At.Equal(noon) {
		t.Errorf("%+v", x)
	}
}

func BenchmarkPDF(b *testing.B) {
	r := sample(b, "iso27001")
	for b.Loop() {
		if _, _, err := r.Write("pdf"); err != nil {
			b.Fatal(err)
		}
	}
}
