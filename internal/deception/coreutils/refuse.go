package coreutils

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// refuseCommands do little of their own, and say what is wrong with a call.
func refuseCommands(name string) Command {
	switch name {
	case "ldd":
		return ldd
	case "ssh-keygen":
		return sshKeygen
	case "renice":
		return renice
	case "link":
		return link
	case "gpgv":
		return gpgv
	case "update-rc.d":
		return updateRC
	case "run-parts":
		return runParts
	case "sync":
		return syncCmd
	}
	return nil
}

// ldd knows what is no program; which libraries a program wants is known of none.
func ldd(p *Proc) int {
	files := p.Args[1:]
	if len(files) > 0 && len(files[0]) > 1 && files[0][0] == '-' {
		switch a := files[0]; {
		case a == "--":
			files = files[1:]
		case strings.Contains(" --version --help -d --data-relocs -r --function-relocs -u --unused -v --verbose ", " "+a+" "):
			return plain(p)
		default:
			p.complain("ldd: unrecognized option `" + a + "'\nTry `ldd --help' for more information.\n")
			return 1
		}
	}
	if len(files) == 0 {
		return plain(p)
	}
	status := 0
	for _, a := range files {
		if len(files) > 1 {
			p.print(a + ":\n")
		}
		shown := a
		if !strings.Contains(a, "/") {
			shown = "./" + a
		}
		i, err := p.stat(a)
		switch {
		case err != nil:
			p.errorf("%s: No such file or directory", shown)
			status = 1
		case i.IsDir() || i.Mode&0o400 == 0:
			p.errorf("%s: not regular file", shown)
			status = 1
		case !strings.HasPrefix(p.slurp(p.path(a)), "\x7fELF"):
			p.print("\tnot a dynamic executable\n")
			status = 1
		default:
			p.Watch.Unsupported("ldd of a program")
			p.print("\tlinux-vdso.so.1 (0x00007ffe3b5e8000)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2c1d200000)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f2c1d40a000)\n")
		}
	}
	return status
}

// renice changes nothing that shows; other people's processes it may not touch.
func renice(p *Proc) int {
	args := p.Args[1:]
	if len(args) > 0 && (args[0] == "-V" || args[0] == "--version" || args[0] == "-h" || args[0] == "--help") {
		return plain(p)
	}
	if len(args) > 0 && (args[0] == "-n" || args[0] == "--priority" || args[0] == "--relative") {
		args = args[1:]
	}
	if len(args) < 2 {
		p.errorf("not enough arguments")
		return p.try(1)
	}
	prio, err := strconv.Atoi(args[0])
	if err != nil {
		p.errorf("invalid priority '%s'", args[0])
		return p.try(1)
	}
	status := 0
	for _, a := range args[1:] {
		if a == "-p" || a == "--pid" {
			continue
		}
		if strings.HasPrefix(a, "-") {
			p.Watch.Unsupported("renice " + a)
			return status
		}
		pid, err := strconv.Atoi(a)
		if err != nil {
			p.errorf("bad process ID value: %s", a)
			status = 1
			continue
		}
		status = max(status, p.reniceOne(pid, prio))
	}
	return status
}

func (p *Proc) reniceOne(pid, prio int) int {
	q, ok := p.table().Get(pid)
	fail := ""
	switch {
	case !ok:
		fail = "No such process"
	case p.Cred.UID != 0 && q.UID != p.Cred.UID:
		fail = "Operation not permitted"
	case p.Cred.UID != 0 && prio < q.Nice:
		fail = "Permission denied"
	}
	if fail != "" {
		what := "set"
		if !ok {
			what = "get"
		}
		p.errorf("failed to %s priority for %d (process ID): %s", what, pid, fail)
		return 1
	}
	p.printf("%d (process ID) old priority %d, new priority %d\n", pid, q.Nice, min(19, max(-20, prio)))
	return 0
}

// link is ln without its manners.
func link(p *Proc) int {
	_, args, ok := p.getopt("")
	if !ok || !p.operands(args, 2) {
		return 1
	}
	if len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	if err := p.FS.Link(p.Cred, p.path(args[0]), p.path(args[1])); err != nil {
		p.errorf("cannot create link %s to %s: %s", qa(args[1]), qa(args[0]), why(err))
		return 1
	}
	return 0
}

// gpgv has its own way of refusing an option.
func gpgv(p *Proc) int {
	if len(p.Args) > 1 {
		if a := p.Args[1]; a != "--version" && a != "--help" && a != "-h" && strings.HasPrefix(a, "-") && !strings.Contains(" -v -q --verbose --quiet --keyring --output -o --status-fd --logger-fd --ignore-time-conflict --homedir --weak-digest ", " "+a+" ") {
			p.complain("invalid option \"" + a + "\"\n")
			return 2
		}
	}
	return plain(p)
}

// updateRC is update-rc.d: links of services nobody starts.
func updateRC(p *Proc) int {
	args := p.Args[1:]
	wrong := ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] != "-f" && args[0] != "-n" && args[0] != "-h" && args[0] != "--help" {
			wrong = "unknown option"
			break
		}
		args = args[1:]
	}
	switch {
	case wrong != "":
	case len(args) < 2:
		wrong = "not enough arguments"
	case p.Cred.UID != 0:
		return quiet(p)
	default:
		if _, err := p.FS.Stat(vfs.Cred{}, "/etc/init.d/"+args[0]); err != nil && args[1] != "remove" {
			p.complain("update-rc.d: error: unable to read /etc/init.d/" + args[0] + "\n")
			return 1
		}
		return 0
	}
	p.complain("update-rc.d: error: " + wrong + "\nusage: update-rc.d [-f] <basename> remove\n")
	return 1
}

// runParts lists or runs the programs of a folder.
func runParts(p *Proc) int {
	opts, args, ok := p.getopt("+a:hu:vV", "arg=,a", "debug", "exit-on-error", "list", "lsbsysinit", "new-session", "regex=", "report", "reverse", "stdin", "test", "umask=,u", "verbose,v")
	if !ok {
		return 1
	}
	if len(args) != 1 {
		p.errorf("missing operand")
		p.complain("Try `run-parts --help' for more information.\n")
		return 1
	}
	list, err := p.FS.ReadDir(p.Cred, p.path(args[0]))
	if err != nil {
		p.errorf("failed to open directory %s: %s", args[0], why(err))
		return 1
	}
	f := letters(opts)
	extra := []string{}
	for _, o := range opts {
		if o.name == "a" {
			extra = append(extra, o.val)
		}
	}
	status := 0
	for _, e := range list {
		path := strings.TrimSuffix(args[0], "/") + "/" + e.Name
		if strings.Trim(e.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			continue
		}
		i, err := p.stat(path)
		runs := err == nil && !i.IsDir() && i.Mode&0o111 != 0
		switch {
		case err != nil || i.IsDir() || !runs && !f["list"]:
		case f["list"] || f["test"]:
			p.print(path + "\n")
		default:
			if n := p.spawn(append([]string{path}, extra...), nil); n != 0 {
				p.errorf("%s exited with return code %d", path, n)
				status = 1
			}
		}
	}
	return status
}

// syncCmd has nothing to write back, but opens the files it is given.
func syncCmd(p *Proc) int {
	_, args, ok := p.getopt("df", "data,d", "file-system,f")
	if !ok {
		return 1
	}
	status := 0
	for _, a := range args {
		if _, err := p.stat(a); err != nil {
			p.errorf("error opening %s: %s", qa(a), why(err))
			status = 1
		}
	}
	return status
}
