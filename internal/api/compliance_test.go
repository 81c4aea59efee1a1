package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/comply"
)

// A report is a file whose hash stands in the audit log before it is sent; what is
// missing is shown to those alone who may read the audit log.
func TestCompliance(t *testing.T) {
	r := newRig(t)
	const path = "/api/v1/reports/compliance"
	list := get[client.Page[ComplianceLine]](r, path)
	if len(list.Items) != len(comply.Names()) || list.Items[0].ID != comply.Names()[0] {
		t.Fatalf("%+v", list.Items)
	}
	for _, l := range list.Items {
		if l.Counts[comply.Met] != 0 && l.ID != "iso27001" && l.Controls == 0 {
			t.Errorf("%+v", l)
		}
	}
	a := get[comply.Assessment](r, path+"/soc2/controls")
	if a.Controls == 0 || len(a.Rows) != a.Controls || a.By == "" {
		t.Errorf("%d of %d rows", len(a.Rows), a.Controls)
	}
	for _, row := range a.Rows {
		for _, x := range row.Answers { // these are measured here, by the API itself
			if x.Check == "permissions" && x.Status != comply.Met {
				t.Errorf("%+v", x)
			}
		}
	}
	for _, f := range comply.Formats() {
		had := len(r.audit.Entries())
		w := r.call(http.MethodGet, path+"/gdpr?format="+f.Name, bootstrap, nil)
		sum := comply.Sum(w.Body.Bytes())
		if w.Code != http.StatusOK || w.Header().Get("X-Report-SHA256") != sum || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment;") || w.Header().Get("Content-Type") != f.Type {
			t.Fatalf("%s: %d %v", f.Name, w.Code, w.Header())
		}
		made := r.audit.Entries()[had:]
		if len(made) != 1 || made[0].Action != "export-compliance" || made[0].Outcome != honeyguide.AuditAsked || !strings.Contains(string(made[0].After), sum) || !strings.Contains(made[0].Object, "gdpr") {
			t.Errorf("%s leaves %+v", f.Name, made)
		}
	}
	r.audit.Fail(errors.New("the disk is full"))
	if w := r.call(http.MethodGet, path+"/gdpr?format=json", bootstrap, nil); w.Code != http.StatusServiceUnavailable || json.Valid(w.Body.Bytes()) && strings.Contains(w.Body.String(), comply.Schema) {
		t.Errorf("without an audit log: %d", w.Code)
	}
	r.audit.Fail(nil)
	for _, bad := range []string{"/pci", "/gdpr?format=docx", "/gdpr?since=2999-01-01T00:00:00Z", "/pci/controls"} {
		if w := r.call(http.MethodGet, path+bad, bootstrap, nil); w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	for scope, want := range map[auth.Scope]int{auth.ScopeAuditor: http.StatusOK, auth.ScopeViewer: http.StatusForbidden, auth.ScopeResponder: http.StatusForbidden} {
		key := r.keyOf("who "+string(scope), scope)
		for _, p := range []string{path, path + "/gdpr/controls", path + "/gdpr"} {
			if w := r.call(http.MethodGet, p, key, nil); w.Code != want {
				t.Errorf("%s asks for %s: %d, want %d", scope, p, w.Code, want)
			}
		}
	}
	r.dep.Facts = nil
	bare, err := New(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	r.handler = bare
	if w := r.call(http.MethodGet, path, bootstrap, nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("nothing measures, and the answer is %d", w.Code)
	}
}
