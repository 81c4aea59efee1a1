package coreutils

import (
	"strings"

	"honeyguide/internal/deception/coreutils/perl"
	"honeyguide/internal/deception/coreutils/python"
)

func perlCommands(name string) Command {
	switch name {
	case "perl", "perl5.36.0":
		return perlCmd
	}
	return nil
}

// Reach is Dial in the words of perl's $!.
func (w *world) Reach(url string) string {
	switch w.Dial(url) {
	case python.Unresolved:
		return "Temporary failure in name resolution"
	case python.TimedOut:
		return "Connection timed out"
	}
	return "Connection refused"
}

// Exists answers a file test.
func (w *world) Exists(op byte, path string) bool {
	i, err := w.p.stat(path)
	if err != nil {
		return false
	}
	switch op {
	case 'r', 'w', 'x':
		return w.p.FS.Access(w.p.Cred, w.p.path(path), map[byte]uint32{'r': 4, 'w': 2, 'x': 1}[op]) == nil
	case 'z':
		return i.Size == 0
	}
	return FileIs(i, w.p.Cred, op)
}

const perlVersion = "\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n(with 60 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n\n"

// perlCmd is perl: its switches, then the program.
func perlCmd(p *Proc) int {
	prog := perl.Program{Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr, InPlace: "\x00"}
	args := p.Args[1:]
	given, check, slurp := false, false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		word := args[0][1:]
		args = args[1:]
	letters:
		for i := 0; i < len(word); i++ {
			switch c := word[i]; c {
			case 'e', 'E':
				if rest := word[i+1:]; rest != "" {
					prog.Source += "\n" + rest
				} else if len(args) == 0 {
					p.complain("No code specified for -" + string(c) + ".\n")
					return 29
				} else {
					prog.Source += "\n" + args[0]
					args = args[1:]
				}
				given = true
				break letters
			case 'n':
				prog.Loop = true
			case 'p':
				prog.Print = true
			case 'l':
				prog.Chomp = true
			case 'a':
				prog.Split, prog.Loop = true, true
			case 'F':
				prog.Sep, prog.Split, prog.Loop = strings.Trim(word[i+1:], "/"), true, true
				break letters
			case 'i':
				prog.InPlace = word[i+1:]
				break letters
			case 'v':
				p.print(perlVersion)
				p.print("Perl may be copied only under the terms of either the Artistic License or the\nGNU General Public License, which may be found in the Perl 5 source kit.\n\nComplete documentation for Perl, including FAQ lists, should be found on\nthis system using \"man perl\" or \"perldoc perl\".  If you have access to the\nInternet, point your browser at http://www.perl.org/, the Perl Home Page.\n\n")
				return 0
			case 'c':
				check = true
			case '0':
				slurp = slurp || strings.HasPrefix(word[i:], "0777")
				break letters
			case 'M', 'm', 'I', 'C', 'D', 'x', 'V':
				if c == 'V' {
					p.Watch.Unsupported("perl -V")
				}
				break letters
			case 'w', 'W', 'X', 's', 'S', 't', 'T', 'u', 'U', 'f', '-':
			default:
				p.complain("Unrecognized switch: -" + word[i:] + "  (-h will show valid options).\n")
				return 29
			}
		}
	}
	if prog.Print {
		prog.Loop = true
	}
	prog.File, prog.Source = "-e", strings.TrimPrefix(prog.Source, "\n")
	if !given {
		status, ok := p.perlSource(&prog, &args)
		if !ok {
			return status
		}
	}
	if slurp {
		prog.Source = "BEGIN{$/=undef}" + prog.Source
	}
	if check {
		p.complain(prog.File + " syntax OK\n")
		return 0
	}
	prog.Args = args
	return perl.Run(&world{p: p, tool: "perl"}, prog)
}

// perlSource reads the program from a file or standard input.
func (p *Proc) perlSource(prog *perl.Program, args *[]string) (status int, ok bool) {
	if len(*args) == 0 || (*args)[0] == "-" {
		b, _ := p.all(p.Stdin)
		prog.Source, prog.File = string(b), "-"
		return 0, true
	}
	name := (*args)[0]
	*args = (*args)[1:]
	f, err := p.openFile(name)
	if err != nil {
		p.complain("Can't open perl script \"" + name + "\": " + why(err) + "\n")
		return 2, false
	}
	b, _ := p.all(f)
	_ = f.Close()
	prog.Source, prog.File = string(b), name
	return 0, true
}
