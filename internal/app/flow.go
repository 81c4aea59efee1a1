package app

import (
	"context"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"honeyguide/internal/builtin"
	"honeyguide/internal/detect"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/verdict"
	"honeyguide/rules"
)

// consumerName is the cursor of the detectors.
const consumerName = "detect"

// openPipeline builds the way from an event to a plan.
func (a *App) openPipeline(ctx context.Context) (err error) {
	a.intake, err = pipeline.NewIntake(ctx, pipeline.IntakeDeps{
		Log: a.events, State: a.state, Facts: []pipeline.Fact{a.facts(), a.tokens.Uses}, Metrics: a.metrics, Now: a.now,
	})
	if err != nil {
		return err
	}
	engine, err := a.engine(ctx)
	if err != nil {
		return err
	}
	if err := a.openRules(ctx); err != nil {
		return err
	}
	scanners, err := prefixes("detect.allowlist", a.settings.Detect.Allowlist)
	if err != nil {
		return err
	}
	a.consumer = pipeline.NewConsumer(pipeline.Config{
		Name: consumerName, Min: a.settings.Detect.Threshold, Triage: detect.TriageConfig{Scanners: scanners, Models: a.trainer.Models, Compared: a.trainer.Compared},
		Memory: a.memory / 6,
	}, pipeline.Deps{
		Log: a.events, State: a.state, Detectors: a.detectors, Planner: engine, Recording: a.recordingOf,
		Metrics: a.metrics, Logger: a.log, Now: a.now,
	})
	return nil
}

// openTriage reads the models of triage.
func (a *App) openTriage(ctx context.Context) (err error) {
	a.trainer, err = verdict.NewTrainer(ctx, verdict.TrainerDeps{State: a.state, Metrics: a.metrics, Log: a.log, Now: a.now})
	return err
}

// engine loads the playbooks and the actions they may name, behind the guard.
func (a *App) engine(ctx context.Context) (*playbook.Engine, error) {
	guard, err := respond.NewGuard(respond.Config{
		Allow: a.settings.Respond.Allowlist, BlockPrivate: a.settings.Respond.BlockPrivate, NeverBlockLoopback: a.settings.Respond.NeverBlockLoopback,
	}, respond.Lately(respond.System, a.now, time.Second))
	if err != nil {
		return nil, err
	}
	if err := a.newNotices(); err != nil {
		return nil, err
	}
	actions := map[string]respond.Action{}
	for _, k := range builtin.Actions() {
		if actions[k.Name], err = k.Open(ctx, nil, respond.Deps{Name: k.Name, Log: a.log, Guard: guard, State: a.state, Notices: a.notices, Now: a.now}); err != nil {
			return nil, err
		}
	}
	if err := a.openNotices(actions); err != nil {
		return nil, err
	}
	var folder fs.FS = rules.Playbooks
	dir := "playbooks"
	if own := a.settings.Respond.Playbooks; own != "" {
		folder, dir = os.DirFS(own), "."
	}
	books, err := playbook.Load(folder, dir)
	if err != nil {
		return nil, err
	}
	return playbook.NewEngine(books, actions)
}

// recordingOf names the recording of a session, "" when there is none.
func (a *App) recordingOf(session string) string {
	if _, err := os.Stat(a.recordings.Path(session)); err != nil {
		return ""
	}
	return session
}

// prefixes reads addresses and prefixes of a setting.
func prefixes(key string, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := respond.ParseTarget(s)
		if err != nil {
			return nil, invalid("%s: %v", key, err)
		}
		out = append(out, p)
	}
	return out, nil
}
