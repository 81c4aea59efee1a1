package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A book is one file of cases: commands given as exec requests, or scenarios
// typed on a terminal.
type book struct {
	About     map[string]string `json:"about"`
	Cases     []*command        `json:"cases,omitempty"`
	Scenarios []*scenario       `json:"scenarios,omitempty"`
}

// A command is one exec request and what the real machine answered.
type command struct {
	ID     string   `json:"id"`
	In     string   `json:"in"`
	Stdout string   `json:"stdout"`
	Stderr string   `json:"stderr"`
	RC     int      `json:"rc"`
	Tags   []string `json:"tags,omitempty"`
	done   bool
}

// A scenario is one login on a terminal, write by write.
type scenario struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	TTY   bool     `json:"tty"`
	Term  string   `json:"term"`
	User  string   `json:"user"`
	Argv  []string `json:"argv"`
	Cols  int      `json:"cols"`
	Rows  int      `json:"rows"`
	Exit  any      `json:"exit"`
	Tags  []string `json:"tags,omitempty"`
	Steps []step   `json:"steps"`
	done  bool
}

// A step is one write, or a new size of the window, and everything up to the
// next silence.
type step struct {
	In     string `json:"in"`
	Resize []int  `json:"resize,omitempty"` // columns, rows
	Wait   int    `json:"wait,omitempty"`   // milliseconds to let pass first
	Out    string `json:"out"`
	Err    string `json:"err,omitempty"`
	Booted bool   `json:"booted,omitempty"` // a booted server answers otherwise: not counted
	Cut    bool   `json:"cut,omitempty"`    // out ends with the first line of a long usage text
}

var about = map[string]string{
	"shell":   "GNU bash 5.2.15(1)-release of Debian 12, amd64",
	"image":   "server package set of packages.txt, fresh copy for every case, host name srv01, no network but loopback",
	"cases":   "argv [bash, -c, in], uid 0, in the home of root, stdin empty, LC_ALL=C.UTF-8, no terminal",
	"steps":   "step 0 sends nothing; then each `in` is one write and `out` everything up to 0.3 s of silence; LANG=C.UTF-8",
	"scoring": "equal byte for byte after the masks of the tags",
	"tags":    "persona: depends on the image; unordered: lines in any order; digits: every number is 0, blanks before it are one; long: stdout is its SHA-256; usage: compared up to the first line of the usage text",
}

var (
	usage     = regexp.MustCompile(`(?m)^[ \t]*[Uu]sage\b.*\n`)
	number    = regexp.MustCompile(`[ \t]*[0-9]+([.,:][0-9]+)*(e[-+]?[0-9]+)?`)
	jobNumber = regexp.MustCompile(`(\[[0-9]+\][+-]?  ?)[0-9]+`)
)

func (c *command) has(tag string) bool { return slices.Contains(c.Tags, tag) }

// masked is what two recordings of the case must agree on.
func (c *command) masked(a answer) string {
	out, errs := string(a.Stdout), string(a.Stderr)
	if c.has("unordered") {
		lines := strings.SplitAfter(out, "\n")
		slices.Sort(lines)
		out = strings.Join(lines, "")
	}
	if c.has("digits") {
		out, errs = number.ReplaceAllString(out, " 0"), number.ReplaceAllString(errs, " 0")
	}
	return fmt.Sprintf("%q %q %d", out, errs, a.RC)
}

func (c *command) take(a answer) {
	c.Stdout, c.Stderr, c.RC = string(a.Stdout), string(a.Stderr), a.RC
	if c.has("long") {
		sum := sha256.Sum256(a.Stdout)
		c.Stdout = hex.EncodeToString(sum[:])
	}
	out, cutOut := cutUsage(c.Stdout)
	errs, cutErr := cutUsage(c.Stderr)
	if (cutOut || cutErr) && !c.has("long") {
		c.Stdout, c.Stderr = out, errs
		c.Tags = append(c.Tags, "usage")
	}
	if c.has("digits") { // the same file from every recording
		c.Stdout, c.Stderr = number.ReplaceAllString(c.Stdout, " 0"), number.ReplaceAllString(c.Stderr, " 0")
	}
	c.done = utf8.ValidString(c.Stdout) && utf8.ValidString(c.Stderr)
}

// cutUsage takes a long usage text away but for its first line: the texts are
// their authors', that there is one is a fact.
func cutUsage(text string) (string, bool) {
	at := usage.FindStringIndex(text)
	if at == nil || strings.Count(text[at[1]:], "\n") < 5 {
		return text, false
	}
	return text[:at[1]], true
}

// differ says where two recordings of a scenario part.
func (s *scenario) differ(a, b answer) string {
	clean := func(raw []byte) string {
		text := string(raw)
		text = jobNumber.ReplaceAllString(text, "${1}N")
		if slices.Contains(s.Tags, "digits") {
			text = number.ReplaceAllString(text, " 0")
		}
		return text
	}
	if len(a.Steps) != len(b.Steps) {
		return fmt.Sprintf("%d and %d steps", len(a.Steps), len(b.Steps))
	}
	for i := range a.Steps {
		if clean(a.Steps[i]) != clean(b.Steps[i]) {
			return fmt.Sprintf("step %d\n    %q\n    %q", i, a.Steps[i], b.Steps[i])
		}
	}
	if a.RC != b.RC || a.Ended != b.Ended || !bytes.Equal(a.Stderr, b.Stderr) {
		return fmt.Sprintf("ended %v with %d, and %v with %d", a.Ended, a.RC, b.Ended, b.RC)
	}
	return ""
}

func (s *scenario) take(a answer) {
	s.done = true
	for i := range a.Steps {
		s.Steps[i].Out, s.Steps[i].Cut = cutUsage(string(a.Steps[i]))
		s.done = s.done && utf8.Valid(a.Steps[i])
	}
	s.Steps = s.Steps[:len(a.Steps)]
	if !s.TTY {
		s.Steps[0].Err = string(a.Stderr)
	}
	if s.Exit = "still running"; a.Ended {
		s.Exit = a.RC
	}
}

func (b *book) keep(prefix string) {
	b.Cases = slices.DeleteFunc(b.Cases, func(c *command) bool { return !strings.HasPrefix(c.ID, prefix) })
	b.Scenarios = slices.DeleteFunc(b.Scenarios, func(s *scenario) bool { return !strings.HasPrefix(s.ID, prefix) })
}

// remember takes over the answers of an earlier recording to the same input.
func (b *book) remember(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var old book
	if err := json.Unmarshal(raw, &old); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i, c := range b.Cases {
		for _, o := range old.Cases {
			if o.ID == c.ID && o.In == c.In && slices.Equal(slices.DeleteFunc(slices.Clone(o.Tags), func(t string) bool { return t == "usage" }), c.Tags) {
				o.take(answer{Stdout: []byte(o.Stdout), Stderr: []byte(o.Stderr), RC: o.RC})
				b.Cases[i] = o
			}
		}
	}
	for i, s := range b.Scenarios {
		for _, o := range old.Scenarios {
			if o.asked() == s.cut(len(o.Steps)).asked() && len(s.Steps) >= len(o.Steps) {
				o.done, b.Scenarios[i] = true, o
			}
		}
	}
	return nil
}

// cut is the scenario as long as its shell lives.
func (s *scenario) cut(n int) *scenario {
	short := *s
	short.Steps = s.Steps[:min(n, len(s.Steps))]
	return &short
}

// asked is all of a scenario but its answers.
func (s *scenario) asked() string {
	q := *s
	q.Exit, q.Steps = nil, nil
	for _, st := range s.Steps {
		st.Out, st.Err, st.Cut = "", "", false
		q.Steps = append(q.Steps, st)
	}
	raw, _ := json.Marshal(q)
	return string(raw)
}

func (b *book) dropEmpty() {
	b.Cases = slices.DeleteFunc(b.Cases, func(c *command) bool { return !c.done })
	b.Scenarios = slices.DeleteFunc(b.Scenarios, func(s *scenario) bool { return !s.done })
}

// write puts one case on one line, so that a change of one answer is a change
// of one line.
func (b *book) write(path string) error {
	var out bytes.Buffer
	head, err := json.MarshalIndent(about, "", " ")
	if err != nil {
		return err
	}
	fmt.Fprintf(&out, "{\"about\": %s", head)
	put := func(name string, n int, item func(i int) any) {
		if n == 0 {
			return
		}
		fmt.Fprintf(&out, ",\n%q: [", name)
		for i := range n {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteByte('\n')
			var line bytes.Buffer
			enc := json.NewEncoder(&line)
			enc.SetEscapeHTML(false)
			err = enc.Encode(item(i))
			out.Write(bytes.TrimSpace(line.Bytes()))
		}
		out.WriteByte(']')
	}
	put("cases", len(b.Cases), func(i int) any { return b.Cases[i] })
	put("scenarios", len(b.Scenarios), func(i int) any { return b.Scenarios[i] })
	out.WriteString("}\n")
	if err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}
