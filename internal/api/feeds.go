package api

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/client"
)

// BlocklistQuery says which part of the list is wanted, and which one the reader has.
type BlocklistQuery struct {
	Family   string `query:"family" enum:"4,6" doc:"only IPv4 or only IPv6"`
	Scope    string `query:"scope" enum:"ip,range" doc:"only addresses or only prefixes"`
	Playbook string `query:"playbook" maxLength:"128" doc:"only what this playbook blocks"`
	Have     string `header:"If-None-Match" maxLength:"1024" doc:"ETag of the list the reader has"`
}

// formatIn asks for the list in a format.
type formatIn struct {
	Format string `path:"format" maxLength:"32" doc:"text, csv, json, nginx-geo, nginx-deny, haproxy, stix or misp"`
	BlocklistQuery
}

// feedIn names a file of the MISP feed.
type feedIn struct {
	File string `path:"file" maxLength:"64" doc:"manifest.json, hashes.csv, or the event's UUID and .json"`
	BlocklistQuery
}

func (in *BlocklistQuery) filter() blocklist.Filter {
	family, _ := strconv.Atoi(in.Family) // the schema lets nothing else through
	f := blocklist.Filter{Family: family, Playbook: in.Playbook}
	if in.Scope != "" {
		f.Scopes = []string{in.Scope}
	}
	return f
}

// tag names what these filters select of the list as it is now, in one shape
// of one version of the product.
func (s *server) tag(in *BlocklistQuery, format string) string {
	h := fnv.New64a()
	for _, part := range []string{format, in.Family, in.Scope, in.Playbook, s.dep.Node, s.dep.Version} {
		_, _ = h.Write(append([]byte(part), 0)) // a hash takes everything
	}
	return `"` + s.dep.Lists.Tag() + "-" + strconv.FormatUint(h.Sum64(), 36) + `"`
}

// has reports whether an If-None-Match names tag.
func has(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == tag || part == "*" {
			return true
		}
	}
	return false
}

// blocklistFormat is one way the list can be had.
type blocklistFormat struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	Type    string `json:"type" doc:"content type"`
	Path    string `json:"path"`
}

// blocklists are what is blocked, for machines.
func (s *server) blocklists() {
	read(s, op("/blocklists", "list-blocklists", "The formats the list of blocked addresses can be had in"), func(context.Context, *struct{ Paging }) (client.Page[blocklistFormat], error) {
		p := client.Page[blocklistFormat]{Items: []blocklistFormat{}}
		for _, f := range blocklist.Formats() {
			p.Items = append(p.Items, blocklistFormat{f.Name, f.Summary, f.Type, base + "/blocklists/" + f.Name})
		}
		return p, nil
	})
	o := op("/blocklists/{format}", "get-blocklist", "What is blocked now, in a format that firewalls and proxies read")
	registerList(s, o, func(in *formatIn) (*BlocklistQuery, blocklist.Format, bool) {
		f, ok := blocklist.LookupFormat(in.Format)
		return &in.BlocklistQuery, f, ok
	}, func(ctx context.Context, w io.Writer, in *formatIn, f blocklist.Format) error {
		return f.Write(ctx, w, s.dep.Lists, in.filter(), s.publisher())
	})
	o = op("/blocklists/misp/{file}", "get-misp-feed", "What is blocked now, as the folder of a MISP feed")
	registerList(s, o, func(in *feedIn) (*BlocklistQuery, blocklist.Format, bool) {
		f, ok := s.feedFile(in.File)
		return &in.BlocklistQuery, f, ok
	}, func(ctx context.Context, w io.Writer, in *feedIn, f blocklist.Format) error {
		switch in.File {
		case "manifest.json":
			return blocklist.Manifest(ctx, w, s.dep.Lists, in.filter(), s.publisher())
		case "hashes.csv":
			return blocklist.Hashes(ctx, w, s.dep.Lists, in.filter(), s.publisher())
		}
		return f.Write(ctx, w, s.dep.Lists, in.filter(), s.publisher())
	})
}

func (s *server) publisher() blocklist.About { return blocklist.About{Node: s.dep.Node} }

// feedFile returns what a file of the MISP feed is; Name keeps the files apart.
func (s *server) feedFile(file string) (blocklist.Format, bool) {
	f, _ := blocklist.LookupFormat("misp")
	switch file {
	case blocklist.EventUUID(s.publisher()) + ".json":
	case "manifest.json":
		f.Name = file
	case "hashes.csv":
		f.Name, f.Type = file, "text/csv; charset=utf-8"
	default:
		return f, false
	}
	return f, true
}

// registerList registers a route that streams the list.
func registerList[I any](s *server, o huma.Operation, find func(*I) (*BlocklistQuery, blocklist.Format, bool),
	write func(context.Context, io.Writer, *I, blocklist.Format) error,
) {
	o.Errors = append(o.Errors, http.StatusNotFound)
	o.Responses = map[string]*huma.Response{
		"200": {Description: "The whole list. One that is cut short is no list: keep the one before.", Content: map[string]*huma.MediaType{
			"*/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
		}},
		"304": {Description: "The reader has this list already."},
	}
	s.router.need(o.Method+" "+o.Path, auth.PermBouncer)
	huma.Register(s.huma, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		what, f, ok := find(in)
		if !ok {
			return nil, s.problem(ctx, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no such list; see " + base + "/blocklists"})
		}
		if err := s.upToDate(ctx); err != nil {
			return nil, s.problem(ctx, err)
		}
		tag := s.tag(what, f.Name)
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("ETag", tag)
			c.SetHeader("Cache-Control", "private, no-cache")
			if has(what.Have, tag) {
				c.SetStatus(http.StatusNotModified)
				return
			}
			c.SetHeader("Content-Type", f.Type)
			c.SetStatus(http.StatusOK)
			if c.Method() == http.MethodHead {
				return
			}
			if err := write(ctx, patient(c.BodyWriter()), in, f); err != nil {
				s.dep.Log.DebugContext(ctx, "blocklist was not taken to the end", "request_id", requestID(ctx), "error", err)
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}

// upToDate brings the list up to date; its error is for users.
func (s *server) upToDate(ctx context.Context) error {
	err := s.dep.Lists.Refresh(ctx)
	if errors.Is(err, blocklist.ErrStale) {
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: blocklist.ErrStale.Error(), Err: err}
	}
	return err
}

// patient gives a slow reader of a long answer the usual time for each piece of
// it, where the connection allows that.
func patient(w io.Writer) io.Writer {
	rw, ok := w.(http.ResponseWriter)
	if !ok {
		return w
	}
	return &pieces{rw, http.NewResponseController(rw), time.Now().Add(longest)}
}

// longest is how long the slowest reader may take for one answer.
const longest = 10 * time.Minute

type pieces struct {
	w    io.Writer
	c    *http.ResponseController
	last time.Time
}

// Write writes within the time for one piece.
func (p *pieces) Write(b []byte) (int, error) {
	until := time.Now().Add(writeTimeout)
	if until.After(p.last) {
		until = p.last
	}
	if err := p.c.SetWriteDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(b)
}
