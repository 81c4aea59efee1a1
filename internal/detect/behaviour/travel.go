package behaviour

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// A visit is one log-in of an account, and from where.
type visit struct {
	at    time.Time
	event string
	src   string
	where string // country, for people
	place place
	told  bool
}

// Bounds of what is remembered of an account.
const (
	maxVisits  = 16
	visitsSpan = 24 * time.Hour
	// leastApart is how far two places have to be apart at all: registers of
	// addresses and mobile networks are wrong by less, mostly.
	leastApart = 500 // km
)

// travel claims that an account logs in from two places faster than anybody
// travels. It needs to know where addresses are, and passes over what it does not
// know. Decoys are left out: everybody is root there.
func (d *detector) travel(e *honeyguide.Event) {
	user := clip64(strings.ToLower(e.Str(honeyguide.AttrUser)))
	from, known := placeOf(e)
	if user == "" || !known || !detect.External(e) {
		return
	}
	// One name at two products need not be one person.
	account := e.Str(honeyguide.AttrProduct) + "|" + user
	list := d.accounts.At(account)
	v := visit{at: detect.When(e), event: e.ID, src: detect.Source(e), where: e.Src.Country, place: from}
	at := len(*list)
	for at > 0 && (*list)[at-1].at.After(v.at) {
		at--
	}
	*list = slices.Insert(*list, at, v)
	newest := (*list)[len(*list)-1].at
	*list = slices.DeleteFunc(*list, func(x visit) bool { return newest.Sub(x.at) > visitsSpan+detect.Lateness })
	if len(*list) > maxVisits {
		*list = (*list)[len(*list)-maxVisits:]
	}
	d.flights(e, *list, v.event, user, account)
}

// flights looks for visits too far from the one that is new.
func (d *detector) flights(e *honeyguide.Event, list []visit, event, user, account string) {
	i := slices.IndexFunc(list, func(x visit) bool { return x.event == event })
	if i < 0 {
		return // too late
	}
	v := &list[i]
	for n := range list {
		other := &list[n]
		gap := v.at.Sub(other.at).Abs()
		far := apart(v.place, other.place)
		if n == i || gap > visitsSpan || far < leastApart || far <= d.cfg.TravelSpeed*gap.Hours() {
			continue
		}
		a := d.claim(&rules.travel, e, "", "")
		a.DedupeKey, a.Attacker, a.Session = "impossible_travel|"+account, "campaign:account:"+account, ""
		a.ID = honeyguide.DerivedID(a.Time, "alert", "behaviour", a.DedupeKey, e.ID)
		a.EventIDs, a.Evidence, a.Count = nil, nil, 0
		for _, x := range []*visit{v, other} {
			if x.told {
				continue
			}
			x.told = true
			a.Count++
			a.Time, a.LastAt = earlier(a.Time, x.at), later(a.LastAt, x.at)
			a.EventIDs = append(a.EventIDs, x.event)
			a.Evidence = append(a.Evidence, honeyguide.Evidence{EventID: x.event, Time: x.at, Text: fmt.Sprintf("%s from %s (%s)", user, x.src, x.where)})
			a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "source", Type: "ip", Value: x.src})
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
