package detect

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/triage"
)

// TriageConfig says what the score may know of the site.
type TriageConfig struct {
	Scanners   []netip.Prefix // our own scanners, backups, monitors: their alerts weigh less
	MaxSources int            // remembered at a time; 0 means 50,000
	// Models returns the model that scores, and the one that runs beside it and
	// shows nothing; nil for none. Nil: the one of a site without verdicts scores.
	Models func() (active, shadow *triage.Model)
	// Compared is told what the shadow makes of a score the active model gave.
	// Nil: nobody needs to know.
	Compared func(active, shadow float64)
}

// Triage gives alerts a score from 0 to 100 that is the sum of its reasons.
// Points come from what the rules know; the rest from a model that knows what
// verdicts say of the rule, how unusual it is and what else fired, see package
// triage. It learns of each source only from the alerts it scores, in their
// order.
type Triage struct {
	cfg      TriageConfig
	sources  *Memory[record]
	observer *triage.Observer
	cold     *triage.Model
	seen     triage.Features // of the claim at hand
	model    *triage.Model   // that scores it
	asleep   bool            // the observer has seen what is scored now
	said     phrases
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
	return &Triage{
		cfg: cfg, sources: NewMemory(cfg.MaxSources, func() record { return record{} }), observer: triage.NewObserver(), cold: triage.Cold(),
	}
}

// base is what a severity alone is worth when our own decoys saw it: nobody has
// business there.
var base = [...]float64{0, 5, 15, 35, 60, 85}

// others is the same for what was seen elsewhere, by another product or in its
// logs: mostly noise, whatever it calls itself.
var others = [...]float64{10, 5, 10, 20, 35, 55}

// floors are scores no reason may press an alert below.
var floors = map[string]float64{"token_used": 90, "sandbox_violation": 95, "success_after_failures": 60}

// Score sets a's score and remembers a, a claim about e, which says on which
// machine it happened and who saw it; nil when there is no event. The reasons are
// written when the score is above above: of several claims about one thing only
// the best scored is explained. -1 always explains.
func (t *Triage) Score(a *honeyguide.Alert, e *honeyguide.Event, above float64) {
	// What correlation says is our own conclusion, whoever saw the parts.
	external := a.Detector == "finding" || e != nil && External(e) && a.Detector != "correlate"
	rec := t.sources.At(a.Attacker)
	rec.note(a, external)
	s := scorer{a: a, said: &t.said, quiet: true}
	t.points(&s, rec, external)
	t.observe(a, e, external, s.sum)
	s.sum = triage.Points(t.model.LogOdds(&t.seen))
	s.close(floors[a.RuleID])
	if a.Score <= above {
		return
	}
	s = scorer{a: a, said: &t.said, reasons: make([]honeyguide.Reason, 0, 8)}
	t.points(&s, rec, external)
	for _, c := range t.model.Explain(&t.seen) {
		s.add(c.Name, triage.Scale(c.LogOdds), "Odds times %.2g: %s.", math.Exp(c.LogOdds), c.Text)
	}
	s.close(floors[a.RuleID])
	a.Seen = t.seen.Pack()
	t.compare(a)
}

// observe writes what the model knows of a claim into seen.
func (t *Triage) observe(a *honeyguide.Alert, e *honeyguide.Event, external bool, points float64) {
	t.model = t.cold
	if t.cfg.Models != nil {
		if active, _ := t.cfg.Models(); active != nil {
			t.model = active
		}
	}
	if t.asleep {
		t.seen = triage.Features{}
		return
	}
	signal := triage.Signal{Time: a.LastAt, Rule: a.RuleID, Asset: a.Sensor, Own: !external, Points: triage.LogOdds(points)}
	if e != nil {
		signal.Time = e.Time
		if external {
			signal.Asset = Asset(e)
		}
	}
	t.seen = t.observer.Observe(signal, t.model.Priors)
}

// compare lets the shadow score what was scored.
func (t *Triage) compare(a *honeyguide.Alert) {
	if t.cfg.Models == nil || t.cfg.Compared == nil {
		return
	}
	if _, shadow := t.cfg.Models(); shadow != nil {
		f := t.seen
		shadow.Priors.Describe(a.RuleID, &f)
		score := triage.Points(shadow.LogOdds(&f))
		t.cfg.Compared(a.Score, min(max(score, floors[a.RuleID], 0), 100))
	}
}

// Asset names the machine an event of another product is about: the one that
// reported it, else the one it was aimed at, else what handed it in.
func Asset(e *honeyguide.Event) string {
	if d := e.Str(honeyguide.AttrDevice); d != "" {
		return d
	}
	if e.Dst.Hostname != "" {
		return e.Dst.Hostname
	}
	if a := e.Dst.Addr.Addr(); a.IsValid() {
		return a.Unmap().WithZone("").String()
	}
	return e.Sensor
}

// Memory returns what triage remembers of the log, for Recall.
func (t *Triage) Memory() []byte { return t.observer.Encode() }

// Recall makes triage remember what Memory returned.
func (t *Triage) Recall(memory []byte) error {
	o, err := triage.ReadObserver(memory)
	if err != nil {
		return err
	}
	t.observer = o
	return nil
}

// Sleep says whether what is scored now is in the memory already. What is
// scored asleep has no meaning.
func (t *Triage) Sleep(asleep bool) { t.asleep = asleep }

// points adds up what the rules know by themselves.
func (t *Triage) points(s *scorer, rec *record, external bool) {
	a, worth := s.a, base
	if external {
		worth = others
	}
	s.add("severity", worth[min(int(a.Severity), len(worth)-1)], "The rule %s is of %s severity.", a.RuleID, a.Severity)
	t.history(s, rec, external)
	t.nature(s, rec)
}

// note learns from a.
func (r *record) note(a *honeyguide.Alert, external bool) {
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
	switch {
	case a.Detector == "correlate": // says what others said together
	case external:
		r.external = true
	default:
		r.own = true
	}
	r.login = r.login || a.RuleID == "decoy_login" || a.RuleID == "success_after_failures"
	r.last = a.LastAt
}

// history weighs what the source did besides. How often another product repeats
// itself is the model's to judge.
func (t *Triage) history(s *scorer, r *record, external bool) {
	if n := len(r.tactics); n > 1 {
		s.add("tactics", min(3*float64(n-1), 15), "The source has shown %d ATT&CK tactics: %s.", n, tacticNames(r.tactics))
	}
	if r.count >= 10 && !external {
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
	if x, points := listed(s.a); points != 0 {
		s.add("listed", points, "%s lists %s as %s.", x.Provider, clip(cmp.Or(x.Match, x.Value), 200), x.Verdict)
	}
	for _, p := range t.cfg.Scanners {
		if p.Contains(addr) {
			s.add("scanner_suspected", -40, "The source belongs to %s, listed as a scanner of our own.", p)
			break
		}
	}
}

// listed returns the feed entry about values of an alert that says most, and what
// it is worth: a bad name counts before a good one, and a good one excuses no bait.
func listed(a *honeyguide.Alert) (best *honeyguide.Enrichment, points float64) {
	for i := range a.Enrichments {
		x := &a.Enrichments[i]
		p := reputationWorth(x)
		if p < 0 && certain(a) {
			continue
		}
		if p > 0 && p > points || p < 0 && points <= 0 && p < points {
			best, points = x, p
		}
	}
	return best, points
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
	said    *phrases
	reasons []honeyguide.Reason
	sum     float64
	quiet   bool // sums only
}

// phrases keeps one copy of each sentence: thousands of alerts give the same few
// reasons.
type phrases struct {
	known map[string]string
	buf   []byte
}

const maxPhrases = 8192

func (p *phrases) sprintf(format string, args ...any) string {
	p.buf = fmt.Appendf(p.buf[:0], format, args...)
	if s, ok := p.known[string(p.buf)]; ok {
		return s
	}
	if p.known == nil || len(p.known) >= maxPhrases {
		p.known = map[string]string{}
	}
	s := string(p.buf)
	p.known[s] = s
	return s
}

func (s *scorer) add(feature string, weight float64, text string, args ...any) {
	s.sum += weight
	if !s.quiet {
		s.reasons = append(s.reasons, honeyguide.Reason{Feature: feature, Weight: weight, Text: s.said.sprintf(text, args...)})
	}
}

// close lifts the sum to a floor, by a reason of its own, and clamps it.
func (s *scorer) close(floor float64) {
	if floor > s.sum && floor > 0 {
		s.add("floor", floor-s.sum, "Alerts of the rule %s never score below %.0f.", s.a.RuleID, floor)
	}
	s.a.Score, s.a.Reasons = min(max(s.sum, 0), 100), s.reasons
}
