package state_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/state"
)

func TestRows(t *testing.T) {
	for limit, want := range map[int]int{-1: 100, 0: 100, 1: 1, 1000: 1000, 1001: 1000, math.MaxInt: 1000} {
		if got := (state.Page{Limit: limit}).Rows(); got != want {
			t.Errorf("limit %d: %d rows, want %d", limit, got, want)
		}
	}
}

func TestCursorRoundTrip(t *testing.T) {
	for _, at := range []int64{0, -1, math.MinInt64, math.MaxInt64, 1_700_000_000_000_000} {
		for _, id := range []string{"", "x", strings.Repeat("k", state.MaxKey), "ü \x01"} {
			c := state.Cursor(state.ListAlerts, at, id)
			gotAt, gotID, err := state.ParseCursor(state.ListAlerts, c)
			if err != nil || gotAt != at || gotID != id {
				t.Errorf("%d %q: %d %q %v", at, id, gotAt, gotID, err)
			}
			if _, _, err := state.ParseCursor(state.ListSessions, c); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
				t.Errorf("%d %q: taken by another list: %v", at, id, err)
			}
		}
	}
	for _, c := range []string{"", "\n", "AQ==", state.Cursor(state.ListAlerts, 1, "\xff"), state.Cursor(state.ListAlerts, 1, "a\x00"), state.Cursor(state.ListAlerts, 1, strings.Repeat("k", state.MaxKey+1))} {
		if _, _, err := state.ParseCursor(state.ListAlerts, c); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%q: %v", c, err)
		}
	}
}

// FuzzCursor: no panic, and what is taken is exactly what Cursor writes.
func FuzzCursor(f *testing.F) {
	f.Add(state.Cursor(state.ListAlerts, 5, "id"))
	f.Add(state.Cursor(state.ListBlocks, 5, "id"))
	f.Add("AWE")
	f.Add("\r\n")
	f.Add(strings.Repeat("A", 500))
	f.Fuzz(func(t *testing.T, s string) {
		at, id, err := state.ParseCursor(state.ListAlerts, s)
		switch {
		case err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeInvalid:
			t.Errorf("%q: %v", s, err)
		case err == nil && state.Cursor(state.ListAlerts, at, id) != s:
			t.Errorf("%q was read as (%d, %q)", s, at, id)
		}
	})
}

// FuzzText: keys, columns and words keep their promises for any bytes.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "\xff\xfe", strings.Repeat("é", 400), "a b  c", `"x" * NOT`, "\u202e", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, k := state.Column(s), state.Key(s)
		if !utf8.ValidString(c) || strings.ContainsRune(c, 0) || state.Column(c) != c {
			t.Errorf("column %q", c)
		}
		if len(k) > state.MaxKey || !utf8.ValidString(k) || state.Key(k) != k {
			t.Errorf("key of %d bytes: %q", len(k), k)
		}
		for _, n := range []int{0, 1, 7} {
			if cut := state.Clip(c, n); len(cut) > n || !strings.HasPrefix(c, cut) || !utf8.ValidString(cut) {
				t.Errorf("clip to %d: %q", n, cut)
			}
		}
		words, ok, err := state.Words(s)
		if err == nil && (len(words) > state.MaxWords || len(words) > 0 && !ok) {
			t.Errorf("%d words, ok %v", len(words), ok)
		}
	})
}

// FuzzAlert: any alert JSON can say is tidied into one that can be written and
// read again, and tidying twice changes nothing.
func FuzzAlert(f *testing.F) {
	f.Add([]byte(`{"id":"x","title":"t","score":-5,"src":{"addr":"[::ffff:1.2.3.4%z]:5"},"evidence":[{"text":"a"},{"text":"a"}]}`))
	f.Add([]byte(`{"time":"9999-12-31T23:59:59.999999999-23:59","reasons":[{"weight":1e308}],"attacks":[{"id":"T1"},{"id":"T1"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a honeyguide.Alert
		if json.Unmarshal(b, &a) != nil {
			t.Skip()
		}
		state.TidyAlert(&a)
		one, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		state.TidyAlert(&a)
		if two, _ := json.Marshal(a); string(two) != string(one) {
			t.Errorf("tidied twice:\n%s\n%s", one, two)
		}
		var back honeyguide.Alert
		if err := json.Unmarshal(one, &back); err != nil {
			t.Errorf("cannot be read again: %v\n%s", err, one)
		}
		m := state.MergeAlert(a, back)
		if len(m.EventIDs) != len(a.EventIDs) || len(m.Evidence) != len(a.Evidence) || len(m.Attacks) != len(a.Attacks) {
			t.Errorf("merging an alert with itself adds evidence:\n%s", one)
		}
	})
}

func TestTime(t *testing.T) {
	for _, c := range []struct{ in, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC), time.Time{}},
		{time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
		{time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("w", -7200)), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("e", 7200)), time.Time{}},
		{time.Date(2026, 3, 1, 1, 2, 3, 456789, time.FixedZone("e", 3600)), time.Date(2026, 3, 1, 0, 2, 3, 456000, time.UTC)},
	} {
		if got := state.Time(c.in); !got.Equal(c.want) || got.Location() != time.UTC && !got.IsZero() {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]struct {
		words string
		ok    bool
	}{
		"": {"", true}, " \t": {"", true}, "a  b": {"a|b", true}, `"a" * (b`: {`"a"|(b`, true}, "***": {"", false}, "a *": {"a", true},
	} {
		words, ok, err := state.Words(text)
		if strings.Join(words, "|") != want.words || ok != want.ok || err != nil {
			t.Errorf("%q: %q %v %v", text, words, ok, err)
		}
	}
}
