package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/ingest"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/state"
	"honeyguide/rules"
)

// openRules reads the Sigma rules.
func (a *App) openRules(ctx context.Context) (err error) {
	d := a.settings.Detect
	opt := rulebook.Options{
		Folder: d.Rules, Placeholders: d.Placeholders, Switches: switches{a.state}, Metrics: a.metrics, Log: a.log, Now: a.now,
	}
	if d.Shipped {
		if opt.Shipped, err = rulebook.Shipped(rules.Sigma); err != nil {
			return err
		}
	}
	a.rules, err = rulebook.Open(ctx, opt)
	return err
}

// switches keeps which rules are switched off in the state.
type switches struct{ state state.Store }

// switchesKey names them there.
const switchesKey = "rules.off"

// Load reads them.
func (s switches) Load(ctx context.Context) (off map[string]rulebook.Switch, err error) {
	var doc string
	if err := s.state.View(ctx, func(tx state.Tx) (err error) {
		doc, err = tx.Meta().Get(ctx, switchesKey)
		return err
	}); err != nil || doc == "" {
		return nil, err
	}
	if err := json.Unmarshal([]byte(doc), &off); err != nil {
		return nil, fmt.Errorf("read %s: %w", switchesKey, err)
	}
	return off, nil
}

// Save writes them.
func (s switches) Save(ctx context.Context, off map[string]rulebook.Switch) error {
	doc, err := json.Marshal(off)
	if err != nil {
		return err
	}
	return s.state.Update(ctx, func(tx state.Tx) error { return tx.Meta().Put(ctx, switchesKey, string(doc)) })
}

// ReadRecords reads records of any format ingest knows and hands on their
// events; nothing is stored. Records that cannot be understood are left out.
func ReadRecords(ctx context.Context, r io.Reader, name string, emit func([]honeyguide.Event)) error {
	formats, err := ingest.OpenAll(ctx, builtin.Mappers(), ingest.Deps{})
	if err != nil {
		return err
	}
	_, err = ingest.Read(ctx, r, ingest.Options{Name: name, Mappers: formats, Batch: 1024},
		func(_ context.Context, list []honeyguide.Event) error { emit(list); return nil },
		func(context.Context, honeyguide.DeadLetter) error { return nil })
	return err
}
