// Package oidc starts a real OpenID Connect provider on loopback for tests: the npm
// package oidc-provider, as package.json beside it names it.
package oidc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A Client is whom the provider knows.
type Client struct {
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Redirect string `json:"redirect_uri"`
}

// Start starts the provider and returns its issuer; it ends with the test. Without
// Node or the package the test is skipped and says so, except with CI=true.
func Start(t testing.TB, c Client) (issuer string) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Dir(here)
	if err := ready(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	set, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "provider.mjs")
	cmd.Dir, cmd.Stderr = dir, t.Output()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "OIDC_TEST=" + string(set)}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // by which it ends
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	var said struct{ Issuer string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err != nil {
		t.Fatalf("the provider does not start: %v", err)
	}
	return said.Issuer
}

// ready makes sure that the package is there.
func ready(dir string) error {
	if _, err := exec.LookPath("node"); err != nil {
		return errors.New("there is no node: the real provider cannot be started")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err == nil {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in test/oidc: %w: %.300s", err, text)
	}
	return nil
}

// Visit is a browser at the provider: it follows location, signs in as somebody,
// and returns the query with which it is sent back to redirect.
func Visit(t testing.TB, location, redirect, who string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range 10 {
		if strings.HasPrefix(location, redirect) {
			u, err := url.Parse(location)
			if err != nil {
				t.Fatal(err)
			}
			return u.Query()
		}
		if strings.Contains(location, "/interaction/") {
			location += "?login=" + url.QueryEscape(who)
		}
		res, err := c.Get(location)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		_ = res.Body.Close()
		next, err := res.Location()
		if err != nil {
			t.Fatalf("the provider answers %d: %.300s", res.StatusCode, text)
		}
		location = next.String()
	}
	t.Fatal("the provider sends in circles")
	return nil
}
