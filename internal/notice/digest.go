package notice

import (
	"context"
	"fmt"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// digestKey is what every digest is about.
const digestKey = "digest"

// Bounds of a digest.
const (
	maxLines = 40
	maxLine  = 160 // characters
)

// collect makes notices lines of the digest that waits, or of a new one. One
// alone goes out as it is. much says that they are too much for this hour: their
// digest, or the one alone, waits for company.
func (c *channel) collect(ctx context.Context, ids []string, now time.Time, much bool) error {
	return c.o.dep.State.Update(ctx, func(tx state.Tx) error {
		d, found, err := c.digestOf(ctx, tx, now)
		if err != nil {
			return err
		}
		due := now
		if much {
			due = slot(now)
		}
		if !found && len(ids) == 1 {
			return change(ctx, tx, ids[0], func(n *honeyguide.Notice) { n.Digest, n.DueAt = much, due })
		}
		if !found {
			d.DueAt = due
		}
		for _, id := range ids {
			if err := change(ctx, tx, id, func(n *honeyguide.Notice) { c.line(&d, n, much) }); err != nil {
				return err
			}
		}
		if d.Count == 0 {
			return nil
		}
		d.Title = fmt.Sprintf("%d notices, the worst is %s", d.Count, d.Severity)
		return tx.Notices().Save(ctx, &d)
	})
}

// digestOf returns the digest of the channel that has not gone out yet.
func (c *channel) digestOf(ctx context.Context, tx state.Tx, now time.Time) (honeyguide.Notice, bool, error) {
	d, err := tx.Notices().Latest(ctx, c.name, digestKey)
	if err == nil && d.State == honeyguide.NoticeQueued && d.Attempts == 0 {
		return d, true, nil
	}
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		err = nil
	}
	return honeyguide.Notice{
		ID: honeyguide.NewID(now), Channel: c.name, Key: digestKey, Event: respond.EventTrigger, State: honeyguide.NoticeQueued, CreatedAt: now, DueAt: now,
	}, false, err
}

// line makes a notice a line of a digest. Its title is made harmless here, since
// a line break in it would forge a line.
func (c *channel) line(d, n *honeyguide.Notice, much bool) {
	if !n.Digest && !much {
		return // it has become urgent meanwhile
	}
	if d.Count++; d.Count <= maxLines {
		at := n.CreatedAt.In(c.o.rules.zone)
		times := ""
		if n.Count > 1 {
			times = fmt.Sprintf(" (%d times)", n.Count)
		}
		d.Text += fmt.Sprintf("%s  %s: %s%s\n", at.Format("2006-01-02 15:04"), n.Severity, safetext.TermN(n.Title, maxLine), times)
	}
	d.Severity = max(d.Severity, n.Severity)
	n.State, n.Ref = honeyguide.NoticeDigested, d.ID
	c.o.held.With("digested").Add(1)
}

// message makes what a messenger is given.
func (o *Outbox) message(t *turn) respond.Message {
	n := &t.n
	m := respond.Message{
		ID: n.ID, Event: n.Event, Key: n.Key, Severity: n.Severity, Title: n.Title, Text: n.Text, Link: n.Link, At: n.CreatedAt,
	}
	if m.Event == "" {
		m.Event = respond.EventTrigger
	}
	switch {
	case n.Key == digestKey:
		m.Key = n.ID // each stands for itself
		if more := n.Count - maxLines; more > 0 {
			m.Text += fmt.Sprintf("and %d more: honeyguide notices list --channel %s --state digested\n", more, n.Channel)
		}
	case n.Incident != "":
		m.Key = n.Incident
	}
	if n.Level > 0 {
		m.Title = "Nobody has acknowledged for " + short(t.waited) + ": " + m.Title
	}
	if n.Event == respond.EventUpdate {
		m.Title = "Now " + n.Severity.String() + ": " + m.Title
	}
	add := func(name, value string) {
		if value != "" {
			m.Fields = append(m.Fields, respond.Field{Name: name, Value: value})
		}
	}
	if i := t.incident; i != nil {
		add("Incident", i.Short)
		add("Attackers", some(i.Attackers, 5))
		var techniques []string
		for _, a := range i.Attacks {
			techniques = append(techniques, a.ID)
		}
		add("Techniques", some(techniques, 8))
		if !i.DueAt.IsZero() && n.Event != respond.EventResolve {
			add("Respond by", i.DueAt.In(o.rules.zone).Format("2006-01-02 15:04 MST"))
		}
	}
	add("Node", o.dep.Node)
	return m
}

// some joins the first n of a list.
func some(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:n], ", ") + fmt.Sprintf(" and %d more", len(list)-n)
}

// short writes a duration as people do: 10m, not 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
