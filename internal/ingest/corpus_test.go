package ingest_test

import (
	archive "archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
)

// recordings are real logs of six products' shippers, and how many records each
// holds. They are no part of the repository.
var recordings = []struct {
	file, format    string
	records, events int64
}{
	{"empire_psexec_dcerpc_tcp_svcctl.zip", "windows", 4348, 4348},
	{"cmd_bitsadmin_download_psh_script.zip", "windows", 424, 424},
	{"sysmon_log4shell_cve2021_44228_java_serialized_object.zip", "windows", 487, 487},
	{"syslog_sysmon_log4shell_cve2021_44228_jndi_reference.zip", "windows", 93, 93},
	{"sh_arp_cache.zip", "auditd", 2, 14},
	{"SCRANTON-zeek_logs.zip", "zeek", 415, 415},
}

// Every record of the recordings is understood, by the right mapper, without being
// told whose it is.
func TestRecordings(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "corpus", "soc", "otrf")
	if _, err := os.Stat(folder); err != nil {
		folder = filepath.Join("..", "..", "..", "..", "shared", "corpus", "soc", "otrf")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the recordings are not here: ", err)
	}
	all := ingesttest.Open(t, builtin.Mappers())
	for _, rec := range recordings {
		t.Run(strings.TrimSuffix(rec.file, ".zip"), func(t *testing.T) {
			var records, events int64
			for name, input := range unzip(t, filepath.Join(folder, rec.file)) {
				res := ingesttest.Read(t, ingest.Options{Mappers: all, Name: name}, input)
				if res.Err != nil {
					t.Fatalf("%s: %v", name, res.Err)
				}
				if len(res.Dead) > 0 {
					t.Fatalf("%s: %v, %d dead letters: line %d, %s", name, res.Err, len(res.Dead), res.Dead[0].Line, res.Dead[0].Reason)
				}
				s := res.Summary
				if s.ByFormat[rec.format] != s.Records || s.Duplicates != 0 {
					t.Errorf("%s: taken by %v, %d duplicates of %d", name, s.ByFormat, s.Duplicates, s.Records)
				}
				for note, n := range s.Notes {
					if note != "clock_behind" && note != "time_missing" {
						t.Logf("%s: %s %d", name, note, n)
					}
				}
				records += s.Records
				events += s.Events
				named(t, rec.format, res.Events)
			}
			if records != rec.records || events != rec.events {
				t.Errorf("%d records, %d events; want %d and %d", records, events, rec.records, rec.events)
			}
		})
	}
}

// named checks that events have the names rules are routed by.
func named(t *testing.T, format string, events []honeyguide.Event) {
	t.Helper()
	for _, e := range events {
		if e.Str(honeyguide.AttrLogProduct) == "" {
			t.Fatalf("no product: %v", e.Attrs)
		}
		if format == "windows" && (e.Str("unmapped.Channel") == "" || e.Str("unmapped.EventID") == "") {
			t.Fatalf("no channel or id: %v", e.Attrs)
		}
	}
}

func unzip(t *testing.T, path string) map[string][]byte {
	t.Helper()
	z, err := archive.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() || f.UncompressedSize64 > 64<<20 {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
		files[f.Name] = b.Bytes()
	}
	return files
}
