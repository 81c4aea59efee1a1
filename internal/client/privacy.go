package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"honeyguide"
)

// A PrivacyOrder asks about one subject. The subject is masked wherever the order
// is written down.
type PrivacyOrder struct {
	Subject honeyguide.Secret `json:"subject" minLength:"3" maxLength:"512" doc:"address:203.0.113.7, user:NAME or email:NAME@HOST"`
}

// An EraseOrder asks for a subject to be erased.
type EraseOrder struct {
	Subject honeyguide.Secret `json:"subject" minLength:"3" maxLength:"512" doc:"address:203.0.113.7, user:NAME or email:NAME@HOST"`
	Reason  string            `json:"reason" minLength:"1" maxLength:"1000" doc:"why; without the subject in it"`
}

// A KeyForgotten says that the key of pseudonyms is gone.
type KeyForgotten struct {
	At time.Time `json:"at"`
}

// A ForgetKeyOrder asks for the key of pseudonyms to be destroyed.
type ForgetKeyOrder struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"why"`
}

// PrivacyFound says how much is held about a subject.
type PrivacyFound struct {
	Kind  string       `json:"kind"`
	Found []PrivacyRow `json:"found"`
	Keeps string       `json:"keeps,omitempty" doc:"why it could not be erased now: a legal hold, or that it is in use"`
}

// A PrivacyRow is how much of one class is held.
type PrivacyRow struct {
	Class string `json:"class"`
	What  string `json:"what" doc:"table or kind of file"`
	N     int64  `json:"n" doc:"rows, events or files"`
}

// An Erasure is one erasure in the ledger. It does not say whose data it was.
type Erasure struct {
	ID     string           `json:"id"`
	Kind   string           `json:"kind" doc:"address, user or email"`
	Hash   string           `json:"hash" doc:"keyed hash of the value"`
	Mark   string           `json:"mark" doc:"random; it stands in the value's place"`
	State  string           `json:"state" enum:"waiting,done" doc:"waiting: it is finished whatever happens, at the next start if need be"`
	Reason string           `json:"reason,omitempty"`
	At     time.Time        `json:"at" doc:"when it was asked for"`
	Ended  time.Time        `json:"ended,omitzero"`
	Counts map[string]int64 `json:"counts,omitempty" doc:"what was changed: events, rows by table, recordings, worlds, audit entries"`
	Left   []string         `json:"left,omitempty" doc:"what may still hold it, why, and what to do: files that cannot be read, audit entries of an older form"`
	Error  string           `json:"error,omitempty" doc:"why the last attempt did not come to its end"`
}

// A RetentionRow says how long one class of data is kept and how it stands.
type RetentionRow struct {
	Class  string    `json:"class"`
	Days   int       `json:"days" doc:"0: for ever"`
	Oldest time.Time `json:"oldest,omitzero" doc:"of what is there"`
	Next   time.Time `json:"next,omitzero" doc:"when the oldest goes"`
	Kept   int64     `json:"kept" doc:"rows, days or files there are"`
	Spared int64     `json:"spared" doc:"old enough to go, and kept: still in use, of open incidents, or under legal hold"`
	Last   int64     `json:"last" doc:"how many the last run removed"`
	LastAt time.Time `json:"last_at,omitzero" doc:"when it ran"`
}

// PrivacyExport returns everything held about a subject as a zip archive. The
// caller closes it.
func (c *Client) PrivacyExport(ctx context.Context, subject string) (io.ReadCloser, error) {
	text, err := json.Marshal(map[string]string{"subject": subject})
	if err != nil {
		return nil, err
	}
	resp, err := c.do(ctx, http.MethodPost, "/api/v1/privacy/export", nil, strings.NewReader(string(text)), "application/json")
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, problem(resp)
	}
	return resp.Body, nil
}
