package shell

import (
	"bytes"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// runDropped runs a file that is no program of the system: a script, a copy of
// a system program, or something the attacker brought.
func (e *env) runDropped(path, real string, args []string, size int64) int {
	head := e.head(real, 256)
	return e.witness(real, func() int { return e.runBrought(path, real, args, size, head) })
}

// witness runs fn, which runs a file the attacker brought, and tells of it. A
// script that is run is not told of again by its interpreter.
func (e *env) witness(real string, fn func() int) int {
	watch, watched := e.k.sh.opt.Watch.(ExecWatcher)
	if !watched || e.k.runs == real {
		return fn()
	}
	before := e.k.runs
	e.k.runs = real
	watch.Starting(real)
	status := fn()
	e.k.runs = before
	watch.Executed(real, status)
	return status
}

// interpreted is witness for a file that is given to a shell or to another
// interpreter; nothing is told of the system's own files.
func (e *env) interpreted(path string, fn func() int) int {
	real, err := e.fs.Real(e.cred, e.abs(path))
	if err != nil || !e.fs.Brought(real) {
		return fn()
	}
	return e.witness(real, fn)
}

// scriptOf returns the file an interpreter is given to run, "" for none: the
// first operand, unless an option brings the program itself.
func scriptOf(name string, args []string) string {
	with := map[string]string{"python3": "cmXW", "python3.11": "cmXW", "perl": "eEMmICDV", "perl5.36.0": "eEMmICDV", "php": "rfdzBRFE"}[name]
	if with == "" {
		return ""
	}
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--" && i+1 < len(args):
			return args[i+1]
		case a == "-" || a == "--":
			return ""
		case len(a) < 2 || a[0] != '-':
			return a
		}
		at := strings.IndexAny(a[1:], with)
		if at < 0 {
			continue
		}
		switch c := a[1+at]; {
		case strings.IndexByte("cmeEr", c) >= 0 && (c != 'm' || name[:2] == "py"):
			return "" // the program, or its name
		case at+2 == len(a) && (c == 'X' || c == 'W' || c == 'd' || c == 'z'):
			i++
		case c == 'f' && i+1 < len(args):
			return args[i+1]
		}
	}
	return ""
}

// runBrought runs what runDropped tells of.
func (e *env) runBrought(path, real string, args []string, size int64, head []byte) int {
	status := 0
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		if name := e.copyOf(size, head); name != "" {
			if status, ok := e.runProgram(name, name, append([]string{name}, args[1:]...)); ok {
				return status
			}
		}
		status = e.runELF(path, head)
	case bytes.HasPrefix(head, []byte("#!")):
		status = e.runShebang(path, head, args)
	case isBinary(head):
		e.errorf("%s: cannot execute binary file: Exec format error", path)
		status = 126
	default:
		status = e.runScript(path, args)
	}
	return status
}

// original reports a program of the image: the attacker brings nothing that
// begins like its neighbours and is as old.
func (e *env) original(path string) bool {
	i, err := e.fs.Stat(vfs.Cred{}, path)
	return err == nil && i.Mtime.Before(e.k.started.Add(-time.Hour)) && bytes.HasPrefix(e.head(path, 4), []byte("\x7fELF"))
}

// head reads the beginning of a file.
func (e *env) head(path string, n int) []byte {
	f, err := e.fs.Handle().Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, n)
	got := 0
	for got < n {
		k, err := f.Read(buf[got:])
		got += k
		if err != nil || k == 0 {
			break
		}
	}
	return buf[:got]
}

// isBinary is bash's rule: a NUL before the end of the first line.
func isBinary(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	return bytes.IndexByte(line, 0) >= 0
}

// copyOf returns the system program of which a file is a copy, by its size.
func (e *env) copyOf(size int64, head []byte) string {
	for _, name := range []string{"busybox", "bash", "dash", "wget", "curl", "cat", "ls", "echo", "cp", "chmod", "dd", "rm", "ps", "id", "uname", "perl", "python3", "nc", "tftp"} {
		p := "/usr/bin/" + name
		i, err := e.fs.Stat(vfs.Cred{}, p)
		if err == nil && i.Size == size && bytes.Equal(head, e.head(p, len(head))) {
			return name
		}
	}
	return ""
}

// runELF answers for a program the attacker brought. Nothing is run: what is
// for another processor is refused as Linux does, what is for this one seems to
// have gone to the background.
func (e *env) runELF(path string, head []byte) int {
	if len(head) < 20 || head[4] != 2 && head[4] != 1 || head[5] != 1 {
		e.errorf("%s: cannot execute binary file: Exec format error", path)
		return 126
	}
	machine := int(head[18]) | int(head[19])<<8
	if machine != 62 && machine != 3 { // x86-64 and i386
		e.errorf("%s: cannot execute binary file: Exec format error", path)
		return 126
	}
	return 0
}

// runShebang runs a script by the interpreter it names.
func (e *env) runShebang(path string, head []byte, args []string) int {
	line, _, _ := strings.Cut(string(head[2:]), "\n")
	words := strings.Fields(line)
	if len(words) == 0 {
		return e.runScript(path, args)
	}
	interp := words[0]
	argv := []string{interp}
	if rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), interp)); rest != "" {
		argv = append(argv, rest)
	}
	if i, err := e.stat(interp); err != nil || i.IsDir() {
		e.errorf("%s: cannot execute: required file not found", path)
		return 127
	}
	return e.execPath(interp, append(append(argv, path), args[1:]...))
}

// runScript runs a file without #! as bash does, in a child of the same shell.
func (e *env) runScript(path string, args []string) int {
	d := e.dialect
	return e.runShell(d, append([]string{shellName(d), path}, args[1:]...))
}

func shellName(d dialect) string {
	if d == bash {
		return "bash"
	}
	return "sh"
}
