package coreutils

import (
	"bytes"
	"io"
	"regexp"
	"strings"
)

// appletWords turns the messages of the programs into those of BusyBox's
// applets, line by line.
type appletWords struct {
	to   io.Writer
	name string
}

func (w *appletWords) Write(b []byte) (int, error) {
	if !bytes.HasSuffix(b, []byte("\n")) {
		return w.to.Write(b)
	}
	for line := range strings.Lines(string(b)) {
		if _, err := io.WriteString(w.to, w.line(line)); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

var (
	appletCannot = regexp.MustCompile(`^([a-z0-9]+): (?:cannot|failed to) (create directory|remove|stat|open|create|access) [‘'"](.*?)[’'"](?: for reading)?: `)
	appletOpen   = regexp.MustCompile(`^(cat|tail|md5sum|sha1sum|sha256sum|sha512sum): ([^ ]+): (No such file|Permission denied|Is a directory)`)
)

// line is one message in BusyBox's words: "can't" for "cannot", straight
// quotes, and its banner where others point to --help.
func (w *appletWords) line(s string) string {
	if strings.HasPrefix(s, "Try '") {
		return busyboxBanner + "\nUsage: " + w.name + " [OPTIONS]\n"
	}
	if m := appletCannot.FindStringSubmatch(s); m != nil {
		rest := s[len(m[0]):]
		if m[2] == "access" || m[2] == "stat" && w.name == "ls" {
			return m[1] + ": " + m[3] + ": " + rest
		}
		return m[1] + ": can't " + m[2] + " '" + m[3] + "': " + rest
	}
	if m := appletOpen.FindStringSubmatchIndex(s); m != nil && strings.Contains(s, "No such") {
		return s[:m[4]] + "can't open '" + s[m[4]:m[5]] + "'" + s[m[5]:]
	}
	if w.name == "find" {
		s = strings.NewReplacer("‘", "", "’", "").Replace(s)
	}
	return s
}
