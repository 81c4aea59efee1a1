package coreutils

import (
	"slices"
	"strings"
)

// An alternative is one name of /etc/alternatives with those that can stand
// for it, as /var/lib/dpkg/alternatives keeps it.
type alternative struct {
	name, mode, link string
	slaves           [][2]string // name and link
	choices          []choice
}

type choice struct {
	path, priority string
	slaves         []string
}

const alternativesDir = "/var/lib/dpkg/alternatives/"

func (p *Proc) alternative(name string) (a alternative, ok bool) {
	if name == "" || strings.Contains(name, "/") {
		return a, false
	}
	l := strings.Split(p.slurp(alternativesDir+name), "\n")
	if len(l) < 3 {
		return a, false
	}
	a.name, a.mode, a.link = name, l[0], l[1]
	next := func() string {
		if len(l) == 0 {
			return ""
		}
		s := l[0]
		l = l[1:]
		return s
	}
	for l = l[2:]; ; {
		s := next()
		if s == "" {
			break
		}
		a.slaves = append(a.slaves, [2]string{s, next()})
	}
	for {
		c := choice{path: next()}
		if c.path == "" {
			return a, true
		}
		c.priority = next()
		for range a.slaves {
			c.slaves = append(c.slaves, next())
		}
		a.choices = append(a.choices, c)
	}
}

// best is the choice of the highest priority.
func (a *alternative) best() choice {
	return slices.MaxFunc(a.choices, func(x, y choice) int { return versionOrder(x.priority, y.priority) })
}

func (p *Proc) current(name string) string {
	to, err := p.FS.Readlink(p.Cred, "/etc/alternatives/"+name)
	if err != nil {
		return ""
	}
	return to
}

func updateAlternatives(p *Proc) int {
	action, name, more := "", "", []string(nil)
	args := p.Args[1:]
	for i, a := range args {
		switch a {
		case "--display", "--query", "--list", "--config", "--auto", "--set", "--remove", "--remove-all", "--install":
			action = a
			if i+1 == len(args) {
				p.complain("update-alternatives: " + a + " needs <name>\n\nUse 'update-alternatives --help' for program usage information.\n")
				return 2
			}
			name, more = args[i+1], args[i+2:]
		case "--get-selections":
			action = a
		case "--all", "--quiet", "--verbose", "--force", "--skip-auto":
			continue
		case "--version", "--help":
			return plain(p)
		default:
			if strings.HasPrefix(a, "--") {
				p.complain("update-alternatives: unknown option '" + a + "'\n\nUse 'update-alternatives --help' for program usage information.\n")
				return 2
			}
			continue
		}
		break
	}
	switch action {
	case "":
		return plain(p)
	case "--get-selections":
		p.alternativeSelections()
		return 0
	case "--install":
		p.Watch.Unsupported("update-alternatives --install")
		return 0
	}
	a, ok := p.alternative(name)
	if !ok || len(a.choices) == 0 {
		p.complain("update-alternatives: error: no alternatives for " + name + "\n")
		return 2
	}
	return p.alternativeAction(action, a, more)
}

func (p *Proc) alternativeAction(action string, a alternative, more []string) int {
	switch action {
	case "--list":
		for _, c := range a.choices {
			p.print(c.path + "\n")
		}
	case "--display":
		p.displayAlternative(a)
	case "--query":
		p.queryAlternative(a)
	case "--config":
		p.configAlternative(a)
	case "--auto":
		p.chooseAlternative(a, a.best().path)
	case "--set":
		i := slices.IndexFunc(a.choices, func(c choice) bool { return len(more) > 0 && c.path == more[0] })
		if i < 0 {
			p.complain("update-alternatives: error: alternative " + strings.Join(more, " ") + " for " + a.name + " not registered; not setting\n")
			return 2
		}
		p.chooseAlternative(a, a.choices[i].path)
	default:
		p.Watch.Unsupported("update-alternatives " + action)
	}
	return 0
}

func (p *Proc) chooseAlternative(a alternative, path string) {
	if p.Cred.UID != 0 || p.current(a.name) == path {
		return
	}
	link := "/etc/alternatives/" + a.name
	_ = p.FS.Remove(p.Cred, link)
	_ = p.FS.Symlink(p.Cred, path, link)
}

func (p *Proc) displayAlternative(a alternative) {
	p.printf("%s - %s mode\n  link best version is %s\n  link currently points to %s\n  link %s is %s\n", a.name, a.mode, a.best().path, p.current(a.name), a.name, a.link)
	for _, s := range a.slaves {
		p.printf("  slave %s is %s\n", s[0], s[1])
	}
	for _, c := range a.choices {
		p.printf("%s - priority %s\n", c.path, c.priority)
		for i, s := range a.slaves {
			if c.slaves[i] != "" {
				p.printf("  slave %s: %s\n", s[0], c.slaves[i])
			}
		}
	}
}

func (p *Proc) queryAlternative(a alternative) {
	p.printf("Name: %s\nLink: %s\n", a.name, a.link)
	if len(a.slaves) > 0 {
		p.print("Slaves:\n")
	}
	for _, s := range a.slaves {
		p.printf(" %s %s\n", s[0], s[1])
	}
	p.printf("Status: %s\nBest: %s\nValue: %s\n", a.mode, a.best().path, p.current(a.name))
	for _, c := range a.choices {
		p.printf("\nAlternative: %s\nPriority: %s\n", c.path, c.priority)
		if len(a.slaves) > 0 {
			p.print("Slaves:\n")
		}
		for i, s := range a.slaves {
			if c.slaves[i] != "" {
				p.printf(" %s %s\n", s[0], c.slaves[i])
			}
		}
	}
}

func (p *Proc) configAlternative(a alternative) {
	verb, s := "are", "s"
	if len(a.choices) == 1 {
		verb, s = "is", ""
	}
	p.printf("There %s %d choice%s for the alternative %s (providing %s).\n\n  Selection    Path%sPriority   Status\n%s\n", verb, len(a.choices), s, a.name, a.link, strings.Repeat(" ", 15), strings.Repeat("-", 60))
	row := func(n int, c choice, mark, mode string) {
		p.printf("%s %-12d %-18s %-10s %s\n", mark, n, c.path, " "+c.priority, mode+" mode")
	}
	row(0, a.best(), "*", "auto")
	for i, c := range a.choices {
		row(i+1, c, " ", "manual")
	}
	p.print("\nPress <enter> to keep the current choice[*], or type selection number: ")
	p.flush()
	line, _ := readLine(p.Stdin)
	if n := strings.TrimSpace(line); len(n) == 1 && n[0] > '0' && int(n[0]-'0') <= len(a.choices) {
		p.chooseAlternative(a, a.choices[n[0]-'1'].path)
	}
}

func (p *Proc) alternativeSelections() {
	list, _ := p.FS.ReadDir(p.Cred, alternativesDir)
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	slices.Sort(names)
	for _, n := range names {
		if a, ok := p.alternative(n); ok {
			p.printf("%-30s %-8s %s\n", n, a.mode, p.current(n))
		}
	}
}
