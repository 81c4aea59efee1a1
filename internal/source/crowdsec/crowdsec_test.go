package crowdsec

import (
	"encoding/json"
	"fmt"
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

// lapi is CrowdSec's local API as far as a reader of alerts goes.
type lapi struct {
	mu     sync.Mutex
	alerts []alert
	logins int
}

type alert struct {
	at   time.Time
	text string
}

func (l *lapi) add(at time.Time, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alerts = append(l.alerts, alert{at, text})
}

func (l *lapi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch r.URL.Path {
	case "/v1/watchers/login":
		var who struct {
			Machine  string `json:"machine_id"`
			Password string `json:"password"`
		}
		if json.NewDecoder(r.Body).Decode(&who) != nil || who.Machine != "hg" || who.Password != "secret" {
			http.Error(w, `{"code":401,"message":"incorrect Username or Password"}`, http.StatusUnauthorized)
			return
		}
		l.logins++
		fmt.Fprintf(w, `{"code":200,"expire":%q,"token":"t"}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case "/v1/alerts":
		since, err := time.ParseDuration(r.URL.Query().Get("since"))
		if err != nil || r.Header.Get("Authorization") != "Bearer t" {
			http.Error(w, `{"message":"no"}`, http.StatusBadRequest)
			return
		}
		var out []json.RawMessage // null when empty, as CrowdSec answers
		for _, a := range l.alerts {
			if time.Since(a.at) < since {
				out = append(out, json.RawMessage(a.text))
			}
		}
		_ = json.NewEncoder(w).Encode(out)
	default:
		http.NotFound(w, r)
	}
}

func rig(t *testing.T, url string) *sourcetest.Rig {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &sourcetest.Rig{
		T: t, Kind: Kind, Log: memory.Open(eventlog.Deps{}), State: st,
		Decode: kind.Decode(config.Strict("test", []byte("url: "+url+"\nmachine: hg\npassword: secret\npoll: 100ms\n"))),
	}
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) (*sourcetest.Rig, sourcetest.Producer) {
		l := &lapi{}
		srv := httptest.NewServer(l)
		t.Cleanup(srv.Close)
		return rig(t, srv.URL), sourcetest.Producer{Resumes: true, Waits: true, Write: func(_ testing.TB, lines string) {
			for line := range strings.Lines(lines) {
				line = strings.TrimSpace(line)
				l.mu.Lock()
				n := len(l.alerts)
				l.mu.Unlock()
				switch {
				case !json.Valid([]byte(line)):
					line = fmt.Sprintf(`"no alert %d"`, n)
				case strings.HasPrefix(line, "{"): // every alert has a number of its own
					line = fmt.Sprintf(`{"id":%d,`, n+1) + line[1:]
				}
				l.add(time.Now(), line)
			}
		}}
	})
}

func TestHostile(t *testing.T) {
	l := &lapi{}
	for n := range 3 {
		l.add(time.Now().Add(-time.Minute), fmt.Sprintf(`{"id":%d,"n":%d}`, n+1, n))
	}
	sourcetest.Hostile(t, rig, l)
}

func TestConfig(t *testing.T) {
	for settings, want := range map[string]string{"": "machine", "url: http://192.0.2.1": "clear", "machine: m\npassword: p\noverlap: -1s": "overlap"} {
		err := Kind.Check(kind.Decode(config.Strict("test", []byte(settings))))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", settings, err, want)
		}
	}
}
