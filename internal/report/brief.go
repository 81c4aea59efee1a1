package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Figure is one key figure with how it went. It is made of counts kept while
// alerts were written, so it costs the same however many there are: n, means and
// shares are exact, medians and 95th percentiles within three in a hundred.
type Figure struct {
	Name   string   `json:"name" doc:"as in /report/kpi"`
	Unit   string   `json:"unit" enum:"ms,share,count"`
	Target float64  `json:"target"`
	Better string   `json:"better" enum:"below,above,at_most" doc:"where the value is to be, seen from the target"`
	N      int64    `json:"n" doc:"how many it was counted from; without any there is no value"`
	Hits   int64    `json:"hits,omitempty" doc:"of a share"`
	Value  *float64 `json:"value,omitempty" doc:"mean, share or count"`
	P50    *float64 `json:"p50,omitempty"`
	P95    *float64 `json:"p95,omitempty"`
	Low    *float64 `json:"low,omitempty" doc:"lower end of the 95 % Wilson interval"`
	High   *float64 `json:"high,omitempty"`
	Result string   `json:"result" enum:"met,missed,no data"`
	Open   int64    `json:"open,omitempty" doc:"of the false positive rate: alerts nobody has judged"`
	Trend  []Point  `json:"trend" doc:"oldest first, steps of equal length; one without n has no value"`
	About  string   `json:"about" doc:"what it counts, in a sentence"`
}

// A Point is one step of a trend.
type Point struct {
	At    time.Time `json:"at" doc:"begin of the step"`
	N     int64     `json:"n"`
	Value *float64  `json:"value,omitempty"`
}

// about says what figures count.
var about = map[string]string{
	"time_to_detect_ms":        "From the first event behind an alert until the alert was raised; events older than the span are left out.",
	"time_to_respond_ms":       "From the opening of an incident until it was first contained or judged.",
	"false_positive_rate":      "Alerts judged false positives among all that were judged true, false or benign, by the time of the verdict.",
	"honeytoken_effectiveness": "Uses of honeytokens about which a critical alert stood within a minute and named the right reader, among all uses.",
	state.NeverEscape:          "Times a decoy's process broke the rules of its cage. Any is a critical alert.",
	state.NeverExfiltration:    "Times data left a real machine, as its own records say. Any is a critical alert.",
}

// Brief computes the figures of a window from one snapshot, at a cost that does
// not grow with the number of alerts.
func Brief(ctx context.Context, tx state.Tx, w Window) ([]Figure, error) {
	detect, err := spread(ctx, tx, w, state.TallyDetect, "time_to_detect_ms", targetDetect)
	if err != nil {
		return nil, err
	}
	respond, err := spread(ctx, tx, w, state.TallyRespond, "time_to_respond_ms", targetRespond)
	if err != nil {
		return nil, err
	}
	wrong, err := judged(ctx, tx, w)
	if err != nil {
		return nil, err
	}
	tokens, err := tokensWorked(ctx, tx, w)
	if err != nil {
		return nil, err
	}
	never, err := neverHappened(ctx, tx, w)
	if err != nil {
		return nil, err
	}
	return append([]Figure{detect, respond, wrong, tokens}, never...), nil
}

// trendStep is the step of counts a trend is made from.
func trendStep(w *Window) time.Duration {
	if w.Trend < state.TallyDay {
		return state.TallyHour
	}
	return state.TallyDay
}

// figure begins a figure with an empty trend.
func figure(w *Window, name, unit string) Figure {
	f := Figure{Name: name, Unit: unit, Result: NoData, About: about[name], Trend: make([]Point, w.steps(w.Trend))}
	for i := range f.Trend {
		f.Trend[i].At = w.Since.Add(time.Duration(i) * w.Trend)
	}
	return f
}

// spread is a figure of durations that are counted in buckets.
func spread(ctx context.Context, tx state.Tx, w Window, kind state.TallyKind, name string, target time.Duration) (Figure, error) {
	f := figure(&w, name, "ms")
	f.Target, f.Better = ms(target), "below"
	type bucket struct {
		took time.Duration
		n    int64
	}
	all := map[string]bucket{}
	sums := make([]float64, len(f.Trend))
	sum := 0.0
	q := state.TallyQuery{Kind: kind, Step: trendStep(&w), From: w.Since, To: w.Until}
	err := tx.Tallies().Read(ctx, q, func(x state.Tally) error {
		took, n := state.TallyDuration(x.Name), x.By.Total()
		// What happened before the span says nothing about how fast we are in it.
		if kind == state.TallyDetect && x.At.Add(q.Step).Add(-took).Before(w.Since) {
			return nil
		}
		b := all[x.Name]
		all[x.Name] = bucket{took, b.n + n}
		f.N += n
		sum += float64(x.Weight)
		if i, ok := w.place(x.At, w.Trend); ok {
			f.Trend[i].N += n
			sums[i] += float64(x.Weight)
		}
		return nil
	})
	if err != nil || f.N == 0 {
		return f, err
	}
	list := make([]bucket, 0, len(all))
	for _, b := range all {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b bucket) int { return cmp.Compare(a.took, b.took) })
	at := func(share float64) *float64 {
		left := int64(rank(int(f.N), share))
		for _, b := range list {
			if left -= b.n; left < 0 {
				v := ms(b.took)
				return &v
			}
		}
		return nil
	}
	mean := sum / float64(f.N)
	f.Value, f.P50, f.P95, f.Result = &mean, at(.5), at(.95), result(mean < f.Target)
	for i := range f.Trend {
		if p := &f.Trend[i]; p.N > 0 {
			v := sums[i] / float64(p.N)
			p.Value = &v
		}
	}
	return f, nil
}

// shares completes a figure of a share, and its trend, from hits among n.
func (f *Figure) shares(hits, n int64, trend []int64) {
	s := share(f.Name, hits, n, 0, 0)
	f.Hits, f.N, f.Value, f.Low, f.High = hits, n, s.Value, s.Low, s.High
	if s.Value != nil {
		f.Result = result(f.Better == "below" && *s.Value < f.Target || f.Better == "above" && *s.Value > f.Target)
	}
	for i := range f.Trend {
		if p := &f.Trend[i]; p.N > 0 {
			v := float64(trend[i]) / float64(p.N)
			p.Value = &v
		}
	}
}

func judged(ctx context.Context, tx state.Tx, w Window) (Figure, error) {
	f := figure(&w, "false_positive_rate", "share")
	f.Target, f.Better = targetFalse, "below"
	words, err := tx.Tallies().Words(ctx, w.Since, w.Until, w.Trend)
	if err != nil {
		return f, err
	}
	hits, wrong, n := make([]int64, len(f.Trend)), int64(0), int64(0)
	for _, x := range words {
		_, telling := x.Word.Telling()
		// Steps of the store begin at multiples since 1970, those of the window with it.
		i, ok := w.place(x.At.Add(w.Trend/2), w.Trend)
		if !telling || !ok {
			continue
		}
		n, f.Trend[i].N = n+x.N, f.Trend[i].N+x.N
		if x.Word == honeyguide.VerdictFalsePositive {
			wrong, hits[i] = wrong+x.N, hits[i]+x.N
		}
	}
	f.shares(wrong, n, hits)
	open, err := tx.Tallies().Open(ctx)
	for status, by := range open {
		if state.OpenAlert(status) {
			f.Open += by.Total()
		}
	}
	return f, err
}

// maxTokenAlerts bounds the alerts about used tokens that are compared with uses.
const maxTokenAlerts = 5000

func tokensWorked(ctx context.Context, tx state.Tx, w Window) (Figure, error) {
	f := figure(&w, "honeytoken_effectiveness", "share")
	f.Target, f.Better = targetTokens, "above"
	c := &counting{since: w.Since, until: w.Until, uses: map[string][]honeyguide.Alert{}}
	q := state.AlertQuery{From: w.Since, To: w.Until, Rule: ruleTokenUsed, Shown: true, Page: state.Page{Limit: state.MaxLimit}}
	for n := 0; n < maxTokenAlerts; {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return f, err
		}
		for i := range list {
			c.tokenAlert(&list[i])
		}
		n += len(list)
		if q.After = next; next == "" {
			break
		}
	}
	worked, uses, err := c.effectiveness(ctx, tx)
	hits := make([]int64, len(f.Trend))
	for _, u := range c.used {
		if i, ok := w.place(u.at, w.Trend); ok {
			f.Trend[i].N++
			if u.worked {
				hits[i]++
			}
		}
	}
	f.shares(worked, uses, hits)
	return f, err
}

func neverHappened(ctx context.Context, tx state.Tx, w Window) ([]Figure, error) {
	out := []Figure{figure(&w, state.NeverEscape, "count"), figure(&w, state.NeverExfiltration, "count")}
	err := tx.Tallies().Read(ctx, state.TallyQuery{Kind: state.TallyNever, Step: trendStep(&w), From: w.Since, To: w.Until}, func(x state.Tally) error {
		for i := range out {
			if f := &out[i]; f.Name == x.Name {
				f.N += x.By.Total()
				if n, ok := w.place(x.At, w.Trend); ok {
					f.Trend[n].N += x.By.Total()
				}
			}
		}
		return nil
	})
	for i := range out {
		f := &out[i]
		v := float64(f.N)
		f.Value, f.Better, f.Result = &v, "at_most", result(f.N == 0)
		for i := range f.Trend {
			v := float64(f.Trend[i].N)
			f.Trend[i].Value = &v
		}
	}
	return out, err
}
