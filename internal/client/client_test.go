package client_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/client"
)

// numbers is a handler that lists 0 to n-1 in pages of two.
func numbers(n int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("after"))
		p := client.Page[int]{Items: []int{}}
		for i := from; i < min(from+2, n); i++ {
			p.Items = append(p.Items, i)
		}
		if from+2 < n {
			p.Next = strconv.Itoa(from + 2)
		}
		_ = json.NewEncoder(w).Encode(p)
	})
}

func TestAllWalksThePages(t *testing.T) {
	for n := range 6 {
		q := url.Values{"q": {"x"}}
		var got []int
		for row, err := range client.All[int](t.Context(), client.Local(numbers(n)), "/numbers", q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, row)
		}
		want := []int(nil)
		for i := range n {
			want = append(want, i)
		}
		if !slices.Equal(got, want) || len(q) != 1 {
			t.Errorf("%d rows: got %v, query is now %v", n, got, q)
		}
	}
	seen := 0
	for range client.All[int](t.Context(), client.Local(numbers(100)), "/numbers", nil) {
		if seen++; seen == 3 {
			break
		}
	}
	if seen != 3 {
		t.Errorf("saw %d rows after a break", seen)
	}
}

// problem answers with a status and an RFC 9457 body.
func problem(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestProblemsBecomeErrors(t *testing.T) {
	for status, code := range map[int]honeyguide.Code{
		400: honeyguide.CodeInvalid, 422: honeyguide.CodeInvalid, 401: honeyguide.CodeForbidden, 403: honeyguide.CodeForbidden, 404: honeyguide.CodeNotFound,
		409: honeyguide.CodeConflict, 429: honeyguide.CodeUnavailable, 503: honeyguide.CodeUnavailable, 500: honeyguide.CodeInternal,
	} {
		c := client.Local(problem(status, `{"title":"T","detail":"what to do","errors":[{"location":"query.limit","message":"too big"}]}`))
		var v any
		err := c.Get(t.Context(), "/x", nil, &v)
		if honeyguide.ErrorCode(err) != code || !strings.Contains(err.Error(), "what to do") || !strings.Contains(err.Error(), "query.limit: too big") {
			t.Errorf("%d: %v", status, err)
		}
		if _, err := c.Open(t.Context(), "/x"); honeyguide.ErrorCode(err) != code {
			t.Errorf("open, %d: %v", status, err)
		}
	}
	for _, body := range []string{"", "<html>", `{"title":5}`} {
		if err := client.Local(problem(502, body)).Get(t.Context(), "/x", nil, nil); err == nil {
			t.Errorf("%q is no error", body)
		}
	}
}

func TestIngest(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		q := r.URL.Query()
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/api/v1/ingest" || q.Get("name") != "a b.json" || q.Get("wait") != "true" {
			t.Errorf("%v %s %s", err, r.Method, r.URL)
		}
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, `{"name":"a b.json","bytes":%d,"rejected":1,"dead_letters":[{"line":3}]}`, len(body))
	})
	told := int64(0)
	res, err := client.Local(h).Ingest(t.Context(), client.IngestRequest{
		Name: "a b.json", Format: "auto", Wait: true, Body: strings.NewReader("12345"), Progress: func(n int64) { told = n },
	})
	if err != nil || res.Bytes != 5 || res.Rejected != 1 || res.DeadLetters[0].Line != 3 || told != 5 {
		t.Errorf("%v, told %d: %+v", err, told, res)
	}
	res, err = client.Local(problem(503, `{"detail":"no room","ingest":{"records":7,"events":4}}`)).Ingest(t.Context(), client.IngestRequest{Body: strings.NewReader("")})
	if honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable || res.Records != 7 || res.Events != 4 {
		t.Errorf("%v: %+v", err, res)
	}
}

func TestRecording(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.EscapedPath()) })
	body, err := client.Local(h).Recording(t.Context(), "../s 1")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, _ := io.ReadAll(body); string(got) != "/api/v1/sessions/..%2Fs%201/recording" {
		t.Errorf("asked for %s", got)
	}
}

func TestRemoteWantsAKeyAndHTTPS(t *testing.T) {
	for address, key := range map[string]honeyguide.Secret{"http://core.example": "hg_x", "core.example": "hg_x", "https://": "hg_x", "https://core.example": ""} {
		if _, err := client.Remote(address, key, nil); err == nil {
			t.Errorf("%s with key %q is taken", address, key.Reveal())
		}
	}
}

func TestNobodyThere(t *testing.T) {
	c := client.Unix(t.TempDir() + "/none.sock")
	if c.Alive(t.Context()) {
		t.Error("nobody is alive")
	}
	err := c.Get(t.Context(), "/x", nil, nil)
	if honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
}
