package ingest_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
)

// The largest record of every format gives events a log takes.
func TestEveryEventFitsTheLog(t *testing.T) {
	long := strings.Repeat("x", 9000)
	var members, pairs, data strings.Builder
	for i := range 90 {
		fmt.Fprintf(&members, `,"field_%d":%q`, i, long)
		fmt.Fprintf(&pairs, " key%d=%s", i, long)
		fmt.Fprintf(&data, `<Data Name="f%d">%s</Data>`, i, long)
	}
	m := members.String()
	for format, record := range map[string]string{
		"windows":    `{"EventID":1,"Channel":"` + long + `","TimeCreated":"2026-11-21T19:30:00Z","Image":"` + long + `","CommandLine":"` + long + `","User":"` + long + `","Computer":"` + long + `"` + m + `}`,
		"windows ":   `<Event><System><EventID>1</EventID><Channel>` + long + `</Channel></System><EventData>` + data.String() + `</EventData></Event>`,
		"zeek":       `{"ts":1795289400,"_path":"` + long + `","uid":"` + long + `","id.orig_h":"192.0.2.1"` + m + `}`,
		"cowrie":     `{"eventid":"cowrie.command.input","timestamp":"2026-11-21T19:30:00Z","input":"` + long + `","username":"` + long + `"` + m + `}`,
		"opencanary": `{"logtype":4002,"node_id":"` + long + `","utc_time":"2026-11-21 19:30:00","logdata":{"USERNAME":"` + long + `"` + m + `}}`,
		"elastic":    `{"@timestamp":"2026-11-21T19:30:00Z","ecs":{"version":"8"},"message":"` + long + `","process":{"command_line":"` + long + `"}` + m + `}`,
		"wazuh5":     `{"@timestamp":"2026-11-21T19:30:00Z","wazuh":{"agent":{"id":"` + long + `"}},"message":"` + long + `"` + m + `}`,
		"crowdsec":   `{"scenario":"` + long + `","message":"` + long + `","stop_at":"2026-11-21T19:30:00Z","source":{"scope":"Range","value":"` + long + `"}}`,
		"syslog":     "Nov 21 19:30:00 h sshd[9]: " + strings.Repeat(long, 100),
		"weblog":     `192.0.2.1 - ` + long[:500] + ` [21/Nov/2026:19:30:00 +0000] "GET /` + strings.Repeat(long, 30) + ` HTTP/1.1" 200 1 "` + strings.Repeat(long, 30) + `" "` + strings.Repeat(long, 30) + `"`,
		"cef":        "CEF:0|" + long + "|" + long + "|1|" + long + "|" + long + "|5|msg=" + long + pairs.String(),
		"leef":       "LEEF:1.0|" + long + "|" + long + "|1|" + long + "|" + strings.ReplaceAll(pairs.String(), " ", "\t"),
		"auditd":     "type=SYSCALL msg=audit(1795289400.1:1): exe=\"" + long + "\"" + pairs.String(),
		"fastlog":    "11/21/2026-19:30:00.1  [**] [1:1:1] " + strings.Repeat(long, 50) + " [**] [Classification: " + long + "] [Priority: 2] {TCP} 192.0.2.1:1 -> 192.0.2.2:2",
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: ingesttest.Open(t, builtin.Mappers())}, []byte(record))
		format = strings.TrimSpace(format)
		if res.Err != nil || len(res.Events) != 1 || res.Summary.ByFormat[format] != 1 {
			t.Errorf("%s: %v, %d events, taken by %v, %d dead letters", format, res.Err, len(res.Events), res.Summary.ByFormat, len(res.Dead))
			continue
		}
		if size := eventlog.Size(&res.Events[0]); size > eventlog.MaxEvent*3/4 {
			t.Errorf("%s: the event has %d bytes", format, size)
		}
	}
}

// Lines and elements of 32 MB stream by.
func TestHugeTextIsNotHeld(t *testing.T) {
	const size = 32 << 20
	line := "Nov 21 19:30:00 h sshd[9]: x\n"
	event := "<Event><System><EventID>1</EventID></System></Event>"
	audit := "type=PATH msg=audit(1795289400.1:%d): item=0\n"
	for name, in := range map[string]func() io.Reader{
		"text": func() io.Reader {
			return io.MultiReader(strings.NewReader(line+"Nov 21 19:30:01 h p: "), blank(size), strings.NewReader("\n"+line+line[:20]))
		},
		"xml": func() io.Reader {
			return io.MultiReader(strings.NewReader("<Events>"+event+"<Event>"), blank(size), strings.NewReader("</Event>"+event+"</Events>"))
		},
		"xml around": func() io.Reader {
			return io.MultiReader(strings.NewReader("<Events>"+event), blank(size), strings.NewReader(event+"<Event "))
		},
		"audit": func() io.Reader {
			var all []io.Reader
			for i := range 2 {
				all = append(all, strings.NewReader(fmt.Sprintf(audit, i)))
			}
			return io.MultiReader(append(all, strings.NewReader("type=X msg=audit(1795289400.1:9): "), blank(size), strings.NewReader("\n"))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			mappers := ingesttest.Open(t, builtin.Mappers())
			events, dead := 0, 0
			peak := watch(t, func() {
				_, err := ingest.Read(t.Context(), in(), ingest.Options{Name: "big", Mappers: mappers, Now: ingesttest.Now},
					func(_ context.Context, b []honeyguide.Event) error { events += len(b); return nil },
					func(context.Context, honeyguide.DeadLetter) error { dead++; return nil })
				if err != nil {
					t.Error(err)
				}
			})
			if events < 2 || dead > 2 {
				t.Errorf("got %d events, %d dead letters", events, dead)
			}
			if peak > 16<<20 {
				t.Errorf("%d MB were allocated for an input of %d MB", peak>>20, size>>20)
			}
		})
	}
}

// A stream that holds every kind of line gives each to its product.
func TestMixedLines(t *testing.T) {
	in := strings.Join([]string{
		`Nov 21 19:30:00 web1 sshd[9]: Failed password for root from 198.51.100.7 port 4222 ssh2`,
		`<13>Nov 21 19:30:00 web1 nginx: 198.51.100.7 - - [21/Nov/2026:19:30:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`,
		`Nov 21 19:30:00 fw CEF:0|V|P|1|2|n|5|src=198.51.100.7`,
		`Nov 21 19:30:00 fw LEEF:1.0|V|P|1|2|src=198.51.100.7`,
		`Nov 21 19:30:00 ids suricata[9]: [1:2100498:7] GPL x [Classification: y] [Priority: 2] {TCP} 198.51.100.7:80 -> 192.0.2.10:51000`,
		`Nov 21 19:30:00 ids suricata: @cee: {"timestamp":"2026-11-21T19:30:00+0000","flow_id":1,"event_type":"alert","src_ip":"198.51.100.7","alert":{"signature_id":1,"signature":"x","severity":1}}`,
		`Nov 21 19:30:00 ids suricata: {"timestamp":"2026-11-21T19:30:00+0000","flow_id":2,"event_type":"alert","src_ip":"198.51.100.7","alert":{"signature_id":1,"signature":"x","severity":1}}`,
		`Nov 21 19:30:00 u5 sysmon: <Event><System><EventID>5</EventID></System></Event>`,
		`type=USER_LOGIN msg=audit(1795289400.0:1): msg='op=login acct="root" addr=198.51.100.7 res=failed'`,
		`{"eventid":"cowrie.login.failed","username":"root","password":"x","timestamp":"2026-11-21T19:30:00Z","src_ip":"198.51.100.7"}`,
		`what is this`,
	}, "\n")
	res := ingesttest.Read(t, ingest.Options{Mappers: ingesttest.Open(t, builtin.Mappers())}, []byte(in))
	want := map[string]int64{"syslog": 1, "weblog": 1, "cef": 1, "leef": 1, "fastlog": 1, "suricata": 2, "windows": 1, "auditd": 1, "cowrie": 1}
	for format, n := range want {
		if res.Summary.ByFormat[format] != n {
			t.Errorf("%s took %d, want %d", format, res.Summary.ByFormat[format], n)
		}
	}
	if len(res.Dead) != 1 || res.Dead[0].Line != 11 || res.Summary.Framing != "text" {
		t.Errorf("dead %d, framing %s", len(res.Dead), res.Summary.Framing)
	}
}
