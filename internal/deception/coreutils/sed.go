package coreutils

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func sedCommands(name string) Command {
	if name == "sed" {
		return sed
	}
	return nil
}

// address selects lines: a number, $, /re/, first~step.
type address struct {
	kind    byte // n number, $ last, / pattern, ~ step, + relative, 0 line zero
	n, step int
	re      *regex
}

// sedCmd is one command of a script.
type sedCmd struct {
	a, b   *address
	not    bool
	name   byte
	text   string
	re     *regex
	repl   string
	global bool
	nth    int
	print  bool
	eval   bool
	file   string
	jump   int
	table  [256]byte
	active bool
	until  int
	label  string
}

type sedJob struct {
	p        *Proc
	cmds     []*sedCmd
	quiet    bool
	extended bool
	separate bool
	null     bool
	inPlace  bool
	suffix   string
	last     *regex

	line    int
	pattern []byte
	hold    []byte
	queue   []string
	tested  bool
	quit    int
	files   map[string]io.WriteCloser
	out     io.Writer
	next    func() ([]byte, bool, bool) // line, last, ok
	noEnd   bool
	name    string                 // of the file being read
	reads   map[string]*lineReader // of R
	opened  []io.Closer
	width   int // of l
}

func sed(p *Proc) int {
	s := &sedJob{p: p, quit: -1, files: map[string]io.WriteCloser{}}
	opts, args, ok := p.getopt("bEe:f:hi::l:nrsuz", "quiet,n", "silent,n", "expression=,e", "file=,f", "regexp-extended,r", "in-place?,i", "separate,s", "null-data,z", "unbuffered,u", "posix", "debug", "sandbox", "follow-symlinks", "line-length=,l")
	if !ok {
		return 1
	}
	var script []string
	for _, o := range opts {
		switch o.name {
		case "n":
			s.quiet = true
		case "E", "r":
			s.extended = true
		case "e":
			script = append(script, o.val)
		case "f":
			l, err := p.readLines(o.val)
			if err != nil {
				p.errorf("couldn't open file %s: %s", o.val, why(err))
				return 4
			}
			script = append(script, strings.Join(l, "\n"))
		case "i":
			s.inPlace, s.separate, s.suffix = true, true, o.val
		case "s":
			s.separate = true
		case "l":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 0 {
				p.errorf("invalid line length: %s", o.val)
				return 1
			}
			s.width = max(n, 1)
		case "z":
			s.null = true
		}
	}
	if script == nil {
		if len(args) == 0 {
			p.complain("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n")
			p.Watch.Unsupported("sed usage")
			return 1
		}
		script, args = args[:1], args[1:]
	}
	parser := &sedParser{s: s, in: strings.Join(script, "\n")}
	if err := parser.run(); err != nil {
		p.errorf("-e expression #1, char %d: %s", parser.i, err)
		return 1
	}
	defer func() {
		for _, f := range s.files {
			_ = f.Close()
		}
		for _, f := range s.opened {
			_ = f.Close()
		}
	}()
	return s.run(args)
}

func (s *sedJob) run(args []string) int {
	p := s.p
	args = orStdin(args)
	status := 0
	if !s.separate {
		var open []string
		for _, a := range args {
			if f, err := p.openFile(a); err != nil {
				s.cannot(a, err)
				status = 2
				if errors.Is(err, vfs.EISDIR) {
					status = 4
				}
			} else {
				_ = f.Close()
				open = append(open, a)
			}
		}
		if len(open) > 0 {
			s.out = p.out
			s.stream(open)
		}
	} else {
		for _, a := range args {
			if st := s.edit(a); st != 0 {
				status = st
			}
			if s.quit >= 0 {
				break
			}
		}
	}
	if s.quit > 0 {
		return s.quit
	}
	return status
}

func (s *sedJob) cannot(a string, err error) {
	if errors.Is(err, vfs.EISDIR) {
		verb := "couldn't edit"
		if !s.inPlace {
			s.p.errorf("read error on %s: Is a directory", a)
			return
		}
		s.p.errorf("%s %s: not a regular file", verb, a)
		return
	}
	s.p.errorf("can't read %s: %s", a, why(err))
}

// edit runs the script over one file of its own, writing it back with -i.
func (s *sedJob) edit(a string) int {
	p := s.p
	f, err := p.openFile(a)
	if err != nil {
		s.cannot(a, err)
		if s.inPlace && errors.Is(err, vfs.EISDIR) {
			return 4
		}
		return 2
	}
	_ = f.Close()
	s.line = 0
	if !s.inPlace {
		s.out = p.out
		s.stream([]string{a})
		return 0
	}
	var kept capture
	kept.p = p
	s.out = &kept
	s.stream([]string{a})
	defer p.alloc(-len(kept.b))
	if s.suffix != "" {
		to := a + s.suffix
		if strings.Contains(s.suffix, "*") {
			to = parent(a) + "/" + strings.ReplaceAll(s.suffix, "*", base(a))
		}
		c := &copier{p: p, preserve: true}
		c.copy(a, to, 0)
	}
	if err := p.writeText(p.path(a), string(kept.b)); err != nil {
		p.errorf("couldn't open temporary file %s/sed%s: %s", strings.TrimSuffix(parent(a), "/"), p.random(6), why(err))
		return 4
	}
	return 0
}

// capture keeps what is written, charged.
type capture struct {
	p *Proc
	b []byte
}

func (c *capture) Write(b []byte) (int, error) {
	c.p.alloc(len(b))
	c.b = append(c.b, b...)
	return len(b), nil
}
