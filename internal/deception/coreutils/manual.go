package coreutils

import (
	"strconv"
	"strings"
)

// mountpoint tells whether something is mounted on a folder.
func mountpoint(p *Proc) int {
	opts, args, ok := p.getopt("dqx", "fs-devno,d", "quiet,q", "devno,x", "nofollow")
	if !ok {
		return 1
	}
	if len(args) != 1 {
		p.errorf("bad usage")
		return p.try(1)
	}
	quiet := letters(opts)["q"]
	i, err := p.stat(args[0])
	if err != nil {
		if !quiet {
			p.errorf("%s: %s", args[0], why(err))
		}
		return 1
	}
	for line := range strings.Lines(p.slurp("/proc/mounts")) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == i.Path {
			if !quiet {
				p.print(args[0] + " is a mountpoint\n")
			}
			return 0
		}
	}
	if !quiet {
		p.print(args[0] + " is not a mountpoint\n")
	}
	return 32
}

// getconf names limits of the system: POSIX and glibc 2.36 on amd64.
func getconf(p *Proc) int {
	args := p.Args[1:]
	if len(args) == 0 || len(args) > 2 {
		return plain(p)
	}
	if args[0] == "--version" {
		return plain(p)
	}
	v, ok := map[string]string{
		"PAGE_SIZE": "4096", "PAGESIZE": "4096", "LONG_BIT": "64", "WORD_BIT": "32", "CHAR_BIT": "8", "INT_MAX": "2147483647", "UINT_MAX": "4294967295", "ULONG_MAX": "18446744073709551615",
		"LONG_MAX": "9223372036854775807", "ARG_MAX": "2097152", "OPEN_MAX": "1024", "CLK_TCK": "100", "NAME_MAX": "255", "PATH_MAX": "4096", "HOST_NAME_MAX": "64", "LINE_MAX": "2048",
		"CHILD_MAX": "31801", "IOV_MAX": "1024", "PIPE_BUF": "4096", "NGROUPS_MAX": "65536", "LOGIN_NAME_MAX": "256", "TTY_NAME_MAX": "32", "SYMLOOP_MAX": "", "RE_DUP_MAX": "32767",
		"GNU_LIBC_VERSION": "glibc 2.36", "GNU_LIBPTHREAD_VERSION": "NPTL 2.36", "PATH": "/bin:/usr/bin", "_POSIX_VERSION": "200809", "_XOPEN_VERSION": "700", "POSIX2_VERSION": "200809",
		"LEVEL1_DCACHE_LINESIZE": "64", "_NPROCESSORS_ONLN": strconv.Itoa(p.machine().CPU.Count()), "_NPROCESSORS_CONF": strconv.Itoa(p.machine().CPU.Count()),
	}[args[0]]
	if !ok {
		p.complain("getconf: Unrecognized variable `" + args[0] + "'\n")
		return 2
	}
	p.print(v + "\n")
	return 0
}

// manualPages are the sections of the manual that have a page of a name.
func (p *Proc) manualPages(name string) []string {
	var out []string
	if name == "" || strings.Contains(name, "/") {
		return nil
	}
	for section := range strings.SplitSeq("1 8 5 3 7 2 4 6", " ") {
		path := "/usr/share/man/man" + section + "/" + name + "." + section + ".gz"
		if _, err := p.FS.Stat(p.Cred, path); err == nil {
			out = append(out, path)
		}
	}
	return out
}

// manual is man, apropos and whatis of a host whose index of pages is empty.
func manual(p *Proc) int {
	opts, args, ok := p.getopt("+acdDefhiIkKlLmM:P:p:rRsS:tuvVwWxX7", "apropos,k", "whatis,f", "where,w", "path,w", "all,a", "local-file,l", "sections=,S", "pager=,P")
	if !ok {
		return 1
	}
	f := letters(opts)
	if len(args) == 0 || p.Args[1] == "-V" {
		return plain(p)
	}
	status := 0
	for _, a := range args {
		p.step(1)
		switch pages := p.manualPages(a); {
		case p.name != "man" || f["k"] || f["f"]:
			p.complain(a + ": nothing appropriate.\n")
			status = 16
		case len(pages) == 0:
			p.complain("No manual entry for " + a + "\n")
			status = 16
		case f["w"]:
			p.print(pages[0] + "\n")
		default:
			p.Watch.Unsupported("man " + a)
		}
	}
	return status
}
