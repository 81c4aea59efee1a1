// Package kind describes the implementations a host room offers: a name, a
// sentence, defaults and a constructor. Configuration check, documentation and
// the list a user sees all come from this one value.
//
// A kind is one folder below its host with
//
//	var Kind = kind.Of("discard", "RFC 863 discard.", Config{MaxBytes: 4096}, open)
//
// and is linked by the generated package builtin alone.
package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Decode fills into, which already holds the defaults, from configuration. It
// refuses unknown keys and says file and line. A nil Decode leaves the defaults.
type Decode func(into any) error

// A Validator is a configuration that can say what is wrong with itself after
// decoding. The error names the key.
type Validator interface{ Validate() error }

// A Kind is one implementation. D is what the host lends to every kind, T the
// host's interface.
type Kind[D, T any] struct {
	Name     string // configuration name, also a metric label
	Summary  string // one sentence
	Defaults any    // the configuration's zero setting, for docs and schema
	check    func(Decode) error
	open     func(context.Context, Decode, D) (T, error)
}

// Of makes a kind whose configuration is a C. open is called with the decoded
// and validated configuration; it returns an error when the kind cannot start.
func Of[C, D, T any](name, summary string, defaults C, open func(context.Context, C, D) (T, error)) Kind[D, T] {
	return Kind[D, T]{
		Name: name, Summary: summary, Defaults: defaults,
		check: func(dec Decode) error {
			_, err := decode(defaults, dec)
			return err
		},
		open: func(ctx context.Context, dec Decode, dep D) (T, error) {
			cfg, err := decode(defaults, dec)
			if err != nil {
				var none T
				return none, err
			}
			return open(ctx, cfg, dep)
		},
	}
}

func decode[C any](cfg C, dec Decode) (C, error) {
	if dec != nil {
		if err := dec(&cfg); err != nil {
			return cfg, err
		}
	}
	if v, ok := any(&cfg).(Validator); ok {
		return cfg, v.Validate()
	}
	return cfg, nil
}

// Check decodes and validates a configuration without opening anything.
func (k Kind[D, T]) Check(dec Decode) error { return k.check(dec) }

// Open decodes the configuration and calls the constructor.
func (k Kind[D, T]) Open(ctx context.Context, dec Decode, dep D) (T, error) {
	return k.open(ctx, dec, dep)
}

// A Set is the immutable list of a host's kinds.
type Set[D, T any] []Kind[D, T]

// Lookup returns the kind called name. The error lists the names there are.
func (s Set[D, T]) Lookup(name string) (Kind[D, T], error) {
	for _, k := range s {
		if k.Name == name {
			return k, nil
		}
	}
	return Kind[D, T]{}, fmt.Errorf("no kind %q; there are: %s", name, strings.Join(s.Names(), ", "))
}

// Names returns the names of the kinds, sorted.
func (s Set[D, T]) Names() []string {
	names := make([]string, 0, len(s))
	for _, k := range s {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}
