package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"honeyguide"
)

// Post sends v as JSON to a path and decodes the answer into into.
func (c *Client) Post(ctx context.Context, path string, v, into any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	resp, err := c.do(ctx, http.MethodPost, path, nil, bytes.NewReader(text), "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decode(resp, into)
}

// A SuppressionPreview says what a suppression would have hidden.
type SuppressionPreview struct {
	From              time.Time          `json:"from"`
	To                time.Time          `json:"to"`
	Scanned           int64              `json:"scanned" doc:"alerts looked at"`
	Complete          bool               `json:"complete" doc:"false: there were more alerts than are looked at"`
	Alerts            int64              `json:"alerts" doc:"would have been hidden"`
	Events            int64              `json:"events" doc:"behind them"`
	AlreadySuppressed int64              `json:"already_suppressed" doc:"meant as well, and hidden before"`
	Sources           int64              `json:"sources" doc:"different source addresses"`
	BySeverity        map[string]int64   `json:"by_severity"`
	Rules             []RuleCount        `json:"rules" doc:"most alerts first"`
	Days              []DayCount         `json:"days"`
	IncidentsTouched  int64              `json:"incidents_touched" doc:"would have lost alerts"`
	IncidentsGone     int64              `json:"incidents_gone" doc:"would not have been at all"`
	Incidents         []IncidentEffect   `json:"incidents" doc:"the most severe of them"`
	Examples          []honeyguide.Alert `json:"examples" doc:"the newest"`
}

// A RuleCount counts what one rule raised.
type RuleCount struct {
	Rule   string `json:"rule"`
	Alerts int64  `json:"alerts"`
	Events int64  `json:"events"`
}

// A DayCount counts what one day (UTC) raised.
type DayCount struct {
	Day    string `json:"day"`
	Alerts int64  `json:"alerts"`
	Events int64  `json:"events"`
}

// An IncidentEffect says how many of its alerts an incident would have lost.
type IncidentEffect struct {
	ID       string              `json:"id"`
	Short    string              `json:"short"`
	Title    string              `json:"title"`
	Severity honeyguide.Severity `json:"severity"`
	Alerts   int64               `json:"alerts"`
	Of       int64               `json:"of"`
}

// A SuppressionRequest asks for a suppression, or for a look at what it would do.
type SuppressionRequest struct {
	Match     honeyguide.Match `json:"match"`
	Reason    string           `json:"reason,omitempty" maxLength:"1000" doc:"why this is noise"`
	Owner     string           `json:"owner,omitempty" maxLength:"128" doc:"who answers for it; absent means the holder of the key"`
	ExpiresAt time.Time        `json:"expires_at,omitzero" doc:"when it ends: at most a year away"`
	Existing  bool             `json:"existing,omitempty" doc:"also hide the open alerts it means"`
	Days      int              `json:"days,omitempty" minimum:"0" maximum:"365" doc:"of history a preview looks at; absent means 30"`
}

// A SuppressionResult is a suppression that was made or lifted.
type SuppressionResult struct {
	honeyguide.Suppression
	Changed int64 `json:"changed" doc:"alerts that were hidden, or opened again, by this request"`
}
