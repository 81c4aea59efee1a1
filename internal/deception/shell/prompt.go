package shell

import (
	"strconv"
	"strings"
)

// expandPrompt decodes a prompt string. \[ and \] become \x01 and \x02, which
// the line editor takes out.
func (e *env) expandPrompt(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		i += e.promptEscape(&b, s[i:]) - 1
	}
	out := b.String()
	if !strings.ContainsAny(out, "$`") {
		return out
	}
	w, err := e.textWord(out, true)
	if err != nil {
		return out
	}
	saved, status := e.unit, e.status
	e.unit = &unit{src: &source{kind: fromTTY}, text: out, line: 1}
	defer func() { e.unit, e.status = saved, status }()
	v, err := e.inner(w.Parts)
	if err != nil {
		return out
	}
	return v
}

// promptEscape writes what an escape stands for and returns its length.
func (e *env) promptEscape(b *strings.Builder, s string) int {
	now := e.k.sh.opt.Now()
	host := e.hostname()
	switch s[0] {
	case 'u':
		b.WriteString(e.user)
	case 'h':
		h, _, _ := strings.Cut(host, ".")
		b.WriteString(h)
	case 'H':
		b.WriteString(host)
	case 'w':
		b.WriteString(e.trimDir(e.tildeName(e.cwd)))
	case 'W':
		if d := e.tildeName(e.cwd); d == "/" || d == "~" {
			b.WriteString(d)
		} else {
			b.WriteString(base(d))
		}
	case '$':
		// Quoted, for what follows is expanded once more.
		if e.cred.UID == 0 {
			b.WriteByte('#')
		} else {
			b.WriteString(`\$`)
		}
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 'a':
		b.WriteByte('\a')
	case 'e':
		b.WriteByte(0x1b)
	case '[':
		b.WriteByte(1)
	case ']':
		b.WriteByte(2)
	case '\\':
		b.WriteString(`\\`)
	case 's':
		b.WriteString(strings.TrimPrefix(e.name, "-"))
	case 'v':
		b.WriteString("5.2")
	case 'V':
		b.WriteString("5.2.15")
	case 't':
		b.WriteString(now.Format("15:04:05"))
	case 'T':
		b.WriteString(now.Format("03:04:05"))
	case '@':
		b.WriteString(now.Format("03:04 PM"))
	case 'A':
		b.WriteString(now.Format("15:04"))
	case 'd':
		b.WriteString(now.Format("Mon Jan 02"))
	case 'D':
		if end := strings.IndexByte(s, '}'); len(s) > 2 && s[1] == '{' && end > 0 {
			f := s[2:end]
			if f == "" {
				f = "%H:%M:%S"
			}
			b.WriteString(strftime(f, now))
			return end + 1
		}
		b.WriteString("\\D")
	case 'j':
		n := 0
		if e.jobs != nil {
			n = len(e.jobs.list)
		}
		b.WriteString(strconv.Itoa(n))
	case 'l':
		if e.isTTY(0) {
			b.WriteString(base(e.ttyName()))
		} else {
			b.WriteString("tty")
		}
	case '!':
		n := b2i(e.interactive)
		if e.hist != nil {
			n = e.hist.first + len(e.hist.lines) + 1
		}
		b.WriteString(strconv.Itoa(n))
	case '#':
		b.WriteString(strconv.Itoa(e.commands + b2i(e.interactive)))
	default:
		if s[0] >= '0' && s[0] <= '7' {
			n, v := 0, 0
			for n < len(s) && n < 3 && s[n] >= '0' && s[n] <= '7' {
				v = v*8 + int(s[n]-'0')
				n++
			}
			b.WriteByte(byte(v))
			return n
		}
		b.WriteByte('\\')
		b.WriteByte(s[0])
	}
	return 1
}

// trimDir shortens a folder to its last parts: PROMPT_DIRTRIM.
func (e *env) trimDir(dir string) string {
	v, _ := e.get("PROMPT_DIRTRIM")
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		return dir
	}
	head, rest := "", dir
	if strings.HasPrefix(dir, "~") {
		i := strings.IndexByte(dir+"/", '/')
		head, rest = dir[:min(i+1, len(dir))], strings.TrimPrefix(dir[min(i, len(dir)):], "/")
	} else {
		rest = strings.TrimPrefix(dir, "/")
	}
	parts := strings.Split(rest, "/")
	if len(parts) <= n {
		return dir
	}
	return head + ".../" + strings.Join(parts[len(parts)-n:], "/")
}
