package email_test

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"honeyguide/internal/respond/email"
	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/safetext"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const password = "m4il-passw0rd"

// headers are all a mail may have, in this order.
const headers = "From To Subject Date Message-ID References X-Honeyguide-ID X-Honeyguide-Event X-Priority Auto-Submitted X-Auto-Response-Suppress MIME-Version Content-Type"

// parsed is a mail as its reader sees it.
type parsed struct {
	mail.Header
	subject, text, page string
}

// read takes a mail apart and fails when it is not built as all are.
func read(t testing.TB, raw string) parsed {
	t.Helper()
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	var names []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes, or a bare line break: %.100q", len(line), line)
		}
	}
	if got := strings.Join(names, " "); got != headers {
		t.Errorf("headers %s", got)
	}
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{Header: m.Header}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Errorf("subject: %v", err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for i, want := range []string{"text/plain; charset=utf-8", "text/html; charset=utf-8"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil || part.Header.Get("Content-Type") != want {
			t.Errorf("part %d: %v, %v", i, part.Header, err)
		}
		if i == 0 {
			p.text = string(text)
		} else {
			p.page = string(text)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("a third part: %v", err)
	}
	return p
}

// inert fails when a text could steer or lead somewhere.
func inert(t testing.TB, p parsed) {
	t.Helper()
	if safetext.Hostile(p.subject) || safetext.Hostile(strings.NewReplacer("\r", "", "\n", "").Replace(p.text+p.page)) {
		t.Errorf("steers: %q", p.subject)
	}
	if rest := strings.ReplaceAll(p.text, "https://console.example.org", ""); strings.Contains(rest+p.subject, "://") {
		t.Error("a link in the text")
	}
	if n := strings.Count(p.page, "<"); n != 11 {
		t.Errorf("%d tags in the page: %.200s", n, p.page)
	}
}

func world() respondtest.World {
	seen := map[string]string{}
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			auth := "PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00soc\x00"+password))
			m, err := mail.ReadMessage(strings.NewReader(string(body)))
			if err != nil || r.Header.Get("Auth") != auth || !slices.Equal(r.Header["To"], []string{"TO:<a@example.org>", "TO:<b@example.org>"}) {
				w.WriteHeader(400)
				return
			}
			id := m.Header.Get("Message-Id")
			if old, again := seen[id]; again && old != string(body) {
				w.WriteHeader(400) // the same mail is the same mail
				return
			}
			seen[id] = string(body)
		}),
		Effects: func() (out []string) {
			for k := range seen {
				out = append(out, k)
			}
			return out
		},
	}
}

func TestConformance(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: email.Kind, World: world, Listen: respondtest.SMTP, Secrets: []string{password, base64.StdEncoding.EncodeToString([]byte(password))},
		Config: func(url string) map[string]any {
			return map[string]any{
				"server": strings.TrimPrefix(url, "smtp://"), "user": "soc", "password": password,
				"from": "Honeyguide <soc@example.org>", "to": []string{"a@example.org", "Bä <b@example.org>"},
			}
		},
		// 451 has no time to wait; a page where mail was due is a mail server's 250.
		Verdict: map[string]respondtest.Verdict{"429 after": respondtest.Retries, "503 after": respondtest.Retries, "garbage": respondtest.Works, "garbage that is JSON": respondtest.Works},
		Check: func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				inert(t, read(t, string(h.Body)))
			}
		},
	})
}

func TestSettings(t *testing.T) {
	good := map[string]any{"server": "mail.example.org:587", "from": "a@example.org", "to": []string{"b@example.org"}}
	for key, value := range map[string]any{
		"server": "mail.example.org", "tls": "maybe", "from": "nobody", "to": []string{"a@b.example\r\nBcc: x@y.example"}, "user": "without a password",
	} {
		bad := map[string]any{key: value}
		for k, v := range good {
			if k != key {
				bad[k] = v
			}
		}
		if err := email.Kind.Check(respondtest.Decode(bad)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
	clear := map[string]any{"server": "mail.example.org:25", "from": "a@example.org", "to": []string{"b@example.org"}, "user": "u", "password": "pppp", "tls": "none"}
	if err := email.Kind.Check(respondtest.Decode(clear)); err == nil {
		t.Error("a password in the clear")
	}
}
