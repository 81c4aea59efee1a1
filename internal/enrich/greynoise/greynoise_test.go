package greynoise

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

var withKey = enrichtest.Key(func(into any) { into.(*Config).Key = "s3cret-key" })

var answers = []enrichtest.Answer{
	{Name: "scanner", Body: `{"ip":"8.8.8.8","noise":true,"riot":false,"classification":"malicious","name":"unknown","link":"x","last_seen":"2026-02-27","message":"Success"}`, Verdict: honeyguide.SaysMalicious, Confidence: 80, Text: "scans", AsOf: "2026-02-27"},
	{Name: "good scanner", Body: `{"ip":"8.8.8.8","noise":true,"riot":false,"classification":"benign","name":"Census"}`, Verdict: honeyguide.SaysBenign, Confidence: 80, Text: "Census"},
	{Name: "everybody's", Body: `{"ip":"8.8.8.8","noise":false,"riot":true,"classification":"benign","name":"Google DNS"}`, Verdict: honeyguide.SaysBenign, Confidence: 80, Text: "everybody uses: Google DNS"},
	{Name: "noise", Body: `{"ip":"8.8.8.8","noise":true,"classification":"unknown"}`, Verdict: honeyguide.SaysInfo},
	{Name: "nothing", Body: `{"ip":"8.8.8.8","noise":false,"riot":false,"message":"IP not observed"}`, Miss: true},
}

func TestService(t *testing.T) { enrichtest.Service(t, Kind, withKey, "s3cret-key", answers) }

func TestWithoutKey(t *testing.T) { enrichtest.Service(t, Kind, nil, "", answers) }

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, withKey, answers) }
