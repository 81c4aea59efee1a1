package coreutils

import (
	"slices"
	"strings"
)

const sudoersFile = "/etc/sudoers"

// sudoersFiles are the main file and what it includes from /etc/sudoers.d:
// names with a dot or a tilde at the end are passed over.
func (p *Proc) sudoersFiles() []string {
	files := []string{sudoersFile}
	list, _ := p.FS.ReadDir(p.Cred, sudoersFile+".d")
	for _, i := range list {
		if !i.IsDir() && !strings.Contains(i.Name, ".") && !strings.HasSuffix(i.Name, "~") {
			files = append(files, sudoersFile+".d/"+i.Name)
		}
	}
	slices.Sort(files[1:])
	return files
}

// sudoersErrors says what is wrong in a file and tells whether anything is.
func (p *Proc) sudoersErrors(path string) bool {
	n, bad, whole := 0, false, ""
	for line := range strings.Lines(p.slurp(path)) {
		n++
		p.step(1)
		line = strings.TrimRight(line, "\n")
		if rest, more := strings.CutSuffix(line, `\`); more {
			whole += rest
			continue
		}
		whole += line
		if !sudoersRule(whole) {
			p.complain(sprintf("%s:%d:%d: syntax error\n%s\n%s^\n", path, n, len(line)+1, line, strings.Repeat(" ", len(line))))
			bad = true
		}
		whole = ""
	}
	return bad
}

// sudoersRule tells whether a line can be one of sudoers: who, where, what.
func sudoersRule(line string) bool {
	if i := strings.Index(line, "#"); i >= 0 && !strings.HasPrefix(line, "#include") && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
		line = line[:i]
	}
	w := strings.Fields(line)
	if len(w) == 0 {
		return true
	}
	switch first := w[0]; {
	case strings.HasPrefix(first, "@include"), strings.HasPrefix(first, "#include"):
		return len(w) == 2
	case strings.HasPrefix(first, "Defaults"):
		return len(w) > 1 || len(first) > len("Defaults")
	case slices.Contains([]string{"User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias"}, first):
		return strings.Contains(line, "=") && len(w) > 1
	}
	who, what, ok := strings.Cut(line, "=")
	return ok && len(strings.Fields(who)) >= 2 && strings.TrimSpace(what) != "" && strings.Count(what, "(") == strings.Count(what, ")")
}

func visudo(p *Proc) int {
	opts, args, ok := p.getopt("cf:hOPqsVx:", "check,c", "file=,f", "quiet,q", "strict,s", "owner,O", "perms,P", "no-includes,I")
	if !ok {
		return 1
	}
	set := letters(opts)
	files := p.sudoersFiles()
	for _, o := range opts {
		if o.name == "f" {
			args = []string{o.val}
		}
	}
	if len(args) > 0 {
		files = args[:1]
	}
	if p.Cred.UID != 0 {
		p.errorf("%s: %s", files[0], "Permission denied")
		return 1
	}
	if !set["c"] {
		status := p.edit(files[0])
		if status != 0 {
			p.errorf("%s.tmp unchanged", files[0])
			return 0
		}
		return 0
	}
	for _, f := range files {
		if _, err := p.stat(f); err != nil {
			p.errorf("unable to open %s: %s", f, why(err))
			return 1
		}
	}
	if slices.ContainsFunc(files, p.sudoersErrors) {
		return 1
	}
	for _, f := range files {
		if i, err := p.stat(f); err == nil && i.Mode&0o7777 != 0o440 && len(args) == 0 {
			p.complain(f + ": bad permissions, should be mode 0440\n")
			return 1
		}
	}
	for _, f := range files {
		if !set["q"] {
			p.printf("%s: parsed OK\n", f)
		}
	}
	return 0
}

// edit runs the editor of choice on a file.
func (p *Proc) edit(path string) int {
	p.flush()
	argv := []string{"nano"}
	for _, v := range []string{"VISUAL", "EDITOR"} {
		if e := strings.Fields(p.Env(v)); len(e) > 0 {
			argv = e
			break
		}
	}
	if _, err := p.lookPath(argv[0]); err != nil {
		p.complain("sh: 1: " + argv[0] + ": not found\n")
		return 127
	}
	return p.spawn(append(argv, path), func(*Proc) {})
}

// vipw edits the files of accounts.
func vipw(p *Proc) int {
	opts, _, ok := p.getopt("ghpqsR:", "group,g", "passwd,p", "quiet,q", "shadow,s", "root=,R")
	if !ok {
		return 1
	}
	path, set := passwdFile, letters(opts)
	if p.name == "vigr" && !set["p"] || set["g"] {
		path = groupFile
	}
	if set["s"] {
		path = map[string]string{passwdFile: shadowFile, groupFile: gshadowFile}[path]
	}
	if p.Cred.UID != 0 {
		p.errorf("Couldn't lock file: Permission denied")
		p.errorf("%s is unchanged", path)
		return 1
	}
	before := p.slurp(path)
	if status := p.edit(path); status != 0 {
		p.errorf("sensible-editor returned with status %d", status)
		p.printf("%s: %s is unchanged\n", p.name, path)
		return 1
	}
	if p.slurp(path) == before {
		p.printf("%s: %s is unchanged\n", p.name, path)
		return 0
	}
	twin := map[string]string{passwdFile: "vipw -s", groupFile: "vigr -s", shadowFile: "vipw", gshadowFile: "vigr"}[path]
	p.printf("You have modified %s.\nYou may need to modify %s for consistency.\nPlease use the command '%s' to do so.\n", path, map[string]string{passwdFile: shadowFile, groupFile: gshadowFile, shadowFile: passwdFile, gshadowFile: groupFile}[path], twin)
	return 0
}

// pwck looks for homes and shells that are not there.
func pwck(p *Proc) int {
	opts, _, ok := p.getopt("hqrR:s", "quiet,q", "read-only,r", "root=,R", "sort,s")
	if !ok {
		return 1
	}
	if p.Cred.UID != 0 {
		p.errorf("Permission denied.")
		p.errorf("cannot lock /etc/passwd; try again later.")
		return 5
	}
	wrong := false
	for _, r := range p.accounts(passwdFile).rows {
		if len(r) != passwdFields {
			p.printf("invalid password file entry\n")
			wrong = true
			continue
		}
		if _, err := p.stat(r[5]); err != nil && r[5] != "/nonexistent" {
			wrong = true
			p.printf("user '%s': directory '%s' does not exist\n", r[0], r[5])
		}
		if _, err := p.stat(r[6]); err != nil && r[6] != "" {
			wrong = true
			p.printf("user '%s': program '%s' does not exist\n", r[0], r[6])
		}
	}
	if !wrong {
		return 0
	}
	if !letters(opts)["r"] {
		p.print("pwck: no changes\n")
	}
	return 2
}
