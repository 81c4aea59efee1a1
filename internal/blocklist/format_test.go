package blocklist

import (
	"bytes"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// sample is a list with one of everything that formats write differently.
func sample(t testing.TB) *rig {
	r := newRig(t)
	hostile := r.plan(3, "198.51.100.0/24", 48*time.Hour)
	hostile.Playbook = `=cmd|' /C calc'!A0"` + "\n\u202e<b>"
	six := r.plan(4, "2001:db8::bad", time.Hour)
	six.Action = "blocklist"
	r.save(r.plan(1, "203.0.113.7", 4*time.Hour), r.plan(2, "192.0.2.255", time.Minute), hostile, six, r.plan(5, "2001:db8:1::/64", 720*time.Hour))
	r.refresh()
	return r
}

func write(t testing.TB, r *rig, name string, f Filter) []byte {
	t.Helper()
	format, ok := LookupFormat(name)
	if !ok {
		t.Fatalf("there is no format %s", name)
	}
	var b bytes.Buffer
	if err := format.Write(t.Context(), &b, r.list, f, About{Node: "edge-1"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s is not what testdata says; look, then go test ./internal/blocklist -update\n%s", name, d)
	}
}

func TestGolden(t *testing.T) {
	r := sample(t)
	for _, f := range Formats() {
		text := write(t, r, f.Name, Filter{})
		golden(t, f.Name+f.Suffix, text)
		if again := write(t, &rig{t: t, store: r.store, now: r.now, list: started(t, r)}, f.Name, Filter{}); !bytes.Equal(text, again) {
			t.Errorf("%s: another start writes another list", f.Name)
		}
		if strings.HasSuffix(f.Suffix, "json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", f.Name)
		}
		if empty := write(t, newRig(t), f.Name, Filter{}); strings.HasSuffix(f.Suffix, "json") && !json.Valid(empty) {
			t.Errorf("an empty %s is no JSON: %s", f.Name, empty)
		}
	}
	var b bytes.Buffer
	if err := Manifest(t.Context(), &b, r.list, Filter{}, About{Node: "edge-1"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "manifest.json", b.Bytes())
	b.Reset()
	if err := Hashes(t.Context(), &b, r.list, Filter{}, About{Node: "edge-1"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "hashes.csv", b.Bytes())
}

func started(t testing.TB, r *rig) *List {
	l := r.start()
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCSVCellsAreHarmless(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(write(t, sample(t), "csv", Filter{}))).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n|%") {
				t.Errorf("a spreadsheet runs %q", cell)
			}
		}
	}
}

var (
	uuidForm  = `[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	stixID    = regexp.MustCompile(`^(bundle|identity|indicator)--` + uuidForm + `$`)
	stixTime  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	stixMatch = regexp.MustCompile(`^\[(ipv4-addr|ipv6-addr):value (=|ISSUBSET) '[0-9a-f.:/]+'\]$`)
)

// TestSTIX holds the bundle against the rules of STIX 2.1 for what it contains.
func TestSTIX(t *testing.T) {
	var b struct {
		Type    string           `json:"type"`
		ID      string           `json:"id"`
		Spec    string           `json:"spec_version"`
		Objects []map[string]any `json:"objects"`
	}
	if err := json.Unmarshal(write(t, sample(t), "stix", Filter{}), &b); err != nil {
		t.Fatal(err)
	}
	if b.Type != "bundle" || !stixID.MatchString(b.ID) || b.Spec != "" || len(b.Objects) != 6 {
		t.Errorf("bundle %s %s, spec_version %q, %d objects", b.Type, b.ID, b.Spec, len(b.Objects))
	}
	ids := map[string]bool{}
	text := func(o map[string]any, name string) string { s, _ := o[name].(string); return s }
	for _, o := range b.Objects {
		id, kind := text(o, "id"), text(o, "type")
		if ids[id] || !stixID.MatchString(id) || !strings.HasPrefix(id, kind+"--") || text(o, "spec_version") != "2.1" {
			t.Errorf("object %v", o)
		}
		ids[id] = true
		if !stixTime.MatchString(text(o, "created")) || text(o, "modified") < text(o, "created") {
			t.Errorf("%s: created %v, modified %v", id, o["created"], o["modified"])
		}
		if kind != "indicator" {
			continue
		}
		if !stixMatch.MatchString(text(o, "pattern")) || text(o, "pattern_type") != "stix" || !stixTime.MatchString(text(o, "valid_from")) {
			t.Errorf("%s: %v", id, o)
		}
		if text(o, "valid_until") <= text(o, "valid_from") || !ids[text(o, "created_by_ref")] {
			t.Errorf("%s: %v", id, o)
		}
	}
	if got := literal(`a'b\c`); got != `'a\'b\\c'` {
		t.Errorf("got %s", got)
	}
}

// TestMISP holds event, manifest and index of hashes against each other.
func TestMISP(t *testing.T) {
	r := sample(t)
	var doc struct {
		Event struct {
			UUID, Info, Date, Timestamp, Analysis string
			Level                                 string `json:"threat_level_id"`
			Orgc                                  struct{ Name, UUID string }
			Attribute                             []struct {
				UUID, Type, Category, Value, Timestamp, Comment string
				ToIDs                                           bool   `json:"to_ids"`
				First                                           string `json:"first_seen"`
			}
		}
	}
	if err := json.Unmarshal(write(t, r, "misp", Filter{}), &doc); err != nil {
		t.Fatal(err)
	}
	e, form := doc.Event, regexp.MustCompile("^"+uuidForm+"$")
	if e.UUID != EventUUID(About{Node: "edge-1"}) || !form.MatchString(e.UUID) || !form.MatchString(e.Orgc.UUID) || e.Date != "2026-11-22" || e.Timestamp != "1795348800" || len(e.Attribute) != 5 {
		t.Errorf("event %+v", e)
	}
	var hashes []string
	for _, a := range e.Attribute {
		if !form.MatchString(a.UUID) || a.Type != "ip-src" || a.Category != "Network activity" || !a.ToIDs || a.Timestamp == "" || !stixTime.MatchString(a.First) {
			t.Errorf("attribute %+v", a)
		}
		sum := md5.Sum([]byte(a.Value))
		hashes = append(hashes, hex.EncodeToString(sum[:])+","+e.UUID)
	}
	var b bytes.Buffer
	if err := Hashes(t.Context(), &b, r.list, Filter{}, About{Node: "edge-1"}); err != nil || b.String() != strings.Join(hashes, "\n")+"\n" {
		t.Errorf("%v: hashes\n%s", err, b.String())
	}
	b.Reset()
	var manifest map[string]map[string]any
	if err := Manifest(t.Context(), &b, r.list, Filter{}, About{Node: "edge-1"}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &manifest); err != nil || len(manifest) != 1 || manifest[e.UUID]["timestamp"] != e.Timestamp || manifest[e.UUID]["info"] != e.Info {
		t.Errorf("%v: manifest %s", err, b.String())
	}
}

// FuzzFormats: whatever a plan says, what is written for machines stays what it is.
func FuzzFormats(f *testing.F) {
	f.Add("203.0.113.7", "contain", "i1", "p1")
	f.Add("2001:db8::/64", "\"\\\n", "\x00", "\xff")
	f.Add("1.2.3.4\ndeny all;", "';--", "", "=1+1")
	f.Fuzz(func(t *testing.T, target, playbook, incident, plan string) {
		r := &rig{now: noon}
		l := New(Options{Now: r.clock})
		p := r.plan(1, target, time.Hour)
		p.ID, p.Playbook, p.Incident = plan, playbook, incident
		l.take(p, micros(noon), micros(noon), true)
		n := l.Len()
		for _, format := range Formats() {
			var b bytes.Buffer
			if err := format.Write(t.Context(), &b, l, Filter{}, About{Node: playbook}); err != nil {
				t.Fatal(err)
			}
			switch {
			case strings.HasSuffix(format.Suffix, "json"):
				if !json.Valid(b.Bytes()) {
					t.Fatalf("%s: %s", format.Name, b.String())
				}
			case format.Name == "csv":
				if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) != n+1 {
					t.Fatalf("csv: %v, %d rows", err, len(rows))
				}
			case strings.Count(b.String(), "\n") != n:
				t.Fatalf("%s has another line: %q", format.Name, b.String())
			}
		}
	})
}
