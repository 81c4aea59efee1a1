package cowrie_test

import (
	"fmt"
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/cowrie"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{cowrie.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "cowrie") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "cowrie",
		`{"eventid":"cowrie.login.failed","username":"root","password":"x","sensor":"p","timestamp":"2026-11-21T19:30:01Z","src_ip":"198.51.100.7","session":"01ab"}`,
		`{"eventid":"cowrie.command.input","input":"id","sensor":"p","timestamp":"2026-11-21T19:30:02Z","src_ip":"198.51.100.7","session":"01ab"}`)
}

// What Cowrie 2 and 3 write differently, and what looks like something else.
func TestParticular(t *testing.T) {
	for name, test := range map[string]struct{ record, activity, attr, want string }{
		"length in Cowrie 2":      {`"session.closed","duration":5.25`, honeyguide.ActivityClose, honeyguide.AttrDuration, "5250"},
		"length in Cowrie 3":      {`"session.closed","duration_ms":1075`, honeyguide.ActivityClose, honeyguide.AttrDuration, "1075"},
		"a recording is no file":  {`"log.closed","shasum":"ab"`, ingest.ActivityRecord, honeyguide.AttrSHA256, ""},
		"download":                {`"session.file_download","url":"http://192.0.2.9/x","shasum":"ab"`, honeyguide.ActivityDownload, honeyguide.AttrURL, "http://192.0.2.9/x"},
		"redirection":             {`"session.file_download","destfile":"/tmp/b","outfile":"var/lib/ab"`, honeyguide.ActivityFileWrite, honeyguide.AttrPath, "/tmp/b"},
		"scp":                     {`"session.file_upload","url":"/root/x","destfile":"/root/x"`, honeyguide.ActivityFileWrite, honeyguide.AttrURL, ""},
		"key":                     {`"login.failed","fingerprint":"4c:84","username":"root"`, honeyguide.ActivityLoginFailed, honeyguide.AttrAuthMethod, "publickey"},
		"environment":             {`"client.var","name":"LC_ALL","value":"C"`, ingest.ActivityRecord, honeyguide.AttrDetail, "LC_ALL=C"},
		"exploit against telnetd": {`"telnet.exploit_attempt","cve":"CVE-2026-24061","name":"USER","value":"-f root"`, honeyguide.ActivityFinding, honeyguide.AttrRuleID, "CVE-2026-24061"},
		"password change":         {`"command.chpasswd","username":"root"`, "account_change", honeyguide.AttrUser, "root"},
		"malformed":               {`"client.malformed_packet","data":"00ff"`, honeyguide.ActivityMalformed, honeyguide.AttrDetail, "00ff"},
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "cowrie"},
			[]byte(`{"timestamp":"2026-11-21T19:30:00Z","session":"01ab","src_ip":"198.51.100.7","eventid":"cowrie.`+test.record[1:]+`}`))
		got := ""
		if len(res.Events) == 1 && res.Events[0].Attrs[test.attr] != nil {
			got = fmt.Sprint(res.Events[0].Attrs[test.attr])
		}
		if len(res.Events) != 1 || res.Events[0].Activity != test.activity || got != test.want || len(res.Summary.Unknown) > 0 {
			t.Errorf("%s: got %+v, want %s and %s %q", name, res.Events, test.activity, test.attr, test.want)
		}
	}
}

// A tunnel's src_port is the peer's own in Cowrie 3 only.
func TestTunnelPort(t *testing.T) {
	for record, want := range map[string]uint16{
		`{"eventid":"cowrie.direct-tcpip.request","src_ip":"198.51.100.7","src_port":48504,"dst_ip":"203.0.113.80","dst_port":80,"timestamp":"2026-11-21T19:30:00Z"}`:                                    0,
		`{"eventid":"cowrie.direct-tcpip.request","protocol":"ssh","src_ip":"198.51.100.7","src_port":51000,"orig_port":48504,"dst_ip":"203.0.113.80","dst_port":80,"timestamp":"2026-11-21T19:30:00Z"}`: 51000,
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "cowrie"}, []byte(record))
		if len(res.Events) != 1 || res.Events[0].Src.Addr.Port() != want || res.Events[0].Str(honeyguide.AttrDetail) != "203.0.113.80:80" {
			t.Errorf("got %+v, want port %d", res.Events, want)
		}
	}
}

func FuzzCowrie(f *testing.F) {
	f.Add([]byte(`{"eventid":"cowrie.session.closed","duration":"-1e99","timestamp":1795289400,"session":[1]}`))
	f.Add([]byte(`{"eventid":"cowrie.direct-tcpip.request","dst_ip":{},"dst_port":-1,"timestamp":1795289400,"src_port":99999}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "cowrie", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "cowrie", `{"eventid":"cowrie.login.failed","username":"root","password":"123456","message":"login attempt [root/123456] failed","sensor":"pot1","timestamp":"2026-11-21T19:30:01.%06dZ","src_ip":"198.51.100.7","session":"%012d"}`)
}
