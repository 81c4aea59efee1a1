package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/comply"
	"honeyguide/internal/personal"
)

// complianceDays is the period of a report nobody asked another one for.
const complianceDays = 90

type complianceIn struct {
	Framework string    `path:"framework" enum:"nist-csf,iso27001,soc2,gdpr"`
	Since     time.Time `query:"since" doc:"begin of the period; absent: ninety days ago"`
}

type complianceExportIn struct {
	Framework string    `path:"framework" enum:"nist-csf,iso27001,soc2,gdpr"`
	Since     time.Time `query:"since" doc:"begin of the period; absent: ninety days ago"`
	Format    string    `query:"format" enum:"html,pdf,json,oscal" default:"json"`
}

type complianceListIn struct {
	Since time.Time `query:"since" doc:"begin of the period; absent: ninety days ago"`
}

// A ComplianceLine is how this installation stands against one framework.
type ComplianceLine struct {
	comply.FrameworkAbout
	Controls int                   `json:"controls"`
	Counts   map[comply.Status]int `json:"counts" doc:"controls by status: met, partly, gap, not measured, outside"`
	Gaps     int                   `json:"gaps" doc:"checks that are not met"`
}

// compliance registers how this installation stands against frameworks. What is
// missing here is worth knowing to an attacker, so it is for those who may read
// the audit log; who takes a report away is an entry with its hash.
func (s *server) compliance() {
	act(s, op("/reports/compliance", "list-compliance", "How this installation stands against each framework, measured now"), auth.PermAudit,
		func(ctx context.Context, in *complianceListIn) (client.Page[ComplianceLine], error) {
			out := client.Page[ComplianceLine]{Items: []ComplianceLine{}}
			facts, err := s.facts(ctx, in.Since)
			if err != nil {
				return out, err
			}
			for _, name := range comply.Names() {
				r, err := s.assess(ctx, name, facts)
				if err != nil {
					return out, err
				}
				out.Items = append(out.Items, ComplianceLine{FrameworkAbout: r.Framework, Controls: r.Controls, Counts: r.Counts, Gaps: len(r.Gaps)})
			}
			return out, nil
		})
	o := op("/reports/compliance/{framework}/controls", "get-compliance", "The controls of a framework, how each stands and why, measured now")
	o.Errors = append(o.Errors, http.StatusNotFound)
	act(s, o, auth.PermAudit, func(ctx context.Context, in *complianceIn) (*comply.Assessment, error) {
		facts, err := s.facts(ctx, in.Since)
		if err != nil {
			return nil, err
		}
		return s.assess(ctx, in.Framework, facts)
	})
	s.exportCompliance()
}

// facts measures what can be known of this installation now.
func (s *server) facts(ctx context.Context, since time.Time) (*comply.Facts, error) {
	if s.dep.Facts == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "nothing here measures this installation"}
	}
	now := s.dep.Now().UTC()
	if since.IsZero() {
		since = now.AddDate(0, 0, -complianceDays)
	}
	if !since.Before(now) {
		return nil, invalid("since: want a time that is over")
	}
	f, err := s.dep.Facts(ctx, since)
	if err != nil {
		return nil, err
	}
	const own = "the console's own answers"
	f.Flag("guards.permissions", s.router.check() == nil, own)
	f.Flag("privacy.veil", veils(), own)
	policy := headers["Content-Security-Policy"]
	f.Flag("guards.headers", strings.Contains(policy, "default-src 'none'") && !strings.Contains(policy, "unsafe") && strings.Contains(policy, "frame-ancestors 'none'"), own)
	return f, nil
}

// veils lays an answer with an address before somebody who may not see one, and
// says whether it is hidden.
func veils() bool {
	const address = "203.0.113.7"
	out, _ := personal.NewPseudonyms(nil).All().JSON([]byte(`{"src":"` + address + `"}`))
	return veiled(auth.Principal{ID: "stranger", Scope: auth.ScopeViewer}, auth.PermRead) && !strings.Contains(string(out), address)
}

func (s *server) assess(ctx context.Context, framework string, f *comply.Facts) (*comply.Assessment, error) {
	fw, err := comply.Lookup(framework)
	if err != nil {
		return nil, err
	}
	p, _ := ctx.Value(principalKey).(auth.Principal)
	by := p.Name
	if p.Sort == auth.SortLocal { // of whom the name says nothing to who reads a report
		by = "somebody on the machine itself, over its own socket"
	}
	return comply.Assess(fw, f, by)
}

// exportCompliance hands a report out as a file. Its entry in the audit log is made
// once the file is, because it holds the hash of it.
func (s *server) exportCompliance() {
	o := op("/reports/compliance/{framework}", "export-compliance", "A compliance report as a file; the audit log keeps its SHA-256")
	o.Errors = append(o.Errors, http.StatusNotFound)
	content := map[string]*huma.MediaType{}
	for _, f := range comply.Formats() {
		content[f.Type] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "The report, as an attachment. The header X-Report-SHA256 is its hash.", Content: content}}
	s.router.need(o.Method+" "+o.Path, auth.PermAudit)
	s.router.audits(o.Method + " " + o.Path)
	huma.Register(s.huma, o, func(ctx context.Context, in *complianceExportIn) (*huma.StreamResponse, error) {
		facts, err := s.facts(ctx, in.Since)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		r, err := s.assess(ctx, in.Framework, facts)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		doc, f, err := r.Write(in.Format)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		sum := comply.Sum(doc)
		said := map[string]any{"framework": in.Framework, "format": f.Name, "sha256": sum, "bytes": len(doc), "since": facts.Since, "audit_size": r.Audit.Size}
		return effect(ctx, s, said, func() (*huma.StreamResponse, error) {
			return &huma.StreamResponse{Body: func(c huma.Context) {
				c.SetHeader("X-Report-SHA256", sum)
				attachment(c, f.Type, "honeyguide-"+in.Framework+"-"+r.At.Format("20060102-150405")+f.Ending)
				if _, err := c.BodyWriter().Write(doc); err != nil {
					s.dep.Log.DebugContext(ctx, "report was not taken to the end", "request_id", requestID(ctx), "error", err)
				}
			}}, nil
		})
	})
}
