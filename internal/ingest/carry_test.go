package ingest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
)

// everyFormat opens all mappers there are.
func everyFormat(t testing.TB) []ingest.Format { return ingesttest.Open(t, builtin.Mappers()) }

// What a Filebeat wrote of logs of ours without Elasticsearch behind it is read as
// what it read.
func TestCarried(t *testing.T) {
	input, err := os.ReadFile(filepath.Join("elastic", "testdata", "recorded-7.17.29.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{ingest.FormatAuto, "elastic"} {
		res := ingesttest.Read(t, ingest.Options{Mappers: everyFormat(t), Format: format}, input)
		if res.Err != nil || len(res.Dead) > 0 {
			t.Fatalf("%v, dead %+v", res.Err, res.Dead)
		}
		var got []string
		for _, e := range res.Events {
			got = append(got, strings.Join([]string{e.Time.Format("15:04:05"), e.Str(honeyguide.AttrProduct), e.Activity, e.Src.Addr.String(), e.Str(honeyguide.AttrUser), e.Str(honeyguide.AttrDevice)}, " "))
			// Cowrie's members beside Filebeat's own are known as Cowrie's at once.
			if e.Str(ingest.AttrLocation) == "" && (format == "elastic" || e.Str(honeyguide.AttrProduct) != "cowrie") {
				t.Errorf("%s: where it was read is lost: %s %s", format, e.Activity, e.Str(honeyguide.AttrProduct))
			}
		}
		for _, want := range []string{
			"06:20:01 linux login_failed 198.51.100.7:4222 root web1",
			"06:20:02 linux login_failed 198.51.100.7:4223 oracle web1",
			"06:20:03 linux login_success 192.0.2.44:51000 deploy web1",
			"06:20:08 webserver request 198.51.100.7:0  web1",
			"06:20:13 suricata finding 198.51.100.7:41000  web1",
			"05:55:08 cowrie login_failed 198.51.100.7:52864 guest pot1",
			"06:01:38 opencanary login_failed 198.51.100.7:40658 root opencanary-1",
			"06:20:15 linux login_failed 198.51.100.7:4555 root web2",
			"06:16:29 elastic record invalid AddrPort  web1",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("%s: want %q in\n%s", format, want, strings.Join(got, "\n"))
			}
		}
	}
}

// What an index has parsed is taken as it says.
func TestParsedIsNotCarried(t *testing.T) {
	const line = `"message":"Nov 22 06:20:01 web1 sshd[4711]: Failed password for root from 198.51.100.7 port 4222 ssh2"`
	for record, want := range map[string]string{
		`{"@timestamp":"2026-11-21T19:30:00Z","agent":{"type":"filebeat"},"event":{"category":["process"],"type":["start"]},` + line + `}`: "process_start",
		`{"@timestamp":"2026-11-21T19:30:00Z","agent":{"type":"filebeat"},"event":{"kind":"event"},` + line + `}`:                          "record",
		`{"@timestamp":"2026-11-21T19:30:00Z","ecs":{"version":"8.11.0"},` + line + `}`:                                                    "record",
		`{"@timestamp":"2026-11-21T19:30:00Z","agent":{"type":"filebeat"},"log":{"offset":0},"message":"{\"broken\":"}`:                    "record",
		`{"@timestamp":"2026-11-21T19:30:00Z","agent":{"type":"filebeat"},"json":{"eventid":"cowrie.login.failed","timestamp":"never"}}`:   "record",
		`{"@timestamp":"2026-11-21T19:30:00Z","agent":{"type":"filebeat"},"log":{"offset":0},` + line + `}`:                                "login_failed",
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: everyFormat(t)}, []byte(record))
		if len(res.Events) != 1 || res.Events[0].Activity != want {
			t.Errorf("%s: got %+v, dead %+v, want %s", record, res.Events, res.Dead, want)
		}
	}
}

// Read again, it is known again.
func TestCarriedAgain(t *testing.T) {
	input, err := os.ReadFile(filepath.Join("elastic", "testdata", "recorded-7.17.29.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen := ingest.NewSeen(1 << 12)
	ingesttest.Read(t, ingest.Options{Mappers: everyFormat(t), Seen: seen}, input)
	if res := ingesttest.Read(t, ingest.Options{Mappers: everyFormat(t), Seen: seen}, input); len(res.Events) != 0 || res.Summary.Duplicates != res.Summary.Records {
		t.Errorf("got %d events, %d of %d duplicates", len(res.Events), res.Summary.Duplicates, res.Summary.Records)
	}
}

func FuzzCarried(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"a":{"a":[{}]}},"b":{},"c":{},"d":{},"e":{},"message":"{"}`, `{"message":"LEEF:2.0|a|b|c|d|^|devTime=x^src=1"}`,
		`{"eventid":"cowrie.session.closed","timestamp":[],"message":"\u0000"}`, `{"input":{"type":"syslog"},"process":{"program":"\n"},"syslog":{"priority":999},"message":"x"}`,
		`{"event":{"timezone":"+99:99"},"message":"<1>Nov 21 1:1:1 h p: x"}`,
	} {
		f.Add([]byte(seed))
	}
	all := everyFormat(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		record := append([]byte(`{"@timestamp":"2026-11-21T19:30:00Z","agent":{"type":"filebeat"},`), strings.TrimPrefix(string(input), "{")...)
		ingesttest.Hostile(t, all, "elastic", record)
	})
}
