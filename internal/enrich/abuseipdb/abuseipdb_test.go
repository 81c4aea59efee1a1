package abuseipdb

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

var withKey = enrichtest.Key(func(into any) { into.(*Config).Key = "s3cret-key" })

var answers = []enrichtest.Answer{
	{
		Name: "bad", Body: `{"data":{"ipAddress":"8.8.8.8","isPublic":true,"ipVersion":4,"isWhitelisted":null,"abuseConfidenceScore":97,"countryCode":"NL","usageType":"Data Center","isp":"X","domain":"x.example","totalReports":412,"numDistinctUsers":88,"lastReportedAt":"2026-02-27T10:00:00+00:00"}}`,
		Verdict: honeyguide.SaysMalicious, Confidence: 97, Text: "412 reports by 88 users", AsOf: "2026-02-27",
	},
	{Name: "doubtful", Body: `{"data":{"ipAddress":"8.8.8.8","abuseConfidenceScore":30,"totalReports":3,"numDistinctUsers":2,"lastReportedAt":null}}`, Verdict: honeyguide.SaysSuspicious, Confidence: 30},
	{Name: "little", Body: `{"data":{"ipAddress":"8.8.8.8","abuseConfidenceScore":0,"totalReports":1,"numDistinctUsers":1}}`, Verdict: honeyguide.SaysInfo},
	{Name: "listed as good", Body: `{"data":{"ipAddress":"8.8.8.8","isWhitelisted":true,"abuseConfidenceScore":0,"totalReports":50}}`, Verdict: honeyguide.SaysBenign, Confidence: 50},
	{Name: "never reported", Body: `{"data":{"ipAddress":"8.8.8.8","abuseConfidenceScore":0,"totalReports":0}}`, Miss: true},
	{Name: "an error", Body: `{"errors":[{"detail":"x","status":422}]}`},
	{Name: "a score that is none", Body: `{"data":{"abuseConfidenceScore":1000,"totalReports":5}}`},
}

func TestService(t *testing.T) { enrichtest.Service(t, Kind, withKey, "s3cret-key", answers) }

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, withKey, answers) }

func TestWantsKey(t *testing.T) {
	if err := Kind.Check(nil); err == nil {
		t.Error("no key is no fault")
	}
}
