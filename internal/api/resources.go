package api

import (
	"context"
	"net/http"
	"strings"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

type alertsIn struct {
	Following
	Span
	Least
	Status    []honeyguide.AlertStatus `query:"status" enum:"new,acknowledged,escalated,suppressed,closed" doc:"one of, comma-separated; absent means all but the suppressed ones"`
	Src       string                   `query:"src" maxLength:"64" doc:"source address"`
	Technique string                   `query:"technique" maxLength:"16" doc:"ATT&CK id; T1110 finds T1110.001 too"`
	Rule      string                   `query:"rule" maxLength:"256" doc:"rule id"`
	Detector  string                   `query:"detector" maxLength:"64"`
	Incident  string                   `query:"incident" maxLength:"64" doc:"id or short form of the incident"`
	Session   string                   `query:"session" maxLength:"64"`
	Attacker  string                   `query:"attacker" maxLength:"128"`
	Verdict   honeyguide.VerdictWord   `query:"verdict" enum:"true_positive,false_positive,benign,duplicate,none" doc:"none finds those without one"`
	Q         string                   `query:"q" maxLength:"256" doc:"words of title, evidence and observables"`
	By        string                   `query:"suppression" maxLength:"64" doc:"id or short form of the suppression that hides them"`
}

func (in *alertsIn) query(ctx context.Context, tx state.Tx) (state.AlertQuery, error) {
	incident, err := incidentID(ctx, tx, in.Incident)
	if err != nil {
		return state.AlertQuery{}, err
	}
	hides, err := suppressionID(ctx, tx, in.By)
	return state.AlertQuery{
		Suppression: hides, Shown: len(in.Status) == 0 && hides == "" && incident == "",
		Page: in.page(), Severity: in.severity(), Status: in.Status, Src: in.Src, Technique: in.Technique, Rule: in.Rule,
		Detector: in.Detector, Incident: incident, Session: in.Session, Attacker: in.Attacker, Verdict: in.Verdict, Text: in.Q, From: in.From, To: in.To,
		NoReasons: !wanted(ctx, "reasons"),
	}, err
}

// suppressionID resolves a short form, as incidentID does.
func suppressionID(ctx context.Context, tx state.Tx, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	s, err := tx.Suppressions().Get(ctx, id)
	return s.ID, err
}

// incidentID resolves a short form. An incident that is not there is an error:
// a filter that can never match is a mistake worth telling.
func incidentID(ctx context.Context, tx state.Tx, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	i, err := tx.Incidents().Get(ctx, id)
	return i.ID, err
}

// counts is how many rows there are of each severity.
type counts struct {
	Total      int64            `json:"total"`
	BySeverity map[string]int64 `json:"by_severity"`
}

func (s *server) alerts() {
	list(s, op("/alerts", "list-alerts", "Alerts, newest first; suppressed ones only when asked for by status, suppression or incident"), func(ctx context.Context, tx state.Tx, in *alertsIn) ([]honeyguide.Alert, string, error) {
		q, err := in.query(ctx, tx)
		if err != nil {
			return nil, "", err
		}
		return tx.Alerts().List(ctx, q)
	})
	read(s, op("/alerts/counts", "count-alerts", "How many alerts a list would give, by severity"), func(ctx context.Context, in *alertsIn) (counts, error) {
		out := counts{BySeverity: map[string]int64{}}
		err := s.dep.State.View(ctx, func(tx state.Tx) error {
			q, err := in.query(ctx, tx)
			if err != nil {
				return err
			}
			n, err := tx.Alerts().Counts(ctx, q)
			for severity, count := range n {
				out.BySeverity[severity.String()] = count
				out.Total += count
			}
			return err
		})
		return out, err
	})
	one(s, op("/alerts/{id}", "get-alert", "One alert with its evidence and reasons"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Alert, error) {
		return tx.Alerts().Get(ctx, id)
	})
}

type incidentsIn struct {
	Following
	Span
	Least
	Status   []honeyguide.IncidentStatus `query:"status" enum:"new,in_progress,on_hold,resolved,closed" doc:"one of, comma-separated"`
	Attacker string                      `query:"attacker" maxLength:"128"`
	Q        string                      `query:"q" maxLength:"256" doc:"words of title, key, attackers, techniques and plans"`
}

func (s *server) incidents() {
	list(s, op("/incidents", "list-incidents", "Incidents, newest first"), func(ctx context.Context, tx state.Tx, in *incidentsIn) ([]honeyguide.Incident, string, error) {
		return tx.Incidents().List(ctx, state.IncidentQuery{
			Page: in.page(), Severity: in.severity(), Status: in.Status, Attacker: in.Attacker, Text: in.Q, From: in.From, To: in.To,
		})
	})
	s.oneIncident()
}

type sessionsIn struct {
	Following
	Span
	Least
	Service  string `query:"service" maxLength:"64"`
	Sensor   string `query:"sensor" maxLength:"64"`
	Src      string `query:"src" maxLength:"64" doc:"source address"`
	User     string `query:"user" maxLength:"256" doc:"the login that succeeded"`
	Recorded bool   `query:"recorded" doc:"only with a recording"`
	Open     bool   `query:"open" doc:"only those that have not ended"`
	Q        string `query:"q" maxLength:"256" doc:"words of addresses, user, client, sensor and tokens"`
}

func (s *server) sessions() {
	list(s, op("/sessions", "list-sessions", "Sessions, newest first"), func(ctx context.Context, tx state.Tx, in *sessionsIn) ([]honeyguide.Session, string, error) {
		return tx.Sessions().List(ctx, state.SessionQuery{
			Page: in.page(), Severity: in.severity(), Service: in.Service, Sensor: in.Sensor, Src: in.Src, User: in.User,
			Recorded: in.Recorded, Open: in.Open, Text: in.Q, From: in.From, To: in.To,
		})
	})
	one(s, op("/sessions/{id}", "get-session", "One session"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Session, error) {
		return tx.Sessions().Get(ctx, id)
	})
	s.recording()
}

func (s *server) tokens() {
	list(s, op("/tokens", "list-tokens", "Honeytokens, newest first"), func(ctx context.Context, tx state.Tx, in *struct{ Paging }) ([]honeyguide.Honeytoken, string, error) {
		return tx.Tokens().List(ctx, in.page())
	})
	one(s, op("/tokens/{id}", "get-token", "One honeytoken"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Honeytoken, error) {
		return tx.Tokens().Get(ctx, id)
	})
	o := op("/tokens/{id}/exposures", "list-exposures", "Who read a honeytoken, newest first: the last hundred")
	o.Errors = append(o.Errors, http.StatusNotFound)
	list(s, o, func(ctx context.Context, tx state.Tx, in *byID) ([]honeyguide.Exposure, string, error) {
		t, err := tx.Tokens().Get(ctx, in.ID)
		if err != nil {
			return nil, "", err
		}
		all, err := tx.Tokens().Exposures(ctx, t.ID)
		return all, "", err
	})
}

type plansIn struct {
	Following
	Action   string               `query:"action" maxLength:"64"`
	State    honeyguide.PlanState `query:"state" enum:"planned,waiting,applying,applied,verified,reverting,reverted,expired,refused,failed,cancelled"`
	Incident string               `query:"incident" maxLength:"64" doc:"id or short form of the incident"`
	Target   string               `query:"target" maxLength:"256"`
	Run      string               `query:"run" maxLength:"64" doc:"id or short form of the run"`
	Playbook string               `query:"playbook" maxLength:"128"`
	Holding  bool                 `query:"holding" doc:"only those whose effect holds or may hold"`
}

func (s *server) plans() {
	list(s, op("/plans", "list-plans", "What playbooks would do, do and did, newest first"), func(ctx context.Context, tx state.Tx, in *plansIn) ([]honeyguide.Plan, string, error) {
		incident, err := incidentID(ctx, tx, in.Incident)
		if err != nil {
			return nil, "", err
		}
		run := in.Run
		if run != "" {
			r, err := tx.Runs().Get(ctx, run)
			if err != nil {
				return nil, "", err
			}
			run = r.ID
		}
		return tx.Plans().List(ctx, state.PlanQuery{
			Page: in.page(), Action: in.Action, State: in.State, Incident: incident, Target: in.Target, Run: run, Playbook: in.Playbook, InForce: in.Holding,
		})
	})
	one(s, op("/plans/{id}", "get-plan", "One plan"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Plan, error) {
		return tx.Plans().Get(ctx, id)
	})
}

// Include says what is shown beside the usual.
type Include struct {
	With string `query:"include" enum:"raw" doc:"raw: the bytes as they came, base64"`
}

type deadLettersIn struct {
	Paging
	Include
	Source string `query:"source" maxLength:"1024" doc:"file or source"`
}

func (s *server) deadLetters() {
	list(s, op("/dead-letters", "list-dead-letters", "Input nobody understood, newest first"), func(ctx context.Context, tx state.Tx, in *deadLettersIn) ([]honeyguide.DeadLetter, string, error) {
		all, next, err := tx.DeadLetters().List(ctx, state.DeadLetterQuery{Page: in.page(), Source: in.Source})
		if in.With != "raw" {
			for i := range all {
				all[i].Raw = nil
			}
		}
		return all, next, err
	})
}

// sensorList returns the decoys; no list in them is null.
func (s *server) sensorList(ctx context.Context) []Sensor {
	all := []Sensor{}
	if s.dep.Sensors != nil {
		all = append(all, s.dep.Sensors(ctx)...)
	}
	heard := s.heard()
	for i := range all {
		if all[i].Layers == nil {
			all[i].Layers = []string{}
		}
		all[i].Heard = heard[all[i].Name]
	}
	return all
}

// heard returns how sensors and sources are heard from, by name.
func (s *server) heard() map[string]Heard {
	out := map[string]Heard{}
	if s.dep.Pulses == nil {
		return out
	}
	now := s.dep.Now()
	for _, p := range s.dep.Pulses() {
		out[p.Sensor] = Heard{LastAt: p.LastAt.UTC(), LagMS: p.Lag.Milliseconds(), PerMinute: p.PerMinute(now), Events: p.Events}
	}
	return out
}

func (s *server) sensors() {
	read(s, op("/sensors", "list-sensors", "The decoys"), func(ctx context.Context, _ *struct{ Paging }) (client.Page[Sensor], error) {
		return client.Page[Sensor]{Items: s.sensorList(ctx)}, nil
	})
	o := op("/sensors/{id}", "get-sensor", "One decoy, by name")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (Sensor, error) {
		for _, sensor := range s.sensorList(ctx) {
			if strings.EqualFold(sensor.Name, in.ID) {
				return sensor, nil
			}
		}
		return Sensor{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no sensor of this name"}
	})
}
