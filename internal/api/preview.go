package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/ingest"
)

// ingestQuery are the parameters of an ingest.
var ingestQuery = []string{"name", "format", "wait", "zone", "mapping", "preview"}

const (
	maxMapping = 16 << 10 // bytes of an operator's mapping
	maxPreview = 100      // events shown
)

// ingestFormat reads the zone and the mapping.
func (s *server) ingestFormat(ctx context.Context, opts *ingest.Options, q url.Values) error {
	zone, err := ingest.ParseZone(q.Get("zone"))
	if err != nil {
		return invalid("zone: " + err.Error())
	}
	opts.Zone = zone
	text := q.Get("mapping")
	switch {
	case text == "":
		return nil
	case s.dep.Mapping == nil:
		return invalid("mapping: this core takes none")
	case len(text) > maxMapping:
		return invalid("mapping: want at most 16384 bytes")
	case opts.Format != "" && opts.Format != ingest.FormatAuto && opts.Format != ingest.FormatJSON && opts.Format != ingest.FormatCSV:
		return invalid("mapping: only formats json and csv take one")
	}
	f, err := s.dep.Mapping(ctx, []byte(text))
	if err != nil {
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "mapping: " + err.Error()}
	}
	opts.Mappers = []ingest.Format{f}
	return nil
}

// errEnough ends the reading of a preview.
var errEnough = errors.New("enough is read")

// servePreview reads the first records and answers with what would be stored.
func (s *server) servePreview(w http.ResponseWriter, r *http.Request, opts ingest.Options, text string) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPreview {
		writeProblem(w, s.problem(r.Context(), invalid("preview: want 1 to 100")))
		return
	}
	opts.Seen, opts.Batch = nil, n
	t := &taking{s: s}
	var shown []honeyguide.Event
	sum, err := ingest.Read(r.Context(), paced(w, r.Body, s.dep.Now), opts,
		func(_ context.Context, batch []honeyguide.Event) error {
			shown = batch[:min(len(batch), n)]
			return errEnough
		},
		func(_ context.Context, d honeyguide.DeadLetter) error {
			d.Raw = nil
			if t.shown = append(t.shown, d); len(t.shown) >= shownLetters {
				return errEnough
			}
			return nil
		})
	if err != nil && !errors.Is(err, errEnough) {
		writeProblem(w, s.ingestProblem(r.Context(), err))
		return
	}
	res := t.result(sum)
	res.Events = 0
	for _, e := range shown {
		res.Preview = append(res.Preview, client.PreviewEvent{
			Time: e.Time, Class: uint32(e.Class), Activity: e.Activity, Severity: e.Severity.String(),
			Source: sideText(e.Src), Destination: sideText(e.Dst), Attrs: e.Attrs,
		})
	}
	writeJSON(w, http.StatusOK, res)
}

func sideText(end honeyguide.Endpoint) string {
	if !end.Addr.IsValid() {
		return end.Hostname
	}
	return strings.TrimSpace(end.Addr.String() + " " + end.Hostname)
}
