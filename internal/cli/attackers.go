package cli

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"

	"github.com/spf13/cobra"
)

// attackersCmd is `honeyguide attackers list|show`.
func (c *command) attackersCmd() *cobra.Command {
	return listing[honeyguide.Attacker]{
		name: "attackers", alias: "attacker", short: "The sources alerts are about, and what is known about each.", path: "/attackers",
		filters: map[string]string{"from": "not before this `time` (RFC 3339)", "to": "before this `time`"},
		header:  []any{"ATTACKER", "LAST", "SEVERITY", "ALERTS", "COUNTRY", "NETWORK", "KNOWN AS", "NEWEST"},
		row: func(a honeyguide.Attacker) []any {
			return []any{strings.TrimPrefix(a.Key, "attacker:"), a.LastAt, a.Severity, a.Alerts, a.Src.Country, network(a.Src), known(a.Enrichments), a.LastTitle}
		},
		show: showAttacker,
	}.command(c)
}

func showAttacker(w io.Writer, a honeyguide.Attacker, more lookup) {
	field(w, "attacker", strings.TrimPrefix(a.Key, "attacker:"))
	showPlace(w, a.Src)
	field(w, "severity", a.Severity)
	field(w, "first", a.FirstAt)
	field(w, "last", a.LastAt)
	showKnown(w, a.Enrichments)
	var alerts client.Page[honeyguide.Alert]
	if err := more("/alerts", url.Values{"attacker": {a.Key}, "limit": {"50"}}, &alerts); err != nil {
		field(w, "alerts", err.Error())
	}
	heading(w, fmt.Sprintf("Alerts (%d)", a.Alerts))
	for _, x := range alerts.Items {
		row(w, x.Short, x.Time, x.Severity, x.Score, x.RuleID, x.Title)
	}
}

// network names who announces an address.
func network(e honeyguide.Endpoint) string {
	if e.ASN == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("AS%d %s", e.ASN, e.ASOrg))
}

// showPlace adds where an address is registered, when that is known.
func showPlace(w io.Writer, e honeyguide.Endpoint) {
	if e.Country != "" {
		field(w, "country", e.Country)
	}
	if n := network(e); n != "" {
		field(w, "network", n)
	}
}

// known sums up what is said about a source: the worst word and by how many.
func known(list []honeyguide.Enrichment) string {
	for _, v := range []string{honeyguide.SaysMalicious, honeyguide.SaysSuspicious, honeyguide.SaysBenign} {
		var by []string
		for i := range list {
			if list[i].Verdict == v {
				by = append(by, list[i].Provider)
			}
		}
		if len(by) > 0 {
			return v + " (" + strings.Join(by, ", ") + ")"
		}
	}
	return ""
}

// learnt asks what services said about the source of an alert.
func learnt(w io.Writer, a honeyguide.Alert, more lookup) []honeyguide.Enrichment {
	if !a.Src.Addr.IsValid() {
		return nil
	}
	var p client.Page[honeyguide.Enrichment]
	q := url.Values{"type": {"ip"}, "value": {a.Src.Addr.Addr().Unmap().WithZone("").String()}}
	if err := more("/enrichments", q, &p); err != nil {
		field(w, "enrichments", err.Error())
	}
	return p.Items
}

// showKnown lists what feeds and services say, with source and age.
func showKnown(w io.Writer, lists ...[]honeyguide.Enrichment) {
	first := true
	for _, list := range lists {
		for i := range list {
			x := &list[i]
			if first {
				heading(w, "Known as")
				first = false
			}
			value := x.Value
			if x.Match != "" {
				value += " in " + x.Match
			}
			sure := ""
			if x.Confidence > 0 {
				sure = fmt.Sprintf("%d %%", x.Confidence)
			}
			row(w, x.Provider, x.Verdict, sure, value, "as of "+asOf(x), safetext.TermN(x.Text, 60))
		}
	}
}

// asOf is the moment an enrichment speaks of.
func asOf(x *honeyguide.Enrichment) string {
	at := x.AsOf
	if at.IsZero() {
		at = x.At
	}
	if at.IsZero() {
		return "unknown"
	}
	return at.UTC().Format(time.DateOnly + " 15:04")
}
