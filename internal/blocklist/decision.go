package blocklist

import (
	"net/netip"
	"strings"
	"time"

	"honeyguide/internal/respond"
)

// Origin is who made every decision listed here, as readers are told.
const Origin = "honeyguide"

// A Decision is one blocked address or prefix.
type Decision struct {
	Target   netip.Prefix // canonical: unmapped, host bits zero
	Since    time.Time    // when the block began
	Until    time.Time    // when it ends, or ended
	Changed  time.Time    // when anything about it was last decided
	Plan     string       // ID of the plan that blocks it longest
	Action   string       // name of the action
	Playbook string       // that asked for it
	Incident string       // ID

	scenario string // made once for many
}

// Value writes the target: an address for a single one, a prefix otherwise.
func (d *Decision) Value() string { return respond.Canonical(d.Target) }

// AppendValue appends Value to b.
func (d *Decision) AppendValue(b []byte) []byte {
	if d.Target.IsSingleIP() {
		return d.Target.Addr().AppendTo(b)
	}
	return d.Target.AppendTo(b)
}

// Scope is Ip or Range, as CrowdSec spells them.
func (d *Decision) Scope() string {
	if d.Target.IsSingleIP() {
		return ScopeIP
	}
	return ScopeRange
}

// The scopes of decisions.
const (
	ScopeIP    = "Ip"
	ScopeRange = "Range"
)

// Scenario says what led to it, for readers who sort by that.
func (d *Decision) Scenario() string {
	if d.scenario != "" {
		return d.scenario
	}
	return scenario(d.Playbook)
}

func scenario(playbook string) string {
	if playbook == "" {
		playbook = "manual"
	}
	return Origin + "/" + playbook
}

// ID numbers the decision: the same plan always has the same number. It has 53
// bits, so that readers whose numbers are floating point keep it whole.
func (d *Decision) ID() int64 { return int64(mix(hashText(seed, d.Plan))&(1<<53-1)) | 1 }

const seed uint64 = 14695981039346656037

// hashText continues an FNV-1a hash; a zero byte ends each text.
func hashText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h * 1099511628211
}

// mix spreads every bit of h over all of them.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// A Filter says which decisions a reader wants; an empty field wants all.
type Filter struct {
	Family   int          // 4 or 6
	Scopes   []string     // one of, in any case
	Origins  []string     // one of; anything but [Origin] finds nothing
	With     []string     // the scenario contains one of these
	Without  []string     // and none of these
	Playbook string       // exactly
	Within   netip.Prefix // lies in this prefix
	Covers   netip.Prefix // contains this prefix
}

// wants reports whether f selects d.
func (f *Filter) wants(d *Decision) bool {
	switch {
	case f.Family == 4 && !d.Target.Addr().Is4(), f.Family == 6 && !d.Target.Addr().Is6():
		return false
	case f.Playbook != "" && f.Playbook != d.Playbook:
		return false
	case len(f.Scopes) > 0 && !oneOf(f.Scopes, d.Scope()), len(f.Origins) > 0 && !oneOf(f.Origins, Origin):
		return false
	case f.Within.IsValid() && (f.Within.Bits() > d.Target.Bits() || !f.Within.Contains(d.Target.Addr())):
		return false
	case f.Covers.IsValid() && (d.Target.Bits() > f.Covers.Bits() || !d.Target.Contains(f.Covers.Addr())):
		return false
	}
	if len(f.With) == 0 && len(f.Without) == 0 {
		return true
	}
	name := d.Scenario()
	return (len(f.With) == 0 || contains(name, f.With)) && !contains(name, f.Without)
}

func oneOf(list []string, want string) bool {
	for _, s := range list {
		if strings.EqualFold(s, want) {
			return true
		}
	}
	return false
}

func contains(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
