// Package finding takes over what other products found: a Suricata alert, a
// Wazuh alert, any record that says it is a finding. One rule of one product
// about one source is one alert.
package finding

import (
	"context"
	"strings"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
)

// Kind is the external findings detector.
var Kind = kind.Of("finding", "Alerts of other products: Suricata, Wazuh and generic findings.", Config{Min: honeyguide.SeverityLow}, open)

// Config configures the external findings detector.
type Config struct {
	Min honeyguide.Severity `yaml:"min"` // findings below it stay events
}

type detector struct{ cfg Config }

var _ detect.Detector = detector{}

func open(_ context.Context, cfg Config, _ detect.Deps) (detect.Detector, error) {
	return detector{cfg}, nil
}

// Detect claims every finding.
func (d detector) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	var out []honeyguide.Alert
	for i := range batch {
		e := &batch[i]
		if e.Activity == honeyguide.ActivityFinding && severity(e) >= d.cfg.Min {
			out = append(out, claim(e))
		}
	}
	return out, nil
}

// severity is what the product says. One that says nothing has still found
// something: that is low.
func severity(e *honeyguide.Event) honeyguide.Severity {
	if e.Severity == honeyguide.SeverityUnknown {
		return honeyguide.SeverityLow
	}
	return e.Severity
}

func claim(e *honeyguide.Event) honeyguide.Alert {
	product, id, title := e.Str(honeyguide.AttrProduct), e.Str(honeyguide.AttrRuleID), e.Str(honeyguide.AttrRule)
	if product == "" {
		product = e.Sensor
	}
	if title == "" {
		title = e.Str(honeyguide.AttrMessage)
	}
	if title == "" {
		title = "Finding without a title"
	}
	if id == "" {
		id = title
	}
	r := detect.Rule{
		ID: clip(slug(product), 32) + ":" + clip(id, 96), Title: clip(title, 200), Severity: severity(e),
		Category: category(e.Str(honeyguide.AttrCategory) + " " + title),
	}
	text := title
	if msg := e.Str(honeyguide.AttrMessage); msg != "" && msg != title {
		text += ": " + msg
	}
	if u := e.Str(honeyguide.AttrURL); u != "" {
		text += " " + u
	}
	a := detect.Claim("finding", &r, e, "", text)
	for _, t := range e.Attacks {
		if t.Tactic == "" || !strings.HasPrefix(t.Tactic, "TA") {
			known := attack.Of(t.ID, t.Why)
			if id := attack.TacticID(t.Tactic); id != "" {
				known.Tactic = id
			}
			t = known
		}
		a.Attacks = detect.UniteAttacks(a.Attacks, t)
	}
	return a
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// slug makes a product's name fit for a rule id.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 32
		}
		return '_'
	}, s)
}

// words of other products' categories and titles, by the category of ours they
// mean; the first that fits wins.
var words = []struct {
	category string
	any      []string
}{
	{honeyguide.CategoryFailedAuth, []string{"authentication_fail", "brute", "failed login", "failed password", "invalid_login", "login failed", "password guess", "authentication failure"}},
	{honeyguide.CategoryExfiltration, []string{"exfil", "data loss", "data theft"}},
	{honeyguide.CategoryLateral, []string{"lateral", "psexec", "pass the hash", "wmi remote"}},
	{honeyguide.CategoryPrivilege, []string{"privilege", "attempted-admin", "successful-admin", "administrator privilege", "user privilege", "sudo", "rootkit"}},
	{honeyguide.CategoryMalware, []string{"malware", "trojan", "ransom", "botnet", "command and control", "command-and-control", "c2", "coin-mining", "crypto", "virus"}},
	{honeyguide.CategoryRecon, []string{"recon", "scan", "network-scan", "information leak", "discovery", "web-application-activity"}},
	{honeyguide.CategoryIntrusion, []string{"web-application-attack", "web application attack", "attack", "exploit", "shellcode", "intrusion", "injection", "overflow"}},
	{honeyguide.CategoryPersistence, []string{"persistence", "syscheck", "autorun"}},
	{honeyguide.CategoryEvasion, []string{"evasion", "log clear", "audit log"}},
}

// category maps the words of another product.
func category(text string) string {
	text = strings.ToLower(text)
	for _, w := range words {
		for _, part := range w.any {
			if strings.Contains(text, part) {
				return w.category
			}
		}
	}
	return honeyguide.CategoryExternal
}
