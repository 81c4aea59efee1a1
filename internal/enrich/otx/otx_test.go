package otx

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

var withKey = enrichtest.Key(func(into any) { into.(*Config).Key = "s3cret-key" })

var answers = []enrichtest.Answer{
	{Name: "named often", Body: `{"indicator":"8.8.8.8","pulse_info":{"count":12,"pulses":[{"id":"1","name":"SSH brute force","tags":["ssh"],"attack_ids":[]},{"name":"Mirai"}]}}`, Verdict: honeyguide.SaysSuspicious, Confidence: 50, Text: "12 reports: SSH brute force; Mirai"},
	{Name: "named once", Body: `{"pulse_info":{"count":1,"pulses":[{"name":"x"}]}}`, Verdict: honeyguide.SaysSuspicious, Confidence: 30},
	{Name: "not named", Body: `{"pulse_info":{"count":0,"pulses":[]}}`, Miss: true},
	{Name: "an error", Body: `{"detail":"Invalid API key"}`},
}

func TestService(t *testing.T) { enrichtest.Service(t, Kind, withKey, "s3cret-key", answers) }

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, withKey, answers) }
