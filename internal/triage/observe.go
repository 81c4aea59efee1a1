package triage

import (
	"math"
	"time"

	"honeyguide"
)

// A Signal is what triage sees of one claim.
type Signal struct {
	Time     time.Time
	Rule     string // stable name of the rule, of any product
	Asset    string // the machine it is about, "" when unknown
	Source   string // who caused it, "" when unknown
	Severity honeyguide.Severity
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
	featureCount = fPrior + 3
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
	return names
}

// Bounds of what an Observer remembers.
const (
	maxAssets = 20_000
	maxRules  = 2_048 // of one scope
	maxRecent = 64    // other rules looked at
)

// An Observer turns signals into features. It remembers a bounded number of
// assets and rules, the least recently seen are forgotten first. It is not safe
// for concurrent use.
type Observer struct {
	site   *scope
	assets map[string]*scope
	head   *scope // most recently seen asset
	tail   *scope
}

// NewObserver returns an observer that has seen nothing.
func NewObserver() *Observer {
	return &Observer{site: newScope(""), assets: map[string]*scope{}}
}

// Observe returns the features of s as of now, then remembers s. priors is what
// verdicts say of rules; nil means there are none.
func (o *Observer) Observe(s Signal, priors *Priors) Features {
	var f Features
	at := float64(s.Time.UnixMilli()) / 1000
	if s.Asset != "" {
		o.asset(s.Asset).observe(f[atAsset*perScope:(atAsset+1)*perScope], at, s.Rule, priors)
	}
	o.site.observe(f[atSite*perScope:(atSite+1)*perScope], at, s.Rule, priors)
	if priors != nil {
		p, known := priors.LogOdds(s.Rule)
		f[fPrior], f[fKnownBad] = p, max(0, p+6)
		if !known {
			f[fUnknown] = 1
		}
	}
	return f
}

// asset returns the scope of an asset and makes it the most recently seen.
func (o *Observer) asset(name string) *scope {
	a, ok := o.assets[name]
	switch {
	case !ok:
		if len(o.assets) >= maxAssets {
			old := o.tail
			o.unlink(old)
			delete(o.assets, old.name)
		}
		a = newScope(name)
		o.assets[name] = a
	case a == o.head:
		return a
	default:
		o.unlink(a)
	}
	a.next = o.head
	if o.head != nil {
		o.head.prev = a
	}
	o.head = a
	if o.tail == nil {
		o.tail = a
	}
	return a
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
	head, tail *seen // by last time, newest first
	first      float64
	total      float64
	prev, next *scope
}

// seen is what a scope knows of one rule.
type seen struct {
	rule       string
	count      float64
	last       float64
	same       [spanCount]float64 // decayed counts
	prev, next *seen
}

func newScope(name string) *scope { return &scope{name: name, rules: map[string]*seen{}} }

const day = 86400.0

// observe writes the features of rule at time at, then counts it.
func (s *scope) observe(f []float64, at float64, rule string, priors *Priors) {
	if s.total == 0 {
		s.first = at
	}
	age := max(at-s.first, 0)
	r := s.rules[rule]
	count, gap := 0.0, 6*day
	if r != nil {
		count, gap = r.count, max(at-r.last, 0)
	}
	f[fRare] = -math.Log((count + 1) / (s.total + 20))
	f[fGap] = math.Log1p(min(gap, max(age, 3600)))
	f[fRate] = math.Log1p(count / (age/day + 0.5))
	s.company(f[fSpans:], at, rule, age, priors)
	if r == nil {
		r = s.fresh(rule)
	}
	for k, span := range spans {
		r.same[k] *= math.Exp(-gap / span)
		f[fSpans+k*perSpan+fSame] = math.Log1p(r.same[k])
		r.same[k]++
	}
	r.count++
	s.total++
	r.last = max(r.last, at)
	s.front(r)
}

// company writes what other rules fired within each span before at.
func (s *scope) company(f []float64, at float64, rule string, age float64, priors *Priors) {
	var company, distinct, sum, worst [spanCount]float64
	n := 0
	for o := s.head; o != nil && n < maxRecent && at-o.last <= spans[spanCount-1]; o = o.next {
		if o.rule == rule {
			continue
		}
		n++
		// A rule that fires once a day is half as telling as one never seen.
		rarity := 1 / (1 + o.count/(age/day+1))
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
