package app

import (
	"context"
	"time"

	"honeyguide/internal/api"
	"honeyguide/internal/detect"
	"honeyguide/internal/incident"
)

// SLA says how soon incidents of each severity are to be answered.
type SLA struct {
	Critical time.Duration `yaml:"critical" doc:"time to contain, judge or close a critical incident in; people are told at four fifths of it, and when it is over"`
	High     time.Duration `yaml:"high" doc:"the same for high"`
	Medium   time.Duration `yaml:"medium" doc:"the same for medium"`
	Low      time.Duration `yaml:"low" doc:"the same for low and informational"`
}

// defaultSLA is what the security policy asks for.
func defaultSLA() SLA {
	d := detect.DefaultSLA()
	return SLA{Critical: d.Critical, High: d.High, Medium: d.Medium, Low: d.Low}
}

// check refuses what nobody could keep to.
func (s SLA) check() error {
	for _, x := range []struct {
		key string
		d   time.Duration
	}{{"critical", s.Critical}, {"high", s.High}, {"medium", s.Medium}, {"low", s.Low}} {
		if x.d < time.Minute || x.d > 90*24*time.Hour {
			return invalid("respond.sla.%s: %v; want 1m to 2160h", x.key, x.d)
		}
	}
	return nil
}

func (s SLA) times() detect.SLA {
	return detect.SLA{Critical: s.Critical, High: s.High, Medium: s.Medium, Low: s.Low}
}

// openIncidents makes the desk people work on incidents at.
func (a *App) openIncidents(context.Context) error {
	a.incidents = incident.NewDesk(incident.Deps{
		State: a.state, Judge: api.PassIncident, Metrics: a.metrics, Log: a.log, Now: a.now,
		Escalate: a.escalate, Told: func() { a.notices.Wake() },
	})
	return nil
}
