package internetdb

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/enrich/enrichtest"
)

var answers = []enrichtest.Answer{
	{Name: "open", Body: `{"ip":"8.8.8.8","ports":[22,80,443],"cpes":["cpe:/a:nginx"],"hostnames":["x.example"],"tags":["cloud"],"vulns":["CVE-2023-1","CVE-2023-2"]}`, Verdict: honeyguide.SaysInfo, Text: "22 80 443; 2 known weaknesses"},
	{Name: "an error", Body: `{"detail":"No information available"}`},
}

func TestService(t *testing.T) {
	enrichtest.Service(t, Kind, nil, "", answers)
	e, err := Kind.Open(t.Context(), nil, enrich.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if takes := e.(enrich.Service).Spec().Takes; takes("ip", "2001:4860:4860::8888") || !takes("ip", "8.8.8.8") {
		t.Error("it knows IPv4 and no IPv6")
	}
}

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, nil, answers) }
