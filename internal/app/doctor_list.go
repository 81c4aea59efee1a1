package app

import (
	"context"
	"slices"
	"strings"
)

// A Line is one finding with the name machines know it by.
type Line struct {
	ID string `json:"id"` // stable: data-folder
	Finding
	Checklist []string `json:"checklist,omitempty"` // lines of the production checklists it answers
}

// Lines goes through the production checklist and says which line of it each
// finding answers. docs/operations/production-checklist.md has the same table.
func Lines(ctx context.Context, s Settings) []Line {
	var out []Line
	for _, f := range Doctor(ctx, s) {
		id := lineID(f.Name)
		out = append(out, Line{ID: id, Finding: f, Checklist: linesOf(id)})
	}
	return out
}

// lineID makes the stable id of a finding: its name, spelt for machines.
func lineID(name string) string { return strings.ReplaceAll(name, " ", "-") }

// A demand is one line of a production checklist, in our own words, and the
// findings that answer it.
type demand struct {
	id, text string
	by       []string
}

// checklist is every line of the production checklists of the two products
// Honeyguide joins: S of the SOC's security policy, H of the honeypot's.
var checklist = []demand{
	{"S1", "API keys are rotated", []string{"api-keys-end", "admin-key"}},
	{"S2", "passwords are strong", []string{"passwords"}},
	{"S3", "a second factor is in use", []string{"second-factor", "second-factor-enforced"}},
	{"S4", "accounts of services are secured", []string{"api-keys-least"}},
	{"S5", "HTTPS is in use", []string{"certificate", "tls"}},
	{"S6", "firewall rules are set", []string{"firewall", "allowlist"}},
	{"S7", "remote access goes through a VPN", []string{"api"}},
	{"S8", "networks are segmented", []string{"segment"}},
	{"S9", "input is validated", []string{"input-validation"}},
	{"S10", "SQL injection is prevented", []string{"sql-injection"}},
	{"S11", "cross-site scripting is prevented", []string{"cross-site-scripting"}},
	{"S12", "requests cannot be forged across sites", []string{"cross-site-requests"}},
	{"S13", "the operating system is patched", []string{"patches"}},
	{"S14", "containers are hardened", []string{"hardening", "isolation"}},
	{"S15", "images are scanned for known weaknesses", []string{"build"}},
	{"S16", "secrets are managed", []string{"encryption", "secrets-at-rest", "master-key", "key-rotation", "configuration-secrets"}},
	{"S17", "security events are logged", []string{"audit-log", "event-logging"}},
	{"S18", "logs are aggregated", []string{"log-aggregation"}},
	{"S19", "alerting rules are defined", []string{"notices", "alerting", "detection"}},
	{"S20", "compliance is reported", []string{"compliance"}},
	{"S21", "no default password is left", []string{"key-files", "admin-key", "accounts"}},
	{"S22", "files are private: configuration 0600, logs and data 0700", []string{"data-folder", "key-files", "configuration-files", "file-modes"}},
	{"S23", "no DEBUG in production", []string{"log-level", "mode"}},
	{"S24", "exposed services are few", []string{"api", "proxies", "decoys"}},
	{"S25", "data are encrypted at rest", []string{"secrets-at-rest", "encryption"}},
	{"S26", "data are deleted in time", []string{"retention", "retention-classes"}},
	{"S27", "third parties get the least, and are watched", []string{"egress", "sources"}},
	{"S28", "the audit log shows tampering, is rotated and kept", []string{"audit-log", "audit-verified", "audit-witness"}},
	{"H1", "decoys stand in a network of their own", []string{"segment", "decoys"}},
	{"H2", "the firewall denies by default", []string{"firewall", "egress"}},
	{"H3", "logs are kept at a safe place elsewhere", []string{"log-aggregation", "audit-witness"}},
	{"H4", "no real credential stands in the configuration", []string{"configuration-secrets", "configuration-files"}},
	{"H5", "monitoring and alerting are on", []string{"monitoring", "alerting", "notices"}},
	{"H6", "the deployment is documented for the law", []string{"legal-basis"}},
	{"H7", "production mode", []string{"mode"}},
	{"H8", "log level and debugging", []string{"log-level"}},
	{"H9", "a threshold for threats is set", []string{"threshold"}},
	{"H10", "a limit for keeping data is set", []string{"retention"}},
	{"H11", "encryption is on", []string{"encryption"}},
	{"H12", "services run without root, capabilities and new privileges", []string{"hardening", "isolation"}},
	{"H13", "file systems are read-only where they can be", []string{"hardening", "isolation"}},
	{"H14", "CPU and memory are limited", []string{"resource-limits", "open-files", "disk-reserve"}},
	{"H15", "honeytokens are synthetic and watched", []string{"honeytokens"}},
	{"H16", "incidents are answered in the time of their severity", []string{"response-times"}},
	{"H17", "evidence is preserved, with a chain of custody", []string{"custody"}},
	{"H18", "backups are made and their integrity is verified", []string{"backup", "restore-test", "integrity"}},
	{"H19", "everything is kept up to date", []string{"patches", "build"}},
	{"H20", "clocks agree, so that logs can be put together", []string{"clock"}},
}

// linesOf returns the lines of the checklists a finding answers.
func linesOf(id string) []string {
	var out []string
	for _, d := range checklist {
		if slices.Contains(d.by, id) {
			out = append(out, d.id)
		}
	}
	return out
}
