package rdap

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

var answers = []enrichtest.Answer{
	{
		Name: "network", Body: `{"objectClassName":"ip network","handle":"NET-8-8-8-0-1","startAddress":"8.8.8.0","endAddress":"8.8.8.255","name":"GOGL","country":"US",
		"events":[{"eventAction":"registration","eventDate":"2014-03-14T16:52:05-04:00"},{"eventAction":"last changed","eventDate":"2026-02-27T16:52:05+00:00"}],
		"entities":[{"roles":["registrant"],"vcardArray":["vcard",[["version",{},"text","4.0"],["fn",{},"text","Example LLC"]]],
			"entities":[{"roles":["abuse"],"vcardArray":["vcard",[["email",{},"text","abuse@example.net"]]]}]}]}`,
		Verdict: honeyguide.SaysInfo, Text: "GOGL Example LLC; abuse: abuse@example.net", AsOf: "2026-02-27",
	},
	{Name: "bare", Body: `{"objectClassName":"ip network"}`, Verdict: honeyguide.SaysInfo},
	{Name: "odd card", Body: `{"objectClassName":"ip network","entities":[{"roles":["abuse"],"vcardArray":["vcard",[["email"],7,["email",{},"text",["x"]]]]}]}`, Verdict: honeyguide.SaysInfo},
	{Name: "an error", Body: `{"errorCode":500}`},
}

func TestService(t *testing.T) { enrichtest.Service(t, Kind, nil, "", answers) }

func FuzzRead(f *testing.F) { enrichtest.FuzzService(f, Kind, nil, answers) }
