package coreutils

import (
	"errors"
	"io"
	"strings"

	"honeyguide/internal/deception/coreutils/awk"
	"honeyguide/internal/deception/vfs"
)

func awkCommands(name string) Command {
	switch name {
	case "awk", "mawk", "nawk":
		return awkCmd
	}
	return nil
}

// matcher makes a compiled pattern awk's.
type matcher struct {
	p  *Proc
	re *regex
}

func (m matcher) Find(b []byte) []int  { return m.re.find(m.p, b) }
func (m matcher) All(b []byte) [][]int { return m.re.all(m.p, b, -1) }

func awkCmd(p *Proc) int {
	name := p.Args[0]
	name = name[strings.LastIndexByte(name, '/')+1:]
	fs, vars, src, given, args, ok := p.awkOptions(name)
	if !ok {
		return 2
	}
	if !given {
		if len(args) == 0 {
			p.complain("Usage: mawk [Options] [Program] [file ...]\n")
			p.Watch.Unsupported("awk usage")
			return 0
		}
		src, args = args[0], args[1:]
	}
	h := &awk.Host{
		Name: name, Args: args, Environ: p.Environ(), Stdin: p.Stdin, Stdout: (*stdout)(p),
		Open: func(file string) (io.ReadCloser, error) {
			f, err := p.openFile(file)
			if err != nil {
				return nil, errors.New(why(err))
			}
			return f, nil
		},
		Create: func(file string, appending bool) (io.WriteCloser, error) {
			flags := vfs.O_WRONLY | vfs.O_CREATE | vfs.O_TRUNC
			if appending {
				flags = vfs.O_WRONLY | vfs.O_CREATE | vfs.O_APPEND
			}
			return p.create(file, flags)
		},
		Command: func(line string, in io.Reader, out io.Writer) int {
			return p.spawn([]string{"sh", "-c", line}, func(c *Proc) {
				c.Stdin, c.StdinTTY = in, false
				if out != io.Writer((*stdout)(p)) {
					c.Stdout, c.TTY = out, false
				}
			})
		},
		Regexp: func(pattern string) (awk.Matcher, error) {
			re, err := compile(p, pattern, reOptions{extended: true})
			if err != nil {
				return nil, err
			}
			return matcher{p, re}, nil
		},
		Step: p.step, Alloc: p.alloc, Flush: p.flush, Seed: uint64(p.Now().UnixNano()), Now: func() int64 { return p.Now().Unix() },
	}
	prog, err := awk.Parse(src, h)
	if err != nil {
		p.complain(name + ": " + err.Error() + "\n")
		return 2
	}
	status, err := awk.Run(prog, h, fs, vars)
	if err != nil {
		p.flush()
		p.complain(name + ": " + err.Error() + "\n")
		return 2
	}
	return status
}

// stdout writes through the command's buffer.
type stdout Proc

func (s *stdout) Write(b []byte) (int, error) {
	(*Proc)(s).write(b)
	return len(b), nil
}

func (p *Proc) awkOptions(name string) (fs string, vars [][2]string, src string, given bool, rest []string, ok bool) {
	args := p.Args[1:]
	value := func(a string) (string, bool) {
		if len(a) > 2 {
			return a[2:], true
		}
		if len(args) == 0 {
			return "", false
		}
		v := args[0]
		args = args[1:]
		return v, true
	}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		a := args[0]
		args = args[1:]
		if a == "--" {
			break
		}
		var v string
		switch a[1] {
		case 'F', 'v', 'f', 'W':
			if v, ok = value(a); !ok {
				p.complain(name + ": option lacks argument: " + a + "\n")
				return "", nil, "", false, nil, false
			}
		default:
			p.complain(name + ": not an option: " + a + "\n")
			p.Watch.Unsupported("awk " + a)
			return "", nil, "", false, nil, false
		}
		switch a[1] {
		case 'F':
			fs, _ = unescape(v, false)
			if fs == "t" && v == "t" {
				fs = "t"
			}
		case 'v':
			k, val, has := strings.Cut(v, "=")
			if !has {
				p.complain(name + ": improper assignment: -v " + v + "\n")
				return "", nil, "", false, nil, false
			}
			vars = append(vars, [2]string{k, val})
		case 'f':
			f, err := p.openFile(v)
			if err != nil {
				p.complain(name + ": cannot open " + v + " (" + why(err) + ")\n")
				return "", nil, "", false, nil, false
			}
			b, _ := p.all(f)
			_ = f.Close()
			src += string(b) + "\n"
			given = true
		case 'W':
			if strings.HasPrefix(v, "v") {
				p.print("mawk 1.3.4 20200120\nCopyright 2008-2019,2020, Thomas E. Dickey\nCopyright 1991-1996,2014, Michael D. Brennan\n\n")
				p.flush()
				panic(stop{0})
			}
		}
	}
	return fs, vars, src, given, args, true
}
