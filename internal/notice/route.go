package notice

import (
	"fmt"
	"slices"
	"strings"
)

// A route is the way of one notice: levels of channels, one after the other.
type route struct {
	chain  string // "" = none of the configured ones
	levels []Level
	quiet  []hours // of the chain
}

// route resolves where a notice goes: a chain, a channel, several channels
// between commas, or "" for what is configured.
func (o *Outbox) route(to string) (route, error) {
	if to = strings.TrimSpace(to); to == "" {
		if to = o.rules.Default; to == "" {
			if len(o.channels) == 0 {
				return route{}, nil
			}
			return route{levels: []Level{{Channels: o.Names()}}}, nil
		}
	}
	if r, ok := o.rules.chains[to]; ok {
		return r, nil
	}
	var l Level
	for name := range strings.SplitSeq(to, ",") {
		if name = strings.TrimSpace(name); name == "" || slices.Contains(l.Channels, name) {
			continue
		}
		if o.channels[name] == nil {
			return route{}, fmt.Errorf("there is no channel and no chain %.60q", name)
		}
		l.Channels = append(l.Channels, name)
	}
	if len(l.Channels) == 0 {
		return route{}, fmt.Errorf("%.60q names no channel", to)
	}
	return route{levels: []Level{l}}, nil
}

// Route says in words who would be told, for a preview. The error says that
// there is no such channel or chain.
func (o *Outbox) Route(to string) (string, error) {
	r, err := o.route(to)
	if err != nil {
		return "", err
	}
	if len(r.levels) == 0 {
		return "nobody: no channel is configured", nil
	}
	var b strings.Builder
	for i, l := range r.levels {
		if i > 0 {
			fmt.Fprintf(&b, ", then %s after %s unless somebody acknowledges", strings.Join(l.Channels, " and "), short(l.After))
			continue
		}
		b.WriteString(strings.Join(l.Channels, " and "))
	}
	return b.String(), nil
}
