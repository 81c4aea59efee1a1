package api

import (
	"context"
	"net/http"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/source"
)

// A Source is one source as the API shows it.
type Source source.Status

// sourceList returns the sources; no list in them is null.
func (s *server) sourceList(ctx context.Context) []Source {
	all := []Source{}
	if s.dep.Sources != nil {
		all = append(all, s.dep.Sources(ctx)...)
	}
	for i := range all {
		if all[i].Streams == nil {
			all[i].Streams = []source.Stream{}
		}
	}
	return all
}

func (s *server) sources() {
	read(s, op("/sources", "list-sources", "What keeps bringing in records of other products"), func(ctx context.Context, _ *struct{ Paging }) (client.Page[Source], error) {
		return client.Page[Source]{Items: s.sourceList(ctx)}, nil
	})
	o := op("/sources/{id}", "get-source", "One source and what it reads at the moment")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (Source, error) {
		for _, one := range s.sourceList(ctx) {
			if one.Name == in.ID {
				return one, nil
			}
		}
		return Source{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no such source; GET /api/v1/sources lists them"}
	})
}
