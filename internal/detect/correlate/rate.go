package correlate

import (
	"fmt"
	"math"
	"slices"

	"honeyguide"
	"honeyguide/internal/detect"
)

// never is before every stretch.
const never = math.MinInt64

// A series counts what one key raises, by stretches of time.
type series struct {
	Counts []uint32 // a ring: stretch n stands at n modulo its length
	Newest int64    // newest stretch
	First  int64    // oldest stretch ever seen
	Limits [2]limit // of the stretches asked about last
}

// A limit is what one stretch may have before it is unusual.
type limit struct {
	Stretch int64
	Most    uint32 // 0: nothing is known of it
	Usual   uint32
}

// rate counts a claim for its rule, its asset and its source, and claims that one
// of them raises more than usual.
func (d *detector) rate(e *about, a *honeyguide.Alert) {
	stretch := e.at.UnixNano() / int64(d.cfg.RateBucket)
	if d.began == never || stretch < d.began {
		d.began = stretch
	}
	n := uint32(min(max(a.Count, 0), 1<<20))
	if n == 0 {
		return // it is about what was counted before
	}
	d.tick(&rules.rateRule, e, a.Detector+"/"+a.RuleID, "campaign:rate:"+a.RuleID, stretch, n)
	if host := e.asset; host != "" {
		d.tick(&rules.rateAsset, e, host, "asset:"+host, stretch, n)
	}
	d.tick(&rules.rateSource, e, a.Attacker, a.Attacker, stretch, n)
}

// tick counts n for a key and claims when the stretch has become unusual. All of
// the stretch belongs to the claim, whatever came first.
func (d *detector) tick(r *detect.Rule, e *about, key, attacker string, stretch int64, n uint32) {
	s := d.rates.At(r.ID + "|" + key)
	now, ok := s.add(stretch, n, d.cfg.RateHistory+2)
	if !ok || now < uint32(d.cfg.RateLeast) {
		return
	}
	l := s.limit(stretch, d)
	if l.Most == 0 || now <= l.Most {
		return
	}
	a := d.claim(r, e, key, attacker)
	a.Count = int64(n)
	if now-n <= l.Most { // the claim that tells of it counts what came before
		a.Count = int64(now)
	}
	a.Evidence[0].Text = fmt.Sprintf("%s: more than %d in %s; usual are %d", key, l.Most, d.cfg.RateBucket, l.Usual)
	a.Observed = nil
}

// add counts n into a stretch and returns what it has now; false when the stretch
// is older than what is remembered.
func (s *series) add(stretch int64, n uint32, size int) (uint32, bool) {
	switch {
	case s.Counts == nil:
		s.Counts = make([]uint32, min(size, firstSize))
		s.Newest, s.First = stretch, stretch
	case stretch > s.Newest:
		s.forward(stretch, size)
	case stretch <= s.Newest-int64(len(s.Counts)):
		if len(s.Counts) == size || s.Newest-stretch >= int64(size) {
			return 0, false
		}
		s.grow(int(s.Newest-stretch)+1, size)
	}
	s.First = min(s.First, stretch)
	at := &s.Counts[place(stretch, len(s.Counts))]
	*at = uint32(min(uint64(*at)+uint64(n), math.MaxUint32))
	return *at, true
}

// firstSize is the length of a fresh ring: most keys are seen once.
const firstSize = 4

func place(stretch int64, size int) int {
	return int((stretch%int64(size) + int64(size)) % int64(size))
}

// forward moves the newest stretch on and empties those between.
func (s *series) forward(stretch int64, size int) {
	if stretch-s.First >= int64(len(s.Counts)) && len(s.Counts) < size {
		s.grow(int(min(stretch-s.First+1, int64(size))), size)
	}
	for n := max(s.Newest+1, stretch-int64(len(s.Counts))+1); n <= stretch; n++ {
		s.Counts[place(n, len(s.Counts))] = 0
	}
	s.Newest = stretch
}

// grow makes the ring longer, for least stretches or more.
func (s *series) grow(least, size int) {
	longer := make([]uint32, min(max(least, 2*len(s.Counts)), size))
	for n := s.Newest - int64(len(s.Counts)) + 1; n <= s.Newest; n++ {
		longer[place(n, len(longer))] = s.Counts[place(n, len(s.Counts))]
	}
	s.Counts = longer
}

// limit says what a stretch may have: some deviations above the median of what
// came before. The stretch right before is left out, because its events may still
// come.
func (s *series) limit(stretch int64, d *detector) limit {
	for _, l := range s.Limits {
		if l.Stretch == stretch && l.Usual+l.Most > 0 {
			return l
		}
	}
	l := limit{Stretch: stretch}
	to := stretch - 2
	from := max(d.began, stretch-1-int64(d.cfg.RateHistory))
	if to-from+1 >= int64(d.cfg.RateLearn) {
		l.Most, l.Usual = s.usual(from, to, d.cfg)
	}
	s.Limits[1], s.Limits[0] = s.Limits[0], l
	return l
}

// usual takes median and median absolute deviation of the stretches from from to
// to; a key that was not seen has raised 0.
func (s *series) usual(from, to int64, cfg Config) (most, median uint32) {
	counts := make([]uint32, 0, to-from+1)
	for n := from; n <= to; n++ {
		if n > s.Newest-int64(len(s.Counts)) && n >= s.First {
			counts = append(counts, s.Counts[place(n, len(s.Counts))])
		} else {
			counts = append(counts, 0)
		}
	}
	median = middle(counts)
	for i, c := range counts {
		counts[i] = max(c, median) - min(c, median)
	}
	deviation := 1.4826 * float64(middle(counts))
	limit := float64(median) + cfg.RateDeviations*deviation
	// Where nothing ever varies the deviation is 0 and says nothing.
	limit = max(limit, 3*float64(median), float64(cfg.RateLeast))
	return uint32(min(limit, math.MaxUint32/2)), median
}

func middle(list []uint32) uint32 {
	slices.Sort(list)
	return list[len(list)/2]
}
