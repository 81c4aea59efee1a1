package coreutils

import (
	"slices"
	"time"
)

// A timeLimit is what timeout was told.
type timeLimit struct {
	p                 *Proc
	sig               int
	wait, after       time.Duration // before the signal, and from it to the killing
	verbose, preserve bool
	end               time.Time // when the command is ended; zero never
	over              bool      // the time came
}

func timeout(p *Proc) int {
	opts, args, ok := p.getopt("+k:s:v", "kill-after=,k", "signal=,s", "verbose,v", "foreground", "preserve-status")
	if !ok {
		return 125
	}
	t := &timeLimit{p: p, sig: 15}
	for _, o := range opts {
		switch o.name {
		case "s":
			if t.sig, ok = signalNumber(o.val); !ok {
				p.errorf("%s: invalid signal", p.q(o.val))
				return p.try(125)
			}
		case "k":
			if t.after, ok = duration(o.val); !ok {
				p.errorf("invalid time interval %s", p.q(o.val))
				return p.try(125)
			}
		case "v":
			t.verbose = true
		case "preserve-status":
			t.preserve = true
		}
	}
	if len(args) < 2 {
		return p.try(125)
	}
	if t.wait, ok = duration(args[0]); !ok {
		p.errorf("invalid time interval %s", p.q(args[0]))
		return p.try(125)
	}
	if s, missing := p.notFound(args[1]); missing {
		return s
	}
	return t.run(args[1:])
}

// harmless are the signals that do not end a program: 0, CHLD, CONT, STOP, TSTP,
// TTIN, TTOU, URG and WINCH. timeout lets the command go on after each of them.
var harmless = []int{0, 17, 18, 19, 20, 21, 22, 23, 28}

func (t *timeLimit) run(argv []string) int {
	p := t.p
	start := p.Now()
	soft := start.Add(t.wait) // when the signal is sent
	ignored := slices.Contains(harmless, t.sig)
	if t.wait > 0 && !ignored {
		t.end = soft
	} else if t.wait > 0 && t.after > 0 {
		t.end = soft.Add(t.after)
	}
	status := p.spawn(argv, t.bound)
	if t.wait == 0 || p.Now().Before(soft) || !t.over && !ignored {
		return status
	}
	killed := t.over && (t.sig == 9 || ignored)
	if t.verbose {
		p.errorf("sending signal %s to command %s", signals[min(t.sig, len(signals)-1)], p.q(argv[0]))
		if t.over && ignored {
			p.errorf("sending signal KILL to command %s", p.q(argv[0]))
		}
	}
	switch {
	case killed:
		return 137
	case t.preserve && t.over:
		return 128 + t.sig
	case t.preserve:
		return status
	}
	return 124
}

// bound makes a process end in time: at its next step, in its sleep, or while it
// waits for input.
func (t *timeLimit) bound(c *Proc) {
	if t.end.IsZero() {
		return
	}
	p := t.p
	step, sleep := p.Step, p.Sleep
	if c.Until.IsZero() || t.end.Before(c.Until) {
		c.Until = t.end
	}
	c.Step = func(n int) error {
		if !p.Now().Before(t.end) {
			t.over = true
			return ExitStatus(128 + t.sig)
		}
		if step != nil {
			return step(n)
		}
		return nil
	}
	c.Sleep = func(d time.Duration) error {
		left := t.end.Sub(p.Now())
		late := d >= left
		if sleep != nil {
			if err := sleep(min(d, max(0, left))); err != nil {
				return err
			}
		}
		if late {
			t.over = true
			return ExitStatus(128 + t.sig)
		}
		return nil
	}
}
