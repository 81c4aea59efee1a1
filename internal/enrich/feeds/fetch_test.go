package feeds

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/enrich"
	"honeyguide/internal/enrich/enrichtest"
)

// remote is a list that is fetched, and the clock of the test.
type remote struct {
	*feeds
	t   *testing.T
	web *enrichtest.Web
	at  time.Time
	dir string
	cfg Config
}

func fetched(t *testing.T, l List, h http.HandlerFunc) *remote {
	t.Helper()
	r := &remote{t: t, web: &enrichtest.Web{Handler: h}, at: now, dir: t.TempDir(), cfg: Config{Most: 10_000, Lists: map[string]List{"x": l}}}
	if err := r.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	r.open()
	return r
}

// open starts anew over the same folder.
func (r *remote) open() {
	r.feeds = newFeeds(r.cfg, enrich.Deps{Dir: r.dir, Fetch: r.web, Now: func() time.Time { return r.at }}.Fill())
	r.Load(r.t.Context())
}

// turn lets time pass, and does what is due then.
func (r *remote) turn(d time.Duration) enrich.Status {
	r.t.Helper()
	r.at = r.at.Add(d)
	if l := r.lists[0]; !r.at.Before(l.next) {
		r.fetch(r.t.Context(), l)
	}
	r.reload(r.t.Context())
	return r.Status()[0]
}

func (r *remote) has(addr string) bool { return len(r.said("ip", addr)) > 0 }

// A list is fetched when it is due, asked for by its tag, kept over a restart and
// over whatever goes wrong, and counts no longer when it is too old.
func TestFetch(t *testing.T) {
	body, status, tag := "203.0.113.1\n", 200, `"1"`
	r := fetched(t, List{URL: "https://lists.example/x?key=s3cret", Every: time.Hour, Keep: 24 * time.Hour, Key: "k3y", KeyHeader: "Auth-Key"}, func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Header.Get("Auth-Key") != "k3y":
			w.WriteHeader(401)
		case status == 429:
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(status)
		case status != 200:
			w.WriteHeader(status)
		case req.Header.Get("If-None-Match") == tag:
			w.WriteHeader(304)
		default:
			w.Header().Set("ETag", tag)
			fmt.Fprint(w, body)
		}
	})
	if st := r.Status()[0]; st.State != enrich.StateEmpty || r.has("203.0.113.1") {
		t.Errorf("before the first fetch: %+v", st)
	}
	if st := r.turn(0); st.State != enrich.StateOK || st.Items != 1 || !r.has("203.0.113.1") || strings.Contains(st.Source, "s3cret") {
		t.Errorf("after it: %+v", st)
	}
	asked := r.web.Count()
	if r.turn(30 * time.Minute); r.web.Count() != asked {
		t.Error("fetched before it was due")
	}
	if st := r.turn(31 * time.Minute); st.State != enrich.StateOK || !st.AsOf.Equal(r.at) || r.web.Count() != asked+1 {
		t.Errorf("unchanged: %+v", st)
	}
	r.open()
	if !r.has("203.0.113.1") {
		t.Error("lost over a restart")
	}
	if r.turn(time.Minute); r.web.Count() != asked+1 {
		t.Error("fetched again because of the restart")
	}
	for name, bad := range map[string]func(){
		"an error":       func() { status = 500 },
		"a page of HTML": func() { status, tag, body = 200, `"2"`, "<html>down</html>\n" },
		"nothing":        func() { tag, body = `"3"`, "" },
		"too much":       func() { tag, body = `"4"`, strings.Repeat("203.0.113.9\n", 65<<20/12) },
	} {
		bad()
		if st := r.turn(7 * time.Hour); st.State != enrich.StateFailed || st.Detail == "" || !r.has("203.0.113.1") && r.at.Sub(now) < 24*time.Hour {
			t.Errorf("%s: %+v", name, st)
		}
		status, tag, body = 200, `"9"`, "203.0.113.1\n"
		r.turn(7 * time.Hour)
	}
	status = 429
	r.turn(2 * time.Hour)
	asked = r.web.Count()
	if r.turn(119 * time.Minute); r.web.Count() != asked {
		t.Error("asked again before Retry-After")
	}
	if r.turn(2 * time.Minute); r.web.Count() != asked+1 {
		t.Error("not asked again after Retry-After")
	}
	status = 500
	if r.turn(30 * time.Hour); r.has("203.0.113.1") {
		t.Error("a list that was not fetched for longer than keep still counts")
	}
	status, body, tag = 200, "203.0.113.2\n", `"8"`
	if r.turn(7 * time.Hour); !r.has("203.0.113.2") || r.has("203.0.113.1") {
		t.Error("a new list did not take the place of the old one")
	}
}

// TAXII pages are followed, what was added later is asked for alone, and what it
// changes or takes back counts.
func TestTAXII(t *testing.T) {
	indicator := func(n int, addr, modified string, more string) string {
		return fmt.Sprintf(`{"type":"indicator","id":"indicator--%d","modified":"%s","pattern":"[ipv4-addr:value = '%s']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s}`, n, modified, addr, more)
	}
	var added []string
	later := false
	r := fetched(t, List{URL: "https://taxii.example/api/collections/1/objects/", Format: "taxii", Every: time.Hour}, func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		added = append(added, q.Get("added_after"))
		if req.Header.Get("Accept") != taxiiType || q.Get("match[type]") != "indicator" {
			w.WriteHeader(406)
			return
		}
		switch {
		case later && q.Get("added_after") != "":
			w.Header().Set("X-TAXII-Date-Added-Last", "2026-03-01T14:00:00.000000Z")
			fmt.Fprintf(w, `{"more":false,"objects":[%s,%s]}`, indicator(1, "203.0.113.11", "2026-03-01T13:00:00Z", ""), indicator(2, "203.0.113.2", "2026-03-01T13:00:00Z", `,"revoked":true`))
		case q.Get("next") == "":
			w.Header().Set("X-TAXII-Date-Added-Last", "2026-03-01T11:00:00.000000Z")
			fmt.Fprintf(w, `{"more":true,"next":"p2","objects":[%s,%s]}`, indicator(1, "203.0.113.1", "2026-03-01T10:00:00Z", ""), indicator(2, "203.0.113.2", "2026-03-01T10:00:00Z", ""))
		default:
			w.Header().Set("X-TAXII-Date-Added-Last", "2026-03-01T11:30:00.000000Z")
			fmt.Fprintf(w, `{"more":false,"objects":[%s]}`, indicator(3, "203.0.113.3", "2026-03-01T10:00:00Z", ""))
		}
	})
	if st := r.turn(0); st.Items != 3 || !r.has("203.0.113.1") || !r.has("203.0.113.3") {
		t.Fatalf("%+v", st)
	}
	later = true
	if st := r.turn(time.Hour); st.Items != 2 || r.has("203.0.113.1") || !r.has("203.0.113.11") || r.has("203.0.113.2") || !r.has("203.0.113.3") {
		t.Errorf("after the change: %+v", st)
	}
	if want := []string{"", "", "2026-03-01T11:30:00.000000Z"}; fmt.Sprint(added) != fmt.Sprint(want) {
		t.Errorf("added_after %q, want %q", added, want)
	}
}

// The events of a MISP feed folder are fetched as its manifest names them.
func TestMISPFeed(t *testing.T) {
	const id = "5c5be78a-3908-47c0-bf32-4487950d210f"
	r := fetched(t, List{URL: "https://misp.example/feed/manifest.json", Format: "misp-feed"}, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/feed/manifest.json":
			fmt.Fprintf(w, `{"%s":{"timestamp":"1772000000","info":"x"}}`, id)
		case "/feed/" + id + ".json":
			fmt.Fprint(w, `{"Event":{"info":"Botnet","Attribute":[{"type":"ip-dst","value":"203.0.113.1","to_ids":true}]}}`)
		default:
			w.WriteHeader(404)
		}
	})
	if st := r.turn(0); st.Items != 1 || !r.has("203.0.113.1") {
		t.Errorf("%+v", st)
	}
	evil := fetched(t, List{URL: "https://misp.example/feed", Format: "misp-feed"}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = bytes.NewBufferString(`{"../../admin":{"timestamp":"1"}}`).WriteTo(w)
	})
	if st := evil.turn(0); st.State != enrich.StateFailed || evil.web.Count() != 1 {
		t.Errorf("a manifest with a path in it: %+v", st)
	}
}
