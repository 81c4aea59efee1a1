package api

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/humatest"
	"github.com/google/go-cmp/cmp"

	"honeyguide"
	"honeyguide/internal/client"
)

func maskContext(mask map[string]bool) huma.Context {
	r := httptest.NewRequest("GET", "/", nil)
	return humatest.NewContext(nil, r.WithContext(context.WithValue(r.Context(), maskKey, mask)), httptest.NewRecorder())
}

// someAlerts are rows with and without what may be left out.
func someAlerts(n int) client.Page[honeyguide.Alert] {
	p := client.Page[honeyguide.Alert]{Next: "go<on>"}
	for i := range n {
		a := honeyguide.Alert{
			ID: "a", Title: "<b>\x1b & \u2028", Score: 1.5, Time: time.Unix(int64(i), 5).UTC(), EventIDs: []string{"e"},
			Evidence: []honeyguide.Evidence{{EventID: "e", Text: "x"}}, Reasons: []honeyguide.Reason{{}}, Src: honeyguide.Endpoint{Country: "NL"},
		}
		if i%2 == 1 {
			a.Sensor, a.Proven, a.Handled = "ssh", true, honeyguide.Handled{By: "jo", At: time.Unix(9, 0).UTC()}
		}
		p.Items = append(p.Items, a)
	}
	return p
}

// What is written field by field says what the library says, letter by letter.
func TestPickedAsTheLibraryWrites(t *testing.T) {
	type inner struct {
		Text  string   `json:"text"`
		Kinds []string `json:"kinds"`
	}
	type self struct {
		Under []self `json:"under,omitempty"`
	}
	type row struct {
		Text  string                 `json:"text"`
		Word  honeyguide.AlertStatus `json:"word"`
		Level honeyguide.Severity    `json:"level"`
		Count int                    `json:"count"`
		Large int64                  `json:"large"`
		Share float64                `json:"share"`
		Yes   bool                   `json:"yes"`
		At    time.Time              `json:"at"`
		Inner inner                  `json:"inner"`
		List  []inner                `json:"list"`
		Self  self                   `json:"self"`
		Any   any                    `json:"any"`
		Map   map[string]any         `json:"map"`
		Far   *inner                 `json:"far"`
		Src   honeyguide.Endpoint    `json:"src"`
	}
	east := time.FixedZone("east", 3*3600)
	rows := []row{
		{},
		{Text: "plain", Word: "new", Level: honeyguide.SeverityHigh, Count: -3, Large: 1 << 62, Share: 1e-9, Yes: true, At: time.Unix(5, 120).UTC(), List: []inner{}, Any: 1.5, Map: map[string]any{"a": "<b>"}},
		{Text: "\"<&>\\\x00\x1b\x7f\u2028é\xff", At: time.Unix(5, 0).In(east), Inner: inner{"\t", []string{"a\nb"}}, List: []inner{{"x", nil}, {"ü", []string{}}}, Self: self{[]self{{}, {[]self{{}}}}}, Far: &inner{}},
	}
	all := map[string]bool{}
	for _, f := range shapeOfType(reflect.TypeFor[row]()) {
		all[f.name] = true
	}
	if len(all) != reflect.TypeFor[row]().NumField() {
		t.Fatalf("only %v", all)
	}
	got, err := masked(maskContext(all), "200", client.Page[row]{Items: rows})
	if err != nil {
		t.Fatal(err)
	}
	want, err := plainJSON(client.Page[row]{Items: rows})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got.(json.RawMessage))); diff != "" {
		t.Errorf("(-library +picked)\n%s", diff)
	}
}

// What picks fields says the same as what reads the whole text again.
func TestMaskIsTheTextWithoutTheRest(t *testing.T) {
	all := map[string]bool{}
	for _, f := range shapeOfType(reflect.TypeFor[honeyguide.Alert]()) {
		all[f.name] = true
	}
	page := someAlerts(3)
	for name, v := range map[string]any{"page": page, "pointer": &page, "object": page.Items[1], "empty": client.Page[honeyguide.Alert]{Items: []honeyguide.Alert{}}} {
		for _, mask := range []map[string]bool{{}, {"id": true}, {"title": true, "handled": true, "sensor": true, "src": true, "time": true, "verdict": true}, all} {
			got, err := masked(maskContext(mask), "200", v)
			if err != nil {
				t.Fatal(err)
			}
			want, err := maskedText(v, mask)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plainly(t, want), plainly(t, got)); diff != "" {
				t.Errorf("%s of %v: (-text +picked)\n%s", name, mask, diff)
			}
		}
	}
}

func plainly(t *testing.T, v any) (out any) {
	t.Helper()
	raw, err := plainJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func BenchmarkMask(b *testing.B) {
	page, mask := someAlerts(1000), map[string]bool{"id": true, "title": true, "src": true, "time": true, "evidence": true, "handled": true}
	for _, way := range []struct {
		name string
		run  func() (any, error)
	}{
		{"picked", func() (any, error) { return masked(maskContext(mask), "200", page) }},
		{"text", func() (any, error) { return maskedText(page, mask) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				v, err := way.run()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := plainJSON(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
