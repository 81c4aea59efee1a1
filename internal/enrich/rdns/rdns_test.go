package rdns

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

var answers = []enrichtest.Answer{
	{Name: "one", Body: "Scanner.Example.net.", Verdict: honeyguide.SaysInfo, Text: "scanner.example.net"},
	{Name: "two", Body: "a.example.\nb.example.", Verdict: honeyguide.SaysInfo, Text: "a.example b.example"},
	{Name: "none", Body: " \n", Miss: true},
	{Name: "markup", Body: "<script>alert(1)</script>.example."},
}

func TestService(t *testing.T) {
	for _, a := range answers { // anything that looks like a name is one, so the garbage of the others is none here
		enrichtest.Read(t, Kind, nil, a)
	}
}

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, nil, answers) }
