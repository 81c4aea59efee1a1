package coreutils

import (
	"path"
	"strings"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// unitDirs are where unit files live, the strongest first.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"}

// A unitFile is one unit as its file tells it.
type unitFile struct {
	path, name, text, exec string
	wantedBy               string // of [Install], "" when there is none
	own                    bool   // it lies in /etc: an administrator or an attacker wrote it
	masked                 bool
}

// unitFile finds a unit's file and reads what matters here of it.
func (p *Proc) unitFile(full string) (unitFile, bool) {
	for i, dir := range unitDirs {
		at := path.Join(dir, full)
		info, err := p.FS.Lstat(vfs.Cred{}, at)
		if err != nil {
			continue
		}
		u := unitFile{path: at, name: full, text: full, own: i == 0}
		if info.Target == "/dev/null" {
			u.masked = true
			return u, true
		}
		for line := range strings.Lines(p.slurp(at)) {
			key, val, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch val = strings.TrimSpace(val); strings.TrimSpace(key) {
			case "Description":
				u.text = val
			case "ExecStart":
				u.exec = strings.TrimLeft(val, "-@:+!")
			case "WantedBy":
				u.wantedBy = val
			}
		}
		return u, true
	}
	return unitFile{}, false
}

// serviceUnit adds .service to a name without a kind.
func serviceUnit(name string) string {
	for _, kind := range []string{".service", ".socket", ".timer", ".target", ".path", ".mount", ".slice", ".swap"} {
		if strings.HasSuffix(name, kind) {
			return name
		}
	}
	return name + ".service"
}

// command is what a unit starts, without the variables that are empty here.
func (u unitFile) command() (args []string) {
	for w := range strings.FieldsSeq(u.exec) {
		if !strings.HasPrefix(w, "$") {
			args = append(args, strings.Trim(w, `"'`))
		}
	}
	return args
}

// running finds the process a unit started.
func (p *Proc) running(u unitFile) (machine.Process, bool) {
	want := strings.Join(u.command(), " ")
	for _, q := range p.table().List() {
		if want != "" && q.PPID == 1 && strings.Join(q.Args, " ") == want {
			return q, true
		}
	}
	return machine.Process{}, false
}

// links are the places that make a unit start with the machine.
func (u unitFile) links() (out []string) {
	for target := range strings.FieldsSeq(u.wantedBy) {
		out = append(out, "/etc/systemd/system/"+target+".wants/"+u.name)
	}
	return out
}

// enabled is what is-enabled says.
func (p *Proc) enabled(u unitFile) string {
	if u.masked {
		return "masked"
	}
	for _, l := range u.links() {
		if _, err := p.FS.Lstat(vfs.Cred{}, l); err == nil {
			return "enabled"
		}
	}
	if u.wantedBy == "" {
		return "static"
	}
	return "disabled"
}

// noInstall is what enable says of a unit without an [Install] section.
const noInstall = `The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be enabled using systemctl.
 
Possible reasons for having this kind of units are:
• A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
• A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
• A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
• In case of template units, the unit is meant to be enabled with some
  instance name specified.
`

// installUnit does enable, disable, mask and unmask: links, as systemd's are.
func (p *Proc) installUnit(verb, full string) int {
	u, ok := p.unitFile(full)
	mask := "/etc/systemd/system/" + full
	switch {
	case verb == "mask" && u.masked:
		return 0
	case verb == "mask" && u.own:
		p.complain("Failed to mask unit, file \"" + mask + "\" already exists.\n")
		return 1
	case verb == "mask":
		if !ok {
			p.complain("Unit " + full + " does not exist, proceeding anyway.\n")
		}
		if err := p.FS.Symlink(p.Cred, "/dev/null", mask); err != nil {
			p.complain("Failed to mask unit: " + why(err) + "\n")
			return 1
		}
		p.complain("Created symlink " + mask + " → /dev/null.\n")
		return 0
	case verb == "unmask":
		if !ok {
			p.complain("Unit " + full + " does not exist, proceeding anyway.\n")
		} else if u.masked && p.FS.Remove(p.Cred, mask) == nil {
			p.complain("Removed \"" + mask + "\".\n")
		}
		return 0
	case !ok:
		p.complain("Failed to " + verb + " unit: Unit file " + full + " does not exist.\n")
		return 1
	case u.masked:
		p.complain("Failed to " + verb + " unit: Unit file " + mask + " is masked.\n")
		return 1
	}
	if short := strings.TrimSuffix(full, ".service"); !u.own {
		if _, err := p.FS.Stat(vfs.Cred{}, "/etc/init.d/"+short); err == nil {
			p.complain("Synchronizing state of " + full + " with SysV service script with /lib/systemd/systemd-sysv-install.\nExecuting: /lib/systemd/systemd-sysv-install " + verb + " " + short + "\n")
		}
	}
	if u.wantedBy == "" {
		if verb == "enable" {
			p.complain(noInstall)
		}
		return 0
	}
	for _, l := range u.links() {
		switch _, err := p.FS.Lstat(vfs.Cred{}, l); {
		case verb == "enable" && err != nil:
			_ = p.FS.Mkdir(p.Cred, path.Dir(l), 0o755)
			if err := p.FS.Symlink(p.Cred, u.path, l); err == nil {
				p.complain("Created symlink " + l + " → " + u.path + ".\n")
			}
		case verb == "disable" && err == nil && p.FS.Remove(p.Cred, l) == nil:
			p.complain("Removed \"" + l + "\".\n")
		}
	}
	return 0
}

// startUnit starts the program of a unit that does not run.
func (p *Proc) startUnit(full string) int {
	u, ok := p.unitFile(full)
	if u.masked {
		p.complain("Failed to start " + full + ": Unit " + full + " is masked.\n")
		return 1
	}
	args := u.command()
	if !ok || len(args) == 0 {
		return 0
	}
	if _, up := p.running(u); up {
		return 0
	}
	if i, err := p.FS.Stat(vfs.Cred{}, args[0]); err != nil || i.Mode&0o111 == 0 {
		if u.own {
			p.complain("Job for " + full + " failed because the control process exited with error code.\nSee \"systemctl status " + full + "\" and \"journalctl -xeu " + full + "\" for details.\n")
			return 1
		}
		return 0
	}
	p.table().Spawn(machine.Process{PPID: 1, User: "root", Name: base(args[0]), Exe: args[0], Args: args, Cwd: "/", VSZ: 9200, RSS: 3100, State: "S", Threads: 1})
	return 0
}
