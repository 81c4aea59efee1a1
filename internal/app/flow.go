package app

import (
	"context"
	"net/netip"
	"os"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/personal"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/respond"
	"honeyguide/internal/verdict"
)

// consumerName is the cursor of the detectors.
const consumerName = "detect"

// openPipeline builds the way from an event to a plan.
func (a *App) openPipeline(ctx context.Context) (err error) {
	a.intake, err = pipeline.NewIntake(ctx, pipeline.IntakeDeps{
		Log: a.events, State: a.state, Facts: []pipeline.Fact{a.facts(), a.tokens.Uses, a.personalFact()}, Seen: a.live.Saw, Metrics: a.metrics, Now: a.now,
	})
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
		Memory: a.memory / 6, SLA: a.settings.Respond.SLA.times(),
	}, pipeline.Deps{
		Log: a.events, State: a.state, Detectors: a.detectors, Responder: a.runs, Recording: a.recordingOf,
		Metrics: a.metrics, Logger: a.log, Now: a.now,
	})
	return nil
}

// capturedIn are the attributes people's data may stand in: what peers typed, sent
// and asked for, and what other products wrote about it.
var capturedIn = []string{honeyguide.AttrCommand, honeyguide.AttrBody, honeyguide.AttrURL, honeyguide.AttrMessage, honeyguide.AttrUser, honeyguide.AttrReferrer}

// personalFact marks events in whose captured text personal data stands. The text
// itself is left as it came.
func (a *App) personalFact() pipeline.Fact {
	found := a.metrics.Counter("honeyguide_personal_data_total", "Personal data found in captured text, by sort.", "sort")
	return func(e *honeyguide.Event) []honeyguide.Event {
		var all personal.Counts
		for _, name := range capturedIn {
			for sort, n := range personal.Detect(e.Str(name)) {
				if all == nil {
					all = personal.Counts{}
				}
				all[sort] += n
				found.With(string(sort)).Add(float64(n))
			}
		}
		e.Set(honeyguide.AttrPersonal, all.String())
		return nil
	}
}

// openTriage reads the models of triage.
func (a *App) openTriage(ctx context.Context) (err error) {
	a.trainer, err = verdict.NewTrainer(ctx, verdict.TrainerDeps{State: a.state, Metrics: a.metrics, Log: a.log, Now: a.now})
	return err
}

// recordingOf names the recording of a session, "" when there is none.
func (a *App) recordingOf(session string) string {
	// A session of another product has a name no recording can have: the path is the folder then.
	if info, err := os.Stat(a.recordings.Path(session)); err != nil || !info.Mode().IsRegular() {
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
