package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/auth"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

// A Profile is what one attacker did, in one answer.
type Profile struct {
	honeyguide.Attacker
	Address string    `json:"address,omitempty"`
	Since   time.Time `json:"since" doc:"what its events are read from"`
	Events  int64     `json:"events" doc:"read; the newest five thousand at most"`
	Cut     bool      `json:"cut,omitempty" doc:"there are more events than were read, or reading took too long"`

	Activity     []HourCount       `json:"activity" doc:"events by hour (UTC), oldest first; hours without any are left out"`
	Credentials  []Credential      `json:"credentials" doc:"tried most first"`
	Commands     []SeenText        `json:"commands" doc:"most often first"`
	Tools        []SeenText        `json:"tools" doc:"programs that fetch or attack, as commands and requests name them"`
	URLs         []SeenText        `json:"urls"`
	Clients      []Fingerprint     `json:"clients" doc:"software, HASSH, JA4 and what else tells clients apart"`
	Files        []SeenFile        `json:"files"`
	Path         []PathStep        `json:"path" doc:"tactics in the order they first came"`
	Rules        []TopRule         `json:"rules" doc:"alerts by rule, most first"`
	SessionCount int               `json:"sessions" doc:"at most two hundred are counted"`
	Blocks       []honeyguide.Plan `json:"blocks" doc:"newest first"`
	Same         []LooksSame       `json:"looks_the_same" doc:"other sources with the same tools, files and passwords, the likest first"`
	SameCut      bool              `json:"looks_the_same_cut,omitempty" doc:"comparing took too long: there may be more"`
	Notes        []state.Note      `json:"notes" doc:"newest first"`
}

// HourCount is the events of an hour.
type HourCount struct {
	At     time.Time `json:"at"`
	Events int64     `json:"events"`
}

// Credential is a user and password that were tried.
type Credential struct {
	User     string    `json:"user"`
	Password string    `json:"password,omitempty"`
	Key      string    `json:"key,omitempty" doc:"fingerprint of a public key"`
	N        int64     `json:"n"`
	Worked   bool      `json:"worked" doc:"it let them in at least once"`
	LastAt   time.Time `json:"last_at"`
}

// SeenText is a text and how often it came.
type SeenText struct {
	Text    string    `json:"text" doc:"an attacker's"`
	N       int64     `json:"n"`
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
}

// Fingerprint is what tells a client apart.
type Fingerprint struct {
	Kind string `json:"kind" doc:"software, hassh, user_agent, key, ja3, ja4"`
	SeenText
}

// SeenFile is content an attacker brought.
type SeenFile struct {
	SHA256 string    `json:"sha256"`
	Path   string    `json:"path,omitempty"`
	Type   string    `json:"type,omitempty"`
	Size   int64     `json:"size"`
	N      int64     `json:"n"`
	LastAt time.Time `json:"last_at"`
}

// PathStep is a tactic and when it first came.
type PathStep struct {
	Tactic     string    `json:"tactic" doc:"id"`
	Name       string    `json:"name"`
	At         time.Time `json:"at"`
	Alerts     int64     `json:"alerts"`
	Techniques []string  `json:"techniques" doc:"ids"`
}

// LooksSame is another source that behaves alike.
type LooksSame struct {
	Address string   `json:"address"`
	Score   float64  `json:"score" doc:"0 to 100: what they share, weighed by how few others have it"`
	Reasons []string `json:"reasons" doc:"what they share, in words; may hold attackers' text"`
	Country string   `json:"country,omitempty"`
	Alerts  bool     `json:"alerts" doc:"there are alerts about it: /attackers has it"`
}

// NoteOrder writes a note.
type NoteOrder struct {
	Text string `json:"text" minLength:"1" maxLength:"4000"`
}

// Bounds of a profile.
const (
	profileSpan   = 30 * 24 * time.Hour
	profileEvents = 5000
	profileAlerts = 1000
	profileTop    = 50
	profileTime   = 4 * time.Second
	sameTime      = 2 * time.Second
	sameShown     = 10
)

func (s *server) profiles() {
	o := op("/attackers/{id}/profile", "get-attacker-profile", "What one attacker did: when, with what, how far it came, and who else looks like it")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (Profile, error) { return s.profile(ctx, in.ID) })
	n := op("/attackers/{id}/notes", "list-attacker-notes", "What people wrote about an attacker, newest first")
	n.Errors = append(n.Errors, http.StatusNotFound)
	list(s, n, func(ctx context.Context, tx state.Tx, in *byID) ([]state.Note, string, error) {
		a, err := tx.Attackers().Get(ctx, in.ID)
		if err != nil {
			return nil, "", err
		}
		all, err := tx.Notes().Of(ctx, a.Key)
		return all, "", err
	})
	write(s, post("/attackers/{id}/notes", "note-attacker", "Write a note about an attacker"), auth.PermWork, func(ctx context.Context, id string, in *NoteOrder) (n state.Note, err error) {
		if strings.TrimSpace(in.Text) == "" {
			return n, invalid("text: want some")
		}
		err = s.dep.State.Update(ctx, func(tx state.Tx) error {
			a, err := tx.Attackers().Get(ctx, id)
			if err != nil {
				return err
			}
			n = state.Note{Attacker: a.Key, By: whoAsks(ctx), Text: in.Text, At: s.dep.Now()}
			return tx.Notes().Add(ctx, &n)
		})
		return n, err
	})
}

func (s *server) profile(ctx context.Context, id string) (p Profile, err error) {
	p = Profile{
		Since: s.dep.Now().UTC().Add(-profileSpan), Activity: []HourCount{}, Credentials: []Credential{}, Commands: []SeenText{}, Tools: []SeenText{}, URLs: []SeenText{},
		Clients: []Fingerprint{}, Files: []SeenFile{}, Path: []PathStep{}, Rules: []TopRule{}, Blocks: []honeyguide.Plan{}, Same: []LooksSame{}, Notes: []state.Note{},
	}
	err = s.dep.State.View(ctx, func(tx state.Tx) error { return s.profileState(ctx, tx, id, &p) })
	if err != nil || p.Address == "" {
		return p, err
	}
	src, err := parseNetwork(p.Address)
	if err != nil {
		return p, nil // a key without an address has no events of its own
	}
	quick, done := context.WithTimeout(ctx, profileTime)
	defer done()
	g := newGatherer()
	for rec, err := range s.dep.Events.Find(quick, eventlog.Query{Src: src, From: p.Since, Limit: profileEvents + 1}) {
		if err != nil {
			if p.Cut = errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil; p.Cut {
				break
			}
			return p, eventError(err)
		}
		if p.Events++; p.Events > profileEvents {
			p.Events, p.Cut = profileEvents, true
			break
		}
		g.add(&rec.Event)
	}
	g.into(&p)
	hours, err := s.dep.Events.Histogram(quick, eventlog.Query{Src: src, From: p.Since}, time.Hour)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return p, eventError(err)
	}
	p.Cut = p.Cut || err != nil
	for i := range hours {
		p.Activity = append(p.Activity, HourCount{hours[i].At, hours[i].Total()})
	}
	return p, s.lookAlike(ctx, src, g, &p)
}

// profileState reads what the state knows.
func (s *server) profileState(ctx context.Context, tx state.Tx, id string, p *Profile) (err error) {
	if p.Attacker, err = tx.Attackers().Get(ctx, id); err != nil {
		return err
	}
	p.Address = state.Addr(p.Src)
	if a, err := netip.ParseAddr(strings.TrimPrefix(p.Key, "attacker:")); err == nil {
		p.Address = a.String()
	}
	q := state.AlertQuery{Attacker: p.Key, Page: state.Page{Limit: profileAlerts}}
	alerts, _, err := tx.Alerts().List(ctx, q)
	if err != nil {
		return err
	}
	p.Rules, p.Path = s.rulesOf(alerts), pathOf(alerts)
	if p.Notes, err = tx.Notes().Of(ctx, p.Key); err != nil || p.Address == "" {
		return err
	}
	sessions, _, err := tx.Sessions().List(ctx, state.SessionQuery{Src: p.Address, Page: state.Page{Limit: 200}})
	if err != nil {
		return err
	}
	p.SessionCount = len(sessions)
	p.Blocks, _, err = tx.Plans().List(ctx, state.PlanQuery{Action: state.ActionBlockIP, Target: p.Address, Page: state.Page{Limit: 20}})
	return err
}

// rulesOf counts alerts by rule.
func (s *server) rulesOf(alerts []honeyguide.Alert) []TopRule {
	at := map[string]int{}
	worst := map[string]honeyguide.Severity{}
	out := []TopRule{}
	for i := range alerts { // newest first
		a := &alerts[i]
		n, ok := at[a.RuleID]
		if !ok {
			n = len(out)
			at[a.RuleID] = n
			out = append(out, TopRule{ID: a.RuleID, Title: cmp.Or(s.ruleTitle(a.RuleID), a.Title), By: map[string]int64{}})
		}
		out[n].N++
		out[n].By[a.Severity.String()]++
		worst[a.RuleID] = max(worst[a.RuleID], a.Severity)
		out[n].Severity = worst[a.RuleID].String()
	}
	slices.SortStableFunc(out, func(a, b TopRule) int { return cmp.Compare(b.N, a.N) })
	return out
}

// pathOf orders the tactics of alerts by when they first came.
func pathOf(alerts []honeyguide.Alert) []PathStep {
	out := []PathStep{}
	for i := range slices.Backward(alerts) { // oldest first
		a := &alerts[i]
		for _, x := range a.Attacks {
			tactic := attack.TacticID(x.Tactic)
			if tactic == "" {
				tactic = attack.Of(x.ID, "").Tactic
			}
			if tactic == "" {
				continue
			}
			n := slices.IndexFunc(out, func(s PathStep) bool { return s.Tactic == tactic })
			if n < 0 {
				n = len(out)
				out = append(out, PathStep{Tactic: tactic, Name: attack.TacticName(tactic), At: a.Time, Techniques: []string{}})
			}
			step := &out[n]
			step.Alerts++
			if a.Time.Before(step.At) {
				step.At = a.Time
			}
			if !slices.Contains(step.Techniques, x.ID) && len(step.Techniques) < profileTop {
				step.Techniques = append(step.Techniques, x.ID)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b PathStep) int { return a.At.Compare(b.At) })
	return out
}
