package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readBook reads a file of cases. In a file of commands each line is one
// command; in one named interactive*.txt each section is one scenario:
//
//	# a comment
//	== section: title
//	setup LINE          put before each command of the section
//	@tag,tag COMMAND    a command with tags
//	{{{                 a command of several lines, up to }}}
//
//	== id: title        a scenario; its words, each on a line:
//	term NAME | user NAME | size COLSxROWS | argv WORD... | notty | tags TAG...
//	> text<CR>          one write; keys are named as in <C-a> <UP> <TAB> <ESC>
//	$ text              the same with <CR> at the end
//	resize COLSxROWS    the window changes
//	wait 1s             time passes
//	booted              a booted server answers the next step otherwise
func readBook(path string) (*book, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &reader{book: &book{}, seen: map[string]int{}, screen: strings.HasPrefix(filepath.Base(path), "interactive")}
	for i, line := range strings.Split(string(raw), "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return p.book, nil
}

type reader struct {
	book                  *book
	screen                bool
	section, setup, block string
	inBlock               bool
	tags                  []string
	seen                  map[string]int
	sc                    *scenario
	booted                bool // the next step is not counted
}

func (p *reader) line(line string) error {
	switch {
	case p.inBlock && line == "}}}":
		p.inBlock = false
		return p.command(strings.TrimSuffix(p.block, "\n"))
	case p.inBlock:
		p.block += line + "\n"
		return nil
	case strings.HasPrefix(line, "== "):
		return p.head(strings.TrimPrefix(line, "== "))
	case line == "" || strings.HasPrefix(line, "# "):
		return nil
	case p.section == "":
		return fmt.Errorf("a case before the first section: %q", line)
	case p.screen:
		return p.word(line)
	case strings.HasPrefix(line, "setup "):
		p.setup = strings.TrimPrefix(line, "setup ") + "; "
		return nil
	}
	if rest, ok := strings.CutPrefix(line, "@"); ok {
		tags, cmd, _ := strings.Cut(rest, " ")
		p.tags, line = strings.Split(tags, ","), cmd
	}
	if line == "{{{" {
		p.inBlock, p.block = true, ""
		return nil
	}
	return p.command(line)
}

func (p *reader) command(line string) error {
	p.seen[p.section]++
	id := fmt.Sprintf("%s-%02d", p.section, p.seen[p.section])
	p.book.Cases = append(p.book.Cases, &command{ID: id, In: p.setup + line, Tags: p.tags})
	p.tags = nil
	return nil
}

func (p *reader) head(text string) error {
	id, title, _ := strings.Cut(text, ":")
	if p.seen[id] > 0 {
		return fmt.Errorf("section %s is there twice", id)
	}
	p.section, p.setup = id, ""
	if p.screen {
		p.seen[id] = 1
		p.sc = &scenario{
			ID: id, Title: strings.TrimSpace(title), TTY: true, Term: "xterm-256color", User: "root",
			Argv: []string{"-bash"}, Cols: 80, Rows: 24, Steps: []step{{}},
		}
		p.book.Scenarios = append(p.book.Scenarios, p.sc)
	}
	return nil
}

// word reads one line of a scenario.
func (p *reader) word(line string) error {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case ">", "$":
		text, err := keys(rest)
		if err != nil {
			return err
		}
		if name == "$" {
			text += "\r"
		}
		if !p.sc.TTY {
			p.sc.Steps[0].In += text
			return nil
		}
		p.sc.Steps = append(p.sc.Steps, step{In: text, Booted: p.booted})
		p.booted = false
	case "booted":
		p.booted = true
	case "term":
		p.sc.Term = rest
	case "user":
		p.sc.User = rest
	case "argv":
		p.sc.Argv = strings.Fields(rest)
	case "notty":
		p.sc.TTY = false
	case "tags":
		p.sc.Tags = strings.Fields(rest)
	case "size", "resize":
		var c, r int
		if _, err := fmt.Sscanf(rest, "%dx%d", &c, &r); err != nil {
			return fmt.Errorf("%q is no size like 80x24", rest)
		}
		if name == "size" {
			p.sc.Cols, p.sc.Rows = c, r
			return nil
		}
		p.sc.Steps = append(p.sc.Steps, step{Resize: []int{c, r}})
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return err
		}
		p.sc.Steps = append(p.sc.Steps, step{Wait: int(d.Milliseconds())})
	default:
		return fmt.Errorf("no word %q in a scenario", name)
	}
	return nil
}

var named = map[string]string{
	"CR": "\r", "LF": "\n", "TAB": "\t", "ESC": "\x1b", "BS": "\x7f", "SP": " ", "lt": "<", "NUL": "\x00",
	"UP": "\x1b[A", "DOWN": "\x1b[B", "RIGHT": "\x1b[C", "LEFT": "\x1b[D", "HOME": "\x1b[H", "END": "\x1b[F",
	"INS": "\x1b[2~", "DEL": "\x1b[3~", "PGUP": "\x1b[5~", "PGDN": "\x1b[6~", "S-TAB": "\x1b[Z",
	"C-LEFT": "\x1b[1;5D", "C-RIGHT": "\x1b[1;5C", "PASTE": "\x1b[200~", "END-PASTE": "\x1b[201~",
	"F1": "\x1bOP", "F5": "\x1b[15~",
}

// keys turns text with named keys into bytes.
func keys(text string) (string, error) {
	var out strings.Builder
	for text != "" {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '>')
		if end < 0 {
			return "", fmt.Errorf("a key begins in %q and does not end; a plain < is <lt>", text)
		}
		name := text[open+1 : open+end]
		out.WriteString(text[:open])
		text = text[open+end+1:]
		switch {
		case named[name] != "":
			out.WriteString(named[name])
		case len(name) == 3 && strings.HasPrefix(name, "C-"):
			out.WriteByte(name[2] & 0x1f)
		case len(name) == 3 && strings.HasPrefix(name, "M-"):
			out.WriteString("\x1b" + name[2:])
		case len(name) == 2 && isHex(name):
			b, _ := strconv.ParseUint(name, 16, 8)
			out.WriteByte(byte(b))
		default:
			return "", fmt.Errorf("no key <%s>; there are <C-x>, <M-x>, <7f> and %s", name, strings.Join(slices.Sorted(maps.Keys(named)), " "))
		}
	}
	return out.String() + text, nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
