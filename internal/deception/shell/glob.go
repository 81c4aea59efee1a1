package shell

import (
	"slices"
	"strings"

	"honeyguide/internal/deception/shell/pattern"
)

// globField appends the files a field matches, or the field as it stands.
func (e *env) globField(out []string, f field) ([]string, error) {
	pat := string(f.pat)
	text := string(f.text)
	if e.fs == nil || !pattern.Special(pat) && e.patFlags() == 0 || len(pat) > 4096 {
		return append(out, text), nil
	}
	mark := e.scratch
	names := e.unignored(e.glob(pat))
	e.unhold(mark)
	if len(names) > 0 {
		for _, n := range names {
			if err := e.hold(len(n)); err != nil {
				return nil, err
			}
		}
		return append(out, names...), nil
	}
	switch {
	case e.shopts&shFailGlob != 0:
		return nil, failf("no match: " + text)
	case e.shopts&shNullGlob != 0:
		return out, nil
	}
	return append(out, text), nil
}

// unignored drops the paths GLOBIGNORE names.
func (e *env) unignored(paths []string) []string {
	v := e.vars["GLOBIGNORE"]
	if v == nil || v.val == "" {
		return paths
	}
	patterns := colonPatterns(v.val)
	return slices.DeleteFunc(paths, func(p string) bool {
		return slices.ContainsFunc(patterns, func(pat string) bool { return e.match(pat, p, e.patFlags()) })
	})
}

// colonPatterns divides patterns at colons outside brackets.
func colonPatterns(s string) []string {
	var out []string
	from, open := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			open = strings.IndexByte(s[i:], ']') > 0
		case ']':
			open = false
		case ':':
			if !open {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	return append(out, s[from:])
}

// glob returns the paths a pattern matches, sorted.
func (e *env) glob(pat string) []string {
	elems := strings.Split(pat, "/")
	found := []string{""}
	if elems[0] == "" {
		found = []string{"/"}
		elems = elems[1:]
	}
	for i, el := range elems {
		last := i == len(elems)-1
		if el == "" {
			if !last {
				continue
			}
			found = e.foldersOf(found)
			break
		}
		found = e.globElement(found, el, last)
		if len(found) == 0 {
			return nil
		}
	}
	slices.SortFunc(found, e.collate)
	return found
}

// foldersOf keeps folders, with a slash behind.
func (e *env) foldersOf(paths []string) []string {
	var out []string
	for _, p := range paths {
		if i, err := e.stat(p); err == nil && i.IsDir() {
			out = append(out, p+"/")
		}
	}
	return out
}

// globElement extends every path by what one element of the pattern matches.
func (e *env) globElement(dirs []string, el string, last bool) []string {
	var out []string
	if !pattern.Special(el) && (e.patFlags() == 0 || !strings.ContainsAny(el, "(")) {
		name := pattern.Unescape(el)
		for _, d := range dirs {
			p := joinPath(d, name)
			if _, err := e.fs.Lstat(e.cred, e.abs(p)); err == nil {
				_ = e.hold(len(p)) // ends the process when there is no more
				out = append(out, p)
			}
			e.k.step(1)
		}
		return out
	}
	flags := e.patFlags() | pattern.Path
	if e.shopts&shNoCaseGlob != 0 {
		flags |= pattern.Fold
	}
	if e.shopts&shDotGlob != 0 {
		flags &^= pattern.Path
	}
	if el == "**" && e.shopts&shGlobStar != 0 {
		for _, d := range dirs {
			out = e.deep(out, d, last, 0)
		}
		return out
	}
	for _, d := range dirs {
		dir := d
		if dir == "" {
			dir = "."
		}
		list, err := e.fs.ReadDir(e.cred, e.abs(dir))
		if err != nil {
			continue
		}
		e.k.step(2 + len(list)/2)
		for _, i := range list {
			if !e.match(el, i.Name, flags) || i.Name == "." || i.Name == ".." {
				continue
			}
			p := joinPath(d, i.Name)
			if !last && !i.IsDir() {
				e.k.step(4)
				if t, err := e.stat(p); err != nil || !t.IsDir() {
					continue
				}
			}
			_ = e.hold(len(p))
			out = append(out, p)
		}
	}
	return out
}

// deep is ** with globstar.
func (e *env) deep(out []string, dir string, last bool, depth int) []string {
	if depth > 32 {
		return out
	}
	_ = e.hold(len(dir))
	if dir != "" || !last {
		out = append(out, dir)
	}
	at := dir
	if at == "" {
		at = "."
	}
	list, err := e.fs.ReadDir(e.cred, e.abs(at))
	if err != nil {
		return out
	}
	e.k.step(2 + len(list)/2)
	for _, i := range list {
		if strings.HasPrefix(i.Name, ".") {
			continue
		}
		p := joinPath(dir, i.Name)
		if i.IsDir() {
			out = e.deep(out, p, last, depth+1)
		} else if last {
			_ = e.hold(len(p))
			out = append(out, p)
		}
	}
	return out
}

func joinPath(dir, name string) string {
	switch {
	case dir == "":
		return name
	case strings.HasSuffix(dir, "/"):
		return dir + name
	}
	return dir + "/" + name
}

// locale is the locale of a category such as LC_COLLATE.
func (e *env) locale(category string) string {
	for _, n := range []string{"LC_ALL", category, "LANG"} {
		if s, ok := e.get(n); ok && s != "" {
			return s
		}
	}
	return "C"
}

// collate orders by bytes in the C locales, and as a language's does, roughly:
// letters without regard to case and punctuation first, bytes to break ties.
func (e *env) collate(a, b string) int {
	if l := e.locale("LC_COLLATE"); l == "C" || l == "POSIX" || strings.HasPrefix(l, "C.") {
		return strings.Compare(a, b)
	}
	ka, kb := collationKey(a), collationKey(b)
	if c := strings.Compare(ka, kb); c != 0 {
		return c
	}
	return -strings.Compare(a, b) // lower case before upper
}

func collationKey(s string) string {
	var k strings.Builder
	for i := range len(s) {
		c := s[i]
		if isLetter(c) || c >= '0' && c <= '9' || c >= 0x80 || c == '/' {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			k.WriteByte(c)
		}
	}
	return k.String()
}
