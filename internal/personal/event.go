package personal

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
)

// names are the attributes that hold a user's name; what the peer typed at a
// login may be one.
var names = map[string]bool{honeyguide.AttrUser: true}

// IsName reports whether a user's name stands in an attribute or a field.
func IsName(field string) bool {
	return names[field] || field == "user" || field == "login" || strings.HasSuffix(field, "user.name")
}

// Event returns an event with its values replaced, and how many. What e points
// at stays as it is: stored events are shared.
func (r *Rewriter) Event(e honeyguide.Event) (honeyguide.Event, int) {
	total := 0
	text := func(s *string) {
		to, n := r.Text(*s)
		*s, total = to, total+n
	}
	text(&e.Session)
	total += r.endpoint(&e.Src) + r.endpoint(&e.Dst)
	for i := range e.Observables {
		o := e.Observables[i]
		if to, n := r.Text(o.Value); n > 0 {
			e.Observables = slices.Clone(e.Observables)
			e.Observables[i].Value = to
			total += n
		}
	}
	for i := range e.Attacks {
		if to, n := r.Text(e.Attacks[i].Why); n > 0 {
			e.Attacks = slices.Clone(e.Attacks)
			e.Attacks[i].Why = to
			total += n
		}
	}
	cloned := false
	for name, v := range e.Attrs {
		to, n := r.value(name, v)
		if n == 0 {
			continue
		}
		if total += n; !cloned {
			e.Attrs, cloned = maps.Clone(e.Attrs), true
		}
		e.Attrs[name] = to
	}
	if raw, n := r.Bytes(e.Raw); n > 0 {
		e.Raw, total = raw, total+n
	}
	return e, total
}

// endpoint replaces in an endpoint. The name of a host whose address is replaced
// goes with it.
func (r *Rewriter) endpoint(e *honeyguide.Endpoint) int {
	total := 0
	if e.Addr.IsValid() && r.kinds[Address] {
		if to, ok := r.is(e.Addr.Addr()); ok {
			e.Addr = netip.AddrPortFrom(to.addr, e.Addr.Port())
			total++
			if e.Hostname != "" {
				e.Hostname = to.word
			}
		}
	}
	to, n := r.Text(e.Hostname)
	e.Hostname = to
	return total + n
}

// value replaces in an attribute: text, or what JSON may hold.
func (r *Rewriter) value(name string, v any) (any, int) {
	switch x := v.(type) {
	case string:
		if p := r.naming; p != nil && IsName(name) && x != "" {
			if to := p.Name(x); to != x {
				return to, 1
			}
		}
		to, n := r.Field(name, x)
		return to, n
	case []any:
		total := 0
		for i := range x {
			to, n := r.value(name, x[i])
			if n == 0 {
				continue
			}
			if total == 0 {
				x = slices.Clone(x)
			}
			x[i], total = to, total+n
		}
		return x, total
	case map[string]any:
		total := 0
		for _, k := range slices.Sorted(maps.Keys(x)) {
			to, n := r.value(k, x[k])
			key, m := k, 0
			if !r.kinds[User] {
				key, m = r.Text(k)
			}
			if n+m == 0 {
				continue
			}
			if total == 0 {
				x = maps.Clone(x)
			}
			delete(x, k)
			x[key], total = to, total+n+m
		}
		return x, total
	}
	return v, 0
}
