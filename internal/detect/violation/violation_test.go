package violation_test

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/violation"
)

func TestViolation(t *testing.T) {
	d, err := violation.Kind.Open(t.Context(), nil, detect.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	e := honeyguide.Event{ID: "e", Activity: honeyguide.ActivityViolation, Sensor: "ssh"}
	e.Set(honeyguide.AttrDetail, "system call 59")
	got, err := d.Detect(t.Context(), []honeyguide.Event{e, {Activity: honeyguide.ActivityConnect}})
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	a := got[0]
	if a.Severity != honeyguide.SeverityCritical || a.Category != honeyguide.CategoryContainer || a.Evidence[0].Text != "system call 59" {
		t.Errorf("got %+v", a)
	}
	for _, tech := range a.Attacks {
		if _, ok := attack.Lookup(tech.ID); !ok {
			t.Errorf("%s is not in the table", tech.ID)
		}
	}
}
