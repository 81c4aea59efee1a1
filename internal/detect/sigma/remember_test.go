package sigma

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"honeyguide"
)

// What was counted survives a restart, and a change of other correlations.
func TestCountsSurvive(t *testing.T) {
	book, dir := bookOf(t, guessing)
	d := detectorOf(t, book)
	if a := feed(t, d, login(1)); len(a) != 0 {
		t.Fatalf("too early: %+v", a)
	}
	// At a start the last events are shown again before what was kept is given back.
	again := detectorOf(t, book).(*detector)
	feed(t, again, login(1))
	text, err := d.(*detector).Keep()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Recall(text); err != nil {
		t.Fatal(err)
	}
	if a := feed(t, again, login(2)); len(a) != 0 {
		t.Fatalf("too early: %+v", a)
	}
	more := "title: More\ncorrelation: {type: event_count, rules: [test_failed], timespan: 9m, condition: {gte: 100}}\n"
	if err := os.WriteFile(filepath.Join(dir, "more.yml"), []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	if !book.Refresh(t.Context()) {
		t.Fatal("the new file was not seen")
	}
	if a := feed(t, again, login(3)); len(a) != 1 || a[0].Count != 3 {
		t.Errorf("after a restart and a change: %+v", a)
	}
}

func TestRecallRefusesNonsense(t *testing.T) {
	book, _ := bookOf(t, guessing)
	for _, odd := range []string{"\x80", "\x02\x02", "\x02\x02\x07", "\x02\x02\x01\x00\x00\x00"} {
		d := detectorOf(t, book).(*detector)
		if d.Recall(base64.StdEncoding.AppendEncode(nil, []byte(odd))) == nil {
			t.Errorf("%q was taken", odd)
		}
		if a := feed(t, d, login(1), login(2), login(3)); len(a) != 1 {
			t.Errorf("after %q: %+v", odd, a)
		}
	}
	var none []honeyguide.Event
	book, _ = bookOf(t, netcat)
	if d := detectorOf(t, book).(*detector); d.Recall([]byte("no base64")) == nil || d.memory() != nil || len(feed(t, d, none...)) != 0 {
		t.Error("without correlations there is something to remember")
	}
}
