package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"strings"

	"honeyguide"
	"honeyguide/internal/sensor"
)

// application answers for the small application behind nginx: its login page
// and what lies behind it. It reports false for every other path.
func (s *service) application(ses *sensor.Session, q *request) (answer, bool) {
	if s.cfg.Login == "" {
		return answer{}, false
	}
	inside := strings.TrimSuffix(s.cfg.Login, "/") + "/home"
	switch {
	case q.path == s.cfg.Login && q.method == "POST":
		return s.login(ses, q, inside), true
	case q.path == s.cfg.Login && (q.method == "GET" || q.method == "HEAD"):
		return dynamic(200, s.loginPage("")), true
	case q.path == inside && s.session(ses, q) == "":
		a := dynamic(302, "")
		a.location = s.cfg.Login
		return a, true
	case q.path == inside:
		return dynamic(200, s.homePage(s.session(ses, q))), true
	}
	return answer{}, false
}

func dynamic(status int, body string) answer {
	return answer{status: status, kind: "text/html; charset=utf-8", body: []byte(body), keep: true}
}

// login tries the pair of a posted form.
func (s *service) login(ses *sensor.Session, q *request, inside string) answer {
	form, _ := url.ParseQuery(string(q.body))
	user, password := first(form, "username", "user", "email", "login", "log"), first(form, "password", "pass", "pwd")
	if !s.attempt(ses, "form", user, password, true) {
		return dynamic(200, s.loginPage("The user name or password is incorrect."))
	}
	a := dynamic(302, "")
	a.location = inside
	a.extra = []header{{"Set-Cookie", "session=" + s.cookie(ses, user) + "; Path=/; HttpOnly; SameSite=Lax"}}
	return a
}

func first(form url.Values, names ...string) string {
	for _, n := range names {
		if v := form.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// attempt reports a login and whether it succeeds.
func (s *service) attempt(ses *sensor.Session, method, user, password string, opens bool) bool {
	ok := opens && user != "" && password != "" &&
		(s.cfg.Accept == "always" || s.dep.World.Planted("http", user, password))
	e := honeyguide.Event{Class: honeyguide.ClassAuthentication, Activity: honeyguide.ActivityLoginFailed}
	if ok {
		e.Activity, e.Severity = honeyguide.ActivityLoginSuccess, honeyguide.SeverityMedium
	}
	e.Set(honeyguide.AttrAuthMethod, method)
	e.Set(honeyguide.AttrUser, text(user))
	e.Set(honeyguide.AttrPassword, text(password))
	ses.Emit(e)
	return ok
}

// basic reads a Basic Authorization header (RFC 7617).
func basic(value string) (user, password string, ok bool) {
	scheme, data, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "basic") {
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(data))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// cookie is the session of a user at one address: nothing is kept for it.
func (s *service) cookie(ses *sensor.Session, user string) string {
	m := hmac.New(sha256.New, s.dep.Seed)
	m.Write([]byte("web\x00" + ses.Src.Addr().String() + "\x00" + user))
	return base64.RawURLEncoding.EncodeToString([]byte(user)) + "." + hex.EncodeToString(m.Sum(nil)[:16])
}

// session returns the user of the request's cookie, or "".
func (s *service) session(ses *sensor.Session, q *request) string {
	for c := range strings.SplitSeq(q.get("cookie"), ";") {
		value, ok := strings.CutPrefix(strings.TrimSpace(c), "session=")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(value, ".")
		user, err := base64.RawURLEncoding.DecodeString(name)
		if err == nil && hmac.Equal([]byte(value), []byte(s.cookie(ses, string(user)))) {
			return string(user)
		}
	}
	return ""
}

// brand is what the application calls itself: the machine's host name knows.
func (s *service) brand() string {
	name, _, _ := strings.Cut(s.dep.World.Host.Machine.Hostname, ".")
	return html.EscapeString(name)
}

func (s *service) loginPage(problem string) string {
	note := ""
	if problem != "" {
		note = `<p class="error">` + problem + "</p>\n"
	}
	return fmt.Sprintf(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sign in - %[1]s</title>
<style>body{font-family:sans-serif;background:#f3f4f6}form{max-width:20em;margin:6em auto;padding:2em;background:#fff;border:1px solid #ddd}
input{width:100%%;margin:.3em 0 1em;padding:.4em;box-sizing:border-box}.error{color:#b00}</style>
</head>
<body>
<form method="post" action="%[2]s">
<h1>%[1]s</h1>
%[3]s<label>User name<input name="username" autocomplete="username" required></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form>
</body>
</html>
`, s.brand(), s.cfg.Login, note)
}

func (s *service) homePage(user string) string {
	return fmt.Sprintf(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>%[1]s</title></head>
<body>
<h1>%[1]s</h1>
<p>Signed in as %[2]s.</p>
<p>Nothing is waiting for you. Maintenance tonight from 22:00 to 23:00 UTC.</p>
</body>
</html>
`, s.brand(), html.EscapeString(text(user)))
}
