package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/bundle"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

type bundlesIn struct {
	Paging
	Incident string `query:"incident" maxLength:"64" doc:"short form of the incident, as the deployment that made them calls it"`
	Imported bool   `query:"imported" doc:"only those from other deployments"`
}

type itemIn struct {
	ID   string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Name string `query:"name" required:"true" minLength:"1" maxLength:"300" doc:"of an item of the archive, such as events.jsonl"`
}

type takeIn struct {
	ID     string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Reason string `query:"reason" maxLength:"1000" doc:"why it is handed out"`
}

// room returns the room of evidence.
func (s *server) room() (*bundle.Room, error) {
	if s.dep.Evidence == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "no evidence is kept here"}
	}
	return s.dep.Evidence, nil
}

// holder is who asks, as chains of custody name them.
func holder(ctx context.Context) bundle.Actor {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return bundle.Actor{Name: p.Name, Kind: kindOf(p), Session: p.Session, Address: callOf(ctx).Address}
}

// evidence registers what is done with archives of evidence.
func (s *server) evidence() {
	list(s, op("/evidence", "list-evidence", "Archives of evidence, made here or imported, newest first"), func(ctx context.Context, tx state.Tx, in *bundlesIn) ([]honeyguide.Bundle, string, error) {
		return tx.Bundles().List(ctx, state.BundleQuery{Page: in.page(), Incident: in.Incident, Imported: in.Imported})
	})
	one(s, op("/evidence/{id}", "get-evidence", "One archive of evidence, and how far it has come"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Bundle, error) {
		return tx.Bundles().Get(ctx, id)
	})
	for path, name := range map[string]string{"/evidence/{id}/custody": "list-evidence-custody", "/incidents/{id}/custody": "list-custody"} {
		o := op(path, name, "Who did what with evidence, when and why: each step has the hash of the one before")
		o.Errors = append(o.Errors, http.StatusNotFound)
		read(s, o, s.custodyOf)
	}
	write(s, post("/incidents/{id}/evidence", "collect-evidence", "Collect all that is known of an incident into one sealed archive"), auth.PermEvidence, s.collect)
	write(s, post("/evidence/{id}/verify", "verify-evidence", "Read an archive from its first byte to its last and say what was changed"), auth.PermEvidence, s.verifyBundle)
	s.evidenceFiles()
	s.importEvidence()
}

func (s *server) custodyOf(ctx context.Context, in *byID) (p client.Page[honeyguide.CustodyStep], err error) {
	p.Items = []honeyguide.CustodyStep{}
	room, err := s.room()
	if err != nil {
		return p, err
	}
	all, err := room.Chain(ctx, in.ID)
	p.Items = append(p.Items, all...)
	return p, err
}

func (s *server) collect(ctx context.Context, id string, in *client.EvidenceOrder) (b honeyguide.Bundle, err error) {
	room, err := s.room()
	if err != nil {
		return b, err
	}
	return room.Collect(ctx, id, in.Reason, in.Recipients, holder(ctx), time.Duration(in.WaitMS)*time.Millisecond)
}

func (s *server) verifyBundle(ctx context.Context, id string, _ *struct{}) (out client.EvidenceReport, err error) {
	room, err := s.room()
	if err != nil {
		return out, err
	}
	b, err := room.Get(ctx, id)
	if err != nil {
		return out, err
	}
	report, err := room.Check(ctx, b, bundle.Check{})
	if err != nil {
		return out, err
	}
	said := "it is sound"
	if !report.Sound {
		said = report.Faults[0].String()
	}
	return reportOf(report), room.Note(ctx, b, honeyguide.CustodyVerified, "", said, holder(ctx))
}

func reportOf(r *bundle.Report) client.EvidenceReport {
	out := client.EvidenceReport{
		Sound: r.Sound, Faults: []client.EvidenceFault{}, Notes: append([]string{}, r.Notes...), Manifest: r.ID, AuditKey: r.AuditKey, Audit: r.Audit,
		Objects: r.Objects, Size: r.Size, SHA256: r.SHA256, KeyGiven: r.KeyGiven, Witnessed: r.Witnessed,
	}
	for _, f := range r.Faults {
		out.Faults = append(out.Faults, client.EvidenceFault(f))
	}
	return out
}

// opens finds a bundle and opens its file.
func (s *server) opens(ctx context.Context, id string) (room *bundle.Room, b honeyguide.Bundle, f *os.File, err error) {
	if room, err = s.room(); err != nil {
		return nil, b, nil, err
	}
	if b, err = room.Get(ctx, id); err != nil {
		return nil, b, nil, err
	}
	f, err = room.Read(b)
	return room, b, f, err
}

// fileAnswer describes an answer that is a file.
func fileAnswer(o huma.Operation, text string) huma.Operation {
	o.Errors = append(o.Errors, http.StatusNotFound)
	o.Responses = map[string]*huma.Response{"200": {
		Description: text,
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	return o
}

// attached streams what write writes as a file that nothing shows or runs.
func (s *server) attached(ctx context.Context, name string, size int64, headers map[string]string, write func(w io.Writer) error, done func()) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer done()
		c.SetHeader("Content-Type", "application/octet-stream")
		c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		c.SetHeader("X-Content-Type-Options", "nosniff")
		c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
		c.SetHeader("Cache-Control", "no-store")
		c.SetHeader("Content-Length", strconv.FormatInt(size, 10))
		for k, v := range headers {
			c.SetHeader(k, v)
		}
		if err := write(patient(c.BodyWriter())); err != nil {
			s.dep.Log.WarnContext(ctx, "evidence was not taken to the end", "request_id", requestID(ctx), "error", err)
			panic(http.ErrAbortHandler) // a part must not pass for the whole
		}
	}}
}

// evidenceFiles registers what hands evidence out: who takes it is in the chain of
// custody before the first byte goes.
func (s *server) evidenceFiles() {
	o := fileAnswer(op("/evidence/{id}/content", "get-evidence-content", "An archive of evidence as a file"), "The archive, as an attachment.")
	s.router.need(o.Method+" "+o.Path, auth.PermEvidence)
	huma.Register(s.huma, o, func(ctx context.Context, in *takeIn) (*huma.StreamResponse, error) {
		room, b, f, err := s.opens(ctx, in.ID)
		if err == nil {
			err = room.Note(ctx, b, honeyguide.CustodyExported, in.Reason, "as it is", holder(ctx))
		}
		if err != nil {
			return nil, s.problem(ctx, errors.Join(err, closed(f)))
		}
		return s.attached(ctx, archiveName(b), b.Size, nil, func(w io.Writer) error { _, err := io.Copy(w, f); return err }, func() { _ = f.Close() }), nil
	})
	o = fileAnswer(post("/evidence/{id}/handover", "hand-over-evidence", "An archive in a ZIP behind a new password, which the header "+client.PasswordHeader+" tells once"), "The ZIP (AES-256), as an attachment.")
	s.router.need(o.Method+" "+o.Path, auth.PermEvidence)
	huma.Register(s.huma, o, func(ctx context.Context, in *takeIn) (*huma.StreamResponse, error) {
		room, b, f, err := s.opens(ctx, in.ID)
		if err == nil {
			err = room.Note(ctx, b, honeyguide.CustodyExported, in.Reason, "in a ZIP with a password", holder(ctx))
		}
		if err != nil {
			return nil, s.problem(ctx, errors.Join(err, closed(f)))
		}
		pack, password := bundle.HandOver(archiveName(b), b.Size)
		return s.attached(ctx, b.Incident+"-"+b.Short+"-handover.zip", pack.Size(), map[string]string{client.PasswordHeader: password.Reveal()},
			func(w io.Writer) error { return pack.Write(w, f) }, func() { _ = f.Close() }), nil
	})
	s.evidenceItems()
}

func closed(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

func archiveName(b honeyguide.Bundle) string { return b.Incident + "-" + b.Short + ".zip" }

// evidenceItems registers what shows an archive piece by piece.
func (s *server) evidenceItems() {
	o := op("/evidence/{id}/items", "list-evidence-items", "What is in an archive; the look is a step of its chain of custody")
	o.Errors = append(o.Errors, http.StatusNotFound)
	act(s, o, auth.PermEvidence, func(ctx context.Context, in *byID) (p client.Page[client.EvidenceItem], err error) {
		p.Items = []client.EvidenceItem{}
		room, b, f, err := s.opens(ctx, in.ID)
		if err != nil {
			return p, err
		}
		defer f.Close()
		m, err := bundle.Contents(f, b.Size)
		if err != nil {
			return p, err
		}
		for _, it := range m.Items {
			p.Items = append(p.Items, client.EvidenceItem{Name: it.Name, Kind: it.Kind, Type: it.Type, SHA256: it.SHA256, Size: it.Size, Records: it.Records, Of: it.Of})
		}
		return p, room.Note(ctx, b, honeyguide.CustodyViewed, "", "the list of what is in it", holder(ctx))
	})
	o = fileAnswer(op("/evidence/{id}/item", "get-evidence-item", "One item of an archive as a file"), "The item, as an attachment.")
	s.router.need(o.Method+" "+o.Path, auth.PermEvidence)
	huma.Register(s.huma, o, func(ctx context.Context, in *itemIn) (*huma.StreamResponse, error) {
		room, b, f, err := s.opens(ctx, in.ID)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		it, r, err := bundle.ItemOf(f, b.Size, in.Name)
		if err == nil {
			err = room.Note(ctx, b, honeyguide.CustodyViewed, "", it.Name, holder(ctx))
		}
		if err != nil {
			return nil, s.problem(ctx, errors.Join(err, f.Close()))
		}
		return s.attached(ctx, it.SHA256[:16]+".bin", it.Size, nil, func(w io.Writer) error { _, err := io.Copy(w, r); return err }, func() { _ = f.Close() }), nil
	})
}

// importEvidence registers the route that takes an archive of another deployment.
func (s *server) importEvidence() {
	o := post("/evidence/import", "import-evidence", "Take in an archive of another deployment: verified first, kept as it is, never changed")
	o.Parameters = []*huma.Param{
		{Name: "reason", In: "query", Description: "why", Schema: &huma.Schema{Type: "string"}},
		{Name: "key", In: "query", Description: "public key of the audit log of the deployment that made it (audit.pub)", Schema: &huma.Schema{Type: "string"}},
	}
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	registry := s.huma.OpenAPI().Components.Schemas
	o.Responses = map[string]*huma.Response{
		"200":     {Description: "It is here", Content: map[string]*huma.MediaType{"application/json": {Schema: huma.SchemaFromType(registry, typeOf[honeyguide.Bundle]())}}},
		"default": {Description: "It was not taken", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: huma.SchemaFromType(registry, typeOf[Problem]())}}},
	}
	s.huma.OpenAPI().AddOperation(&o)
	s.router.archives[o.Method+" "+o.Path] = true
	s.plain(o.Method+" "+o.Path, auth.PermEvidence, func(w http.ResponseWriter, r *http.Request) {
		room, err := s.room()
		var b honeyguide.Bundle
		if err == nil {
			q := r.URL.Query()
			body := paced(w, r.Body, time.Now)
			b, err = room.Import(r.Context(), body, bundle.Check{Key: q.Get("key")}, q.Get("reason"), holder(r.Context()))
			body.answering()
		}
		if err != nil {
			writeProblem(w, s.problem(r.Context(), err))
			return
		}
		writeJSON(w, http.StatusOK, b)
	})
}
