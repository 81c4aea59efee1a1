package coreutils

import (
	"crypto/md5"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

// shownName is a package's name as dpkg prints it: with the architecture where
// several may be installed side by side.
func shownName(k persona.Package) string {
	for _, f := range k.Fields {
		if f.Key == "Multi-Arch" && f.Value == "same" {
			return k.Name + ":" + k.Arch
		}
	}
	return k.Name
}

// installed looks a package up by name or name:architecture.
func (p *Proc) installed(name string) (persona.Package, bool) {
	bare, arch, _ := strings.Cut(name, ":")
	k, ok := p.Host.Packages[bare]
	return k, ok && (arch == "" || arch == k.Arch)
}

// dpkgFiles is dpkg -L.
func (p *Proc) dpkgFiles(names []string) int {
	for n, a := range names {
		k, ok := p.installed(a)
		if !ok {
			p.complain("dpkg-query: package '" + a + "' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n")
			return 1
		}
		if n > 0 {
			p.print("\n")
		}
		files, _ := p.Host.Files(k.Name)
		p.print(strings.Join(files, "\n") + "\n")
	}
	return 0
}

// dpkgSearch is dpkg -S: a path is looked up as it is, anything else anywhere.
func (p *Proc) dpkgSearch(patterns []string) int {
	status := 0
	for _, a := range patterns {
		exact := strings.HasPrefix(a, "/") && !strings.ContainsAny(a, "*?[\\")
		pattern := a
		if !strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "*") {
			pattern = "*" + a + "*"
		}
		owners := map[string][]string{}
		var paths []string
		for _, k := range p.Host.PackageList() {
			files, _ := p.Host.Files(k.Name)
			for _, f := range files {
				if f != pattern && (exact || !glob(pattern, f)) {
					continue
				}
				if owners[f] == nil {
					paths = append(paths, f)
				}
				owners[f] = append(owners[f], shownName(k))
			}
		}
		if len(paths) == 0 {
			p.complain("dpkg-query: no path found matching pattern " + pattern + "\n")
			status = 1
		}
		for _, f := range paths {
			p.print(strings.Join(owners[f], ", ") + ": " + f + "\n")
		}
	}
	return status
}

// dpkgVerify is dpkg -V: what differs from what the packages brought.
func (p *Proc) dpkgVerify(names []string) int {
	if len(names) == 0 {
		for _, k := range p.Host.PackageList() {
			names = append(names, k.Name)
		}
	}
	status := 0
	for _, a := range names {
		k, ok := p.installed(a)
		if !ok {
			p.complain("dpkg: package '" + a + "' is not installed\n")
			status = 1
			continue
		}
		if p.verify(k) {
			status = 1
		}
	}
	return status
}

func (p *Proc) verify(k persona.Package) (bad bool) {
	files, _ := p.Host.Files(k.Name)
	conf := p.Host.Conffiles(k.Name)
	var sums map[string]string
	for _, f := range files {
		mark := " "
		if slices.Contains(conf, f) {
			mark = "c"
		}
		now, err := p.FS.Stat(vfs.Cred{}, f)
		if err != nil {
			if _, err := p.FS.Lstat(vfs.Cred{}, f); err != nil {
				bad = true
				p.print("missing   " + mark + " " + f + "\n")
			}
			continue
		}
		was, ok := p.Host.Image.Find(now.Path)
		if !ok || !now.IsRegular() || was.Size == now.Size && was.Mtime.Equal(now.Mtime) {
			continue // as installed
		}
		if sums == nil {
			sums = p.Host.Sums(k.Name)
		}
		if want := sums[f]; want != "" && want != p.md5(f) {
			bad = true
			p.print("??5?????? " + mark + " " + f + "\n")
		}
	}
	return bad
}

func (p *Proc) md5(path string) string {
	f, err := p.FS.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// dpkgShow is dpkg-query -W with a format of fields, ${Name} or ${Name;width}.
func (p *Proc) dpkgShow(args []string) int {
	format := "${binary:Package}\t${Version}\n"
	var names []string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case (a == "-f" || a == "--showformat") && i+1 < len(args):
			i++
			format = args[i]
		case strings.HasPrefix(a, "-f="), strings.HasPrefix(a, "--showformat="):
			_, format, _ = strings.Cut(a, "=")
		case strings.HasPrefix(a, "-f"):
			format = a[2:]
		case a == "-W" || a == "--show":
		default:
			names = append(names, a)
		}
	}
	format = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(format)
	status := 0
	for _, a := range names {
		if len(p.packages([]string{a})) == 0 {
			p.complain("dpkg-query: no packages found matching " + a + "\n")
			status = 1
		}
	}
	if status != 0 && len(p.packages(names)) == 0 {
		return status
	}
	for _, k := range p.packages(names) {
		p.print(expandFields(format, k))
	}
	return status
}

func expandFields(format string, k persona.Package) string {
	var b strings.Builder
	for {
		head, rest, ok := strings.Cut(format, "${")
		b.WriteString(head)
		field, tail, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return b.String()
		}
		name, width, _ := strings.Cut(field, ";")
		v := fieldOf(k, name)
		if n := number(strings.TrimPrefix(width, "-")); n > len(v) && n < 1000 {
			if strings.HasPrefix(width, "-") {
				v += strings.Repeat(" ", n-len(v))
			} else {
				v = strings.Repeat(" ", n-len(v)) + v
			}
		}
		b.WriteString(v)
		format = tail
	}
}

// number reads digits, 0 where there are none.
func number(s string) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1e6 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func fieldOf(k persona.Package, name string) string {
	switch strings.ToLower(name) {
	case "binary:package":
		return shownName(k)
	case "binary:summary", "description":
		return k.Summary
	case "db:status-abbrev":
		return "ii "
	case "db:status-status":
		return "installed"
	case "source:package":
		for _, f := range k.Fields {
			if f.Key == "Source" {
				s, _, _ := strings.Cut(f.Value, " ")
				return s
			}
		}
		return k.Name
	case "source:version":
		return k.Version
	}
	for _, f := range k.Fields {
		if strings.EqualFold(f.Key, name) {
			return f.Value
		}
	}
	return ""
}
