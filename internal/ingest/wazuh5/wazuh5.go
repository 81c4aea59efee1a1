// Package wazuh5 reads the documents of Wazuh 5: findings and events as they stand
// in the indices wazuh-findings-v5-* and wazuh-events-v5-*. Wazuh 5 was alpha when
// this was written; names may change.
//
// A finding's rule is known by its id, never by its title, which holds values of
// the event.
package wazuh5

import (
	"context"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads Wazuh 5's findings and events.
var Kind = kind.Of("wazuh5", "Wazuh 5's findings and events.", Config{}, open)

const product = "wazuh"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows a document by its wazuh object.
func (mapper) Match(r *ingest.Record) int {
	for _, mark := range []string{"wazuh.integration", "wazuh.agent.id", "wazuh.rule.id", "wazuh.event.id", "wazuh.integration.name"} {
		if r.Root.Path(mark).Type() != ingest.Missing {
			return ingest.MatchSure + 15
		}
	}
	return 0
}

// Map makes a finding of a document with a rule, else a plain event.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	if r.Root.Path("wazuh").Absent() && r.Root.Path("wazuh.agent.id").Absent() {
		return dst, &ingest.FieldError{Field: "wazuh", Why: "missing; this is no document of Wazuh 5"}
	}
	if !r.Root.Path("state.document_version").Absent() {
		return dst, ingest.Drop("state") // an inventory of wazuh-states-*: what is, not what happened
	}
	at, known, err := r.Time("@timestamp")
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{
		Time: at, Class: honeyguide.ClassLog, Activity: ingest.ActivityRecord, Severity: honeyguide.SeverityInformational,
		Service: product, Attrs: make(map[string]any, 48),
	}
	r.ECS(&e)
	r.ECSVerb(&e)
	e.Set(honeyguide.AttrProduct, product)
	text := func(attr, path string, limit int) { e.Set(attr, ingest.Cut(r.Root.Path(path).Text(), limit)) }
	device, _ := r.Root.First("wazuh.agent.name", "agent.name", "host.name", "host.hostname")
	e.Set(honeyguide.AttrDevice, ingest.Cut(device.Text(), 255))
	uid, _ := r.Root.First("wazuh.agent.id", "agent.id")
	e.Set("device.uid", ingest.Cut(uid.Text(), 64))
	text(ingest.AttrType, "wazuh.integration.name", 64)
	rule := r.Root.Path("wazuh.rule.id").ID()
	answer := r.Root.Path("wazuh.active_response.name").Text()
	switch {
	case answer != "": // what Wazuh did about a finding, which comes of its own
		e.Class, e.Activity = honeyguide.ClassLog, "response"
		e.Set(ingest.AttrAction, ingest.Cut(answer, 64))
		rule = "response " + answer
	case rule != "":
		e.Class, e.Activity = honeyguide.ClassDetection, honeyguide.ActivityFinding
		e.Set(honeyguide.AttrRuleID, ingest.Cut(rule, 128))
		text(honeyguide.AttrRule, "wazuh.rule.title", 512)
		text(honeyguide.AttrCategory, "wazuh.integration.category", 64)
		if e.Severity, err = level(r); err != nil {
			return dst, err
		}
		e.Attacks = ingest.Techniques("named by the Wazuh rule", append(r.Root.Path("wazuh.rule.mitre.technique.id").Texts(),
			r.Root.Path("wazuh.rule.mitre.subtechnique.id").Texts()...)...)
	case r.Root.Path("event.kind").Text() == "alert": // rootcheck and its like, without a rule
		e.Class, e.Activity, e.Severity = honeyguide.ClassDetection, honeyguide.ActivityFinding, honeyguide.SeverityUnknown
		text(honeyguide.AttrRuleID, "wazuh.integration.name", 64)
		text(honeyguide.AttrRule, "event.original", 512)
		text(honeyguide.AttrCategory, "wazuh.integration.category", 64)
	}
	r.KeepLeaves(&e, "wazuh.rule", "wazuh.cluster", "wazuh.space")
	if id, _ := r.Root.First("wazuh.event.id"); known && id.ID() != "" {
		e.Set(honeyguide.AttrOriginID, ingest.Cut(id.ID(), 128))
		e.ID = ingest.RecordID(at, product, id.ID(), rule)
	}
	return append(dst, e), nil
}

// level reads the word Wazuh 5 has for a rule's level.
func level(r *ingest.Record) (honeyguide.Severity, error) {
	v := r.Root.Path("wazuh.rule.level")
	if v.Absent() {
		return honeyguide.SeverityUnknown, nil
	}
	s, ok := ingest.ParseSeverity(v.Text())
	if !ok {
		return s, &ingest.FieldError{Field: "wazuh.rule.level", Why: "not a level; informational, low, medium, high and critical are read"}
	}
	return s, nil
}
