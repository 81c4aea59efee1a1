package leef_test

import (
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/leef"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{leef.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "leef") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "leef",
		"LEEF:1.0|V|Gate|1.0|200|src=198.51.100.7\tdst=192.0.2.10\tsev=7\tdevTime=1795289400000",
		`LEEF:2.0|A|P|2|deny|^|src=2001:db8::7^sev=10^devTime=2026-11-21T19:30:02Z`)
}

func FuzzLEEF(f *testing.F) {
	f.Add([]byte(`LEEF:2.0|a|b|c|d|xZZ|a=b`))
	f.Add([]byte(`LEEF:2.0|a|b|c|d|x00|devTime=1^devTimeFormat=yyyyyyyyMMMMMM`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "leef", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "leef", "LEEF:1.0|V|Gate|1.0|%d|src=198.51.100.7\tdst=192.0.2.10\tsrcPort=51000\tdstPort=22\tproto=TCP\tsev=7\tdevTime=1795289400000\tusrName=root")
}

// What devices write that the format does not say.
func TestDevices(t *testing.T) {
	const head = "LEEF:1.0|V|P|1|id|"
	for name, test := range map[string]struct{ line, attr, want string }{
		"pipes between pairs":    {head + "cat=THREAT|src=198.51.100.7|action=alert|Miscellaneous=\"a b\"", ingest.AttrAction, "alert"},
		"a pipe in a value":      {head + "msg=a|b\tact=deny", honeyguide.AttrMessage, "a|b"},
		"one pair with a pipe":   {head + "msg=a|b", honeyguide.AttrMessage, "a|b"},
		"an escaped sign":        {head + "url=/a?b\\=1\tact=x", honeyguide.AttrURL, "/a?b=1"},
		"nothing as a dash":      {head + "usrName=-\tact=x", honeyguide.AttrUser, ""},
		"a name beside a number": {"LEEF:2.0|V|P|1|4000030|name=EICAR\tact=x", honeyguide.AttrRule, "EICAR"},
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "leef"}, []byte(test.line+"\n"))
		if len(res.Events) != 1 || res.Events[0].Str(test.attr) != test.want {
			t.Errorf("%s: got %+v, want %q", name, res.Events, test.want)
		}
	}
	for devTime, want := range map[string]string{
		"devTime=Nov 21 2026 11:13:53 GMT":                                             "2026-11-21T11:13:53Z",
		"devTime=Nov 21 2026 11:13:53":                                                 "2026-11-21T11:13:53Z",
		"devTime=Nov 21 2026 11:58:24 GMT+08:00\tdevTimeFormat=MMM dd yyyy HH:mm:ss z": "2026-11-21T03:58:24Z",
		"devTime=1795289420":                                                           "2026-11-21T19:30:20Z",
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "leef"}, []byte(head+devTime+"\n"))
		if len(res.Events) != 1 || res.Events[0].Time.Format(time.RFC3339) != want {
			t.Errorf("%s: got %+v, dead %+v, want %s", devTime, res.Events, res.Dead, want)
		}
	}
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "leef"}, []byte(head+"cat=TRAFFIC|src=198.51.100.7|action=allow\n"))
	if len(res.Events) != 1 || res.Events[0].Activity != "network_connection" {
		t.Errorf("a connection: got %+v", res.Events)
	}
}
