package ingest

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"honeyguide"
)

// Names of attributes beside those of the dictionary.
const (
	// AttrUnmapped begins the names of fields that have no name of their own here.
	AttrUnmapped = "unmapped."
	// AttrBytes is the traffic of both directions together, in bytes.
	AttrBytes = "traffic.bytes"
	// AttrFlow joins the records of one connection: a product's flow id.
	AttrFlow = "connection_info.uid"
	// AttrCommunity is the community id of a connection, the same in every product.
	AttrCommunity = "connection_info.community_uid"
	// AttrAction is what the product did: allowed, blocked, ...
	AttrAction = "action"
	// AttrType is the record type as the product calls it.
	AttrType = "metadata.log_name"
	// AttrLocation is where the product took the record from.
	AttrLocation = "metadata.log_provider"
)

// ActivityRecord is the verb of a record for which no other verb is known.
const ActivityRecord = "record"

const (
	// MaxUnmapped bounds the unmapped fields kept of one record.
	MaxUnmapped = 64
	// MaxText bounds one kept text in bytes; the raw record has the rest.
	MaxText = 4096
	// maxUnmappedText bounds the text of one unmapped field. All bounds together
	// keep an event below the 256 KiB a log takes.
	maxUnmappedText = 1024
)

// Scalar returns v as an attribute value: a bool, a whole number, a float, or a
// text of at most 1024 bytes (JSON for lists and objects); nil when absent.
func Scalar(v Value) any {
	if v.Absent() {
		return nil
	}
	switch v.Type() {
	case Bool:
		return v.Text() == "true"
	case Number:
		if n, err := strconv.ParseInt(v.Text(), 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			return f
		}
	}
	return Cut(v.Text(), maxUnmappedText)
}

// Cut shortens s to at most n bytes without splitting a character.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// severityAliases are words other products use.
var severityAliases = map[string]honeyguide.Severity{
	"debug": honeyguide.SeverityInformational, "none": honeyguide.SeverityInformational,
	"notice": honeyguide.SeverityLow, "minor": honeyguide.SeverityLow,
	"warning": honeyguide.SeverityMedium, "warn": honeyguide.SeverityMedium, "med": honeyguide.SeverityMedium,
	"moderate": honeyguide.SeverityMedium, "suspicious": honeyguide.SeverityMedium,
	"error": honeyguide.SeverityHigh, "err": honeyguide.SeverityHigh, "major": honeyguide.SeverityHigh, "severe": honeyguide.SeverityHigh,
	"crit": honeyguide.SeverityCritical, "fatal": honeyguide.SeverityCritical,
	"emergency": honeyguide.SeverityCritical, "emerg": honeyguide.SeverityCritical,
}

// ParseSeverity reads a severity word of this or another product, or an OCSF
// severity_id: 1 to 5, with 0 for informational and 6 (fatal) for critical.
func ParseSeverity(s string) (honeyguide.Severity, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n, err := strconv.Atoi(whole(s)); err == nil {
		switch {
		case n == 0:
			return honeyguide.SeverityInformational, true
		case n == 6:
			return honeyguide.SeverityCritical, true
		case n >= 1 && n <= 5:
			return honeyguide.Severity(n), true
		}
		return 0, false
	}
	if v, err := honeyguide.ParseSeverity(s); err == nil {
		return v, true
	}
	v, ok := severityAliases[s]
	return v, ok
}

var techniqueID = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)

// maxTechniques bounds the techniques of one record.
const maxTechniques = 32

// Techniques returns the ATT&CK techniques among ids, each once, at most 32;
// what has not the form of a technique id is left out.
func Techniques(why string, ids ...string) []honeyguide.Technique {
	var all []honeyguide.Technique
	seen := map[string]bool{}
	for _, id := range ids {
		id = strings.ToUpper(strings.TrimSpace(id))
		if len(all) < maxTechniques && techniqueID.MatchString(id) && !seen[id] {
			seen[id] = true
			all = append(all, honeyguide.Technique{ID: id, Why: why})
		}
	}
	return all
}
