package coreutils

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/coreutils/python"
)

func pythonCommands(name string) Command {
	switch name {
	case "python3", "python3.11":
		return pythonCmd
	}
	return nil
}

const pythonUsage = "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `python -h' for more information.\n"

// pythonCmd is python3: a command, a module, a script or the prompt.
func pythonCmd(p *Proc) int {
	prog := python.Program{Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr}
	w := &world{p: p, tool: "python3"}
	interactive := false
	args := p.Args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		a := args[0]
		args = args[1:]
		switch {
		case a == "-V" || a == "--version" || a == "-VV":
			p.print("Python 3.11.2\n")
			return 0
		case a == "-h" || a == "--help":
			p.Watch.Unsupported("python3 --help")
			p.printf(pythonUsage[:strings.IndexByte(pythonUsage, '\n')+1], p.Args[0])
			return 0
		case strings.HasPrefix(a, "--"):
			p.complain("unknown option " + a + "\n" + sprintf(pythonUsage, p.Args[0]))
			return 2
		}
		if done, status := p.pythonLetters(w, prog, a, args, &interactive, &args); done {
			return status
		}
	}
	return p.pythonFile(w, prog, args, interactive)
}

// pythonLetters takes one word of short options. It reports whether the program
// has run.
func (p *Proc) pythonLetters(w *world, prog python.Program, a string, rest []string, interactive *bool, left *[]string) (done bool, status int) {
	for i := 1; i < len(a); i++ {
		switch c := a[i]; c {
		case 'c', 'm':
			val := a[i+1:]
			if val == "" {
				if len(rest) == 0 {
					p.complain("Argument expected for the -" + string(c) + " option\n" + sprintf(pythonUsage, p.Args[0]))
					return true, 2
				}
				val, rest = rest[0], rest[1:]
			}
			if c == 'm' {
				return true, p.pythonModule(val, rest)
			}
			prog.Source, prog.File, prog.Argv = val, "<string>", append([]string{"-c"}, rest...)
			return true, python.Run(w, prog)
		case 'i':
			*interactive = true
		case 'W', 'X':
			if i+1 == len(a) && len(rest) > 0 {
				*left = rest[1:]
			}
			return false, 0
		case 'b', 'B', 'd', 'E', 'I', 'O', 'P', 'q', 's', 'S', 'u', 'v', 'x':
		default:
			p.complain("Unknown option: -" + string(c) + "\n" + sprintf(pythonUsage, p.Args[0]))
			return true, 2
		}
	}
	return false, 0
}

// pythonModule is python3 -m NAME.
func (p *Proc) pythonModule(name string, args []string) int {
	switch name {
	case "http.server":
		return p.pythonServer(args)
	case "this", "json.tool", "base64", "zipfile", "timeit", "venv", "pdb":
		p.Watch.Unsupported("python3 -m " + name)
		return 0
	}
	p.complain("/usr/bin/python3: No module named " + name + "\n")
	return 1
}

// pythonServer is the web server of python3 -m http.server: it is told of, and
// runs until it is killed.
func (p *Proc) pythonServer(args []string) int {
	bind, port := "0.0.0.0", "8000"
	for i := 0; i < len(args); i++ {
		switch {
		case (args[i] == "-b" || args[i] == "--bind" || args[i] == "-d" || args[i] == "--directory") && i+1 < len(args):
			if i++; args[i-1] == "-b" || args[i-1] == "--bind" {
				bind = args[i]
			}
		case !strings.HasPrefix(args[i], "-"):
			port = args[i]
		}
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		p.complain("usage: server.py [-h] [--cgi] [-b ADDRESS] [-d DIRECTORY] [port]\nserver.py: error: argument port: invalid int value: '" + port + "'\n")
		return 2
	}
	if p.listening(uint16(n)) || n < 1024 && p.Cred.UID != 0 {
		why := "[Errno 98] Address already in use"
		if n < 1024 && p.Cred.UID != 0 {
			why = "[Errno 13] Permission denied"
		}
		p.Watch.Unsupported("python3 http.server traceback")
		p.complain("OSError: " + why + "\n")
		return 1
	}
	p.Watch.Download("listen://"+bind+":"+port, "python3", "")
	text := sprintf("Serving HTTP on %s port %s (http://%s:%s/) ...\n", bind, port, bind, port)
	if p.TTY { // otherwise it stays in the buffer for as long as the server lives
		p.print(text)
	}
	return p.forever()
}

// pythonFile runs a script, standard input or the prompt.
func (p *Proc) pythonFile(w *world, prog python.Program, args []string, interactive bool) int {
	prog.Argv = args
	if len(args) > 0 && args[0] != "-" {
		f, err := p.openFile(args[0])
		if err != nil {
			return p.pythonCannot(args[0], err)
		}
		src, _ := p.all(f)
		_ = f.Close()
		prog.Source, prog.File, prog.Shown = string(src), p.path(args[0]), true
		if strings.HasPrefix(prog.Source, "\x7fELF") || strings.IndexByte(prog.Source, 0) >= 0 {
			p.complain("SyntaxError: source code cannot contain null bytes\n")
			return 1
		}
		return python.Run(w, prog)
	}
	if len(args) == 0 {
		prog.Argv = []string{""}
	}
	if p.StdinTTY || interactive {
		return p.pythonPrompt(w, prog, slices.Contains(p.Args[1:], "-q"))
	}
	src, _ := p.all(p.Stdin)
	prog.Source, prog.File = string(src), "<stdin>"
	return python.Run(w, prog)
}

func (p *Proc) pythonCannot(name string, err error) int {
	switch text := why(err); text {
	case "Is a directory":
		p.complain("/usr/bin/python3: can't find '__main__' module in '" + p.path(name) + "'\n")
		return 1
	default:
		no := map[string]string{"No such file or directory": "2", "Permission denied": "13"}[text]
		if no == "" {
			no = "5"
		}
		p.complain(p.Args[0] + ": can't open file '" + p.path(name) + "': [Errno " + no + "] " + text + "\n")
		return 2
	}
}

// pythonPrompt is the dialogue.
func (p *Proc) pythonPrompt(w *world, prog python.Program, quiet bool) int {
	if !quiet {
		p.complain("Python 3.11.2 (main, Oct  7 2026, 12:35:07) [GCC 12.2.0] on linux\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n")
	}
	return python.Prompt(w, prog, func(prompt string) (string, error) {
		_, _ = io.WriteString(p.Stdout, prompt)
		release := p.hold(KeysEndRead)
		defer release()
		line, err := readLine(p.Stdin)
		switch {
		case errors.Is(err, ErrInterrupted):
			return "", python.ErrKeyboard
		case line != "":
			return line, nil
		}
		return "", err
	})
}
