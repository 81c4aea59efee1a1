package behaviour

import (
	"strings"

	"honeyguide"
	"honeyguide/internal/detect"
)

// rules are the claims made by code rather than by a pattern.
var rules = struct {
	contact, scan, bruteForce, sprayUser, sprayPassword, afterFailures, login,
	tunnel, dropped, ran, cradle, transfer, reconMany,
	malware, ranMalware, script,
	travel, beacon, rare detect.Rule
}{
	travel: rule("impossible_travel", "One account logs in from places too far apart", high, intrusion, "nobody travels that fast", "T1078"),
	beacon: rule("beacon", "Regular contact with one place outside", low, malware, "asks for orders again and again", "T1071.001"),
	rare:   rule("rare_process", "Program that never ran here before", low, intrusion, "runs what nothing here ran before", "T1059"),

	contact:       rule("decoy_contact", "Contact with a decoy", low, honeyguide.CategoryDecoyContact, "connects to a service nobody has reason to use", "T1595.001"),
	scan:          rule("port_scan", "Tries several services", medium, recon, "touches one service after another", "T1046", "T1595.001"),
	bruteForce:    rule("brute_force", "Password guessing", medium, honeyguide.CategoryFailedAuth, "fails to log in again and again", "T1110.001"),
	sprayUser:     rule("password_spray", "Many sources guess one account", medium, honeyguide.CategoryFailedAuth, "several sources try one user name", "T1110.003"),
	sprayPassword: rule("password_spray", "One password tried on many accounts", medium, honeyguide.CategoryFailedAuth, "one password, many user names", "T1110.003"),
	afterFailures: rule("success_after_failures", "Log-in succeeds after guessing", high, intrusion, "guessed until it fitted", "T1110.001", "T1078"),
	login:         rule("decoy_login", "Log-in to a decoy", medium, intrusion, "logs in where no account is real", "T1078"),
	tunnel:        rule("tunnel", "Asks for a tunnel", medium, lateral, "asks the decoy to forward traffic", "T1090", "T1572"),
	dropped:       rule("malware_drop", "File dropped", medium, malware, "writes a file into a staging folder", "T1105"),
	malware:       rule("malware_drop", "Malware dropped", high, malware, "brings a program", "T1105"),
	script:        rule("malware_drop", "Script or archive dropped", medium, malware, "brings a script or an archive", "T1105"),
	ranMalware:    rule(ruleExecute, "Runs the program it brought", high, malware, "runs a program or script it brought", "T1059.004", "T1105"),
	ran:           rule(ruleExecute, "Runs a dropped file", medium, malware, "runs a file it brought", "T1059.004"),
	cradle:        rule(ruleCradle, "Downloads and runs a program", high, malware, "runs what it fetched before", "T1105", "T1059.004"),
	transfer:      rule(ruleTransfer, "Tool transferred to the decoy", medium, malware, "asks the decoy to fetch a file", "T1105"),
	reconMany:     rule(ruleRecon, "System reconnaissance, several questions", medium, recon, "asks many questions about the system", "T1082"),
}

// Rules returns every rule this detector can claim, each id and title once.
func Rules() []detect.Rule {
	out := []detect.Rule{
		rules.contact, rules.scan, rules.bruteForce, rules.sprayUser, rules.sprayPassword, rules.afterFailures,
		rules.login, rules.tunnel, rules.dropped, rules.malware, rules.script, rules.ranMalware, rules.ran, rules.reconMany, rules.cradle, rules.transfer, webScan,
		rules.travel, rules.beacon, rules.rare,
	}
	for _, r := range commandRules {
		out = append(out, r.Rule)
	}
	for _, r := range webRules {
		out = append(out, r.Rule)
	}
	return out
}

// contact: somebody connected, or sent a datagram. On a decoy that alone is
// worth a note.
func (d *detector) contact(e *honeyguide.Event) {
	if detect.External(e) {
		return
	}
	service := e.Sensor
	if service == "" {
		service = e.Service
	}
	d.claim(&rules.contact, e, "", "connects to "+service)
	w := &d.sources.At(detect.Source(e)).touched
	w.Add(detect.Mark{At: detect.When(e), Event: e.ID, Word: service, Text: "connects to " + service}, d.cfg.ScanWindow)
	if w.Distinct("", d.cfg.ScanServices) {
		w.Tell(d.claim(&rules.scan, e, "", ""))
	}
}

// loginText is the line of evidence of a log-in.
func loginText(e *honeyguide.Event) string {
	secret := e.Str(honeyguide.AttrPassword)
	if secret == "" {
		secret = e.Str(honeyguide.AttrKeyFingerprint)
	}
	return e.Service + " " + e.Str(honeyguide.AttrUser) + " / " + secret
}

func (d *detector) loginFailed(e *honeyguide.Event) {
	src := detect.Source(e)
	s := d.sources.At(src)
	user, text := clip64(e.Str(honeyguide.AttrUser)), loginText(e)
	mark := detect.Mark{At: detect.When(e), Event: e.ID, Word: user, Text: text}
	s.fails.Add(mark, d.cfg.BruteForceWindow)
	if s.fails.Reaches(d.cfg.BruteForceCount) {
		s.fails.Tell(d.claim(&rules.bruteForce, e, "", ""))
	}
	if pw := clip64(e.Str(honeyguide.AttrPassword)); pw != "" {
		mark.Word = pw + "\x00" + user
		s.sprayed.Add(mark, d.cfg.SprayWindow)
		if s.sprayed.Distinct(pw+"\x00", d.cfg.SprayUsers) {
			s.sprayed.Tell(d.claim(&rules.sprayPassword, e, "", ""))
		}
	}
	if user == "" {
		return
	}
	w := d.users.At(user)
	w.Add(detect.Mark{At: detect.When(e), Event: e.ID, Word: src, Text: src + ": " + text}, d.cfg.SprayWindow)
	if w.Distinct("", d.cfg.SpraySources) {
		d.spray(w, e, user)
	}
}

// spray claims that many sources guess one account. It belongs to no single
// source, so it is correlated by the account.
func (d *detector) spray(w *detect.Window, e *honeyguide.Event, user string) {
	a := d.claim(&rules.sprayUser, e, "", "")
	a.DedupeKey, a.Attacker, a.Session = "password_spray|user|"+user, "campaign:spray:"+user, ""
	w.Tell(a)
	for _, ev := range a.Evidence {
		from, _, _ := strings.Cut(ev.Text, ": ")
		a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "source", Type: "ip", Value: from})
	}
	a.ID = honeyguide.DerivedID(a.Time, "alert", "behaviour", a.DedupeKey, e.ID)
}

func (d *detector) loginSuccess(e *honeyguide.Event) {
	d.travel(e)
	s := d.sources.At(detect.Source(e))
	if s.fails.Within(detect.When(e), d.cfg.SprayWindow) >= d.cfg.SuccessAfter {
		d.claim(&rules.afterFailures, e, "", loginText(e))
	}
	if !detect.External(e) {
		d.claim(&rules.login, e, "", loginText(e))
	}
}

func clip64(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}
