// Package abuseipdb asks AbuseIPDB how often others reported an address. Shapes:
// https://docs.abuseipdb.com/, API v2, endpoint check.
package abuseipdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
)

// Config is what a user may set.
type Config struct {
	enrich.Keyed
	enrich.Limits
	MaxAge int `yaml:"max_age_days" doc:"days of reports that are counted, 1 to 365"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	if c.MaxAge < 1 || c.MaxAge > 365 {
		return fmt.Errorf("max_age_days: %d is not in 1..365", c.MaxAge)
	}
	return errors.Join(c.Want(), c.Check())
}

// Kind is the abuseipdb kind. The free plan has 1,000 checks a day.
var Kind = kind.Of("abuseipdb", "How often others reported an address, from AbuseIPDB.", Config{Limits: enrich.Usual(30, 900), MaxAge: 90}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "abuseipdb", Limits: cfg.Limits, Types: []string{"ip"}, Read: read,
		Request: func(_, value string) fetcher.Request {
			q := url.Values{"ipAddress": {value}, "maxAgeInDays": {strconv.Itoa(cfg.MaxAge)}}
			return fetcher.Request{
				URL:    "https://api.abuseipdb.com/api/v2/check?" + q.Encode(),
				Header: map[string]string{"Key": cfg.Key.Reveal(), "Accept": "application/json"},
			}
		},
	}), nil
}

type answer struct {
	Data *struct {
		Address     string `json:"ipAddress"`
		Whitelisted bool   `json:"isWhitelisted"` // null is false
		Score       int    `json:"abuseConfidenceScore"`
		Country     string `json:"countryCode"`
		Usage       string `json:"usageType"`
		ISP         string `json:"isp"`
		Domain      string `json:"domain"`
		Reports     int64  `json:"totalReports"`
		Users       int64  `json:"numDistinctUsers"`
		Last        string `json:"lastReportedAt"` // null: never
	} `json:"data"`
}

// Scores from which an address is called so.
const (
	malicious  = 75
	suspicious = 25
)

func read(x *honeyguide.Enrichment, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	d := a.Data
	if d == nil || d.Score < 0 || d.Score > 100 {
		return errors.New("no data, or a score outside 0..100")
	}
	if d.Reports == 0 && !d.Whitelisted {
		return enrich.ErrMiss
	}
	switch {
	case d.Whitelisted:
		x.Verdict, x.Confidence = honeyguide.SaysBenign, 50
	case d.Score >= malicious:
		x.Verdict, x.Confidence = honeyguide.SaysMalicious, d.Score
	case d.Score >= suspicious:
		x.Verdict, x.Confidence = honeyguide.SaysSuspicious, d.Score
	default:
		x.Verdict = honeyguide.SaysInfo
	}
	if at, err := time.Parse(time.RFC3339, d.Last); err == nil {
		x.AsOf = at.UTC()
	}
	x.Text = fmt.Sprintf("score %d, %d reports by %d users", d.Score, d.Reports, d.Users)
	x.Data = map[string]string{
		"score": strconv.Itoa(d.Score), "reports": strconv.FormatInt(d.Reports, 10), "users": strconv.FormatInt(d.Users, 10),
		"country": enrich.Clip(d.Country, 8), "usage": enrich.Clip(d.Usage, 80), "isp": enrich.Clip(d.ISP, 120), "domain": enrich.Clip(d.Domain, 120),
	}
	return nil
}
