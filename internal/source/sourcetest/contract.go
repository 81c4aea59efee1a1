package sourcetest

import (
	"testing"
	"time"
)

// A Producer is the other side of a source: it makes records available to it.
type Producer struct {
	// Write makes whole lines available, in order.
	Write func(t testing.TB, lines string)
	// Resumes says that what was written while the source was away is read when it
	// is back; a listener cannot.
	Resumes bool
	// Waits says that the producer sees that nothing is taken and waits.
	Waits bool
}

// Run holds a source to its contract. start returns a rig whose source was not
// started yet, and its producer.
func Run(t *testing.T, start func(t *testing.T) (*Rig, Producer)) {
	t.Run("every record once and in order", func(t *testing.T) {
		r, p := start(t)
		r.Start()
		p.Write(t, Lines(0, 100))
		r.Await(100)
		p.Write(t, Lines(100, 5000))
		r.Await(5000)
		for i, n := range r.Numbers() {
			if i != n {
				t.Fatalf("event %d is record %d", i, n)
			}
		}
		if s := r.Status(); s.Records-s.Duplicates != 5000 || s.Events != 5000 || s.State != "running" || s.LastAt.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
	t.Run("equal records without an id are all kept", func(t *testing.T) {
		r, p := start(t)
		r.Start()
		for range 5 {
			p.Write(t, Line(7)+Line(7))
		}
		r.Await(10)
	})
	t.Run("garbage becomes dead letters", func(t *testing.T) {
		r, p := start(t)
		r.Start()
		p.Write(t, Line(0)+"<html>\n{\"n\":\n{\"n\":\"x\"}\n\x00\xff\n[1,2]\n"+Line(1))
		r.Await(2)
		r.Eventually("dead letters are kept", func() bool { return len(r.Dead()) == 5 })
		p.Write(t, Line(2))
		r.Await(3)
		r.Once(3)
	})
	t.Run("a full log is waited for", func(t *testing.T) {
		r, p := start(t)
		if !p.Waits {
			t.Log("nobody can make this producer wait")
			return
		}
		r.Start()
		p.Write(t, Lines(0, 10))
		r.Await(10)
		r.Full.Store(true)
		p.Write(t, Lines(10, 300))
		r.Eventually("it is told of", func() bool { return r.Status().State == "failing" })
		r.Full.Store(false)
		r.Await(300)
		r.Stuck.Store(true)
		p.Write(t, Lines(300, 400))
		r.Await(400)
		time.Sleep(1100 * time.Millisecond) // a place is kept once a second
		r.Stuck.Store(false)
		p.Write(t, Lines(400, 500))
		r.Await(500)
		r.Once(500)
		r.Eventually("it is well again", func() bool { return r.Status().State == "running" })
	})
	t.Run("a stop and a start lose and repeat nothing", func(t *testing.T) {
		r, p := start(t)
		if !p.Resumes {
			t.Log("this source sees only what comes while it runs")
			return
		}
		r.Start()
		for i := range 4 {
			p.Write(t, Lines(100*i, 100*i+50))
			r.Await(100*i + 50)
			r.Stop()
			p.Write(t, Lines(100*i+50, 100*i+100))
			r.Start()
			r.Await(100*i + 100)
		}
		r.Once(400)
	})
	t.Run("kill -9 loses and repeats nothing", func(t *testing.T) {
		r, p := start(t)
		if !p.Resumes {
			t.Log("this source sees only what comes while it runs")
			return
		}
		n := 0
		for i := range 12 {
			r.Start()
			p.Write(t, Lines(n, n+200))
			n += 200
			for began := time.Now(); time.Since(began) < time.Duration(i)*7*time.Millisecond; {
				time.Sleep(time.Millisecond)
			}
			r.Kill()
		}
		r.Start()
		r.Await(n)
		p.Write(t, Lines(n, n+1))
		r.Await(n + 1)
		r.Once(n + 1)
	})
	t.Run("it ends when it is told to", func(t *testing.T) {
		r, p := start(t)
		r.Start()
		p.Write(t, Lines(0, 10))
		r.Full.Store(true)
		p.Write(t, Lines(10, 20))
		began := time.Now()
		r.Stop()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v to end", took)
		}
	})
}
