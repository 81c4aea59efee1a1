package triage

import (
	"math"
	"time"
)

// A Signal is what triage sees of one claim.
type Signal struct {
	Time  time.Time
	Rule  string // stable name of the rule, of any product
	Asset string // the machine it is about, "" when unknown
	// Own says that our own decoys saw it. Nobody has business with a decoy, so
	// neither how seldom a rule fires there nor what fires beside it says
	// anything; only Points and verdicts count.
	Own bool
	// Points is what the rules know by themselves (severity, tactics, a token's
	// use...) as log odds that it needs a human.
	Points float64
}

// Features are the numbers a model weighs, in the order of [FeatureNames].
type Features [featureCount]float64

// The spans of "shortly before". Half a minute holds what one action sets off,
// five minutes a step of an attack, half an hour an attack.
var spans = [...]float64{30, 300, 1800} // seconds

const spanCount = len(spans)

// Places a signal is compared with. A scope that does not apply reads zero.
const (
	atAsset = iota
	atSite
	scopeCount
)

var scopeNames = [scopeCount]string{"asset", "site"}

// Features of one scope, in order.
const (
	fRare  = iota // how seldom the rule fires here, -log of its share
	fGap          // log seconds since it last did
	fRate         // log of times a day
	fSpans        // then for each span: the five below
)

const (
	fCompany    = iota // how unusual the other rules are that fired shortly before
	fSame              // how often this rule did, decayed
	fDistinct          // how many other rules did
	fSuspicion         // what verdicts say of those others, summed
	fSuspicious        // and the worst of them
	perSpan
)

const (
	perScope     = fSpans + perSpan*spanCount
	fPrior       = scopeCount * perScope // what verdicts say of the rule, log odds
	fKnownBad    = fPrior + 1            // the part of it above what is common
	fUnknown     = fPrior + 2            // no verdict on this rule yet
	fOwn         = fPrior + 3            // 1: seen by our own decoys
	fPoints      = fPrior + 4            // Signal.Points
	featureCount = fPrior + 5
)

// FeatureNames returns the stable names of the features, in order.
func FeatureNames() []string {
	names := make([]string, featureCount)
	for s := range scopeCount {
		p := names[s*perScope:]
		p[fRare], p[fGap], p[fRate] = scopeNames[s]+"_rare", scopeNames[s]+"_gap", scopeNames[s]+"_rate"
		for k, span := range spans {
			q := p[fSpans+k*perSpan:]
			at := scopeNames[s] + "_" + (time.Duration(span) * time.Second).String()
			q[fCompany], q[fSame], q[fDistinct] = at+"_company", at+"_same", at+"_distinct"
			q[fSuspicion], q[fSuspicious] = at+"_suspicion", at+"_suspicious"
		}
	}
	names[fPrior], names[fKnownBad], names[fUnknown] = "prior", "known_bad", "unknown_rule"
	names[fOwn], names[fPoints] = "own", "points"
	return names
}

// Bounds of what an Observer remembers.
const (
	maxAssets = 20_000
	maxRules  = 2_048   // of one scope
	maxSeen   = 200_000 // rules of all assets together: some 40 MB
	maxRecent = 64      // other rules looked at
	maxName   = 256     // bytes of a rule's or an asset's name; the rest is cut
)

// An Observer turns signals into features. It remembers a bounded number of
// assets and rules, the least recently seen are forgotten first. It is not safe
// for concurrent use.
type Observer struct {
	site   *scope
	assets map[string]*scope
	head   *scope // most recently seen asset
	tail   *scope
	seen   int // rules of all assets
}

// NewObserver returns an observer that has seen nothing.
func NewObserver() *Observer {
	return &Observer{site: newScope(""), assets: map[string]*scope{}}
}

// Observe returns the features of s as of now, then remembers s. priors is what
// verdicts say of rules; nil means there are none. Signals come in the order of
// their time; one that comes late counts as if it came with the newest before
// it, and of those of one time the earlier given is the earlier.
func (o *Observer) Observe(s Signal, priors *Priors) Features {
	var f Features
	at := float64(s.Time.UnixMilli()) / 1000
	s.Rule, s.Asset = clip(s.Rule), clip(s.Asset)
	if s.Asset != "" {
		a := o.asset(s.Asset)
		o.seen -= len(a.rules)
		a.observe(f[atAsset*perScope:(atAsset+1)*perScope], at, s.Rule, priors, !s.Own)
		o.seen += len(a.rules)
		for o.seen > maxSeen && o.tail != a {
			o.forget(o.tail)
		}
	}
	o.site.observe(f[atSite*perScope:(atSite+1)*perScope], at, s.Rule, priors, !s.Own)
	f[fPoints] = s.Points
	if s.Own {
		f[fOwn] = 1
	}
	priors.Describe(s.Rule, &f)
	return f
}

func clip(s string) string {
	if len(s) > maxName {
		return s[:maxName]
	}
	return s
}

func (o *Observer) forget(a *scope) {
	o.unlink(a)
	delete(o.assets, a.name)
	o.seen -= len(a.rules)
}

// asset returns the scope of an asset and makes it the most recently seen.
func (o *Observer) asset(name string) *scope {
	a, ok := o.assets[name]
	switch {
	case !ok:
		if len(o.assets) >= maxAssets {
			o.forget(o.tail)
		}
		a = newScope(name)
		o.assets[name] = a
	case a == o.head:
		return a
	default:
		o.unlink(a)
	}
	o.link(a)
	return a
}

// link makes a the most recently seen.
func (o *Observer) link(a *scope) {
	a.next = o.head
	if o.head != nil {
		o.head.prev = a
	}
	o.head = a
	if o.tail == nil {
		o.tail = a
	}
}

func (o *Observer) unlink(a *scope) {
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		o.head = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	} else {
		o.tail = a.prev
	}
	a.prev, a.next = nil, nil
}

// A scope is what was seen at one place.
type scope struct {
	name       string
	rules      map[string]*seen
	head, tail *seen // by when they came, newest first
	first      float64
	last       float64
	total      float64 // signals, decayed over memory
	prev, next *scope
}

// seen is what a scope knows of one rule.
type seen struct {
	rule       string
	count      float64 // decayed over memory, as of last
	last       float64
	same       [spanCount]float64 // decayed over the spans, as of last
	prev, next *seen
}

func newScope(name string) *scope { return &scope{name: name, rules: map[string]*seen{}} }

const (
	day = 86400.0
	// memory is how long a scope takes to forget what was usual.
	memory = 30 * day
	// acquainted is how long it takes to half know what is usual.
	acquainted = day / 12
)

// observe writes the features of rule at time at when they are wanted, then
// counts it.
func (s *scope) observe(f []float64, at float64, rule string, priors *Priors, wanted bool) {
	if s.total == 0 {
		s.first, s.last = at, at
	}
	s.first = min(s.first, at)
	s.total *= faded(at-s.last, memory)
	s.last = latest(s.last, at)
	// The time the decayed counts stand for.
	age := memory * (1 - faded(at-s.first, memory))
	r := s.rules[rule]
	count, gap := 0.0, 6*day
	if r != nil {
		gap = max(at-r.last, 0)
		count = r.count * faded(gap, memory)
	}
	if wanted {
		f[fRare] = -math.Log((count + 1) / (s.total + 20))
		f[fGap] = math.Log1p(min(gap, max(age, 3600)))
		f[fRate] = math.Log1p(count / (age/day + 0.5))
		s.company(f[fSpans:], at, rule, age, priors)
	}
	if r == nil {
		r = s.fresh(rule)
		r.last = at
	}
	for k, span := range spans {
		r.same[k] *= faded(gap, span)
		if wanted {
			f[fSpans+k*perSpan+fSame] = math.Log1p(r.same[k])
		}
		r.same[k]++
	}
	r.count = count + 1
	s.total++
	r.last = latest(r.last, at)
	s.front(r)
}

// faded is what is left of something after a time of a decay of span.
func faded(after, span float64) float64 {
	if after <= 0 {
		return 1
	}
	return math.Exp(-after / span)
}

// latest returns the later moment, unless the last one cannot be true: a record
// with a wrong clock must not stop time for all that follow.
func latest(last, at float64) float64 {
	if last > at+day {
		return at
	}
	return max(last, at)
}

// company writes what other rules fired within each span before at.
func (s *scope) company(f []float64, at float64, rule string, age float64, priors *Priors) {
	var company, distinct, sum, worst [spanCount]float64
	n := 0
	// Who has watched for an hour cannot say what is unusual.
	sure := age / (age + acquainted)
	for o := s.head; o != nil && n < maxRecent && at-o.last <= spans[spanCount-1]; o = o.next {
		if o.rule == rule || o.last > at+spans[spanCount-1] {
			continue
		}
		n++
		// A rule that fires once a day is half as telling as one never seen.
		rarity := sure / (1 + o.count/(age/day+1))
		bad := 0.0
		if priors != nil {
			p, _ := priors.LogOdds(o.rule)
			bad = max(0, p+7)
		}
		for k := spanCount - 1; k >= 0 && at-o.last <= spans[k]; k-- {
			company[k] += rarity
			distinct[k]++
			sum[k] += bad
			worst[k] = max(worst[k], bad)
		}
	}
	for k := range spanCount {
		q := f[k*perSpan:]
		q[fCompany], q[fDistinct] = math.Log1p(4*company[k]), math.Log1p(distinct[k])
		q[fSuspicion], q[fSuspicious] = math.Log1p(sum[k]), worst[k]
	}
}

// fresh makes room for a rule.
func (s *scope) fresh(rule string) *seen {
	if len(s.rules) >= maxRules {
		old := s.tail
		s.unlink(old)
		delete(s.rules, old.rule)
	}
	r := &seen{rule: rule}
	s.rules[rule] = r
	s.link(r)
	return r
}

func (s *scope) front(r *seen) {
	if s.head != r {
		s.unlink(r)
		s.link(r)
	}
}

func (s *scope) link(r *seen) {
	r.next = s.head
	if s.head != nil {
		s.head.prev = r
	}
	s.head = r
	if s.tail == nil {
		s.tail = r
	}
}

func (s *scope) unlink(r *seen) {
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		s.head = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		s.tail = r.prev
	}
	r.prev, r.next = nil, nil
}
