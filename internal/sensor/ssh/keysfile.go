package ssh

import (
	"encoding/base64"
	"path"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor"
)

// maxKeysFile bounds what is read of an authorized_keys file.
const maxKeysFile = 64 << 10

// A keyLine is one usable line of an authorized_keys file (sshd(8),
// AUTHORIZED_KEYS FILE FORMAT).
type keyLine struct {
	options string // as written, "" without any
	kind    string // ssh-ed25519 and so on
	blob    string // the key, in base64 without padding
}

// parseKeyLine reads one line. As in sshd the options come first, if any, and
// end at the first blank that is not in quotes.
func parseKeyLine(line string) (keyLine, bool) {
	line = strings.TrimLeft(strings.TrimRight(line, "\r\n"), " \t")
	if line == "" || line[0] == '#' {
		return keyLine{}, false
	}
	if k, ok := bareKey(line); ok {
		return k, true
	}
	end, quoted := 0, false
	for ; end < len(line) && (quoted || line[end] != ' ' && line[end] != '\t'); end++ {
		switch {
		case line[end] == '\\' && end+1 < len(line) && line[end+1] == '"':
			end++
		case line[end] == '"':
			quoted = !quoted
		}
	}
	if end >= len(line) {
		return keyLine{}, false
	}
	k, ok := bareKey(strings.TrimLeft(line[end:], " \t"))
	k.options = line[:end]
	return k, ok
}

func bareKey(s string) (keyLine, bool) {
	f := strings.Fields(s)
	if len(f) < 2 {
		return keyLine{}, false
	}
	switch f[0] {
	case "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		return keyLine{kind: f[0], blob: strings.TrimRight(f[1], "=")}, true
	}
	return keyLine{}, false
}

// permissions are the switches of a key, in the order in which sshd lists them.
var permissions = []string{"agent-forwarding", "port-forwarding", "pty", "user-rc", "x11-forwarding"}

// describe returns what sshd tells of a line's options (auth_log_authopts), and
// false when one of them is unknown: such a line opens nothing. The options are
// not enforced: who comes in with such a key shall show what it is for.
func describe(options string) (string, bool) {
	on := map[string]bool{}
	for _, p := range permissions {
		on[p] = true
	}
	for _, o := range splitOptions(options) {
		name, _, valued := strings.Cut(o, "=")
		name = strings.ToLower(name)
		bare, negated := strings.CutPrefix(name, "no-")
		switch name {
		case "restrict":
			clear(on)
		case "command", "environment", "permitopen", "permitlisten", "principals":
			on[name] = true
			if !valued {
				return "", false
			}
		case "from", "expiry-time", "tunnel":
			if !valued {
				return "", false
			}
		case "cert-authority", "touch-required", "no-touch-required", "verify-required", "no-verify-required":
		default:
			if _, known := on[bare]; !known && !contains(permissions, bare) {
				return "", false
			}
			on[bare] = !negated
		}
	}
	var s strings.Builder
	s.WriteString("key options:")
	for _, name := range []string{
		"agent-forwarding", "command", "environment", "permitopen", "permitlisten", "port-forwarding", "principals", "pty", "user-rc", "x11-forwarding",
	} {
		if on[name] {
			s.WriteString(" " + name)
		}
	}
	return s.String(), true
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// splitOptions splits at the commas outside of quotes.
func splitOptions(s string) (out []string) {
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out, start = append(out, s[start:i]), i+1
		}
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// A grant is the line that lets a key in.
type grant struct {
	at     string // FILE:LINE
	remark string // what sshd tells the client of it
}

// findKey looks a key up in the text of an authorized_keys file.
func findKey(file, text, kind string, blob []byte) (grant, bool) {
	want := base64.RawStdEncoding.EncodeToString(blob)
	number := 0
	for line := range strings.Lines(text) {
		number++
		k, ok := parseKeyLine(line)
		if !ok || k.kind != kind || k.blob != want {
			continue
		}
		if remark, ok := describe(k.options); ok {
			at := file + ":" + strconv.Itoa(number)
			return grant{at, at + ": " + remark}, true
		}
	}
	return grant{}, false
}

// strictModes is sshd's StrictModes: the file and every folder up to the home
// must belong to the user or root and be writable by nobody else. It returns
// sshd's words for what is wrong (secure_path in misc.c), "" when nothing is.
func strictModes(fs *vfs.FS, file, home string, uid uint32) string {
	bad := func(i vfs.Info) bool {
		return i.UID != 0 && i.UID != uid || i.Mode&0o022 != 0
	}
	i, err := fs.Stat(vfs.Cred{}, file)
	if err != nil {
		return "no such file"
	}
	if bad(i) {
		return "bad ownership or modes for file " + file
	}
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		i, err := fs.Stat(vfs.Cred{}, dir)
		if err != nil || bad(i) {
			return "bad ownership or modes for directory " + dir
		}
		if dir == path.Clean(home) || dir == "/" {
			return ""
		}
	}
}

// granted looks the key up in the files sshd reads for the user, as this
// source's world has them: who left a key there gets in with it. The text says
// why a line that is there does not count.
func (g *gate) granted(user, kind string, blob []byte) (grant, string) {
	w := g.svc.dep.World
	a, ok := w.Account(user)
	if !ok || g.svc.cfg.Accept == "never" {
		return grant{}, ""
	}
	why := ""
	for _, name := range []string{".ssh/authorized_keys", ".ssh/authorized_keys2"} {
		file := path.Join(a.Home, name)
		found, ok := findKey(file, keysText(w, g.ses, file), kind, blob)
		if !ok {
			continue
		}
		if why = strictModes(w.FS(g.ses), file, a.Home, a.Cred.UID); why == "" {
			return found, ""
		}
	}
	return grant{}, why
}

// keysText reads the beginning of a keys file, "" when there is none.
func keysText(w *sensor.World, ses *sensor.Session, file string) string {
	f, err := w.FS(ses).Open(vfs.Cred{}, file, vfs.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, maxKeysFile)
	n := 0
	for n < len(buf) {
		m, err := f.Read(buf[n:])
		n += m
		if err != nil || m == 0 {
			break
		}
	}
	return string(buf[:n])
}
