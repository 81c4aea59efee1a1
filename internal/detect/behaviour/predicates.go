package behaviour

import (
	"regexp"
	"slices"
	"strings"

	"honeyguide/internal/cmdline"
)

// The conditions of patterns that a list of words cannot say.

// fetches: the downloader was given something to fetch. A bare name asks
// whether the tool is there, which loaders do before they choose.
func fetches(c *cmdline.Command, _ *cmdline.Line) bool {
	if c.Name == "ftp" || c.Name == "sftp" || c.Name == "tftp" || c.Name == "ftpget" || c.Name == "GET" {
		return true
	}
	return len(operands(c)) > 0
}

// stageDirs are where droppers work: anyone can write there.
var stageDirs = []string{"/tmp/", "/var/tmp/", "/dev/shm/", "/var/run/", "/run/", "/mnt/"}

// dropped: the command is a file in the current folder, a staging folder or a
// hidden folder.
func dropped(c *cmdline.Command, _ *cmdline.Line) bool {
	p := c.Path
	switch {
	case strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../"):
		return true
	case strings.HasPrefix(p, "/"):
		return slices.ContainsFunc(stageDirs, func(d string) bool { return strings.HasPrefix(p, d) }) || strings.Contains(p, "/.") && !strings.Contains(p, "/./")
	}
	return strings.HasPrefix(p, ".") && strings.Contains(p, "/")
}

// applet: busybox is asked for an applet that cannot exist, a random word in
// capitals, to see its error.
func applet(c *cmdline.Command, _ *cmdline.Line) bool {
	return slices.Contains(c.Via, "busybox") && randomWord.MatchString(c.Name)
}

var randomWord = regexp.MustCompile(`^[A-Z]{4,8}$`)

// probeWords leave the menus of embedded devices for a shell.
var probeWords = []string{"enable", "system", "shell", "linuxshell", "start-shell", "config terminal", "debug shell", "cmd"}

// probe: the line is one such word alone.
func probe(c *cmdline.Command, l *cmdline.Line) bool {
	return len(c.Args) == 0 && slices.Contains(probeWords, strings.TrimSpace(l.Text)) ||
		c.Name == "busybox" && (len(c.Args) == 0 || randomWord.MatchString(c.Args[0])) ||
		(c.Name == "tftp" || c.Name == "wget" || c.Name == "curl") && len(c.Args) == 0 && len(l.Commands) > 1
}

// decodedCommand: the command stood in an encoded payload.
func decodedCommand(c *cmdline.Command, l *cmdline.Line) bool {
	return c.Decoded && !strings.Contains(l.Text, "passwd") && c.Name != ""
}

// installsCron: crontab reads a file or its input.
func installsCron(c *cmdline.Command, _ *cmdline.Line) bool {
	ops := operands(c)
	return c.From >= 0 || c.Arg("-") || len(ops) > 0 && !c.Arg("-u", "-l", "-e", "-r")
}

// wipes: rm -r on the root or on everything of a system folder.
func wipes(c *cmdline.Command, _ *cmdline.Line) bool {
	if !slices.ContainsFunc(c.Args, func(a string) bool {
		return strings.HasPrefix(a, "-") && strings.ContainsAny(a, "rR")
	}) {
		return false
	}
	return c.Arg("/", "/*", "/bin", "/etc", "/boot", "/usr", "/var", "/home", "--no-preserve-root")
}

// remote: the login goes to a named host.
func remote(c *cmdline.Command, _ *cmdline.Line) bool {
	return len(operands(c)) > 0 && !c.Arg("-V", "-Q")
}

// uploads: the last operand of a copy is on another host and the first is not.
func uploads(c *cmdline.Command, _ *cmdline.Line) bool {
	ops := operands(c)
	return len(ops) >= 2 && away(ops[len(ops)-1]) && !away(ops[0])
}

func away(p string) bool {
	host, _, ok := strings.Cut(p, ":")
	return ok && host != "" && !strings.Contains(host, "/")
}

// reads: its input is a file.
func reads(c *cmdline.Command, _ *cmdline.Line) bool {
	return slices.ContainsFunc(c.Redirects, func(r cmdline.Redirect) bool { return r.Op == "<" })
}

// overwritesLog: a log or history is replaced, not appended to.
func overwritesLog(c *cmdline.Command, _ *cmdline.Line) bool {
	logs := []string{"/var/log/", "_history", "/var/run/utmp"}
	for target, add := range c.Writes {
		if !add && containsAny([]string{target}, logs) {
			return true
		}
	}
	return (c.Name == "cp" || c.Name == "dd" || c.Name == "mv") && containsAny(destinations(c), logs)
}

// sendsFile: curl sends the contents of a file.
func sendsFile(c *cmdline.Command, _ *cmdline.Line) bool {
	return slices.ContainsFunc(c.Args, func(a string) bool {
		return strings.HasPrefix(a, "@") && len(a) > 1 || strings.Contains(a, "=@") || strings.HasPrefix(a, "-d@") || strings.HasPrefix(a, "-F") && len(a) > 2
	})
}
