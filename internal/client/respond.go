package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"honeyguide"
)

// Delete deletes what is at a path and decodes the answer into v.
func (c *Client) Delete(ctx context.Context, path string, q url.Values, v any) error {
	resp, err := c.do(ctx, http.MethodDelete, path, q, nil, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decode(resp, v)
}

// A RunDetail is a run with what its steps planned and did.
type RunDetail struct {
	honeyguide.Run
	Plans []honeyguide.Plan `json:"plans" doc:"oldest first"`
}

// A RunStart asks for a run of a playbook.
type RunStart struct {
	Playbook string            `json:"playbook" minLength:"1" maxLength:"128" doc:"id of the playbook"`
	Incident string            `json:"incident,omitempty" maxLength:"128" doc:"id or short form of the incident"`
	Vars     map[string]string `json:"vars,omitempty" doc:"what the playbook asks for: at most 32 values of 1024 bytes"`
	Mode     honeyguide.Mode   `json:"mode,omitempty" enum:"dry_run,apply" doc:"absent: what the playbook or the configuration says"`
	Reason   string            `json:"reason,omitempty" maxLength:"1000"`
}

// A RunDecision is what one person says about a step that waits.
type RunDecision struct {
	Step    *int   `json:"step,omitempty" minimum:"0" maximum:"1000" doc:"index of the step; absent: the one the run waits at"`
	Approve bool   `json:"approve" doc:"false denies it, which ends the run"`
	Note    string `json:"note,omitempty" maxLength:"1000"`
}

// A Why says why something is done.
type Why struct {
	Reason string `json:"reason,omitempty" maxLength:"1000"`
}

// An Approval is a step that waits for people.
type Approval struct {
	Run       string                `json:"run" doc:"id"`
	Short     string                `json:"short" doc:"short id of the run"`
	Playbook  string                `json:"playbook"`
	Title     string                `json:"title"`
	Incident  string                `json:"incident,omitempty" doc:"id"`
	By        string                `json:"by" doc:"who began the run"`
	Reason    string                `json:"reason" doc:"why it began"`
	Mode      honeyguide.Mode       `json:"mode"`
	Step      int                   `json:"step" doc:"index"`
	Name      string                `json:"name" doc:"of the step"`
	Action    string                `json:"action"`
	Plans     []honeyguide.Plan     `json:"plans" doc:"what would change"`
	Roles     []string              `json:"roles" doc:"one of which an approver has"`
	People    int                   `json:"people" doc:"how many different ones"`
	Needed    int                   `json:"needed" doc:"how many are still missing"`
	Decisions []honeyguide.Decision `json:"decisions"`
	AskedAt   time.Time             `json:"asked_at,omitzero"`
	LapsesAt  time.Time             `json:"lapses_at,omitzero" doc:"after that it is too late"`
	May       bool                  `json:"may" doc:"the one who asks may approve it"`
	WhyNot    string                `json:"why_not,omitempty"`
}

// A BlockRow is one address of the blocks list: its newest block that holds,
// else the newest there was.
type BlockRow struct {
	honeyguide.Block
	Holds bool      `json:"holds" doc:"its packets are dropped now, or may be"`
	Count int       `json:"count" doc:"blocks that hold on this address, each for its own reason"`
	Until time.Time `json:"until,omitzero" doc:"when the last of them ends"`
}

// A BlockDetail is all that is known of the blocks of one address.
type BlockDetail struct {
	Address   string             `json:"address"`
	Holds     bool               `json:"holds"`
	Until     time.Time          `json:"until,omitzero"`
	Plans     []honeyguide.Plan  `json:"plans" doc:"the newest hundred, newest first"`
	CoveredBy []honeyguide.Block `json:"covered_by" doc:"blocks that hold on prefixes around it, the narrowest first"`
}

// A BlockOrder asks to block an address by hand.
type BlockOrder struct {
	Address       string `json:"address" minLength:"1" maxLength:"64" doc:"address or prefix"`
	TTL           string `json:"ttl" minLength:"1" maxLength:"32" doc:"how long it holds: 1h, 90m; at most 720h"`
	Reason        string `json:"reason" minLength:"1" maxLength:"1000"`
	ConfirmWithin string `json:"confirm_within,omitempty" maxLength:"32" doc:"undone unless the run is confirmed within this time: 5m"`
	Incident      string `json:"incident,omitempty" maxLength:"128" doc:"id or short form"`
}

// A Lifted is a block, or another act on an address, that was ended.
type Lifted struct {
	Address string               `json:"address"`
	Action  string               `json:"action"`
	Plan    string               `json:"plan" doc:"id"`
	State   honeyguide.PlanState `json:"state"`
	Error   string               `json:"error,omitempty" doc:"why it was not ended"`
}

// An Unblocking says what came of it.
type Unblocking struct {
	Address   string             `json:"address"`
	Lifted    []Lifted           `json:"lifted"`
	Failed    []Lifted           `json:"failed" doc:"those that could not be ended: they may hold still"`
	Left      int                `json:"left" doc:"those there was no time for: ask again"`
	CoveredBy []honeyguide.Block `json:"covered_by" doc:"blocks on prefixes around it, which hold still"`
}

// An AllowOrder asks for an entry of the allowlist.
type AllowOrder struct {
	Address   string    `json:"address" minLength:"1" maxLength:"64" doc:"address or prefix that must never be blocked"`
	Reason    string    `json:"reason" minLength:"1" maxLength:"1000"`
	Owner     string    `json:"owner,omitempty" maxLength:"128" doc:"who answers for it; absent means the holder of the key"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"absent: it stays until it is removed"`
}

// An AllowRow is an entry of the allowlist.
type AllowRow struct {
	honeyguide.Allowed
	Holds bool `json:"holds" doc:"false: its time is over"`
}

// An Allowing is an entry that was made, and what it ended at once.
type Allowing struct {
	Entry  honeyguide.Allowed `json:"entry"`
	Lifted []Lifted           `json:"lifted"`
	Failed []Lifted           `json:"failed" doc:"those that could not be ended: they may hold still"`
	Left   int                `json:"left" doc:"those there was no time for: ask again"`
}

// A KeyOrder asks for an API key.
type KeyOrder struct {
	Name      string    `json:"name" minLength:"1" maxLength:"64" doc:"whose it is: two keys of one name are one person"`
	Scope     string    `json:"scope" minLength:"1" maxLength:"32" doc:"a built-in scope or one of your roles"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"absent: it does not end"`
	From      []string  `json:"from,omitempty" maxItems:"64" doc:"addresses and prefixes it is good from; absent: any"`
	Owner     string    `json:"owner,omitempty" maxLength:"64" doc:"name of the user it belongs to, such as a service: it may do no more than they, and ends with them"`
}

// A KeyRow is what is shown of an API key.
type KeyRow struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Scope     string    `json:"scope"`
	Last4     string    `json:"last4" doc:"its last characters, to know it by"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Expired   bool      `json:"expired"`
	Owner     string    `json:"owner,omitempty" doc:"name of the user it belongs to"`
	From      []string  `json:"from,omitempty" doc:"addresses it is good from; absent: any"`
	UsedAt    time.Time `json:"used_at,omitzero" doc:"within a minute"`
	UsedFrom  string    `json:"used_from,omitempty"`
	Successor string    `json:"successor,omitempty" doc:"id of the key that took its place"`
}

// A NewKey is a key with its secret, which is never shown again.
type NewKey struct {
	KeyRow
	Key string `json:"key"`
}
