// Package pipeline is the way of an event: in through the [Intake], which adds
// what needs no network and appends to the event log, and on through the
// [Consumer], which reads the log behind a cursor and turns events into
// alerts, incidents, plans, sessions and the fate of honeytokens.
//
// What a batch of the log causes is written to the state in one transaction,
// together with the cursor. A crash therefore repeats nothing and loses
// nothing. The detectors' memory is rebuilt at the start by reading the last
// stretch of the log again with the results thrown away.
package pipeline

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// A Fact adds to an event what is known without any network, before it is
// stored, and returns further events that follow from it. It must not block.
// Facts run concurrently.
type Fact func(e *honeyguide.Event) []honeyguide.Event

// A Responder decides what playbooks do about an incident.
type Responder interface {
	// Respond writes what is to be done about an incident that opened or grew into
	// the transaction that makes it so. alerts are those that changed it now, opened
	// says that it is new. It may be called again for the same, when the transaction
	// runs again, and looks at nothing slower than the transaction. An error it
	// returns is the store's; what is wrong with a playbook is its own affair.
	Respond(ctx context.Context, tx state.Tx, in *honeyguide.Incident, alerts []honeyguide.Alert, opened bool, now time.Time) (Response, error)
	// Begin is told that the transaction was committed.
	Begin(list []Response)
}

// A Response is what was decided about one incident.
type Response struct {
	Plans []honeyguide.Plan // that are new
	Work  any               // for Begin
}

// A Detector is a detector and its name, which is a metric label.
type Detector struct {
	Name string
	detect.Detector
}

// AttrScope is the attribute the intake adds: what kind of address the source
// has. Values: loopback, private, link_local, public.
const AttrScope = "src_endpoint.scope"

// metrics are what the pipeline counts. All exist with 0 from the start, so
// that the first increase is seen.
type metrics struct {
	intake, events, threats, tokens, incidents, failures, trimmed, retries, replaced, unknownTokens *telemetry.CounterVec
	suppressedAlerts, suppressedEvents                                                              *telemetry.CounterVec
	category, alerts, plans, detectors                                                              *telemetry.CounterVec
	batch, detect                                                                                   *telemetry.HistogramVec
	lag, position                                                                                   *telemetry.GaugeVec
}

func newMetrics(r *telemetry.Registry) *metrics {
	m := &metrics{
		intake:    r.Counter("honeyguide_pipeline_intake_events_total", "Events appended to the log."),
		replaced:  r.Counter("honeyguide_pipeline_replaced_events_total", "Events too large or odd to be stored, replaced by a gap event."),
		events:    r.Counter("honeyguide_pipeline_events_total", "Events the detectors have seen."),
		threats:   r.Counter("threat_events_total", "Events behind alerts of medium severity or above."),
		tokens:    r.Counter("honeytoken_triggers_total", "Honeytokens read or used."),
		category:  r.Counter("honeyguide_category_events_total", "Events behind alerts, by threat category.", "category"),
		alerts:    r.Counter("honeyguide_alerts_total", "Alerts raised, by severity.", "severity"),
		incidents: r.Counter("honeyguide_incidents_opened_total", "Incidents opened."),
		plans:     r.Counter("honeyguide_plans_total", "Plans made by playbooks, by state.", "state"),
		detectors: r.Counter("honeyguide_detector_failures_total", "Events a detector failed on.", "detector"),
		failures:  r.Counter("honeyguide_planner_failures_total", "Times a playbook could not plan."),
		retries:   r.Counter("honeyguide_pipeline_retries_total", "Times a batch could not be written to the state at once."),
		trimmed:   r.Counter("honeyguide_pipeline_trimmed_total", "Times retention took events the detectors had not seen."),

		suppressedAlerts: r.Counter("honeyguide_suppressed_alerts_total", "Alerts raised that a suppression hides."),
		suppressedEvents: r.Counter("honeyguide_suppressed_events_total", "Events behind alerts that a suppression hides."),

		unknownTokens: r.Counter("honeyguide_unknown_token_events_total", "Events about honeytokens the state does not know."),

		batch:    r.Histogram("honeyguide_pipeline_batch_seconds", "Time to write what follows from a batch.", []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10}),
		detect:   r.Histogram("honeyguide_time_to_detect_seconds", "Time from the first event behind a new alert to the alert.", []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400}),
		lag:      r.Gauge("honeyguide_pipeline_lag_events", "Events in the log the detectors have not seen."),
		position: r.Gauge("honeyguide_pipeline_position", "Number of the last event the detectors have seen."),
	}
	for _, c := range detect.Categories() {
		m.category.With(c).Add(0)
	}
	for s := honeyguide.SeverityInformational; s <= honeyguide.SeverityCritical; s++ {
		m.alerts.With(s.String()).Add(0)
	}
	for _, s := range []honeyguide.PlanState{honeyguide.PlanPlanned, honeyguide.PlanRefused} {
		m.plans.With(string(s)).Add(0)
	}
	return m
}
