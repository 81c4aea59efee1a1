package honeyguide

import (
	"encoding/json"
	"slices"
	"time"
)

// Names of event attributes that enrichment adds before an event is stored.
// Those of a destination begin with dst_endpoint instead.
const (
	AttrEnrichments    = "enrichments"              // list of [Enrichment]: what feeds say about values of the event
	AttrFeeds          = "threat_intel.feeds"       // names of the feeds that matched, sorted, joined by blanks
	AttrSrcCity        = "src_endpoint.city"        // where the source address is registered
	AttrSrcAsset       = "src_endpoint.name"        // the operator's own name of the host
	AttrSrcOwner       = "src_endpoint.owner.name"  // who is asked about it
	AttrSrcRole        = "src_endpoint.role"        // what it is there for
	AttrSrcCriticality = "src_endpoint.criticality" // low, medium, high, critical
	AttrSrcZone        = "src_endpoint.zone"        // internal or external, once the operator named own networks
	AttrDstCity        = "dst_endpoint.city"
	AttrDstAsset       = "dst_endpoint.name"
	AttrDstOwner       = "dst_endpoint.owner.name"
	AttrDstRole        = "dst_endpoint.role"
	AttrDstCriticality = "dst_endpoint.criticality"
	AttrDstZone        = "dst_endpoint.zone"
)

// Verdicts of an enrichment.
const (
	SaysMalicious  = "malicious"
	SaysSuspicious = "suspicious"
	SaysBenign     = "benign"
	SaysInfo       = "info"    // a fact without a judgement: an open port, a name
	SaysUnknown    = "unknown" // the provider was asked and knows nothing
)

// An Enrichment is what one provider says about one value, with the time it
// speaks of: OCSF's enrichment object.
type Enrichment struct {
	Provider   string            `json:"provider"`             // feed:NAME, or the name of a service
	Type       string            `json:"type"`                 // of the value: ip, domain, url, hash
	Value      string            `json:"value"`                // the value that was looked up
	Match      string            `json:"match,omitempty"`      // the indicator it fell under when that is another: 198.51.100.0/24
	Verdict    string            `json:"verdict"`              // one of the Says words
	Confidence int               `json:"confidence,omitempty"` // 0..100, as the provider says or as the operator set it
	Text       string            `json:"text,omitempty"`       // one line a person can read; the provider's bytes, show through safetext
	Data       map[string]string `json:"data,omitempty"`       // raw values, by the provider's names
	AsOf       time.Time         `json:"as_of,omitzero"`       // when the provider learnt it, as far as it says
	At         time.Time         `json:"at"`                   // when it was fetched or loaded
	Expires    time.Time         `json:"expires,omitzero"`     // when it counts no longer
}

// MaxEnrichments bounds the enrichments of one event or alert.
const MaxEnrichments = 50

// Enrichments returns what feeds said about the values of e when it came in.
func (e *Event) Enrichments() []Enrichment {
	switch list := e.Attrs[AttrEnrichments].(type) {
	case []Enrichment:
		return list
	case []any: // as the event log gives it back
		raw, err := json.Marshal(list)
		if err != nil {
			return nil
		}
		var out []Enrichment
		if json.Unmarshal(raw, &out) != nil {
			return nil
		}
		return out
	}
	return nil
}

// AddEnrichment adds x to list, up to [MaxEnrichments]; what the same provider
// said about the same value before is replaced when x is newer.
func AddEnrichment(list []Enrichment, x Enrichment) []Enrichment {
	i := slices.IndexFunc(list, func(o Enrichment) bool {
		return o.Provider == x.Provider && o.Type == x.Type && o.Value == x.Value && o.Match == x.Match
	})
	switch {
	case i >= 0 && x.At.After(list[i].At):
		list = slices.Clone(list)
		list[i] = x
	case i < 0 && len(list) < MaxEnrichments:
		list = append(list, x)
	}
	return list
}
