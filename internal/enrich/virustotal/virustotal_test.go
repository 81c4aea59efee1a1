package virustotal

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

var withKey = enrichtest.Key(func(into any) { into.(*Config).Key = "s3cret-key" })

var answers = []enrichtest.Answer{
	{
		Name: "address", Body: `{"data":{"id":"8.8.8.8","type":"ip_address","attributes":{"last_analysis_stats":{"malicious":7,"suspicious":1,"undetected":20,"harmless":60,"timeout":0},"last_analysis_date":1772186400,"reputation":-12,"as_owner":"X","asn":64500,"country":"NL"}}}`,
		Verdict: honeyguide.SaysMalicious, Confidence: 85, Text: "7 of 88", AsOf: "2026-02-27",
	},
	{Name: "file", Body: `{"data":{"attributes":{"last_analysis_stats":{"malicious":40,"undetected":20},"popular_threat_classification":{"suggested_threat_label":"trojan.mirai/linux"}}}}`, Verdict: honeyguide.SaysMalicious, Confidence: 95, Text: "trojan.mirai"},
	{Name: "one voice", Body: `{"data":{"attributes":{"last_analysis_stats":{"malicious":1,"harmless":80}}}}`, Verdict: honeyguide.SaysSuspicious, Confidence: 40},
	{Name: "clean", Body: `{"data":{"attributes":{"last_analysis_stats":{"malicious":0,"harmless":80}}}}`, Verdict: honeyguide.SaysInfo},
	{Name: "never looked at", Body: `{"data":{"attributes":{"last_analysis_stats":{}}}}`, Miss: true},
	{Name: "an error", Body: `{"error":{"code":"QuotaExceededError"}}`},
	{Name: "nonsense", Body: `{"data":{"attributes":{"last_analysis_stats":{"malicious":-4}}}}`},
}

func TestService(t *testing.T) { enrichtest.Service(t, Kind, withKey, "s3cret-key", answers) }

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, withKey, answers) }
