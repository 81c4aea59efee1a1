package perl

import (
	"bufio"
	"io"
	"strings"
)

// Run runs a program to its end and returns its exit status.
func Run(w World, p Program) int {
	m := &machine{w: w, prog: &p, global: &scope{vars: map[string]any{}}, subs: map[string]*code{}, files: map[string]*handle{}, out: bufio.NewWriter(p.Stdout), line: 1}
	m.in = &handle{r: bufio.NewReader(p.Stdin)}
	tree, fault := parse(p.Source, w.Step)
	if fault != nil {
		_, _ = io.WriteString(p.Stderr, strings.ReplaceAll(fault.msg, "%s", p.File)+aborted(fault.msg, p.File))
		return 255
	}
	m.setup()
	status := m.outcome(func() {
		if p.Loop || p.Print {
			m.everyLine(tree)
			return
		}
		m.run(tree, m.global)
	})
	for i := len(m.ends) - 1; i >= 0; i-- {
		m.outcome(func() { m.run(m.ends[i], m.global) })
	}
	m.endInPlace()
	for _, h := range m.files {
		if h != m.in {
			h.close()
		}
	}
	if err := m.out.Flush(); err != nil {
		return 141
	}
	return status
}

// aborted is perl's last word on a syntax error; a text that never ends has none.
func aborted(msg, file string) string {
	if strings.HasPrefix(msg, "Can't find string") || strings.HasPrefix(msg, "Out of") {
		return ""
	}
	return "Execution of " + file + " aborted due to compilation errors.\n"
}

func (m *machine) setup() {
	argv := &array{}
	for _, a := range m.prog.Args {
		argv.items = append(argv.items, a)
	}
	m.global.put("@ARGV", argv)
	env := &hash{}
	for _, kv := range m.w.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		env.set(k, v)
	}
	m.global.put("%ENV", env)
	for name, v := range map[string]any{"$/": "\n", "$;": "\x1c", "$]": "5.036000", "$^O": "linux", "$<": int64(m.w.UID()), "$>": int64(m.w.UID()), "$(": "0 0"} {
		m.global.put(name, &scalar{v})
	}
}

// outcome runs fn and turns the way it ends into a status.
func (m *machine) outcome(fn func()) (status int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case leave:
			status = r.status
		case died:
			_ = m.out.Flush()
			_, _ = io.WriteString(m.prog.Stderr, str(r.v))
			if status = m.errno; status == 0 {
				status = 255
			}
		case jump, gaveVal:
		default:
			panic(r)
		}
	}()
	fn()
	return 0
}

// everyLine is the loop of -n and -p.
func (m *machine) everyLine(tree *node) {
	for _, k := range tree.kids {
		if k.op == "BEGIN" || k.op == "END" || k.op == "def" {
			m.run(&node{op: "block", kids: []*node{k}}, m.global)
		}
	}
	body := &node{op: "block"}
	for _, k := range tree.kids {
		if k.op != "BEGIN" && k.op != "END" && k.op != "def" {
			body.kids = append(body.kids, k)
		}
	}
	for {
		v := m.readLine("", m.global)
		if v == nil {
			return
		}
		line := str(v)
		if m.prog.Chomp {
			line = strings.TrimSuffix(line, "\n")
		}
		m.setTopic(m.global, line)
		if m.prog.Split {
			sep := any(" ")
			if m.prog.Sep != "" {
				sep = m.prog.Sep
			}
			m.global.put("@F", &array{m.split([]any{sep, strings.TrimSuffix(line, "\n")}, m.global)})
		}
		if m.looped(func() { m.run(body, m.global) }) {
			return
		}
		if m.prog.Print {
			m.print(&node{op: "print", s: "STDOUT", kids: []*node{{op: "$", s: "_"}}}, m.global)
		}
	}
}
