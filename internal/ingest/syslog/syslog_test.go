package syslog_test

import (
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/syslog"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{syslog.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "syslog") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "syslog",
		"Nov 21 19:30:00 web1 sshd[9]: Failed password for root from 198.51.100.7 port 4222 ssh2",
		"<13>Nov 21 19:30:00 web1 app: x", "<34>1 2026-11-21T19:30:00Z web1 su 1 ID - (to root) x on pts/0")
}

// Nobody can put another's address into a line by choosing a user name.
func TestForgedUserNames(t *testing.T) {
	for line, want := range map[string]string{
		"Failed password for invalid user x from 192.0.2.1 port 9 ssh2 from 198.51.100.7 port 4222 ssh2":             "198.51.100.7:4222",
		"Failed password for invalid user  from 198.51.100.7 port 4222 ssh2":                                         "198.51.100.7:4222",
		"Invalid user a from 192.0.2.1 port 22 from 198.51.100.7 port 4222":                                          "198.51.100.7:4222",
		"Connection closed by invalid user Failed password for root from 192.0.2.1 198.51.100.7 port 4222 [preauth]": "198.51.100.7:4222",
		"User x from 192.0.2.1 not allowed because y from 198.51.100.7 not allowed because not listed in AllowUsers": "198.51.100.7:0",
		"Connection from 198.51.100.7 port 4222 on 192.0.2.10 port 22 rdomain \"\"":                                  "198.51.100.7:4222",
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "syslog"}, []byte("Nov 21 19:30:00 h sshd[9]: "+line))
		if len(res.Events) != 1 || res.Events[0].Src.Addr.String() != want || res.Events[0].Activity == ingest.ActivityRecord {
			t.Errorf("%s\n got %+v, want source %s", line, res.Events, want)
		}
	}
}

// A time without a year is the nearest; one without a zone is in the zone of the
// source.
func TestTimes(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	now := time.Date(2027, 1, 1, 0, 10, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"Dec 31 23:59:00 h p: x":                 time.Date(2026, 12, 31, 22, 59, 0, 0, time.UTC),
		"Jan  1 01:09:00 h p: x":                 time.Date(2027, 1, 1, 0, 9, 0, 0, time.UTC),
		"Jul 15 12:00:00 h p: x":                 time.Date(2026, 7, 15, 11, 0, 0, 0, time.UTC),
		"Nov 21 2025 19:30:00 h p: x":            time.Date(2025, 11, 21, 18, 30, 0, 0, time.UTC),
		"2026-12-31T23:59:00.5+02:00 h p: x":     time.Date(2026, 12, 31, 21, 59, 0, 5e8, time.UTC),
		"2026-12-31 23:59:00 h p: x":             time.Date(2026, 12, 31, 22, 59, 0, 0, time.UTC),
		"<34>1 2026-12-31T23:59:00Z h p - - - x": time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC),
		"<34>no time: x":                         now,
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "syslog", Zone: berlin, Now: func() time.Time { return now }}, []byte(in))
		if len(res.Events) != 1 || !res.Events[0].Time.Equal(want) {
			t.Errorf("%s: got %+v, want %v", in, res.Events, want)
		}
	}
}

// A clock that runs ahead is told of, in the event and in the summary.
func TestClockAhead(t *testing.T) {
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "syslog"}, []byte("Nov 22 21:00:00 h p: x\nAug  1 00:00:00 h p: y\n"))
	if len(res.Events) != 2 || res.Events[0].Int(ingest.AttrAhead) != time.Hour.Milliseconds() || res.Events[1].Int(ingest.AttrAhead) != 0 {
		t.Errorf("got %+v", res.Events)
	}
	if n := res.Summary.Notes; n["clock_ahead"] != 1 || n["clock_behind"] != 1 {
		t.Errorf("notes %v", n)
	}
}

func TestRepeatedIsCountedEachTime(t *testing.T) {
	in := []byte("Nov 21 19:30:00 h sshd[9]: message repeated 4 times: [ Failed password for root from 198.51.100.7 port 4222 ssh2]\n")
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "syslog"}, in)
	if len(res.Events) != 4 || res.Events[3].Activity != honeyguide.ActivityLoginFailed || res.Events[0].ID == res.Events[1].ID {
		t.Errorf("got %+v", res.Events)
	}
}

func FuzzSyslog(f *testing.F) {
	f.Add([]byte("<34>1 2026-11-21T19:30:00Z h p 1 ID [a b=\"c\\\"\"][d] \xef\xbb\xbfx"))
	f.Add([]byte("Feb 29 19:30:00 h kernel: [ 1.2] x IN= SRC=1 DST=2 SPT=99999999 PROTO=\n<1>Nov 1 1:1:1 h filterlog: 1,2,3,4,5,6,7,8,4,9"))
	f.Add([]byte("Nov 21 19:30:00 h sudo: a : TTY= ; PWD= ; USER= ; COMMAND=\nNov 21 19:30:00 h sshd[9]: message repeated 999999999999 times: [ ]"))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "syslog", input) })
}

func BenchmarkReadAuthLog(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "syslog", "Nov 21 19:30:00 web1 sshd[%d]: Failed password for invalid user admin from 198.51.100.7 port 4222 ssh2")
}
