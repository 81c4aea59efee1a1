package awk

// cond evaluates a condition; a bare pattern matches the record.
func (in *interp) cond(e *expr) bool { return in.eval(e).bool() }

func (in *interp) exec(list []*stmt) flow {
	for _, s := range list {
		if f := in.statement(s); f != onward {
			return f
		}
	}
	return onward
}

func (in *interp) statement(s *stmt) flow {
	in.h.step(1)
	switch s.op {
	case "expr":
		in.eval(s.a)
	case "print", "printf":
		in.print(s)
	case "block":
		return in.exec(s.body)
	case "if":
		if in.cond(s.a) {
			return in.exec(s.body)
		}
		return in.exec(s.alt)
	case "while", "for", "do":
		return in.loop(s)
	case "forin":
		return in.forIn(s)
	case "break":
		return doBreak
	case "continue":
		return doContinue
	case "next":
		return doNext
	case "nextfile":
		return doNextFile
	case "exit":
		if s.a != nil {
			in.status = int(in.eval(s.a).float()) & 255
		}
		return doExit
	case "return":
		in.ret = value{}
		if s.a != nil {
			in.ret = in.eval(s.a)
		}
		return doReturn
	case "delete":
		a := in.array(s.a)
		if s.list == nil {
			clear(a)
		} else {
			delete(a, in.key(s.list))
		}
	}
	return onward
}

func (in *interp) loop(s *stmt) flow {
	if s.init != nil {
		in.statement(s.init)
	}
	for first := true; ; first = false {
		in.h.step(1)
		if (s.op != "do" || !first) && s.a != nil && !in.cond(s.a) {
			return onward
		}
		if f, end := in.exec(s.body).ofLoop(); end {
			return f
		}
		if s.step != nil {
			in.statement(s.step)
		}
	}
}

func (in *interp) forIn(s *stmt) flow {
	a := in.array(s.b)
	keys := make([]string, 0, len(a))
	in.h.step(1 + len(a)/16)
	for k := range a {
		keys = append(keys, k)
	}
	order(keys)
	for _, k := range keys {
		if _, ok := a[k]; !ok {
			continue
		}
		in.assign(s.a, input(k))
		if f, end := in.exec(s.body).ofLoop(); end {
			return f
		}
	}
	return onward
}
