// Package crowdsec reads CrowdSec's alerts: those `cscli alerts list -o json`
// prints, those the local API hands out, and those agents push to it.
package crowdsec

import (
	"context"
	"net/netip"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads CrowdSec's alerts.
var Kind = kind.Of("crowdsec", "CrowdSec's alerts, from cscli or the local API.", Config{}, open)

const product = "crowdsec"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows an alert by its scenario and its source's scope.
func (mapper) Match(r *ingest.Record) int {
	if r.Root.Get("scenario").Type() == ingest.String && r.Root.Path("source.scope").Type() == ingest.String {
		return ingest.MatchSure + 15
	}
	return 0
}

// graver are words of scenarios that tell of more than guessing and looking.
var graver = []string{"cve", "exploit", "rce", "backdoor", "log4", "spring4shell", "sqli", "injection", "webshell"}

// Map makes a finding of the alert.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	root := r.Root
	scenario := strings.TrimSpace(root.Get("scenario").Text())
	if scenario == "" {
		return dst, &ingest.FieldError{Field: "scenario", Why: "missing; this is no CrowdSec alert"}
	}
	for _, d := range root.Get("decisions").Each() {
		if d.Get("origin").Text() == own {
			return dst, ingest.Drop("own") // what we asked CrowdSec to do, told back
		}
	}
	at, known, err := r.Time("stop_at", "created_at", "start_at")
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{
		Time: at, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Severity: honeyguide.SeverityMedium,
		Service: product, Attrs: make(map[string]any, 16),
	}
	for _, word := range graver {
		if strings.Contains(strings.ToLower(scenario), word) {
			e.Severity = honeyguide.SeverityHigh
		}
	}
	if byHand(root) {
		e.Severity = honeyguide.SeverityInformational
	}
	if err := source(r, &e); err != nil {
		return dst, err
	}
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrRuleID, ingest.Cut(scenario, 128))
	e.Set(honeyguide.AttrRule, ingest.Cut(scenario, 128))
	e.Set(honeyguide.AttrMessage, ingest.Cut(root.Get("message").Text(), ingest.MaxText))
	e.Set(honeyguide.AttrDevice, ingest.Cut(root.Get("machine_id").Text(), 255))
	if n, ok := root.Get("events_count").Int(); ok && n >= 0 {
		e.Set(honeyguide.AttrCount, n)
	}
	for _, d := range root.Get("decisions").Each() {
		e.Set(ingest.AttrAction, ingest.Cut(d.Get("type").Text(), 32))
		r.Keep(&e, "decision.duration", d.Get("duration").Text())
		break
	}
	var ids []string
	for _, label := range root.Get("labels").Each() {
		ids = append(ids, strings.TrimPrefix(strings.ToLower(label.Text()), "attack."))
	}
	e.Attacks = ingest.Techniques("named by the scenario", ids...)
	meta(r, &e)
	if id := root.Get("uuid").ID(); id != "" {
		e.Set(honeyguide.AttrOriginID, ingest.Cut(id, 64))
		e.ID = ingest.RecordID(at, product, id)
	} else if id := root.Get("id").ID(); id != "" && known {
		e.Set(honeyguide.AttrOriginID, ingest.Cut(id, 64))
		e.ID = ingest.RecordID(at, product, root.Get("machine_id").Text(), id, scenario, root.Path("source.value").Text())
	}
	return append(dst, e), nil
}

// own is the origin of decisions that Honeyguide makes.
const own = "honeyguide"

// byHand reports an alert that tells of no detection: a decision its operator made
// or a list brought along. CrowdSec says so in kind since 1.7, before that only in
// the decision.
func byHand(root ingest.Value) bool {
	switch root.Get("kind").Text() {
	case "cscli", "cscli-import", "lists", "CAPI":
		return true
	}
	for _, d := range root.Get("decisions").Each() {
		switch d.Get("origin").Text() {
		case "cscli", "cscli-import", "lists", "CAPI":
			return true
		}
		return false
	}
	return false
}

// source sets who it is about: an address, or a range, country or network, which
// is kept as a name.
func source(r *ingest.Record, e *honeyguide.Event) error {
	s := r.Root.Get("source")
	value := s.Get("value").Text()
	if strings.EqualFold(s.Get("scope").Text(), "ip") {
		a, err := r.Addr("source.ip", "source.value")
		if err != nil {
			return err
		}
		if a.IsValid() {
			e.Src.Addr = netip.AddrPortFrom(a, 0)
		}
	} else {
		e.Src.Hostname = ingest.Cut(value, 255)
	}
	if cn := s.Get("cn").Text(); len(cn) == 2 {
		e.Src.Country = strings.ToUpper(cn)
	}
	if n, ok := s.Get("as_number").Int(); ok && n > 0 && n < 1<<32 {
		e.Src.ASN = uint32(n)
	}
	e.Src.ASOrg = ingest.Cut(s.Get("as_name").Text(), 128)
	return nil
}

// meta keeps what the first event says: lists of keys and values.
func meta(r *ingest.Record, e *honeyguide.Event) {
	for _, event := range r.Root.Get("events").Each() {
		for _, pair := range event.Get("meta").Each() {
			key, value := pair.Get("key").Text(), pair.Get("value").Text()
			r.Keep(e, key, value)
			switch key {
			case "target_user":
				e.Set(honeyguide.AttrUser, ingest.Cut(value, 255))
			case "http_path":
				e.Set(honeyguide.AttrURL, ingest.Cut(value, ingest.MaxText))
			case "http_verb":
				e.Set(honeyguide.AttrMethod, ingest.Cut(value, 64))
			case "http_user_agent":
				e.Set(honeyguide.AttrUserAgent, ingest.Cut(value, ingest.MaxText))
			case "http_status":
				if n, ok := pair.Get("value").Int(); ok {
					e.Set(honeyguide.AttrStatus, n)
				}
			case "service":
				e.Set("app_name", ingest.Cut(value, 64))
			}
		}
		return
	}
}
