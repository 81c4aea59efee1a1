package enrichtest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
)

// An Answer is one body a service was seen to give, and what it means.
type Answer struct {
	Name, Body string
	Miss       bool
	Verdict    string
	Confidence int
	Text       string // part of it
	AsOf       string // date
}

// Service is what every service must do: ask over https with its key in a header
// and nowhere else, read the answers given, and take nothing else for one. key is
// "" for a service without.
func Service(t *testing.T, k enrich.Kind, decode func(into any) error, key string, answers []Answer) {
	t.Helper()
	e, err := k.Open(t.Context(), decode, enrich.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	s := e.(enrich.Service).Spec()
	if s.Name != k.Name || s.Limits.PerDay == 0 || len(s.Types) == 0 {
		t.Errorf("spec %+v", s)
	}
	values := map[string]string{"ip": "8.8.8.8", "hash": strings.Repeat("ab", 32)}
	for _, kind := range s.Types {
		r := s.Request(kind, values[kind])
		if strings.HasPrefix(r.URL, "dns:") {
			continue
		}
		if !strings.HasPrefix(r.URL, "https://") || !strings.Contains(r.URL, values[kind]) || key != "" && strings.Contains(r.URL, key) {
			t.Errorf("%s: URL %s", kind, r.URL)
		}
		sent := false
		for _, v := range r.Header {
			sent = sent || v == key
		}
		if key != "" && !sent {
			t.Errorf("%s: the key is in no header", kind)
		}
	}
	for _, a := range answers {
		Read(t, k, decode, a)
	}
	for _, garbage := range []string{"", "<html>", "null", "[]", "{}", `{"data":7}`, `"text"`, "\x00\xff", strings.Repeat("[", 100_000)} {
		var x honeyguide.Enrichment
		if err := s.Read(&x, []byte(garbage)); err == nil {
			t.Errorf("%.20q is taken for an answer: %+v", garbage, x)
		}
	}
}

// FuzzService lets a service read anything: it must end without a panic, and what
// it takes for an answer must be one that can be kept.
func FuzzService(f *testing.F, k enrich.Kind, decode func(into any) error, answers []Answer) {
	f.Helper()
	e, err := k.Open(f.Context(), decode, enrich.Deps{})
	if err != nil {
		f.Fatal(err)
	}
	for _, a := range answers {
		f.Add([]byte(a.Body))
	}
	s := e.(enrich.Service).Spec()
	f.Fuzz(func(t *testing.T, body []byte) {
		x := honeyguide.Enrichment{Provider: s.Name}
		if s.Read(&x, body) != nil {
			return
		}
		raw, err := json.Marshal(&x)
		if err != nil || x.Verdict == "" || x.Confidence < 0 || x.Confidence > 100 || len(raw) > 64<<10 {
			t.Fatalf("%+v, %v", x, err)
		}
	})
}

// Key returns a decode function that sets a key.
func Key(set func(into any)) func(into any) error {
	return func(into any) error { set(into); return nil }
}

// Read lets a service read one answer.
func Read(t *testing.T, k enrich.Kind, decode func(into any) error, a Answer) {
	t.Helper()
	e, err := k.Open(t.Context(), decode, enrich.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	s := e.(enrich.Service).Spec()
	x := honeyguide.Enrichment{Provider: s.Name, Type: "ip", Value: "8.8.8.8", At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	err = s.Read(&x, []byte(a.Body))
	switch {
	case a.Miss:
		if !errors.Is(err, enrich.ErrMiss) {
			t.Errorf("%s: %v, want a miss", a.Name, err)
		}
		return
	case a.Verdict == "":
		if err == nil || errors.Is(err, enrich.ErrMiss) {
			t.Errorf("%s: %+v, %v; want an error", a.Name, x, err)
		}
		return
	case err != nil:
		t.Errorf("%s: %v", a.Name, err)
		return
	}
	if x.Verdict != a.Verdict || x.Confidence != a.Confidence || !strings.Contains(x.Text, a.Text) {
		t.Errorf("%s: %s, %d, %q; want %s, %d, %q", a.Name, x.Verdict, x.Confidence, x.Text, a.Verdict, a.Confidence, a.Text)
	}
	if a.AsOf != "" && x.AsOf.Format(time.DateOnly) != a.AsOf {
		t.Errorf("%s: as of %v, want %s", a.Name, x.AsOf, a.AsOf)
	}
}
