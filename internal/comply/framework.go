package comply

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

//go:embed checks/*.yaml frameworks/*.yaml
var files embed.FS

// A Check is a rule about facts. Several controls of several frameworks may
// stand on one check.
type Check struct {
	ID     string   `yaml:"id"`
	Title  string   `yaml:"title"`  // what is so when it is met
	Met    []Test   `yaml:"met"`    // all hold: met
	Partly []Test   `yaml:"partly"` // else all hold: partly
	When   []Test   `yaml:"when"`   // else there is nothing to judge
	Idle   string   `yaml:"idle"`   // what is said then
	Gap    string   `yaml:"gap"`    // what is missing; {fact} stands for its value
	Mend   string   `yaml:"mend"`   // a command or a setting
	Weight int      `yaml:"weight"` // 1 to 3
	See    []string `yaml:"see"`    // evidence: api:PATH, config:KEY, doc:FILE
	Acts   []string `yaml:"acts"`   // of the audit log that are evidence
}

// Facts returns the facts the check asks for, each once.
func (c *Check) Facts() []string {
	var out []string
	for _, list := range [][]Test{c.Met, c.Partly, c.When} {
		for _, t := range list {
			if !slices.Contains(out, t.Fact) {
				out = append(out, t.Fact)
			}
		}
	}
	return out
}

// A Framework is what somebody is measured by.
type Framework struct {
	ID     string  `yaml:"id"`
	Name   string  `yaml:"name"`
	Short  string  `yaml:"short"`
	Source string  `yaml:"source"` // where its text can be had
	About  string  `yaml:"about"`  // what this report can say about it
	Groups []Group `yaml:"groups"`
}

// A Group is a part of a framework: a category, a chapter.
type Group struct {
	ID       string    `yaml:"id"`
	Part     string    `yaml:"part"` // the larger part it belongs to
	Title    string    `yaml:"title"`
	Own      string    `yaml:"own"` // what the organisation writes here
	Controls []Control `yaml:"controls"`
}

// A Control is one demand.
type Control struct {
	ID     string   `yaml:"id"`
	Title  string   `yaml:"title"` // our own words
	Asks   string   `yaml:"asks"`  // the question the checks answer
	Checks []string `yaml:"checks"`
	Own    string   `yaml:"own"` // what the organisation adds, or all of it when there are no checks
}

// A library is everything that was shipped.
type library struct {
	checks     map[string]*Check
	order      []string
	frameworks []*Framework
}

var shelf = sync.OnceValues(func() (*library, error) { return load(files) })

// load reads checks and frameworks and holds them against each other.
func load(fsys fs.FS) (*library, error) {
	lib := &library{checks: map[string]*Check{}}
	var faults []error
	names, err := fs.Glob(fsys, "checks/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		var list []*Check
		if err := decode(fsys, name, &list); err != nil {
			return nil, err
		}
		for _, c := range list {
			if lib.checks[c.ID] != nil {
				faults = append(faults, fmt.Errorf("%s: check %s stands there twice", name, c.ID))
			}
			lib.checks[c.ID] = c
			lib.order = append(lib.order, c.ID)
			faults = append(faults, c.faults(name))
		}
	}
	if names, err = fs.Glob(fsys, "frameworks/*.yaml"); err != nil {
		return nil, err
	}
	for _, name := range names {
		f := &Framework{}
		if err := decode(fsys, name, f); err != nil {
			return nil, err
		}
		if f.ID != strings.TrimSuffix(path.Base(name), ".yaml") {
			faults = append(faults, fmt.Errorf("%s: its id is %q", name, f.ID))
		}
		faults = append(faults, lib.faults(f))
		lib.frameworks = append(lib.frameworks, f)
	}
	return lib, errors.Join(faults...)
}

func decode(fsys fs.FS, name string, into any) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// faults says what is wrong with a check.
func (c *Check) faults(file string) error {
	var out []error
	bad := func(format string, args ...any) {
		out = append(out, fmt.Errorf("%s: check %q: %s", file, c.ID, fmt.Sprintf(format, args...)))
	}
	if c.ID == "" || c.Title == "" || c.Gap == "" || c.Mend == "" || len(c.Met) == 0 || len(c.See) == 0 {
		bad("id, title, met, gap, mend and see are needed")
	}
	if c.Weight < 1 || c.Weight > 3 {
		bad("weight %d; want 1 to 3", c.Weight)
	}
	if (len(c.When) > 0) != (c.Idle != "") {
		bad("when and idle need each other")
	}
	for _, id := range append(c.Facts(), named(c.Gap)...) {
		if _, ok := catalog[id]; !ok {
			bad("there is no fact %q", id)
		}
	}
	for _, t := range slices.Concat(c.Met, c.Partly, c.When) {
		if !t.decides() {
			bad("%q holds always or never", t)
		}
	}
	for _, s := range c.See {
		if kind, at, ok := strings.Cut(s, ":"); !ok || at == "" || kind != "api" && kind != "config" && kind != "doc" {
			bad("see %q; want api:, config: or doc:", s)
		}
	}
	return errors.Join(out...)
}

// faults says what is wrong with a framework.
func (l *library) faults(f *Framework) error {
	var out []error
	bad := func(format string, args ...any) {
		out = append(out, fmt.Errorf("framework %s: %s", f.ID, fmt.Sprintf(format, args...)))
	}
	seen := map[string]bool{}
	if f.Name == "" || f.Short == "" || f.Source == "" || f.About == "" {
		bad("name, short, source and about are needed")
	}
	for _, g := range f.Groups {
		if seen[g.ID] || g.ID == "" || g.Title == "" || g.Part == "" {
			bad("group %q: its id is there twice, or a text is missing", g.ID)
		}
		seen[g.ID] = true
		if len(g.Controls) == 0 && g.Own == "" {
			bad("group %s: no control, and nothing the organisation writes", g.ID)
		}
		for _, c := range g.Controls {
			if seen[c.ID] || c.ID == "" || c.Title == "" || c.Asks == "" {
				bad("control %q: its id is there twice, or a text is missing", c.ID)
			}
			seen[c.ID] = true
			if len(c.Checks) == 0 && c.Own == "" {
				bad("control %s: no check, and nothing the organisation writes", c.ID)
			}
			for i, id := range c.Checks {
				if l.checks[id] == nil || slices.Contains(c.Checks[:i], id) {
					bad("control %s: there is no check %q, or it is named twice", c.ID, id)
				}
			}
		}
	}
	return errors.Join(out...)
}

// Frameworks returns all frameworks, by id.
func Frameworks() ([]*Framework, error) {
	l, err := shelf()
	if err != nil {
		return nil, err
	}
	return l.frameworks, nil
}

// Names are the ids of the frameworks, in the order they are shown in.
func Names() []string { return []string{"nist-csf", "iso27001", "soc2", "gdpr"} }

// Lookup returns a framework; CodeNotFound.
func Lookup(id string) (*Framework, error) {
	l, err := shelf()
	if err != nil {
		return nil, err
	}
	for _, f := range l.frameworks {
		if f.ID == id {
			return f, nil
		}
	}
	return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "framework: want one of " + strings.Join(Names(), ", ")}
}

// named returns the facts a text names in braces.
func named(text string) (out []string) {
	for {
		_, rest, ok := strings.Cut(text, "{")
		id, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return out
		}
		out, text = append(out, id), after
	}
}

// fill puts the values of facts into a text.
func fill(text string, f *Facts) string {
	for _, id := range named(text) {
		text = strings.ReplaceAll(text, "{"+id+"}", f.Get(id).Shown)
	}
	return text
}
