package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
)

// TriageConfig says what the score may know of the site.
type TriageConfig struct {
	Scanners   []netip.Prefix // our own scanners, backups, monitors: their alerts weigh less
	MaxSources int            // remembered at a time; 0 means 50,000
}

// Triage gives alerts a score from 0 to 100 that is the sum of its reasons.
// It learns of each source only from the alerts it scores, in their order.
type Triage struct {
	cfg     TriageConfig
	sources *Memory[record]
}

// A record is what triage knows of one source.
type record struct {
	tactics  []string // ids
	rules    []string
	services []string // sensors
	count    int64
	own      bool // seen by our decoys
	external bool // seen by another product
	login    bool
	last     time.Time
}

// NewTriage returns a triage without memory.
func NewTriage(cfg TriageConfig) *Triage {
	if cfg.MaxSources == 0 {
		cfg.MaxSources = 50_000
	}
	return &Triage{cfg: cfg, sources: NewMemory(cfg.MaxSources, func() record { return record{} })}
}

// base is what a severity alone is worth.
var base = [...]float64{0, 5, 15, 35, 60, 85}

// floors are scores no reason may press an alert below.
var floors = map[string]float64{"token_used": 90, "sandbox_violation": 95, "success_after_failures": 60}

// Score sets a's score and remembers a. The reasons are written when the score
// is above above: of several claims about one thing only the best scored is
// explained. -1 always explains.
func (t *Triage) Score(a *honeyguide.Alert, above float64) {
	rec := t.sources.At(a.Attacker)
	rec.note(a)
	s := scorer{a: a, quiet: true}
	t.sum(&s, rec)
	if a.Score > above {
		s = scorer{a: a}
		t.sum(&s, rec)
	}
}

// sum adds up all reasons.
func (t *Triage) sum(s *scorer, rec *record) {
	a := s.a
	s.add("severity", base[min(int(a.Severity), len(base)-1)], "The rule %s is of %s severity.", a.RuleID, a.Severity)
	t.history(s, rec)
	t.nature(s, rec)
	s.close(floors[a.RuleID])
}

// note learns from a.
func (r *record) note(a *honeyguide.Alert) {
	put := func(list *[]string, v string, most int) {
		if v != "" && len(*list) < most && !slices.Contains(*list, v) {
			*list = append(*list, v)
		}
	}
	for _, id := range Tactics(a.Attacks) {
		put(&r.tactics, id, 16)
	}
	put(&r.rules, a.RuleID, 64)
	put(&r.services, a.Sensor, 16)
	r.count += a.Count
	switch a.Detector {
	case "finding":
		r.external = true
	case "correlate": // says what others said together
	default:
		r.own = true
	}
	r.login = r.login || a.RuleID == "decoy_login" || a.RuleID == "success_after_failures"
	r.last = a.LastAt
}

// history weighs what the source did besides.
func (t *Triage) history(s *scorer, r *record) {
	if n := len(r.tactics); n > 1 {
		s.add("tactics", min(3*float64(n-1), 15), "The source has shown %d ATT&CK tactics: %s.", n, tacticNames(r.tactics))
	}
	if r.count >= 10 {
		points := 2.0
		for n := r.count; n >= 100 && points < 8; n /= 10 {
			points += 2
		}
		s.add("repetition", points, "The source has caused at least %d events that raised alerts.", magnitude(r.count))
	}
	if n := len(r.services); n > 1 {
		s.add("several_decoys", min(2*float64(n-1), 6), "The source was active on %d sensors.", n)
	}
	if r.own && r.external {
		s.add("corroborated", 10, "Our decoys and another product both report this source.")
	}
	if r.login && s.a.RuleID != "decoy_contact" {
		s.add("logged_in", 8, "The source holds a log-in on a decoy.")
	}
}

// nature weighs what the alert itself is about.
func (t *Triage) nature(s *scorer, _ *record) {
	for _, o := range s.a.Observed {
		if o.Name == honeyguide.AttrReader && "attacker:"+o.Value != s.a.Attacker {
			s.add("other_reader", 5, "The bait was read by another source, %s, than the one that used it.", o.Value)
			break
		}
	}
	if s.a.RuleID == "token_used" {
		s.add("token_used", 10, "The credential exists nowhere but in our bait, so nobody uses it by mistake.")
	}
	addr := s.a.Src.Addr.Addr().Unmap()
	if addr.IsPrivate() && !addr.IsLoopback() {
		s.add("internal_source", 5, "The source %s is inside the network.", addr)
	}
	for _, p := range t.cfg.Scanners {
		if p.Contains(addr) {
			s.add("scanner_suspected", -40, "The source belongs to %s, listed as a scanner of our own.", p)
			break
		}
	}
}

// tacticNames is a list of tactic ids that prints as names.
type tacticNames []string

// String joins the names.
func (ids tacticNames) String() string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, attack.TacticName(id))
	}
	return strings.Join(names, ", ")
}

// magnitude rounds down to one figure, so that the sentence does not change
// with every event.
func magnitude(n int64) int64 {
	unit := int64(1)
	for n/unit >= 10 {
		unit *= 10
	}
	return n / unit * unit
}

// A scorer sums reasons.
type scorer struct {
	a       *honeyguide.Alert
	reasons []honeyguide.Reason
	sum     float64
	quiet   bool // sums only
}

func (s *scorer) add(feature string, weight float64, text string, args ...any) {
	s.sum += weight
	if !s.quiet {
		s.reasons = append(s.reasons, honeyguide.Reason{Feature: feature, Weight: weight, Text: fmt.Sprintf(text, args...)})
	}
}

// close lifts the sum to a floor, by a reason of its own, and clamps it.
func (s *scorer) close(floor float64) {
	if floor > s.sum {
		s.add("floor", floor-s.sum, "Alerts of the rule %s never score below %.0f.", s.a.RuleID, floor)
	}
	s.a.Score, s.a.Reasons = min(max(s.sum, 0), 100), s.reasons
}
