package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/verdict"
	"honeyguide/test/rig"
)

// TestVerdictsTeachTriage judges alerts on the command line until a model has
// learnt from them, sees it give scores, and takes it back.
func TestVerdictsTeachTriage(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	data := t.TempDir()
	core := rig.Start(t, data)
	n := 0
	// findings hands in some alerts of another product, one for each rule and source.
	findings := func(count int) {
		t.Helper()
		var in strings.Builder
		for range count {
			n++
			at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 10 * time.Minute)
			fmt.Fprintf(&in, `{"timestamp":%q,"event_type":"alert","host":"web1","src_ip":"198.51.100.%d","src_port":4000,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","alert":{"gid":1,"signature_id":%d,"rev":1,"signature":"rule %d","severity":2}}`+"\n",
				at.Format("2006-01-02T15:04:05.000000-0700"), n, 2000+n%6, n%6)
		}
		if _, errs, status := rig.CLI(t, data, strings.NewReader(in.String()), "ingest", "-"); status != 0 {
			t.Fatalf("ingest: status %d: %s", status, errs)
		}
	}
	// judge says of all that was not judged: rules 0 and 1 are true.
	judge := func() {
		t.Helper()
		ids := map[bool][]string{}
		for _, a := range listed[honeyguide.Alert](t, data, "alerts", "list", "--verdict", "none", "--limit", "1000") {
			bad := strings.HasSuffix(a.RuleID, ":2000") || strings.HasSuffix(a.RuleID, ":2001")
			ids[bad] = append(ids[bad], a.Short)
		}
		for bad, word := range map[bool]string{true: "true_positive", false: "false_positive"} {
			args := append([]string{"alerts", "verdict", "--as", word, "--reason", "as ever", "-o", "json"}, ids[bad]...)
			if out, errs, status := rig.CLI(t, data, nil, args...); status != 0 || !strings.Contains(out, fmt.Sprintf(`"changed": %d`, len(ids[bad]))) {
				t.Fatalf("status %d: %s%s", status, out, errs)
			}
		}
	}
	state := func() verdict.Triage {
		t.Helper()
		out, errs, status := rig.CLI(t, data, nil, "triage", "show", "-o", "json")
		var s verdict.Triage
		if err := json.Unmarshal([]byte(out), &s); err != nil || status != 0 {
			t.Fatalf("%v: status %d: %s%s", err, status, out, errs)
		}
		return s
	}
	if _, errs, status := rig.CLI(t, data, nil, "triage", "train"); status != 2 || !strings.Contains(errs, "20") {
		t.Errorf("training on nothing: status %d: %s", status, errs)
	}
	findings(36)
	judge()
	rig.Eventually(t, 30*time.Second, "a model in the shadow", func() bool { s := state(); return s.Shadow != nil || s.Active != nil })
	findings(24)
	judge()
	rig.Eventually(t, 30*time.Second, "an active model", func() bool { return state().Active != nil })
	findings(6)
	fresh := listed[honeyguide.Alert](t, data, "alerts", "list", "--verdict", "none")
	scores := map[string]float64{}
	for _, a := range fresh {
		scores[a.RuleID[strings.LastIndexByte(a.RuleID, ':')+1:]] = a.Score
		if !slices.ContainsFunc(a.Reasons, func(r honeyguide.Reason) bool { return r.Feature == "rule_history" }) {
			t.Errorf("%s: verdicts are no reason: %+v", a.RuleID, a.Reasons)
		}
	}
	if len(fresh) != 6 || scores["2000"] < scores["2003"]+15 || scores["2001"] < scores["2004"]+15 {
		t.Errorf("rules that were always true do not stand out: %v", scores)
	}
	out, _, _ := rig.CLI(t, data, nil, "rules", "quality", "-o", "json")
	var report verdict.QualityReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Sources) != 1 || report.Sources[0].N != 60 || report.Sources[0].FalsePositives != 40 {
		t.Errorf("%v %s", err, out)
	}
	if out, errs, status := rig.CLI(t, data, nil, "triage", "rollback"); status != 0 {
		t.Errorf("rollback: status %d: %s%s", status, out, errs)
	}
	if s := state(); s.Active != nil {
		t.Errorf("still active: %+v", s.Active)
	}
	if _, errs, status := rig.CLI(t, data, nil, "alerts", "verdict", "A-9999", "--as", "benign"); status != 4 {
		t.Errorf("verdict on nothing: status %d: %s", status, errs)
	}
	core.Stop()
}
