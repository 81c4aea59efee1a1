package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/live"
	"honeyguide/internal/state"
)

// streamRig is an API whose changes are heard, behind a real server with the
// limits of the core's.
type streamRig struct {
	*rig
	hub *live.Hub
	url string
	at  *http.Client
}

func newStreamRig(t *testing.T, secure bool) *streamRig {
	s := &streamRig{}
	s.rig = newRig(t, func(d *Deps) {
		s.hub = live.NewHub(live.Options{})
		d.State = live.Watch(d.State, s.hub)
		d.Live = s.hub
	})
	s.store = s.dep.State
	srv := httptest.NewUnstartedServer(s.handler)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 300*time.Millisecond, 400*time.Millisecond
	srv.EnableHTTP2 = secure
	if secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	s.url, s.at = srv.URL, srv.Client()
	return s
}

// sse is one server-sent event.
type sse struct {
	Name string
	ID   int64
	Data json.RawMessage
}

type heard struct {
	Topic, Kind, ID, Short string
	Row                    json.RawMessage
}

// listener reads a stream in the background.
type listener struct {
	t      *testing.T
	events chan sse
	close  func()
	status int
	header http.Header
}

func (s *streamRig) listen(key honeyguide.Secret, query string, last int64) *listener {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.t.Cleanup(cancel)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/stream"+query, nil)
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	if last != 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(last, 10))
	}
	res, err := s.at.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &listener{t: s.t.(*testing.T), events: make(chan sse, 10_000), close: cancel, status: res.StatusCode, header: res.Header}
	go func() {
		defer close(l.events)
		defer res.Body.Close()
		in := bufio.NewReader(res.Body)
		var e sse
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "id":
				e.ID, _ = strconv.ParseInt(value, 10, 64)
			case "event":
				e.Name = value
			case "data":
				e.Data = json.RawMessage(value)
			case "":
				if e.Name != "" {
					l.events <- e
				}
				e = sse{}
			}
		}
	}()
	return l
}

// next returns the next event of a name within five seconds.
func (l *listener) next(name string) sse {
	l.t.Helper()
	late := time.After(5 * time.Second)
	for {
		select {
		case e, open := <-l.events:
			if !open {
				l.t.Fatalf("the stream ended before %s came", name)
			}
			if e.Name == name {
				return e
			}
		case <-late:
			l.t.Fatalf("no %s came", name)
		}
	}
}

func (l *listener) batch() (messages []heard, id int64) {
	l.t.Helper()
	e := l.next("batch")
	var b struct{ Messages []heard }
	if err := json.Unmarshal(e.Data, &b); err != nil {
		l.t.Fatalf("%v: %s", err, e.Data)
	}
	return b.Messages, e.ID
}

func (s *streamRig) alert(n int) {
	s.update(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.Alerts().Save(ctx, alert(n))
		return err
	})
}

func TestStreamTellsWhatPeopleAndPipelinesChange(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2 %v", secure), func(t *testing.T) {
			s := newStreamRig(t, secure)
			l := s.listen(bootstrap, "?topics=alerts,incidents", 0)
			if l.status != http.StatusOK || l.header.Get("Content-Type") != "text/event-stream" || l.header.Get("Cache-Control") != "no-store" || l.header.Get("X-Accel-Buffering") != "no" {
				t.Fatalf("got %d, %v", l.status, l.header)
			}
			hello := l.next("hello")
			time.Sleep(600 * time.Millisecond) // longer than the server lets other requests take
			s.alert(1)
			got, id := l.batch()
			if len(got) != 1 || got[0].Topic != "alerts" || got[0].Kind != "new" || got[0].Short != "A-1" || id <= hello.ID {
				t.Fatalf("got %+v, number %d after %d", got, id, hello.ID)
			}
			list := s.call(http.MethodGet, "/api/v1/alerts", bootstrap, nil)
			var page struct{ Items []json.RawMessage }
			if err := json.Unmarshal(list.Body.Bytes(), &page); err != nil || string(page.Items[0]) != string(got[0].Row) {
				t.Errorf("the row is not that of the list:\n%s\n%s", got[0].Row, page.Items[0])
			}
			if w := s.call(http.MethodPost, "/api/v1/alerts/A-1/verdict", bootstrap, strings.NewReader(`{"verdict":"benign"}`)); w.Code != http.StatusOK {
				t.Fatal(w.Body)
			}
			got, _ = l.batch()
			if len(got) != 1 || got[0].Kind != "changed" || !strings.Contains(string(got[0].Row), `"benign"`) {
				t.Errorf("a verdict heard %+v", got)
			}
		})
	}
}

func TestStreamResumesWithoutLossOrDouble(t *testing.T) {
	s := newStreamRig(t, false)
	seen := map[string]int{}
	var last int64
	for round := range 5 {
		s.alert(round * 10) // while nobody listens
		s.alert(round*10 + 1)
		l := s.listen(bootstrap, "?topics=alerts", last)
		l.next("hello")
		s.alert(round*10 + 2)
		want := 3
		if round == 0 {
			want = 1 // a new listener begins now
		}
		for want > 0 {
			got, id := l.batch()
			last = id
			for _, m := range got {
				if m.Kind != "new" {
					t.Errorf("%s is %s", m.Short, m.Kind)
				}
				seen[m.Short]++
				want--
			}
		}
		l.close()
	}
	if len(seen) != 13 {
		t.Errorf("heard of %d alerts, want 13: %v", len(seen), seen)
	}
	for short, n := range seen {
		if n != 1 {
			t.Errorf("heard %d times of %s", n, short)
		}
	}
}

func TestStreamOfAnotherRunIsReset(t *testing.T) {
	s := newStreamRig(t, false)
	s.alert(1)
	for _, last := range []int64{1, s.hub.Head() + 1, s.hub.Head() - 2} {
		l := s.listen(bootstrap, "", last)
		hello := l.next("hello")
		if reset := l.next("reset"); reset.ID != hello.ID || reset.ID != s.hub.Head() {
			t.Errorf("after %d: got %+v", last, reset)
		}
		l.close()
	}
}

func TestStreamEndsWithItsRights(t *testing.T) {
	s := newStreamRig(t, false)
	secret, key, err := auth.NewKey("screen", auth.ScopeRead, time.Now(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for name, take := range map[string]func() error{
		"through the API": func() error {
			if w := s.call(http.MethodDelete, "/api/v1/keys/"+key.ID, bootstrap, nil); w.Code != http.StatusOK {
				return fmt.Errorf("%d: %s", w.Code, w.Body)
			}
			return nil
		},
		"behind its back": func() error { return s.keys.Remove(t.Context(), key.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.keys.Add(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			l := s.listen(secret, "", 0)
			l.t = t
			l.next("hello")
			if err := take(); err != nil {
				t.Fatal(err)
			}
			if end := l.next("end"); !strings.Contains(string(end.Data), "revoked") {
				t.Errorf("got %s", end.Data)
			}
			select {
			case _, open := <-l.events:
				if open {
					t.Error("the stream goes on after its end")
				}
			case <-time.After(5 * time.Second):
				t.Error("the stream stays open after its end")
			}
		})
	}
}

func TestStreamRefuses(t *testing.T) {
	s := newStreamRig(t, false)
	for query, status := range map[string]int{
		"?topics=alerts,secrets": http.StatusBadRequest, "?after=x": http.StatusBadRequest, "?after=-1": http.StatusBadRequest, "?topic=alerts": http.StatusBadRequest,
	} {
		if l := s.listen(bootstrap, query, 0); l.status != status {
			t.Errorf("%s: got %d, want %d", query, l.status, status)
		}
	}
	for range live.MaxOwn {
		if l := s.listen(bootstrap, "", 0); l.status != http.StatusOK {
			t.Fatalf("got %d", l.status)
		}
	}
	if l := s.listen(bootstrap, "", 0); l.status != http.StatusTooManyRequests || l.header.Get("Retry-After") == "" {
		t.Errorf("one too many got %d", l.status)
	}
}
