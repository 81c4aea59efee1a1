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
