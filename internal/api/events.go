package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/hunt"
)

type eventsIn struct {
	Paging
	Span
	Least
	Include
	Class      []int32  `query:"class" maxItems:"32" doc:"OCSF classes, one of, comma-separated"`
	Activity   []string `query:"activity" maxItems:"32" doc:"one of, comma-separated"`
	Sensor     string   `query:"sensor" maxLength:"64"`
	Service    string   `query:"service" maxLength:"64"`
	Session    string   `query:"session" maxLength:"64"`
	Src        string   `query:"src" maxLength:"64" doc:"source address or network"`
	Technique  string   `query:"technique" maxLength:"16" doc:"ATT&CK id; T1059 finds T1059.004 too"`
	Observable string   `query:"observable" maxLength:"1024"`
	Attr       []string `query:"attr,explode" maxItems:"16" doc:"attribute by name, as name:value; may be given again"`
	Q          string   `query:"q" maxLength:"256" doc:"words, all of them"`
	Query      string   `query:"query" maxLength:"4096" doc:"in the language of hunting, beside the other filters: src:203.0.113.0/24 activity:login -sensor:ssh2 since:24h; /events/fields lists its fields"`
}

func invalid(message string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: message}
}

func (in *eventsIn) query(now time.Time) (eventlog.Query, error) {
	q, err := hunt.Parse(in.Query, now)
	if err != nil {
		return q, err
	}
	if err := in.narrow(&q); err != nil {
		return q, err
	}
	q.Limit = in.Limit + 1
	q.Before, err = parseEventCursor(in.After)
	return q, err
}

// narrow adds the other filters to what a query asks. Both must hold.
func (in *eventsIn) narrow(q *eventlog.Query) error {
	if in.From.After(q.From) {
		q.From = in.From
	}
	if !in.To.IsZero() && (q.To.IsZero() || in.To.Before(q.To)) {
		q.To = in.To
	}
	q.Severity = max(q.Severity, in.severity())
	if in.Q != "" {
		q.Word = strings.TrimSpace(q.Word + " " + in.Q)
	}
	for _, x := range []struct {
		to   *string
		v    string
		name string
	}{
		{&q.Sensor, in.Sensor, "sensor"},
		{&q.Service, in.Service, "service"},
		{&q.Session, in.Session, "session"},
		{&q.Technique, in.Technique, "technique"},
		{&q.Observable, in.Observable, "observable"},
	} {
		switch {
		case x.v == "":
		case *x.to != "" && *x.to != x.v:
			return invalid(x.name + ": the query asks for another one: leave one of them out")
		default:
			*x.to = x.v
		}
	}
	if len(in.Activity) > 0 && len(q.Activities) > 0 || len(in.Class) > 0 && len(q.Classes) > 0 || in.Src != "" && q.Src.IsValid() {
		return invalid("activity, class, src: the query asks for them, too: leave one of them out")
	}
	if len(in.Activity) > 0 {
		q.Activities = in.Activity
	}
	for _, c := range in.Class {
		if c < 0 {
			return invalid("class: want numbers of OCSF classes, such as 3002")
		}
		q.Classes = append(q.Classes, honeyguide.Class(c))
	}
	if in.Src != "" {
		var err error
		if q.Src, err = parseNetwork(in.Src); err != nil {
			return err
		}
	}
	for _, pair := range in.Attr {
		name, value, ok := strings.Cut(pair, ":")
		if !ok || name == "" {
			return invalid("attr: want name:value")
		}
		if q.Attr == nil {
			q.Attr = map[string]string{}
		}
		if had, ok := q.Attr[name]; ok && had != value {
			return invalid("attr: the query asks for another value: leave one of them out")
		}
		q.Attr[name] = value
	}
	return nil
}

func parseNetwork(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, invalid("src: want an address or a network, such as 192.0.2.1 or 192.0.2.0/24")
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// A cursor of events is the number of the last one shown: lists run from the
// newest down, so what comes in meanwhile moves nothing.
const eventCursor = "e"

func formatEventCursor(seq eventlog.Seq) string {
	return eventCursor + strconv.FormatInt(int64(seq), 36)
}

func parseEventCursor(s string) (eventlog.Seq, error) {
	if s == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(s, eventCursor)
	n, err := strconv.ParseInt(digits, 36, 64)
	if !ok || err != nil || n < 1 || formatEventCursor(eventlog.Seq(n)) != s {
		return 0, invalid("after: this is no cursor of the list of events; take next of the page before")
	}
	return eventlog.Seq(n), nil
}

func (s *server) events() {
	read(s, op("/events", "list-events", "Events, newest first"), s.findEvents)
	s.hunting()
	o := op("/events/{id}", "get-event", "One event, with the bytes it was made of")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (client.Event, error) {
		for rec, err := range s.dep.Events.Find(ctx, eventlog.Query{ID: in.ID, Limit: 1}) {
			if err != nil {
				return client.Event{}, eventError(err)
			}
			return shown(rec, true), nil
		}
		return client.Event{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no event with this id"}
	})
}

// findEvents reads one page.
func (s *server) findEvents(ctx context.Context, in *eventsIn) (client.Page[client.Event], error) {
	p := client.Page[client.Event]{Items: []client.Event{}}
	q, err := in.query(s.dep.Now())
	if err != nil {
		return p, err
	}
	ctx, done := context.WithTimeout(ctx, huntTime)
	defer done()
	for rec, err := range s.dep.Events.Find(ctx, q) {
		if err != nil {
			return p, eventError(err)
		}
		if len(p.Items) == in.Limit {
			p.Next = formatEventCursor(eventlog.Seq(p.Items[in.Limit-1].Seq))
			break
		}
		p.Items = append(p.Items, shown(rec, in.With == "raw"))
	}
	return p, nil
}

// eventError tells a question that makes no sense from a log that fails. The
// log's own words name the field, not its value.
func eventError(err error) error {
	switch {
	case errors.Is(err, eventlog.ErrQuery):
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "this looks through too many events: ask for a shorter time, a source, a session, or a whole word"}
	case errors.Is(err, eventlog.ErrClosed):
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the event log is closed: the core is stopping", Err: err}
	}
	return err
}

// shown is an event as it is sent. The record is shared, so what has to change
// is copied; numbers JSON cannot say become texts.
func shown(rec eventlog.Record, raw bool) client.Event {
	e := client.Event{Seq: int64(rec.Seq), Event: rec.Event}
	if !raw {
		e.Raw = nil
	}
	for name, v := range rec.Event.Attrs {
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			attrs := make(map[string]any, len(rec.Event.Attrs))
			for n, v := range rec.Event.Attrs {
				attrs[n] = speakable(v)
			}
			_ = name
			e.Attrs = attrs
			break
		}
	}
	return e
}

func speakable(v any) any {
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return v
}
