package token

import (
	"sort"
	"strings"

	"honeyguide"
)

// where names the attributes of events in the words of honeyguide.AttrWhere.
var where = map[string]string{
	honeyguide.AttrUser: "user name", honeyguide.AttrPassword: "password",
	honeyguide.AttrCommand: "command", honeyguide.AttrURL: "URL", honeyguide.AttrBody: "request body",
	honeyguide.AttrHeaders: "request headers", honeyguide.AttrUserAgent: "user agent",
	honeyguide.AttrReferrer: "referrer", honeyguide.AttrHost: "host header", honeyguide.AttrPath: "path",
}

// silent are activities whose text is ours, or tells of bait leaving: a
// planted string there is no use of it.
var silent = map[string]bool{
	honeyguide.ActivityTokenExposed: true, honeyguide.ActivityTokenUsed: true,
	honeyguide.ActivityViolation: true, honeyguide.ActivityGap: true,
}

// Uses returns one token_used event for each token whose planted string came
// in with e, in any attribute or in its raw bytes. The new events are
// critical, share time, session and endpoints with e, and have ids that follow
// from e's, so that a replay makes them again.
func (r *Registry) Uses(e *honeyguide.Event) []honeyguide.Event {
	if r == nil || len(r.order) == 0 || silent[e.Activity] {
		return nil
	}
	var out []honeyguide.Event
	seen := map[string]bool{}
	look := func(name string, text []byte) {
		for _, h := range r.Match(text) {
			if !seen[h.Token] {
				seen[h.Token] = true
				out = append(out, r.use(e, h, name))
			}
		}
	}
	names := make([]string, 0, len(e.Attrs))
	for name, v := range e.Attrs {
		if s, ok := v.(string); ok && len(s) >= minNeedle {
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool { return rank(names[i]) < rank(names[j]) })
	for _, name := range names {
		look(name, []byte(e.Str(name)))
	}
	look("raw", e.Raw)
	return out
}

// rank orders attributes so that the telling one names the place.
func rank(name string) string {
	switch name {
	case honeyguide.AttrPassword:
		return "0"
	case honeyguide.AttrUser:
		return "1"
	case honeyguide.AttrCommand:
		return "2"
	}
	return "3" + name
}

func (r *Registry) use(e *honeyguide.Event, h Hit, name string) honeyguide.Event {
	u := honeyguide.Event{
		ID:   honeyguide.DerivedID(e.Time, "token_used", e.ID, h.Token),
		Time: e.Time, Observed: e.Observed, Class: honeyguide.ClassDetection,
		Activity: honeyguide.ActivityTokenUsed, Severity: honeyguide.SeverityCritical,
		Sensor: e.Sensor, Service: e.Service, Session: e.Session, Src: e.Src, Dst: e.Dst,
		Attacks: []honeyguide.Technique{{ID: "T1078", Tactic: "TA0001", Why: "planted credential used"}},
	}
	place := where[name]
	if place == "" {
		place = name
	}
	if h.Form != "plain" {
		place += " (" + h.Form + ")"
	}
	u.Set(honeyguide.AttrToken, h.Token)
	u.Set(honeyguide.AttrTokenKind, r.tokens[h.Token].face.Kind)
	u.Set(honeyguide.AttrWhere, place)
	u.Set("event.activity", e.Activity)
	u.Set("event.uid", e.ID)
	// The user name may say who bought the credential; the password may not be
	// repeated: it is the token.
	if user := e.Str(honeyguide.AttrUser); len(r.Match([]byte(user))) == 0 {
		u.Set(honeyguide.AttrUser, user)
	}
	return u
}

// Redact returns text with every planted string replaced by "[honeytoken]",
// for what is shown or logged.
func (r *Registry) Redact(text string) string {
	var found []string
	for _, h := range r.Match([]byte(text)) {
		found = append(found, text[h.Start:h.End], "[honeytoken]")
	}
	return strings.NewReplacer(found...).Replace(text)
}
