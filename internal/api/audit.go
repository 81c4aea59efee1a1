package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// AuditFilter says which entries are meant. It is exported because the library
// only looks into embedded fields that are.
type AuditFilter struct {
	Span
	Actor   string                  `query:"actor" maxLength:"128" doc:"name of who did it"`
	Action  string                  `query:"action" maxLength:"128" doc:"what was done, such as decide-run"`
	Object  string                  `query:"object" maxLength:"512" doc:"what it was about, such as run:R-7; run: or run:R-* for what begins so"`
	Kind    string                  `query:"kind" enum:"user,key,local,playbook,system,nobody" doc:"of who did it"`
	Outcome honeyguide.AuditOutcome `query:"outcome" enum:"asked,refused,failed"`
}

func (f *AuditFilter) query() audit.Query {
	return audit.Query{From: f.From, To: f.To, Actor: f.Actor, Action: f.Action, Object: f.Object, Kind: f.Kind, Outcome: f.Outcome}
}

type auditIn struct {
	Paging
	AuditFilter
}

type auditSeq struct {
	Seq int64 `path:"seq" minimum:"0" doc:"number of the entry"`
}

type auditFrom struct {
	From int64 `query:"from" required:"true" minimum:"1" doc:"number of entries of the older checkpoint"`
}

type auditExportIn struct {
	AuditFilter
	Format string `query:"format" enum:"jsonl,csv,cef" default:"jsonl"`
}

// trail returns the audit log for reading.
func (s *server) trail() (*audit.Log, error) {
	if s.dep.Trail == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the audit log cannot be read here"}
	}
	return s.dep.Trail, nil
}

// auditLog registers what auditors read.
func (s *server) auditLog() {
	act(s, op("/audit", "list-audit", "What people and playbooks did, newest first; a page may be short and still have a next"), auth.PermAudit, s.listAudit)
	act(s, op("/audit/checkpoint", "get-audit-checkpoint", "What the audit log signs for, and the key that verifies it"), auth.PermAudit,
		func(_ context.Context, _ *struct{}) (client.AuditCheckpoint, error) {
			l, err := s.trail()
			if err != nil {
				return client.AuditCheckpoint{}, err
			}
			return checkpointOf(l, l.Checkpoint()), nil
		})
	act(s, op("/audit/consistency", "get-audit-consistency", "Proof that an older checkpoint is of the beginning of this log"), auth.PermAudit,
		func(ctx context.Context, in *auditFrom) (out client.AuditConsistency, err error) {
			l, err := s.trail()
			if err != nil {
				return out, err
			}
			hashes, point, err := l.Consistency(ctx, in.From)
			return client.AuditConsistency{From: in.From, Hashes: hashes, Checkpoint: checkpointOf(l, point)}, err
		})
	for _, path := range []string{"/audit/{seq}", "/audit/{seq}/proof"} {
		name := map[bool]string{true: "get-audit-proof", false: "get-audit-entry"}[strings.HasSuffix(path, "proof")]
		o := op(path, name, "One entry with the proof that it is part of the log")
		o.Errors = append(o.Errors, http.StatusNotFound)
		act(s, o, auth.PermAudit, s.auditEntry)
	}
	o := op("/audit/verify", "audit-verification", "How the verification under way stands, or how the last one ended")
	act(s, o, auth.PermAudit, func(ctx context.Context, _ *struct{}) (client.AuditCheck, error) {
		l, err := s.trail()
		if err != nil {
			return client.AuditCheck{}, err
		}
		return checkOf(l.CheckStatus(ctx, 0)), nil
	})
	writeAnew(s, post("/audit/verify", "verify-audit", "Verify the whole log, unless that is under way; ask again for how it stands"), auth.PermAudit, s.verifyAudit)
	s.exportAudit()
}

func checkpointOf(l *audit.Log, c audit.Checkpoint) client.AuditCheckpoint {
	root, _ := c.Root.MarshalJSON() // base64 in quotes
	out := client.AuditCheckpoint{
		Origin: c.Origin, Size: c.Size, Root: strings.Trim(string(root), `"`), Note: string(c.Note), PublicKey: l.PublicKey(), Line: c.Line(), Refused: l.Refused(),
	}
	for _, w := range l.Witnesses() {
		out.Witnesses = append(out.Witnesses, client.AuditWitness(w))
	}
	return out
}

func (s *server) listAudit(ctx context.Context, in *auditIn) (client.Page[honeyguide.AuditEntry], error) {
	p := client.Page[honeyguide.AuditEntry]{Items: []honeyguide.AuditEntry{}}
	l, err := s.trail()
	if err != nil {
		return p, err
	}
	q := in.query()
	q.Limit = in.Limit
	if in.After != "" {
		if q.Before, err = strconv.ParseInt(in.After, 10, 64); err != nil || q.Before < 1 {
			return p, invalid("after: this is no cursor of this list; take next of the page before")
		}
	}
	list, next, err := l.List(ctx, q)
	if p.Items = append(p.Items, list...); next > 0 {
		p.Next = strconv.FormatInt(next, 10)
	}
	return p, err
}

func (s *server) auditEntry(ctx context.Context, in *auditSeq) (out client.AuditProof, err error) {
	l, err := s.trail()
	if err != nil {
		return out, err
	}
	e, proof, err := l.Prove(ctx, in.Seq)
	if err != nil {
		return out, err
	}
	text, err := json.Marshal(proof)
	return client.AuditProof{Entry: e, Proof: text}, err
}

func (s *server) verifyAudit(ctx context.Context, in *client.AuditCheckOrder) (client.AuditCheck, error) {
	l, err := s.trail()
	if err != nil {
		return client.AuditCheck{}, err
	}
	var kept audit.Kept
	if in.Witness != "" {
		kept, err = audit.ReadCheckpoints(strings.NewReader(in.Witness), l.PublicKey())
		if err != nil || len(kept.List) == 0 {
			return client.AuditCheck{}, invalid("witness: " + kept.Nothing())
		}
	}
	l.StartCheck(ctx, kept)
	return checkOf(l.CheckStatus(ctx, time.Duration(in.WaitMS)*time.Millisecond)), nil
}

func checkOf(c audit.CheckStatus) client.AuditCheck {
	out := client.AuditCheck{State: "none", Done: c.Done, Of: c.Of, Began: c.Began, Ended: c.Ended, Error: c.Error}
	if r := c.Report; r != nil {
		report := client.AuditReport(*r)
		out.Report = &report
	}
	switch {
	case c.Running:
		out.State = "running"
	case c.Error != "":
		out.State = "failed"
	case c.Report != nil && c.Report.Sound():
		out.State = "sound"
	case c.Report != nil:
		out.State = "damaged"
	}
	return out
}

// exportAudit hands entries out as a file. Who took them is an entry itself.
func (s *server) exportAudit() {
	o := op("/audit/export", "export-audit", "Entries as JSON lines, CSV or CEF")
	content := map[string]*huma.MediaType{}
	for _, f := range audit.Formats {
		content[audit.MediaType(f)] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "The entries, as an attachment.", Content: content}}
	s.router.need(o.Method+" "+o.Path, auth.PermAudit)
	huma.Register(s.huma, o, func(ctx context.Context, in *auditExportIn) (*huma.StreamResponse, error) {
		l, err := s.trail()
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", audit.MediaType(in.Format))
			c.SetHeader("Content-Disposition", `attachment; filename="audit.`+in.Format+`"`)
			c.SetHeader("X-Content-Type-Options", "nosniff")
			c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
			w := bufio.NewWriterSize(patient(c.BodyWriter()), 64<<10)
			err := audit.Export(ctx, w, l, in.query(), in.Format)
			if err == nil {
				err = w.Flush()
			}
			if err != nil {
				s.dep.Log.WarnContext(ctx, "audit log was not exported to the end", "request_id", requestID(ctx), "error", err)
				panic(http.ErrAbortHandler) // a part must not pass for the whole
			}
		}}, nil
	})
}
