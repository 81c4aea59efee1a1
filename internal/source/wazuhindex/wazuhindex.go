// Package wazuhindex asks the index of a Wazuh server for alerts: those of 4.x
// and the findings of 5.x. Following alerts.json is the better way where there
// is one, since the way into the index can lose alerts; this is for servers whose
// files are out of reach.
//
// The index makes documents visible some seconds after they came, and not in the
// order of their times. So the newest ten seconds are left for the next question,
// and the last minute is asked for again now and then; what is known already is
// told apart by the alert's own id.
package wazuhindex

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
)

// Kind asks a Wazuh index.
var Kind = kind.Of("wazuh-index", "Alerts and findings in the index of Wazuh 4 and 5.", Config{
	Server: source.Server{Poll: 5 * time.Second}, Index: []string{"wazuh-alerts-4.x-*", "wazuh-findings-v5-*"},
	Size: 1000, Since: 24 * time.Hour, Lag: 10 * time.Second, Overlap: time.Minute,
}, open)

// Config configures a wazuh-index source.
type Config struct {
	source.Server `yaml:",inline"`
	User          string            `yaml:"user" doc:"user of the index; it needs to read and nothing else"`
	Password      honeyguide.Secret `yaml:"password" doc:"its password"`
	Index         []string          `yaml:"index" doc:"names or patterns of indexes"`
	Size          int               `yaml:"size" doc:"documents asked for at a time, 1 to 10000"`
	Since         time.Duration     `yaml:"since" doc:"how far back the first question reaches"`
	Lag           time.Duration     `yaml:"lag" doc:"how new a document must not be: the index shows it later"`
	Overlap       time.Duration     `yaml:"overlap" doc:"how much is asked for again now and then"`
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	if err := c.Server.Validate(); err != nil {
		return err
	}
	switch {
	case c.User == "" || c.Password == "":
		return invalid("user, password: missing; make a user that may read the alerts")
	case c.Size < 1 || c.Size > 10_000:
		return invalid("size: want 1 to 10000")
	case len(c.Index) == 0 || strings.ContainsAny(strings.Join(c.Index, ""), "/?#, "):
		return invalid("index: want names such as wazuh-alerts-4.x-*")
	case c.Since < 0 || c.Lag < 0 || c.Overlap < 0:
		return invalid("since, lag, overlap: want 0 or more")
	}
	return nil
}

func invalid(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

type reader struct {
	cfg    Config
	remote *source.Remote
}

func open(_ context.Context, cfg Config, _ source.Deps) (source.Source, error) {
	r, err := source.NewRemote(cfg.Server)
	if err != nil {
		return nil, err
	}
	return &reader{cfg, r}, nil
}

// markKey is the only stream there is.
const markKey = "index"

// A mark is the place that is kept.
type mark struct {
	At time.Time `json:"at"` // everything up to here was asked for
}

// asking is one life of a reader.
type asking struct {
	*reader
	recent *source.Recent
	sink   *source.Sink
	mark   mark
	again  time.Time         // when the overlap was last asked for
	after  []json.RawMessage // place within the question that is being answered; nil: a new one
	from   time.Time
	to     time.Time
	saved  time.Time
}

// Run asks until ctx ends.
func (r *reader) Run(ctx context.Context, sink *source.Sink) error {
	a := &asking{reader: r, sink: sink, recent: source.NewRecent(maxRecent)}
	marks, err := sink.Marks(ctx)
	if err != nil {
		return err
	}
	if value := marks[markKey]; value != nil {
		if err := json.Unmarshal(value, &a.mark); err != nil {
			return fmt.Errorf("read the place in the index: %w", err)
		}
		if err := sink.Recall(ctx, a.mark.At.Add(-r.cfg.Overlap-time.Minute)); err != nil {
			return err
		}
	} else {
		a.mark.At = sink.Now().Add(-r.cfg.Since)
	}
	return source.Poll(ctx, sink, r.cfg.Poll, a.ask)
}

// overlapEvery is how often the overlap is asked for.
const overlapEvery = 30 * time.Second

// begin decides what the next question is about.
func (a *asking) begin() bool {
	now := a.sink.Now()
	a.from, a.to = a.mark.At, now.Add(-a.cfg.Lag)
	if now.Sub(a.again) >= overlapEvery {
		a.from, a.again = a.from.Add(-a.cfg.Overlap), now
	}
	return a.to.After(a.from)
}

// An answer is what the index says; see the OpenSearch search API.
type answer struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Failed int `json:"failed"`
	} `json:"_shards"`
	Hits *struct {
		Hits []hit `json:"hits"`
	} `json:"hits"`
}

type hit struct {
	Index  string            `json:"_index"`
	ID     string            `json:"_id"`
	Source json.RawMessage   `json:"_source"`
	Sort   []json.RawMessage `json:"sort"`
}

// ask takes one page of documents.
func (a *asking) ask(ctx context.Context) (more bool, err error) {
	if a.after == nil && !a.begin() {
		return false, nil
	}
	hits, err := a.page(ctx)
	if err != nil { // what is missing now comes with the next question
		a.after, a.again = nil, time.Time{}
		return false, fmt.Errorf("ask the index: %w", err)
	}
	at := a.to // nothing up to here is left
	a.after = nil
	if n := len(hits); n >= a.cfg.Size && len(hits[n-1].Sort) > 0 {
		a.after, at = hits[n-1].Sort, moment(hits[n-1].Sort[0])
	}
	if at.After(a.mark.At) {
		a.mark.At = at
	}
	return a.after != nil, a.store(ctx, a.recent.Fresh(pieces(hits)))
}

// page asks for one page.
func (a *asking) page(ctx context.Context) ([]hit, error) {
	var got answer
	if err := a.remote.Ask(ctx, a.question(), &got); err != nil {
		return nil, err
	}
	switch {
	case got.Hits == nil:
		return nil, errors.New("the answer has no hits; url is not an OpenSearch server")
	case got.TimedOut || got.Shards.Failed > 0:
		return nil, fmt.Errorf("a part of it did not answer (%d shards)", got.Shards.Failed)
	}
	return got.Hits.Hits, nil
}

// moment reads what a document is sorted by first: milliseconds since 1970.
func moment(raw json.RawMessage) time.Time {
	var ms int64
	if json.Unmarshal(raw, &ms) != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// maxRecent is how many documents of the overlap are known by name.
const maxRecent = 1 << 16

// idleSave is how often the place is kept while nothing comes.
const idleSave = time.Minute

// store hands records on and keeps the place.
func (a *asking) store(ctx context.Context, pieces []source.Piece) error {
	now := a.sink.Now()
	if len(pieces) == 0 && now.Sub(a.saved) < idleSave {
		return nil
	}
	a.saved = now
	value, err := json.Marshal(a.mark)
	if err != nil {
		return err
	}
	place := source.Mark{Key: markKey, Value: value}
	if len(pieces) == 0 {
		return a.sink.Save(ctx, place)
	}
	pieces[len(pieces)-1].Marks = []source.Mark{place}
	if err := a.sink.Take(ctx, pieces...); err != nil {
		return err
	}
	a.recent.Add(pieces)
	return nil
}

// pieces makes a record of each document. Each has the document's own name, so
// that one without an id in it is known again.
func pieces(hits []hit) []source.Piece {
	var out []source.Piece
	for _, h := range hits {
		if len(h.Source) == 0 {
			continue
		}
		var line bytes.Buffer
		if json.Compact(&line, h.Source) != nil {
			continue // it was decoded: it is JSON
		}
		line.WriteByte('\n')
		name := h.Index + "/" + h.ID
		out = append(out, source.Piece{Stream: name, Origin: name, Line: 1, Data: line.Bytes()})
	}
	return out
}

// question is the next request.
func (a *asking) question() source.Question {
	order := func(field string) map[string]any {
		return map[string]any{field: map[string]any{"order": "asc", "unmapped_type": "keyword"}}
	}
	body := map[string]any{
		"size": a.cfg.Size, "track_total_hits": false,
		"sort": []any{map[string]any{"@timestamp": map[string]any{"order": "asc", "unmapped_type": "date"}}, order("id"), order("wazuh.event.id")},
		"query": map[string]any{"range": map[string]any{"@timestamp": map[string]any{
			"gte": a.from.UTC().Format(stampForm), "lt": a.to.UTC().Format(stampForm), "format": "strict_date_optional_time",
		}}},
	}
	if a.after != nil {
		body["search_after"] = a.after
	}
	login := base64.StdEncoding.EncodeToString([]byte(a.cfg.User + ":" + a.cfg.Password.Reveal()))
	return source.Question{
		Method: http.MethodPost, Path: "/" + strings.Join(a.cfg.Index, ",") + "/_search", Body: body,
		Query:  url.Values{"ignore_unavailable": {"true"}, "allow_no_indices": {"true"}},
		Header: http.Header{"Authorization": {"Basic " + login}},
	}
}

const stampForm = "2006-01-02T15:04:05.000Z07:00"
