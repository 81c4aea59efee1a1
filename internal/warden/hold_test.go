package warden

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"honeyguide"
)

// What is held does not run, turns away who knocks, and serves again when it is
// released or its time is over.
func TestHold(t *testing.T) {
	b := begin(t, "echo", nil)
	conn := b.dial()
	b.wait(honeyguide.ActivityConnect)
	b.Hold(time.Now().Add(time.Hour), "it broke its rules")
	if _, err := io.ReadAll(conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	b.until("held", func(h Health) bool { return h.State == Held })
	if !b.Held() || b.Check(t.Context()) == nil || !strings.Contains(b.Health().LastExit, "it broke its rules") {
		t.Errorf("health: %+v", b.Health())
	}
	if b.Health().Restarts != 0 || b.Health().Violations != 0 {
		t.Errorf("a stop on purpose counts as a fault: %+v", b.Health())
	}
	c, err := net.Dial("tcp", b.Sensors()[0].Addr)
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if n, err := c.Read(make([]byte, 1)); err == nil || n > 0 {
			t.Error("somebody answered")
		}
		c.Close()
	}
	b.Hold(time.Now().Add(2*time.Hour), "longer") // moves the end
	b.Release()
	b.until("serving again", func(h Health) bool { return h.State == Serving })
	b.echoes()
	b.Hold(time.Now().Add(300*time.Millisecond), "a moment")
	b.until("held for a moment", func(h Health) bool { return h.State == Held })
	b.until("serving after its time", func(h Health) bool { return h.State == Serving })
	b.Release() // of nothing
	b.echoes()
}
