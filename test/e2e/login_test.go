package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"honeyguide/test/rig"
)

var consoleLine = regexp.MustCompile(`console  https://localhost:(\d+)/?\s`)

// TestGuessingIsSeen guesses a password at the console of the built binary: no more
// than a few are looked at, and the queue shows an alert. The console has one host.
func TestGuessingIsSeen(t *testing.T) {
	c := rig.Start(t, t.TempDir(), "sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "sensors.http.enabled=false")
	var said []string
	rig.Eventually(t, 10*time.Second, "the console's address", func() bool {
		said = consoleLine.FindStringSubmatch(c.Output())
		return said != nil
	})
	if !strings.Contains(c.Output(), "https://localhost:"+said[1]+"/first-run#") {
		t.Errorf("the first link is elsewhere than the console:\n%s", c.Output())
	}
	if code, text, err := c.Post("/api/v1/users", "application/json", strings.NewReader(`{"name":"anna","role":"analyst"}`)); err != nil || code != http.StatusOK {
		t.Fatal(code, string(text), err)
	}
	looked := 0
	for i := range 40 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 60, 0, byte(1+i))}}
		client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			DialContext: d.DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := client.Post("https://127.0.0.1:"+said[1]+"/api/v1/auth/login", "application/json", strings.NewReader(fmt.Sprintf(`{"name":"anna","password":"guess-%d"}`, i)))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		switch res.StatusCode {
		case http.StatusUnauthorized:
			looked++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("guess %d: %s", i, res.Status)
		}
		if i > 0 {
			continue
		}
		visit, _ := http.NewRequest(http.MethodGet, "https://127.0.0.1:"+said[1]+"/alerts?x=1", nil)
		visit.Header.Set("Sec-Fetch-Mode", "navigate")
		visit.Header.Set("Sec-Fetch-Dest", "document")
		if res, err = client.Do(visit); err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if to := res.Header.Get("Location"); to != "https://localhost:"+said[1]+"/alerts?x=1" && res.StatusCode != http.StatusServiceUnavailable { // that of a binary without a console
			t.Errorf("a visit of a page: %s to %q", res.Status, to)
		}
	}
	if looked == 0 || looked > 20 {
		t.Errorf("%d of 40 guesses were looked at", looked)
	}
	type alert struct {
		RuleID string `json:"rule_id"`
		Src    struct{ Addr string }
	}
	rig.Eventually(t, 20*time.Second, "an alert about guessing", func() bool {
		all, err := rig.List[alert](c, "/api/v1/alerts")
		return err == nil && len(all) == 1 && strings.Contains(all[0].RuleID, "console-guessing") && strings.HasPrefix(all[0].Src.Addr, "127.60.0.")
	})
}
