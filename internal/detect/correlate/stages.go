package correlate

import (
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
)

// stageStretch is how long one mark stands for all claims of a tactic: an hour of
// guessing is one stage.
const stageStretch = 4 * time.Hour

// stages claims that an attacker, or the attacks on an asset, have gone through
// several tactics.
func (d *detector) stages(e *about, a *honeyguide.Alert) {
	if a.Category == honeyguide.CategoryDecoyContact || len(a.Attacks) == 0 {
		return
	}
	tactic := a.Attacks[0].Tactic
	if tactic == "" {
		return
	}
	mark := detect.Mark{At: e.at, Event: e.ID, Word: tactic, Tag: a.Attacks[0].ID, Text: attack.TacticName(tactic) + ": " + a.Title}
	w := d.attackers.At(a.Attacker)
	if w.AddOnce(mark, d.stretch(), d.cfg.Window) {
		switch {
		case w.Distinct("", d.cfg.StagesHigh):
			d.staged(w, d.claim(&rules.stagesHigh, e, a.Attacker, a.Attacker))
		case w.Distinct("", d.cfg.Stages):
			d.staged(w, d.claim(&rules.stages, e, a.Attacker, a.Attacker))
		}
	}
	host := e.asset
	if host == "" {
		return
	}
	mark.Text += " (from " + strings.TrimPrefix(a.Attacker, "attacker:") + ")"
	w = d.assets.At(host)
	if w.AddOnce(mark, d.stretch(), d.cfg.Window) && w.Distinct("", d.cfg.AssetStages) {
		// Many attackers may be behind it: the story is that of the asset.
		d.staged(w, d.claim(&rules.assetStages, e, host, "asset:"+host))
	}
}

// stretch is at most a sixth of the window, so that a stage has a time in it.
func (d *detector) stretch() time.Duration { return min(stageStretch, d.cfg.Window/6) }

// staged tells of the stages, which are the techniques of the claim.
func (d *detector) staged(w *detect.Window, a *honeyguide.Alert) {
	w.Tell(a)
	for _, id := range w.Tags() {
		a.Attacks = detect.UniteAttacks(a.Attacks, attack.Of(id, "one of the stages"))
	}
	for _, tactic := range w.Words() {
		a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "stage", Type: "tactic", Value: attack.TacticName(tactic)})
	}
}
