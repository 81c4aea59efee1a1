package api

import (
	"context"
	"strings"
	"time"

	"honeyguide/internal/enrich"
	"honeyguide/internal/report"
	"honeyguide/internal/state"
)

// A WorldMap is who came from where.
type WorldMap struct {
	Span      string       `json:"span"`
	Since     time.Time    `json:"since"`
	Until     time.Time    `json:"until"`
	Countries []MapCountry `json:"countries" doc:"most events first; one without a code is where the country is not known"`
	Sensors   []MapHome    `json:"sensors" doc:"where they arrived"`
	Events    int64        `json:"events"`
	Alerts    int64        `json:"alerts"`
	Sessions  int64        `json:"sessions"`
	Credit    []string     `json:"credit" doc:"to be shown where countries are: whose data says so"`
}

// MapCountry is what came from one country.
type MapCountry struct {
	Country  string           `json:"country" doc:"ISO 3166 alpha-2, empty when it is not known"`
	Events   int64            `json:"events"`
	Alerts   int64            `json:"alerts"`
	Sessions int64            `json:"sessions"`
	Severity string           `json:"severity" doc:"the highest of its events"`
	By       map[string]int64 `json:"by_severity" doc:"events, as the live topic events counts them"`
	AlertsBy map[string]int64 `json:"alerts_by_severity"`
}

// MapHome is a sensor or source of ours.
type MapHome struct {
	Name    string `json:"name"`
	Kind    string `json:"kind,omitempty" doc:"absent for what no longer runs"`
	State   string `json:"state,omitempty"`
	Decoy   bool   `json:"decoy" doc:"a decoy; else a source of other products' records"`
	Service string `json:"service,omitempty"`
	Events  int64  `json:"events"`
	Alerts  int64  `json:"alerts"`
}

// maxHomes bounds the sensors of a map: sources name what others call themselves.
const maxHomes = 200

func (s *server) worldMap() {
	o := op("/map", "get-map", "Who came from where: events, alerts and sessions by country, and by the sensor they met")
	read(s, o, func(ctx context.Context, in *Recent) (out WorldMap, err error) {
		w, err := report.WindowOf(in.Span, s.dep.Now())
		if err != nil {
			return out, err
		}
		out = WorldMap{Span: w.Name, Since: w.Since, Until: w.Until, Countries: []MapCountry{}, Credit: s.credit(ctx)}
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			if err := countries(ctx, tx, w, &out); err != nil {
				return err
			}
			out.Sensors, err = s.homes(ctx, tx, w)
			return err
		})
		return out, err
	})
}

func countries(ctx context.Context, tx state.Tx, w report.Window, out *WorldMap) error {
	at := map[string]int{}
	for _, kind := range []state.TallyKind{state.TallyEvent, state.TallyCountry, state.TallySession} {
		list, err := report.Rank(ctx, tx, w, kind)
		if err != nil {
			return err
		}
		for _, r := range list {
			code := countryCode(r.Name)
			i, ok := at[code]
			if !ok {
				i = len(out.Countries)
				at[code] = i
				out.Countries = append(out.Countries, MapCountry{Country: code, By: map[string]int64{}, AlertsBy: map[string]int64{}, Severity: severityNone})
			}
			x, n := &out.Countries[i], r.By.Total()
			switch kind {
			case state.TallyEvent:
				x.Events, x.By, x.Severity = x.Events+n, severities(r.By), r.By.Worst().String()
				out.Events += n
			case state.TallyCountry:
				x.Alerts += n
				out.Alerts += n
				for word, n := range severities(r.By) {
					x.AlertsBy[word] += n
				}
			default:
				x.Sessions += n
				out.Sessions += n
			}
		}
	}
	return nil
}

// severityNone is the highest severity of nothing.
const severityNone = "unknown"

// countryCode is a code as it is shown, "" for what is none.
func countryCode(s string) string {
	if len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return ""
}

func (s *server) homes(ctx context.Context, tx state.Tx, w report.Window) ([]MapHome, error) {
	out := []MapHome{}
	at := map[string]int{}
	for _, x := range s.sensorList(ctx) {
		at[x.Name] = len(out)
		out = append(out, MapHome{Name: x.Name, Kind: x.Kind, State: x.State, Decoy: true, Service: x.Kind})
	}
	for _, x := range s.sourceList(ctx) {
		if _, ok := at[x.Name]; !ok {
			at[x.Name] = len(out)
			out = append(out, MapHome{Name: x.Name, Kind: x.Kind, State: x.State})
		}
	}
	for _, kind := range []state.TallyKind{state.TallyHeard, state.TallySensor} {
		list, err := report.Rank(ctx, tx, w, kind)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			i, ok := at[r.Name]
			if !ok && (r.Name == "" || len(out) >= maxHomes) {
				continue
			}
			if !ok {
				i = len(out)
				at[r.Name] = i
				out = append(out, MapHome{Name: r.Name})
			}
			if kind == state.TallyHeard {
				out[i].Events = r.By.Total()
			} else {
				out[i].Alerts = r.By.Total()
			}
		}
	}
	return out, nil
}

// credit names whose data says where addresses are.
func (s *server) credit(ctx context.Context) []string {
	out := []string{}
	if s.dep.Enrich == nil {
		return out
	}
	for _, x := range s.dep.Enrich(ctx) {
		if line := creditOf(x); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// creditOf is the line a database of places asks for, "" when it asks for none.
func creditOf(x enrich.Status) string {
	if x.Kind != "geo" || x.Items == 0 {
		return ""
	}
	of := strings.ToLower(x.Name)
	switch {
	case strings.Contains(of, "dbip") || strings.Contains(of, "db-ip"):
		return "IP geolocation by DB-IP, https://db-ip.com (CC BY 4.0)"
	case strings.Contains(of, "geolite"):
		return "This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com"
	case strings.Contains(of, "whois"):
		return "Country data: Number Resource Organization and the regional registries, by ip-location-db (CC BY 4.0)"
	}
	return "Places of addresses: " + strings.TrimPrefix(x.Name, "geo:")
}
