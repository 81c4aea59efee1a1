package coreutils

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func modeCommands(name string) Command {
	switch name {
	case "chmod":
		return chmod
	case "chown", "chgrp":
		return chown
	case "chattr":
		return chattr
	case "lsattr":
		return lsattr
	case "readlink", "realpath":
		return readlink
	}
	return nil
}

// parseMode applies a mode such as 755 or u+x,go-w to an existing one. umask
// matters where no class is named.
func parseMode(s string, old uint32, dir bool, umask uint32) (uint32, bool) {
	if s != "" && strings.Trim(s, "01234567") == "" {
		n, err := strconv.ParseUint(s, 8, 16)
		return uint32(n), err == nil && n <= 0o7777
	}
	mode := old
	for clause := range strings.SplitSeq(s, ",") {
		i := 0
		who := uint32(0)
		for i < len(clause) && strings.IndexByte("ugoa", clause[i]) >= 0 {
			who |= map[byte]uint32{'u': 0o4700, 'g': 0o2070, 'o': 0o1007, 'a': 0o7777}[clause[i]]
			i++
		}
		mask := who
		if who == 0 {
			mask = 0o7777 &^ umask
		}
		if i == len(clause) {
			return 0, false
		}
		for i < len(clause) {
			op := clause[i]
			if strings.IndexByte("+-=", op) < 0 {
				return 0, false
			}
			i++
			bits := uint32(0)
			for i < len(clause) && strings.IndexByte("+-=", clause[i]) < 0 {
				switch clause[i] {
				case 'r':
					bits |= 0o444
				case 'w':
					bits |= 0o222
				case 'x':
					bits |= 0o111
				case 'X':
					if dir || mode&0o111 != 0 {
						bits |= 0o111
					}
				case 's':
					bits |= 0o6000
				case 't':
					bits |= 0o1000
				case 'u':
					bits |= mode >> 6 & 7 * 0o111
				case 'g':
					bits |= mode >> 3 & 7 * 0o111
				case 'o':
					bits |= mode & 7 * 0o111
				default:
					return 0, false
				}
				i++
			}
			if who&0o7000 == 0o7000 || who == 0 {
				mask |= 0o7000
			} else if who&0o4000 != 0 || who&0o2000 != 0 {
				mask |= who & 0o6000
			}
			switch op {
			case '+':
				mode |= bits & mask
			case '-':
				mode &^= bits & mask
			default:
				clear := who & 0o777
				if who == 0 {
					clear = 0o777
				}
				mode = mode&^clear | bits&mask
			}
		}
	}
	return mode, true
}

func chmod(p *Proc) int {
	// Modes such as -x look like options.
	args, mode := append([]string(nil), p.Args...), ""
	for i := 1; i < len(args); i++ {
		if a := args[i]; len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.Trim(a[1:], "rwxXstugo+=,-01234567") == "" && a != "-R" {
			mode = a
			args = append(args[:i], args[i+1:]...)
			break
		}
	}
	p.Args = args
	opts, args, ok := p.getopt("cfRv", "changes,c", "silent,f", "quiet,f", "recursive,R", "verbose,v", "reference=", "no-preserve-root", "preserve-root")
	if !ok {
		return 1
	}
	flags := named(opts)
	for _, o := range opts {
		if o.name == "reference" {
			i, err := p.stat(o.val)
			if err != nil {
				p.errorf("failed to get attributes of %s: %s", qa(o.val), why(err))
				return 1
			}
			mode = sprintf("%o", i.Perm())
		}
	}
	if mode == "" {
		if len(args) == 0 {
			p.errorf("missing operand")
			return p.try(1)
		}
		mode, args = args[0], args[1:]
	}
	if len(args) == 0 {
		p.errorf("missing operand after %s", p.q(mode))
		return p.try(1)
	}
	if _, ok := parseMode(mode, 0, false, p.Umask); !ok {
		p.errorf("invalid mode: %s", p.q(mode))
		return p.try(1)
	}
	status := 0
	var one func(a string, depth int)
	one = func(a string, depth int) {
		p.step(2)
		i, err := p.stat(a)
		if err != nil {
			if l, e := p.lstat(a); e == nil && l.IsSymlink() {
				if depth > 0 {
					return
				}
				p.errorf("cannot operate on dangling symlink %s", qa(a))
			} else if !strings.Contains(flags, "f") {
				p.errorf("cannot access %s: %s", qa(a), why(err))
			}
			status = 1
			return
		}
		m, _ := parseMode(mode, i.Perm(), i.IsDir(), p.Umask)
		if i.IsDir() && strings.Trim(mode, "01234567") == "" && len(mode) < 5 {
			m |= i.Perm() & 0o6000 // numeric modes keep a folder's set-id bits
		}
		if err := p.FS.Chmod(p.Cred, p.path(a), m); err != nil {
			p.errorf("changing permissions of %s: %s", qa(a), why(err))
			status = 1
		} else if strings.Contains(flags, "v") || strings.Contains(flags, "c") && m != i.Perm() {
			if m == i.Perm() {
				p.printf("mode of %s retained as %04o (%s)\n", qa(a), m, modeString(m)[1:])
			} else {
				p.printf("mode of %s changed from %04o (%s) to %04o (%s)\n", qa(a), i.Perm(), modeString(i.Perm())[1:], m, modeString(m)[1:])
			}
		}
		if strings.Contains(flags, "R") && i.IsDir() && depth < maxTree {
			list, err := p.FS.ReadDir(p.Cred, p.path(a))
			if err != nil {
				p.errorf("cannot read directory %s: %s", qa(a), why(err))
				status = 1
			}
			for _, e := range list {
				if !e.IsSymlink() {
					one(strings.TrimSuffix(a, "/")+"/"+e.Name, depth+1)
				}
			}
		}
	}
	for _, a := range args {
		one(a, 0)
	}
	return status
}

// owner reads user:group; Keep stands for what is not given.
func (p *Proc) owner(s string) (uid, gid uint32, bad string) {
	uid, gid = vfs.Keep, vfs.Keep
	user, group, both := strings.Cut(s, ":")
	if !both {
		if u, g, ok := strings.Cut(s, "."); ok {
			if _, _, _, _, known := p.account(u); known {
				user, group, both = u, g, true
				p.errorf("warning: '.' should be ':': %s", p.q(s))
			}
		}
	}
	if user != "" {
		u, main, _, _, ok := p.account(user)
		if n, err := strconv.ParseUint(strings.TrimPrefix(user, "+"), 10, 32); !ok && err == nil {
			u, ok = uint32(n), true
			main = vfs.Keep
		}
		if !ok {
			return 0, 0, "invalid user: " + p.q(s)
		}
		uid = u
		if both && group == "" {
			gid = main
		}
	}
	if group != "" {
		g, ok := p.groupID(group)
		if !ok {
			return 0, 0, "invalid group: " + p.q(s)
		}
		gid = g
	}
	return uid, gid, ""
}

// ownerChange is what -v and -c say of one file.
func (p *Proc) ownerChange(a string, was vfs.Info, uid, gid uint32, always bool) string {
	if uid == vfs.Keep {
		uid = was.UID
	}
	name := func(u, g uint32, both bool) string {
		if p.name == "chgrp" {
			return p.groupName(g)
		}
		if both {
			return p.userName(u) + ":" + p.groupName(g)
		}
		return p.userName(u)
	}
	both := gid != vfs.Keep
	if !both {
		gid = was.GID
	}
	what := "ownership"
	if p.name == "chgrp" {
		what = "group"
	}
	switch {
	case uid == was.UID && gid == was.GID && !always:
		return ""
	case uid == was.UID && gid == was.GID:
		return what + " of " + qa(a) + " retained as " + name(uid, gid, both) + "\n"
	}
	return "changed " + what + " of " + qa(a) + " from " + name(was.UID, was.GID, both) + " to " + name(uid, gid, both) + "\n"
}

func chown(p *Proc) int {
	opts, args, ok := p.getopt("cfhHLPRv", "changes,c", "silent,f", "quiet,f", "recursive,R", "verbose,v", "reference=", "dereference", "no-dereference,h", "from=", "no-preserve-root", "preserve-root")
	if !ok {
		return 1
	}
	recursive, follow, quiet := false, true, false
	loud, from, like := "", "", ""
	for _, o := range opts {
		switch o.name {
		case "v", "c":
			loud = o.name
		case "from":
			from = o.val
		case "reference":
			like = o.val
		case "R":
			recursive = true
		case "h":
			follow = false
		case "f":
			quiet = true
		}
	}
	if like != "" {
		i, err := p.stat(like)
		if err != nil {
			p.errorf("failed to get attributes of %s: %s", qa(like), why(err))
			return 1
		}
		args = append([]string{sprintf("%d:%d", i.UID, i.GID)}, args...)
		if p.name == "chgrp" {
			args[0] = sprintf("%d", i.GID)
		}
	}
	if !p.operands(args, 2) {
		return 1
	}
	wasUID, wasGID := vfs.Keep, vfs.Keep
	if from != "" {
		var bad string
		if wasUID, wasGID, bad = p.owner(from); bad != "" {
			p.errorf("%s", bad)
			return 1
		}
	}
	uid, gid, bad := vfs.Keep, vfs.Keep, ""
	if p.name == "chgrp" {
		g, ok := p.groupID(args[0])
		if !ok {
			bad = "invalid group: " + p.q(args[0])
		}
		gid = g
	} else {
		uid, gid, bad = p.owner(args[0])
	}
	if bad != "" {
		p.errorf("%s", bad)
		return 1
	}
	status := 0
	var one func(a string, depth int)
	one = func(a string, depth int) {
		p.step(2)
		was, _ := p.stat(a)
		if wasUID != vfs.Keep && was.UID != wasUID || wasGID != vfs.Keep && was.GID != wasGID {
			return
		}
		if err := p.FS.Chown(p.Cred, p.path(a), uid, gid, follow && depth == 0); err != nil {
			if !quiet {
				if _, e := p.lstat(a); e != nil {
					p.errorf("cannot access %s: %s", qa(a), why(e))
				} else {
					p.errorf("changing %s of %s: %s", map[bool]string{true: "group", false: "ownership"}[p.name == "chgrp"], qa(a), why(err))
				}
			}
			status = 1
		} else if loud != "" {
			p.print(p.ownerChange(a, was, uid, gid, loud == "v"))
		}
		if i, err := p.lstat(a); err == nil && i.IsDir() && recursive && depth < maxTree {
			list, _ := p.FS.ReadDir(p.Cred, p.path(a))
			for _, e := range list {
				one(strings.TrimSuffix(a, "/")+"/"+e.Name, depth+1)
			}
		}
	}
	for _, a := range args[1:] {
		one(a, 0)
	}
	return status
}
