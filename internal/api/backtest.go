package api

import (
	"context"
	"errors"
	"net/http"
	"sort"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

// Bounds of one back-test request: it answers within the write timeout, and
// says where to go on.
const (
	backtestTime  = 10 * time.Second
	backtestBatch = 4096
	maxRuleText   = 1 << 20
)

type backtestIn struct {
	Body struct {
		Text  string    `json:"text,omitempty" maxLength:"1048576" doc:"rules to try; they need not be in force"`
		Rule  string    `json:"rule,omitempty" maxLength:"256" doc:"or the id of one that is there"`
		From  time.Time `json:"from,omitzero" doc:"not before"`
		To    time.Time `json:"to,omitzero" doc:"before; the end of the log when absent"`
		After int64     `json:"after,omitempty" minimum:"0" doc:"next of the answer before"`
	}
}

// A Backtest is what rules would have done to the events of the past.
type Backtest struct {
	rulebook.Result
	Faults []RuleFault `json:"faults" doc:"of the rules that were tried"`
}

func (s *server) backtest() {
	o := op("/rules/backtest", "backtest-rules", "What rules would have fired on in the past. Long spans take several requests: go on with next")
	o.Method = http.MethodPost
	o.Errors = append(o.Errors, http.StatusNotFound)
	o.MaxBodyBytes = 2 * maxRuleText
	act(s, o, auth.PermRead, func(ctx context.Context, in *backtestIn) (Backtest, error) {
		set, err := s.tried(in)
		if err != nil {
			return Backtest{}, err
		}
		log, ok := s.dep.Events.(eventlog.Log)
		if !ok {
			return Backtest{}, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the event log cannot be read in order here"}
		}
		bench := rulebook.NewBench(set)
		out := Backtest{Faults: faultsOf(bench.Edition().Faults)}
		if bench.Edition().InForce == 0 {
			out.Result = rulebook.NewTrial(bench).Result()
			return out, nil
		}
		out.Result, err = s.try(ctx, log, bench, in)
		return out, err
	})
}

// tried returns the rules a back-test is about.
func (s *server) tried(in *backtestIn) (*sigma.Ruleset, error) {
	switch {
	case in.Body.Rule != "" && in.Body.Text != "":
		return nil, invalid("give text or rule, not both")
	case in.Body.Rule != "":
		b, x, _, err := s.rule(in.Body.Rule)
		if err != nil {
			return nil, err
		}
		return b.Current().Only(x), nil
	case in.Body.Text != "":
		set := &sigma.Ruleset{}
		set.Add("text", []byte(in.Body.Text), nil)
		return set, nil
	}
	return nil, invalid("give text or rule")
}

// try reads the log for as long as one request may take.
func (s *server) try(ctx context.Context, log eventlog.Log, bench *rulebook.Bench, in *backtestIn) (rulebook.Result, error) {
	trial := rulebook.NewTrial(bench)
	first, last, err := log.Ends(ctx)
	if err != nil {
		return rulebook.Result{}, eventError(err)
	}
	pos := eventlog.Seq(in.Body.After)
	if pos == 0 {
		if pos, err = startOf(ctx, log, first, last, in.Body.From); err != nil {
			return rulebook.Result{}, eventError(err)
		}
	}
	until := s.dep.Now().Add(backtestTime)
	for pos < last {
		recs, err := log.Read(ctx, pos, int(min(int64(last-pos), backtestBatch)))
		if errors.Is(err, eventlog.ErrTrimmed) {
			if first, _, err = log.Ends(ctx); err == nil && first-1 > pos {
				pos = first - 1
				continue
			}
		}
		if err != nil {
			return rulebook.Result{}, eventError(err)
		}
		if len(recs) == 0 {
			break
		}
		for i := range recs {
			e := recs[i].Event
			pos = recs[i].Seq
			if pos <= last && !e.Time.Before(in.Body.From) && (in.Body.To.IsZero() || e.Time.Before(in.Body.To)) {
				trial.Add(&e)
			}
		}
		if s.dep.Now().After(until) && pos < last {
			res := trial.Result()
			res.Next = int64(pos)
			return res, nil
		}
	}
	return trial.Result(), nil
}

// late is how much later than it happened an event may have been stored.
const late = time.Hour

// startOf returns the position before the first event stored at or after from,
// less what may have come late.
func startOf(ctx context.Context, log eventlog.Log, first, last eventlog.Seq, from time.Time) (eventlog.Seq, error) {
	if from.IsZero() || last < first {
		return first - 1, nil
	}
	from = from.Add(-late)
	var failed error
	n := sort.Search(int(last-first+1), func(i int) bool {
		recs, err := log.Read(ctx, first+eventlog.Seq(i)-1, 1)
		if err != nil {
			failed = err
			return true
		}
		return len(recs) == 0 || !recs[0].Event.Observed.Before(from)
	})
	if errors.Is(failed, eventlog.ErrTrimmed) {
		failed = nil
	}
	return first + eventlog.Seq(n) - 1, failed
}
