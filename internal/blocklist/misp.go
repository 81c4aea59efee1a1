package blocklist

import (
	"context"
	"crypto/md5" //nolint:gosec // the format of a feed's index wants it; it protects nothing
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"
)

// event is one MISP event that holds the whole list.
type event struct {
	about About
	at    time.Time // newest change; it stands behind the attributes
}

func newEvent(a About) *event { return &event{about: a} }

// EventUUID is the UUID of the MISP event a node publishes: there is one, which
// is updated.
func EventUUID(a About) string { return UUID("misp-event", a.Node) }

func (e *event) head(b []byte) []byte { return append(b, `{"Event":{"Attribute":[`...) }

func (e *event) row(b []byte, d *Decision, first bool) []byte {
	if d.Changed.After(e.at) {
		e.at = d.Changed
	}
	b = Quote(append(separate(b, first), `{"uuid":`...), UUID("misp-attribute", d.Plan))
	b = Quote(append(b, `,"type":"ip-src","category":"Network activity","to_ids":true,"disable_correlation":false,"value":`...), d.Value())
	b = Quote(append(b, `,"timestamp":`...), seconds(d.Changed))
	b = Quote(append(b, `,"first_seen":`...), stamp(d.Since))
	b = Quote(append(b, `,"comment":`...), d.Scenario()+", until "+stamp(d.Until))
	return append(b, '}')
}

// tail closes the list and describes the event, whose time is known only now.
func (e *event) tail(b []byte) []byte {
	b = append(b, "\n],"...)
	b = Quote(append(b, `"uuid":`...), EventUUID(e.about))
	b = append(b, ',')
	return append(describe(b, e.about, e.at, true), "}}\n"...)
}

// describe appends the fields event and manifest share. Threat level 2 is medium,
// analysis 2 complete.
func describe(b []byte, a About, at time.Time, whole bool) []byte {
	b = Quote(append(b, `"info":`...), "Addresses blocked by "+a.Node)
	b = Quote(append(b, `,"date":`...), day(at))
	b = Quote(append(b, `,"timestamp":`...), seconds(at))
	if whole {
		b = Quote(append(b, `,"publish_timestamp":`...), seconds(at))
		b = append(b, `,"published":true`...)
	}
	b = append(b, `,"threat_level_id":"2","analysis":"2","Orgc":{"name":"Honeyguide","uuid":`...)
	b = Quote(b, UUID("misp-org", a.Node))
	return append(b, `},"Tag":[{"name":"tlp:amber","colour":"#FFC000"}]`...)
}

func seconds(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.Unix(), 10)
}

func day(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.DateOnly)
}

// Manifest writes manifest.json of a MISP feed: which events there are.
func Manifest(ctx context.Context, w io.Writer, l *List, f Filter, a About) error {
	var at time.Time
	err := l.Walk(ctx, f, func(part []Decision) error {
		for i := range part {
			if part[i].Changed.After(at) {
				at = part[i].Changed
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the feed's manifest: %w", err)
	}
	b := append(Quote([]byte{'{'}, EventUUID(a)), ":{"...)
	_, err = w.Write(append(describe(b, a, at, false), "}}\n"...))
	return err
}

// Hashes writes hashes.csv of a MISP feed: the MD5 of every value and the event
// it stands in.
func Hashes(ctx context.Context, w io.Writer, l *List, f Filter, a About) error {
	return Format{Name: "hashes", begin: func(About) encoder { return hashes{"," + EventUUID(a) + "\n"} }}.Write(ctx, w, l, f, a)
}

type hashes struct{ ending string }

func (h hashes) head(b []byte) []byte { return b }
func (h hashes) tail(b []byte) []byte { return b }
func (h hashes) row(b []byte, d *Decision, _ bool) []byte {
	sum := md5.Sum([]byte(d.Value()))
	return append(hex.AppendEncode(b, sum[:]), h.ending...)
}
