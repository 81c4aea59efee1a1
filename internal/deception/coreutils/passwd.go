package coreutils

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// prompt asks on the terminal and reads a line without echo.
func (p *Proc) prompt(text string) (string, bool) {
	p.flush()
	p.complain(text)
	if t, ok := p.Stdin.(interface{ SetEcho(on bool) bool }); ok && t.SetEcho(false) {
		defer t.SetEcho(true)
	}
	line, err := readLine(p.Stdin)
	if errors.Is(err, ErrInterrupted) {
		p.complain("\n")
		return "", false
	}
	if p.StdinTTY {
		p.complain("\n")
	}
	return line, err == nil || line != ""
}

// readLine reads one line byte by byte, so that what follows stays unread.
func readLine(r io.Reader) (string, error) {
	if b, ok := r.(*bufio.Reader); ok {
		s, err := b.ReadString('\n')
		return strings.TrimRight(s, "\r\n"), err
	}
	var out []byte
	var one [1]byte
	for len(out) < 1024 {
		n, err := r.Read(one[:])
		if n > 0 {
			if one[0] == '\n' || one[0] == '\r' {
				return string(out), nil
			}
			out = append(out, one[0])
		}
		if err != nil {
			return string(out), err
		}
	}
	return string(out), nil
}

func passwdCmd(p *Proc) int {
	opts, args, ok := p.getopt("adehi:kln:qr:R:Sw:x:u", "all,a", "delete,d", "expire,e", "keep-tokens,k", "inactive=,i", "lock,l", "mindays=,n", "quiet,q", "status,S", "unlock,u", "warndays=,w", "maxdays=,x")
	if !ok {
		return 2
	}
	user := p.userName(p.Cred.UID)
	if len(args) > 0 {
		user = args[0]
	}
	uid, _, _, _, known := p.account(user)
	if !known {
		p.errorf("user '%s' does not exist", user)
		return 1
	}
	if p.Cred.UID != 0 && uid != p.Cred.UID {
		p.errorf("You may not view or modify password information for %s.", user)
		return 1
	}
	if status, done := p.passwdOptions(opts, user); done {
		return status
	}
	if p.Cred.UID != 0 {
		p.complain("Changing password for " + user + ".\n")
		cur, _ := p.prompt("Current password: ")
		p.Watch.Auth("passwd", user, cur)
	}
	one, ok := p.newPassword()
	if !ok {
		p.errorf("Authentication token manipulation error")
		p.errorf("password unchanged")
		return 10
	}
	p.Watch.Auth("passwd", user, one)
	p.setHash(user, "$y$j9T$"+p.random(22)+"$"+p.random(43))
	p.errorf("password updated successfully")
	return 0
}

// newPassword asks twice for a password; an empty one may be given another try,
// three in all.
func (p *Proc) newPassword() (string, bool) {
	defer p.hold(KeysIgnored)()
	for range 3 {
		one, ok := p.prompt("New password: ")
		if !ok {
			p.complain("Password change has been aborted.\n")
			return "", false
		}
		if two, _ := p.prompt("Retype new password: "); one != two {
			p.complain("Sorry, passwords do not match.\n")
			return "", false
		}
		if one != "" {
			return one, true
		}
		p.complain("No password has been supplied.\n")
	}
	return "", false
}

// setHash writes a user's line of /etc/shadow. The password itself is not kept.
func (p *Proc) setHash(user, hash string) {
	var b strings.Builder
	for line := range strings.Lines(p.slurp("/etc/shadow")) {
		f := strings.SplitN(line, ":", 4)
		if len(f) == 4 && f[0] == user {
			f[1], f[2] = hash, strconv.FormatInt(p.Now().Unix()/86400, 10)
			line = strings.Join(f, ":")
		}
		b.WriteString(line)
	}
	_ = p.asRoot(func() error { return p.writeText("/etc/shadow", b.String()) })
}

// asRoot does what a set-uid program may do.
func (p *Proc) asRoot(fn func() error) error {
	old := p.Cred
	p.Cred = vfs.Cred{}
	defer func() { p.Cred = old }()
	return fn()
}

func chpasswd(p *Proc) int {
	opts, args, ok := p.getopt("c:eh:mR:s:", "crypt-method=,c", "encrypted,e", "md5,m", "root=,R", "sha-rounds=,s")
	if !ok || len(args) > 0 {
		return 2
	}
	if p.Cred.UID != 0 {
		p.errorf("Permission denied.")
		p.errorf("cannot lock /etc/passwd; try again later.")
		return 1
	}
	n, bad, encrypted := 0, false, letters(opts)["e"]
	_ = p.lines(p.Stdin, func(l []byte, _ bool) bool {
		n++
		user, pass, ok := strings.Cut(string(l), ":")
		if !ok {
			p.errorf("line %d: missing new password", n)
			bad = true
			return true
		}
		if _, _, _, _, known := p.account(user); !known {
			p.complain(sprintf("chpasswd: (user %s) pam_chauthtok() failed, error:\nAuthentication token manipulation error\nchpasswd: (line %d, user %s) password not changed\n", user, n, user))
			bad = true
			p.Watch.Auth("chpasswd", user, pass)
			return true
		}
		p.Watch.Auth("chpasswd", user, pass)
		if encrypted && strings.Contains(pass, ":") {
			p.errorf("failure while writing changes to /etc/shadow")
			bad = true
			return false
		}
		hash := pass
		if !encrypted {
			hash = "$y$j9T$" + p.random(22) + "$" + p.random(43)
		}
		p.setHash(user, hash)
		return true
	})
	if bad {
		return 1
	}
	return 0
}
