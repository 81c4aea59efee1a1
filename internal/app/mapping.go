package app

import (
	"context"

	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/ingest"
)

// mapping opens the reader of records of no known product with an operator's own
// names, written in YAML.
func mapping(ctx context.Context, text []byte) (ingest.Format, error) {
	k, err := builtin.Mappers().Lookup("generic")
	if err != nil {
		return ingest.Format{}, err
	}
	m, err := k.Open(ctx, config.Strict("mapping", text), ingest.Deps{})
	if err != nil {
		return ingest.Format{}, err
	}
	return ingest.Format{Name: k.Name, Mapper: m}, nil
}
