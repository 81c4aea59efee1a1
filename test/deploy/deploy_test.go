// Package deploy_test holds the files under deploy/ against the product: rules
// and board name metrics that are there from the start, and promtool accepts and
// proves the rules.
package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"honeyguide/test/rig"
)

const folder = "../../deploy"

func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(rig.Need(t, "promtool"), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestRules(t *testing.T) {
	dir := filepath.Join(folder, "prometheus")
	promtool(t, dir, "check", "rules", "honeyguide.rules.yml")
	promtool(t, dir, "test", "rules", "honeyguide.test.yml")
}

// policy are the alerts of the security policy, word for word.
var policy = []string{
	"- alert: HighThreatActivity\n        expr: rate(threat_events_total[5m]) > 10\n        for: 1m\n        labels: {severity: critical}\n",
	"- alert: HoneytokenTriggered\n        expr: increase(honeytoken_triggers_total[1m]) > 0\n        for: 0s\n        labels: {severity: warning}\n",
}

func TestPolicyAlerts(t *testing.T) {
	text := read(t, "prometheus/honeyguide.rules.yml")
	for _, want := range policy {
		if !strings.Contains(text, want) {
			t.Errorf("the rules lack:\n%s", want)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// board is what the test reads of the Grafana board.
type board struct {
	Title  string
	Panels []struct {
		ID      int
		Type    string
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ Expr string }
	}
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "grafana/honeyguide.json")), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// Every expression of the board is one, and no panel lies on another.
func TestBoard(t *testing.T) {
	b := readBoard(t)
	var rules strings.Builder
	rules.WriteString("groups:\n- name: board\n  rules:\n")
	n, taken := 0, map[[2]int]string{}
	for _, p := range b.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", `"$instance"`, `".*"`).Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: unknown variable in %s", p.Title, expr)
			}
			fmt.Fprintf(&rules, "  - record: board:%d\n    expr: %q\n", n, expr)
			n++
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies on %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d expressions", n)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "board.yml"), []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "check", "rules", "board.yml")
}

var (
	metric   = regexp.MustCompile(`\b(honeyguide_[a-z_]+|threat_events_total|honeytoken_triggers_total)\b`)
	recorded = regexp.MustCompile(`\bhoneyguide:[a-z_0-9:]+`)
)

// A core that has seen nothing shows every metric the rules and the board ask
// for: a counter that appears with its first event has no increase.
func TestMetricsAreThereFromTheStart(t *testing.T) {
	core := rig.Start(t, t.TempDir(), "actions.hook.kind=webhook", "actions.hook.url=https://hooks.example/honeyguide", "actions.hook.secret=0123456789abcdef0123456789abcdef") // metrics of a channel come with the channel
	var shown string
	if err := core.Get("/metrics", &shown); err != nil {
		t.Fatal(err)
	}
	rules := read(t, "prometheus/honeyguide.rules.yml")
	asked := rules
	for _, p := range readBoard(t).Panels {
		for _, target := range p.Targets {
			asked += "\n" + target.Expr
			for _, name := range recorded.FindAllString(target.Expr, -1) {
				if !strings.Contains(rules, "record: "+name+"\n") {
					t.Errorf("the board asks for %s, which no rule records", name)
				}
			}
		}
	}
	names := map[string]bool{}
	for _, name := range metric.FindAllString(asked, -1) {
		names[name] = true
	}
	if len(names) < 20 {
		t.Errorf("only %d metrics are asked for", len(names))
	}
	for name := range names {
		if strings.HasPrefix(name, "honeyguide_policy") || strings.HasPrefix(name, "honeyguide_operation") || strings.HasPrefix(name, "honeyguide_figures") {
			continue // names of groups
		}
		if !strings.Contains(shown, "\n"+name+" ") && !strings.Contains(shown, "\n"+name+"{") {
			t.Errorf("/metrics of a fresh core lacks %s", name)
		}
	}
	for _, zero := range []string{"threat_events_total 0", "honeytoken_triggers_total 0", "honeyguide_pipeline_trimmed_total 0", "honeyguide_pipeline_lag_events 0"} {
		if !strings.Contains(shown, "\n"+zero+"\n") {
			t.Errorf("/metrics of a fresh core lacks %q", zero)
		}
	}
}
