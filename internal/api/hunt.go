package api

import (
	"cmp"
	"context"
	"math"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/hunt"
)

// huntTime bounds the looking for events: a pattern that is nowhere would read
// the whole log.
const huntTime = 10 * time.Second

// most points a histogram has when nobody asks for a step.
const huntPoints = 120

// Histogram is how many events match over time.
type Histogram struct {
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to"`
	StepS  int64      `json:"step_s" doc:"seconds of a point"`
	Total  int64      `json:"total"`
	Points []HuntStep `json:"points" doc:"oldest first; steps without events are left out"`
}

// HuntStep is one step of it.
type HuntStep struct {
	At     time.Time        `json:"at"`
	Events int64            `json:"events"`
	By     map[string]int64 `json:"by_severity"`
}

// TopValue is one value and how many events have it.
type TopValue struct {
	Value string `json:"value" doc:"may be an attacker's text"`
	N     int64  `json:"n"`
}

type histogramIn struct {
	EventsFilter
	Step int64 `query:"step" minimum:"0" maximum:"2678400" doc:"seconds of a point; absent: what gives about a hundred"`
}

type topIn struct {
	EventsFilter
	Field string `query:"field" required:"true" maxLength:"64" doc:"a field of the language, or the name of an attribute"`
	N     int    `query:"n" minimum:"1" maximum:"100" default:"10"`
}

// EventsFilter is what lists of events filter by, without paging.
type EventsFilter struct {
	Span
	Query string `query:"query" maxLength:"4096" doc:"in the language of hunting"`
}

func (in *EventsFilter) query(now time.Time) (eventlog.Query, error) {
	q, err := hunt.Parse(in.Query, now)
	if err != nil {
		return q, err
	}
	all := eventsIn{Span: in.Span}
	return q, all.narrow(&q)
}

// hunting registers what helps people ask for events.
func (s *server) hunting() {
	read(s, op("/events/fields", "list-event-fields", "What a query for events may ask about, with examples"), func(context.Context, *struct{}) (client.Page[hunt.Field], error) {
		return client.Page[hunt.Field]{Items: hunt.Fields()}, nil
	})
	read(s, op("/events/histogram", "count-events", "How many events match a query, over time"), s.histogram)
	read(s, op("/events/top", "top-events", "The most frequent values of a field among the events that match a query"), func(ctx context.Context, in *topIn) (p client.Page[TopValue], err error) {
		p.Items = []TopValue{}
		q, err := in.query(s.dep.Now())
		if err != nil {
			return p, err
		}
		if q.From.IsZero() {
			q.From = s.dep.Now().Add(-huntSpan)
		}
		ctx, done := context.WithTimeout(ctx, huntTime)
		defer done()
		list, err := s.dep.Events.Top(ctx, q, hunt.Dim(in.Field), in.N)
		for _, x := range list {
			p.Items = append(p.Items, TopValue(x))
		}
		return p, eventErrorOr(err)
	})
}

func eventErrorOr(err error) error {
	if err == nil {
		return nil
	}
	return eventError(err)
}

// huntSpan is how far counts go back when nobody says since when.
const huntSpan = 24 * time.Hour

func (s *server) histogram(ctx context.Context, in *histogramIn) (out Histogram, err error) {
	now := s.dep.Now().UTC()
	q, err := in.query(now)
	if err != nil {
		return out, err
	}
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-huntSpan)
	}
	if !q.From.Before(q.To) {
		return out, invalid("from, to, query: want a since before until")
	}
	step := time.Duration(in.Step) * time.Second
	if step == 0 {
		step = niceStep(q.To.Sub(q.From))
	}
	ctx, done := context.WithTimeout(ctx, huntTime)
	defer done()
	buckets, err := s.dep.Events.Histogram(ctx, q, step)
	if err != nil {
		return out, eventError(err)
	}
	out = Histogram{From: q.From.UTC(), To: q.To.UTC(), StepS: int64(step / time.Second), Points: make([]HuntStep, len(buckets))}
	for i := range buckets {
		b := &buckets[i]
		x := HuntStep{At: b.At, Events: b.Total(), By: map[string]int64{}}
		for severity, n := range b.Counts {
			if n > 0 {
				x.By[honeyguide.Severity(severity).String()] = n
			}
		}
		out.Points[i] = x
		out.Total += x.Events
	}
	return out, nil
}

// niceStep is a step people read easily that gives at most huntPoints points.
func niceStep(span time.Duration) time.Duration {
	want := span / huntPoints
	for _, step := range []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
	} {
		if step >= want {
			return step
		}
	}
	return cmp.Or(time.Duration(math.Ceil(float64(want)/float64(24*time.Hour)))*24*time.Hour, time.Hour)
}
