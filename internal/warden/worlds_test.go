package warden

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// closet is a store of worlds in memory.
type closet struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (s *closet) Load(_ context.Context, persona string, source netip.Addr) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[persona+" "+source.String()], nil
}

func (s *closet) Save(_ context.Context, persona string, source netip.Addr, world []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[persona+" "+source.String()] = bytes.Clone(world)
	return nil
}

func (s *closet) keys() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.kept {
		out = append(out, k)
	}
	return out
}

// TestWorldsAreKeptAndGivenBack: what a process hands over comes back to the
// next one, under the persona the process was started as.
func TestWorldsAreKeptAndGivenBack(t *testing.T) {
	s := &closet{kept: map[string][]byte{"other 127.0.0.1": []byte("not his")}}
	b := begin(t, "worlds", func(o *Options) { o.Worlds = s })
	visit := func(say string) string {
		t.Helper()
		c, err := net.Dial("tcp", b.Sensors()[0].Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, say)
		_ = c.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(c)
		return string(got)
	}
	if got := visit("first"); got != "\n" {
		t.Errorf("nothing was left, got %q", got)
	}
	if got := visit("second"); got != "first\n" {
		t.Errorf("left \"first\", got %q", got)
	}
	if keys := s.keys(); len(keys) != 2 {
		t.Errorf("kept: %q", keys)
	}
}
