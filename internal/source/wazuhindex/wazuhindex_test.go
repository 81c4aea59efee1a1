package wazuhindex

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/config"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/kind"
	"honeyguide/internal/source/sourcetest"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// index is an OpenSearch server as far as a search by time goes.
type index struct {
	mu     sync.Mutex
	docs   []doc
	asked  int
	paged  int
	failed int // shards
}

type doc struct {
	at     time.Time
	source string
}

func (x *index) add(at time.Time, source string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at.IsZero() {
		at = time.Now()
	}
	x.docs = append(x.docs, doc{at.Truncate(time.Millisecond), source})
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	user, password, _ := r.BasicAuth()
	var q struct {
		Size  int   `json:"size"`
		After []any `json:"search_after"`
		Query struct {
			Range map[string]struct {
				Gte time.Time `json:"gte"`
				Lt  time.Time `json:"lt"`
			} `json:"range"`
		} `json:"query"`
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &q); err != nil || user != "reader" || password != "secret" || r.URL.Path != "/wazuh-alerts-4.x-*,wazuh-findings-v5-*/_search" {
		http.Error(w, "bad question", http.StatusBadRequest)
		return
	}
	x.asked++
	span := q.Query.Range["@timestamp"]
	var hits []map[string]any
	for n, d := range x.docs {
		if d.at.Before(span.Gte) || !d.at.Before(span.Lt) || len(hits) == q.Size {
			continue
		}
		if len(q.After) > 1 && float64(n) <= q.After[1].(float64) {
			continue
		}
		hits = append(hits, map[string]any{
			"_index": "wazuh-alerts-4.x-2026.11.22", "_id": fmt.Sprint("d", n), "_source": json.RawMessage(d.source), "sort": []any{d.at.UnixMilli(), n, nil},
		})
	}
	if len(q.After) > 0 {
		x.paged++
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"timed_out": false, "_shards": map[string]any{"failed": x.failed}, "hits": map[string]any{"hits": hits}})
}

func rig(t *testing.T, url, more string) *sourcetest.Rig {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &sourcetest.Rig{
		T: t, Kind: Kind, Log: memory.Open(eventlog.Deps{}), State: st,
		Decode: kind.Decode(config.Strict("test", []byte("url: "+url+"\nuser: reader\npassword: secret\npoll: 100ms\nlag: 0s\n"+more))),
	}
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) (*sourcetest.Rig, sourcetest.Producer) {
		x := &index{}
		srv := httptest.NewServer(x)
		t.Cleanup(srv.Close)
		return rig(t, srv.URL, ""), sourcetest.Producer{Resumes: true, Waits: true, Write: func(_ testing.TB, lines string) {
			for line := range strings.Lines(lines) {
				if line = strings.TrimSpace(line); !json.Valid([]byte(line)) {
					line = `"no document"`
				}
				x.add(time.Time{}, line)
			}
		}}
	})
}

func TestHostile(t *testing.T) {
	x := &index{}
	for n := range 3 {
		x.add(time.Now().Add(-time.Minute), strings.TrimSpace(sourcetest.Line(n)))
	}
	sourcetest.Hostile(t, func(t *testing.T, url string) *sourcetest.Rig { return rig(t, url, "") }, x)
}

func TestPagesLateDocumentsAndRestarts(t *testing.T) {
	x := &index{}
	srv := httptest.NewServer(x)
	defer srv.Close()
	r := rig(t, srv.URL, "size: 10\noverlap: 1h")
	begin := time.Now().Add(-10 * time.Minute)
	for n := range 95 {
		x.add(begin.Add(time.Duration(n)*time.Second), strings.TrimSpace(sourcetest.Line(n)))
	}
	r.Start()
	r.Await(95)
	if x.mu.Lock(); x.paged < 9 {
		t.Errorf("%d pages, want 9", x.paged)
	}
	x.mu.Unlock()
	r.Stop()
	for n := 95; n < 100; n++ { // came late, and is found by the overlap
		x.add(begin, strings.TrimSpace(sourcetest.Line(n)))
	}
	r.Start()
	r.Await(100)
	x.mu.Lock()
	x.failed = 1
	x.mu.Unlock()
	r.Eventually("a part that failed is told of", func() bool { return strings.Contains(r.Status().Detail, "1 shards") })
	r.Once(100)
}

func TestConfig(t *testing.T) {
	for settings, want := range map[string]string{
		"": "url", "url: ftp://x": "url", "url: https://a:b@h": "password", "url: http://192.0.2.1:9200": "clear", "url: https://h": "user",
		"url: https://h\nuser: u\npassword: p\nsize: 0": "size", "url: https://h\nuser: u\npassword: p\nindex: [a/b]": "index", "url: https://h\npoll: 1ms": "poll",
	} {
		err := Kind.Check(kind.Decode(config.Strict("test", []byte(settings))))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", settings, err, want)
		}
	}
}
