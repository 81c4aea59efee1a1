// Package fidelity measures what the pretended host cannot do: it runs command
// lines on fresh machines and counts those that met something unsupported. The
// lines may be hostile: nothing but the evaluator, which reaches no file,
// program or socket, ever runs them.
package fidelity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/shell"
	"honeyguide/internal/deception/vfs"
)

// A Report says how many kinds of lines ran without a gap.
type Report struct {
	Lines     int // distinct lines given
	Templates int // kinds of lines: see [Template]
	Clean     int // kinds of which no line met a gap
	Gaps      []Gap
}

// Share is the part of the templates without a gap, 0 to 1.
func (r Report) Share() float64 {
	if r.Templates == 0 {
		return 1
	}
	return float64(r.Clean) / float64(r.Templates)
}

// A Gap is a template that met something the pretended host lacks.
type Gap struct {
	Template string // what the line looks like, shortened
	Reason   string // unsupported: WHAT, missing: PROGRAM, panic: WHAT, exhausted
}

// steps bounds one line; the busiest honest line needs a tenth.
const steps = 3_000_000

// Measure runs every line once, each on a fresh machine of host at the moment
// now. Time jumps over waits, so that a line which gives up after a minute costs
// none.
func Measure(ctx context.Context, host *persona.Host, now time.Time, lines []string) Report {
	gaps := map[string]string{}
	seen := map[string]bool{}
	r := Report{}
	for _, line := range lines {
		if seen[line] || line == "" {
			continue
		}
		seen[line] = true
		r.Lines++
		t := Template(line)
		reason := one(ctx, host, now, line)
		if old, ok := gaps[t]; !ok || old == "" {
			gaps[t] = reason
		}
	}
	for t, reason := range gaps {
		r.Templates++
		if reason == "" {
			r.Clean++
			continue
		}
		r.Gaps = append(r.Gaps, Gap{Template: t, Reason: reason})
	}
	slices.SortFunc(r.Gaps, func(a, b Gap) int {
		return cmp.Or(strings.Compare(a.Reason, b.Reason), strings.Compare(a.Template, b.Template))
	})
	return r
}

// one runs a line and says what was missing, "" for nothing.
func one(ctx context.Context, host *persona.Host, now time.Time, line string) string {
	w := &watcher{}
	clock := &leaper{at: now}
	s := shell.New(shell.Options{
		Host: host, FS: host.Image.NewFS(vfs.Quota{}, clock.now), User: "root", Env: []string{"LC_ALL=C.UTF-8"},
		Now: clock.now, After: clock.after, Seed: 7, Budget: shell.Budget{Steps: steps}, Watch: w, Src: "203.0.113.7:40112", Dst: "192.0.2.1:22",
	})
	var out, errs bytes.Buffer
	status := s.Exec(ctx, line, strings.NewReader(""), &out, &errs)
	if w.first != "" {
		return w.first
	}
	for _, m := range notFound.FindAllStringSubmatch(errs.String(), -1) {
		if owned(host, m[1]) {
			return "missing: " + m[1]
		}
	}
	if status == 137 && !strings.Contains(line, "kill") {
		return "exhausted"
	}
	return ""
}

var notFound = regexp.MustCompile(`(?m): ([^ :]+): (?:command not found|not found|applet not found)$`)

// owned reports a program that the pretended host's packages bring.
func owned(host *persona.Host, name string) bool {
	if _, ok := host.Packages[name]; ok {
		return true
	}
	fs := host.Image.NewFS(vfs.Quota{}, time.Now)
	for _, dir := range []string{"/usr/bin/", "/usr/sbin/"} {
		if _, err := fs.Stat(vfs.Cred{}, dir+name); err == nil {
			return true
		}
	}
	return false
}

// A watcher keeps the first thing that was unsupported.
type watcher struct{ first string }

func (w *watcher) Unsupported(what string) {
	kind := "unsupported: "
	if strings.HasPrefix(what, "panic") {
		kind = ""
	}
	if w.first == "" {
		w.first = kind + what
	}
}
func (*watcher) Download(string, string, string) {}
func (*watcher) Auth(string, string, string)     {}
func (*watcher) Command(string, int)             {}

// A leaper is a clock that jumps to the end of every wait.
type leaper struct{ at time.Time }

func (l *leaper) now() time.Time { return l.at }

func (l *leaper) after(d time.Duration) (<-chan time.Time, func() bool) {
	l.at = l.at.Add(d)
	fire := make(chan time.Time, 1)
	fire <- l.at
	return fire, func() bool { return true }
}

// marks turn what differs from one victim to the next into a mark.
var marks = []struct {
	find *regexp.Regexp
	mark string
}{
	{regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`), "BASE64"},
	{regexp.MustCompile(`(?:\\+x[0-9a-fA-F]{1,2}){2,}`), "HEX"},
	{regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`), "ADDRESS"},
	{regexp.MustCompile(`\b[a-z0-9-]+\.example\.(?:net|com|org)\b`), "HOST"},
	{regexp.MustCompile(`(busybox +)[A-Z]{4,}\b`), "${1}APPLET"},
	{regexp.MustCompile(`(echo +(?:-e +)?["']?)[^|"';]+(["']? *\| *(?:passwd|chpasswd|bash))`), "${1}PASSWORD${2}"},
	{regexp.MustCompile(`(/tmp/)[A-Za-z0-9]{5,12}\b`), "${1}NAME"},
	{regexp.MustCompile(`\d+`), "N"},
}

// Template is the kind of a line: digits, addresses, hosts, passwords, encoded
// blobs and random applet names become marks, so that a thousand lines of one
// family count once.
func Template(line string) string {
	for _, m := range marks {
		line = m.find.ReplaceAllString(line, m.mark)
	}
	return line
}

// Markdown lists what is left, for docs/reference/unsupported.md. Lines are cut
// short and never quoted whole: they are attackers' text.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What recorded attackers typed and the pretended host cannot do\n\n")
	fmt.Fprintf(&b, "Generated by `make unsupported`; do not edit. %d lines of %d kinds were run, each on a fresh machine; %d kinds (%.2f %%) met nothing unsupported, no missing program, no internal error and no exhausted budget.\n\n",
		r.Lines, r.Templates, r.Clean, 100*r.Share())
	if len(r.Gaps) == 0 {
		return b.String() + "Nothing is left.\n"
	}
	b.WriteString("| reason | begins with |\n|---|---|\n")
	for _, g := range r.Gaps {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", tame(g.Reason, 80), tame(g.Template, 48))
	}
	return b.String()
}

// tame keeps n printable characters that cannot break out of a table cell.
func tame(s string, n int) string {
	var b strings.Builder
	for _, c := range s {
		if n--; n < 0 {
			b.WriteString("...")
			break
		}
		if c < ' ' || c > '~' || c == '|' || c == '`' {
			c = ' '
		}
		b.WriteRune(c)
	}
	return b.String()
}
