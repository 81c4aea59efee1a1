package app

import (
	"context"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
)

// guessing makes a finding of a burst of wrong logins at the console: it goes the
// way of all findings and ends in the queue, where people look. It names no person
// the product has not got an account of.
func (a *App) guessing(ctx context.Context, g auth.Guessing) error {
	if a.intake == nil { // nothing is open that could keep it
		return nil
	}
	text := "somebody gives more wrong passwords at this console than are looked at"
	e := honeyguide.Event{
		Time: g.At, Observed: g.At, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Severity: honeyguide.SeverityMedium,
		Sensor: "console", Service: "console", Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(g.Address, 0)},
		Attacks: []honeyguide.Technique{{ID: "T1110", Tactic: "TA0006", Why: "many wrong passwords in a short time"}},
	}
	rule, title := "console-guessing", "Passwords are guessed at the console"
	if g.Codes {
		rule, title = "console-code-guessing", "Second factors are guessed at the console"
		text = "somebody who knows the password gives more wrong codes at this console than are looked at: give the account a new password"
		e.Severity = honeyguide.SeverityHigh
	}
	e.ID = honeyguide.DerivedID(g.At, rule, g.User, g.Address.String(), g.At.Format(time.RFC3339Nano))
	e.Set(honeyguide.AttrProduct, "honeyguide")
	e.Set(honeyguide.AttrRuleID, rule)
	e.Set(honeyguide.AttrRule, title)
	e.Set(honeyguide.AttrMessage, text)
	e.Set(honeyguide.AttrCategory, "brute force")
	if g.User != "" {
		e.Set(honeyguide.AttrUser, g.User)
	}
	_, err := a.intake.Store(ctx, []honeyguide.Event{e})
	return err
}
