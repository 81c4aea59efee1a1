// Package crowdsec asks CrowdSec's local API for alerts, as a machine of its own
// (`cscli machines add honeyguide --password ...`). The API has no cursor: what
// is younger than the last question is asked for with some overlap, and told
// apart by the alert's own id.
package crowdsec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
)

// Kind asks CrowdSec.
var Kind = kind.Of("crowdsec", "Alerts of CrowdSec, from its local API.", Config{
	Server: source.Server{URL: "http://127.0.0.1:8080", Poll: 10 * time.Second}, Since: 24 * time.Hour, Overlap: time.Minute,
}, open)

// Config configures a crowdsec source.
type Config struct {
	source.Server `yaml:",inline"`
	Machine       string            `yaml:"machine" doc:"machine id, as given to cscli machines add"`
	Password      honeyguide.Secret `yaml:"password" doc:"its password"`
	Since         time.Duration     `yaml:"since" doc:"how far back the first question reaches"`
	Overlap       time.Duration     `yaml:"overlap" doc:"how much is asked for again each time"`
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	if err := c.Server.Validate(); err != nil {
		return err
	}
	switch {
	case c.Machine == "" || c.Password == "":
		return invalid("machine, password: missing; make one with cscli machines add honeyguide --password ... -f /dev/null")
	case c.Since < 0 || c.Overlap < 0:
		return invalid("since, overlap: want 0 or more")
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
const markKey = "alerts"

type mark struct {
	At time.Time `json:"at"` // when the last question was asked
}

// asking is one life of a reader.
type asking struct {
	honeyguide.Veil
	*reader
	sink   *source.Sink
	recent *source.Recent
	mark   mark
	saved  time.Time
	token  honeyguide.Secret
	until  time.Time // token is good until then
}

// Run asks until ctx ends.
func (r *reader) Run(ctx context.Context, sink *source.Sink) error {
	a := &asking{reader: r, sink: sink, recent: source.NewRecent(1 << 16)}
	marks, err := sink.Marks(ctx)
	if err != nil {
		return err
	}
	if value := marks[markKey]; value != nil {
		if err := json.Unmarshal(value, &a.mark); err != nil {
			return fmt.Errorf("read the place in the alerts: %w", err)
		}
		if err := sink.Recall(ctx, a.mark.At.Add(-r.cfg.Overlap-time.Hour)); err != nil {
			return err
		}
	} else {
		a.mark.At = sink.Now().Add(-r.cfg.Since)
	}
	return source.Poll(ctx, sink, r.cfg.Poll, a.ask)
}

// login gets a token, which is good for an hour (CrowdSec's swagger, /watchers/login).
func (a *asking) login(ctx context.Context) error {
	var got struct {
		Token  string    `json:"token"`
		Expire time.Time `json:"expire"`
	}
	err := a.remote.Ask(ctx, source.Question{Method: http.MethodPost, Path: "/v1/watchers/login", Body: map[string]any{
		"machine_id": a.cfg.Machine, "password": a.cfg.Password.Reveal(), "scenarios": []string{},
	}}, &got)
	if err != nil {
		return fmt.Errorf("log in to CrowdSec: %w", err)
	}
	if got.Token == "" {
		return fmt.Errorf("log in to CrowdSec: it gave no token; url is not its local API")
	}
	a.token, a.until = honeyguide.Secret(got.Token), a.sink.Now().Add(10*time.Minute)
	if !got.Expire.IsZero() {
		a.until = got.Expire.Add(-time.Minute)
	}
	return nil
}

// ask takes the alerts since the last question.
func (a *asking) ask(ctx context.Context) (more bool, err error) {
	now := a.sink.Now()
	if a.token == "" || !now.Before(a.until) {
		if err := a.login(ctx); err != nil {
			return false, err
		}
	}
	since := now.Sub(a.mark.At) + a.cfg.Overlap
	var alerts []json.RawMessage // null when there are none
	err = a.remote.Ask(ctx, source.Question{
		Method: http.MethodGet, Path: "/v1/alerts",
		Query:  url.Values{"since": {strconv.FormatInt(int64(since/time.Second)+1, 10) + "s"}, "limit": {"0"}, "include_capi": {"false"}},
		Header: http.Header{"Authorization": {"Bearer " + a.token.Reveal()}},
	}, &alerts)
	if err != nil {
		a.token = "" // it may have been taken back
		return false, fmt.Errorf("ask CrowdSec for alerts: %w", err)
	}
	a.mark.At = now
	value, err := json.Marshal(a.mark)
	if err != nil {
		return false, err
	}
	place := source.Mark{Key: markKey, Value: value}
	var pieces []source.Piece
	for _, raw := range alerts {
		var line bytes.Buffer
		if json.Compact(&line, raw) != nil {
			continue // it was decoded: it is JSON
		}
		line.WriteByte('\n')
		pieces = append(pieces, source.Piece{Stream: a.sink.Name(), Origin: originOf(raw), Line: 1, Data: line.Bytes()})
	}
	pieces = a.recent.Fresh(pieces)
	if len(pieces) == 0 {
		if now.Sub(a.saved) < idleSave {
			return false, nil
		}
		a.saved = now
		return false, a.sink.Save(ctx, place)
	}
	pieces[len(pieces)-1].Marks = []source.Mark{place}
	if err := a.sink.Take(ctx, pieces...); err != nil {
		return false, err
	}
	a.recent.Add(pieces)
	return false, nil
}

// idleSave is how often the place is kept while nothing comes.
const idleSave = time.Minute

// originOf names an alert by what it calls itself, or by what it is: CrowdSec
// numbers every one.
func originOf(raw json.RawMessage) string {
	var id struct {
		ID   json.Number `json:"id"`
		UUID string      `json:"uuid"`
	}
	if json.Unmarshal(raw, &id) != nil || id.UUID == "" && id.ID == "" {
		sum := sha256.Sum256(raw)
		return hex.EncodeToString(sum[:16])
	}
	return id.UUID + "/" + id.ID.String()
}
