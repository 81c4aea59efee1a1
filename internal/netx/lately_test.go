package netx

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

func TestLately(t *testing.T) {
	now := time.Unix(100, 0)
	asked := 0
	var fail error
	local := Lately(func() ([]Local, error) {
		asked++
		return []Local{{netip.MustParseAddr("192.0.2.1"), "x"}}, fail
	}, func() time.Time { return now }, time.Second)
	for _, step := range []struct {
		pass  time.Duration
		fail  error
		asked int
	}{
		{0, nil, 1},
		{999 * time.Millisecond, nil, 1},
		{time.Millisecond, nil, 2},
		{time.Second, errors.New("gone"), 3},
		{0, nil, 4},
		{-time.Hour, nil, 5},
	} {
		now, fail = now.Add(step.pass), step.fail
		got, err := local()
		if asked != step.asked || !errors.Is(err, step.fail) || err == nil && len(got) != 1 {
			t.Errorf("%+v: asked %d times, %v, %v", step, asked, got, err)
		}
	}
}
