package sqlite

import (
	"context"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/state"
)

// A fade says which rows of a table are old enough to become pseudonyms: those of
// a lapse that nobody works with any more. $1 is the time.
type fade struct {
	lapse string // table whose rows decide; "": its own
	cond  string // instead of that of its lapse; "": that of its lapse
	in    string // for rows that hang on those of lapse: how, up to the condition
}

const closed = "incident NOT IN (SELECT id FROM incident WHERE status NOT IN ('resolved', 'closed'))"

// fades are the tables whose rows become pseudonyms. What is not here has its own
// end (acts, replies), is about the people who work here, or is proof (custody,
// bundles, holds).
var fades = map[string]fade{
	"session": {}, "sample": {}, "enrichment": {}, "dead_letter": {}, "notice": {}, "exposure": {}, "attacker_note": {}, "suppression": {}, "allowed": {},
	"incident": {}, "incident_change": {}, "login_try": {}, "login_session": {}, "job": {},
	"alert":             {cond: "last < $1 AND created < $1 AND " + closed},
	"plan":              {cond: "created < $1 AND holds = 0 AND " + closed},
	"run":               {cond: "created < $1 AND open = 0 AND " + closed},
	"timeline":          {cond: "at < $1 AND " + closed},
	"alert_evidence":    {lapse: "alert", in: "alert IN (SELECT num FROM alert"},
	"verdict":           {lapse: "alert", in: "alert IN (SELECT id FROM alert"},
	"incident_attacker": {lapse: "incident", in: "incident IN (SELECT num FROM incident"},
	"sighting":          {lapse: "sample", in: "sample IN (SELECT id FROM sample"},
	"block":             {lapse: "plan", in: "plan IN (SELECT id FROM plan"},
	"tally":             {cond: "kind = 'source' AND step > 0 AND at + step < $1 / 1000000"},
}

// faded returns the tables with rows that are old, and which rows those are.
func (t *tx) faded(ctx context.Context, all []table, before time.Time) (out []table, err error) {
	for _, x := range all {
		f, ok := fades[x.name]
		if !ok {
			continue
		}
		of := x.name
		if f.lapse != "" {
			of, f.cond = f.lapse, fades[f.lapse].cond
		}
		if at := slices.IndexFunc(lapses, func(l lapse) bool { return l.table == of }); f.cond == "" && at >= 0 {
			f.cond = lapses[at].cond
		}
		spare, held, err := t.spare(ctx, of)
		if err != nil {
			return nil, err
		}
		x.cond, x.args = "("+f.cond+")"+spare, append([]any{micros(state.Time(before))}, held...)
		if f.in != "" {
			x.cond = f.in + " WHERE " + x.cond + ")"
		}
		x.cond = strings.ReplaceAll(x.cond, "$1", "$2") // $1 is how many rows; holds count from $3
		out = append(out, x)
	}
	return out, nil
}
