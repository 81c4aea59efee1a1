package kind_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"honeyguide/internal/kind"
)

type config struct{ Max int }

func (c *config) Validate() error {
	if c.Max < 0 {
		return errors.New("max: want 0 or more")
	}
	return nil
}

func set() kind.Set[string, string] {
	open := func(_ context.Context, c config, dep string) (string, error) {
		return dep + strings.Repeat("!", c.Max), nil
	}
	return kind.Set[string, string]{kind.Of("shout", "Shouts.", config{Max: 2}, open)}
}

func TestOpenUsesDefaultsThenConfiguration(t *testing.T) {
	k, err := set().Lookup("shout")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := k.Open(t.Context(), nil, "hey"); got != "hey!!" {
		t.Errorf("defaults: got %q", got)
	}
	one := func(into any) error { into.(*config).Max = 1; return nil }
	if got, _ := k.Open(t.Context(), one, "hey"); got != "hey!" {
		t.Errorf("configured: got %q", got)
	}
	if got, _ := k.Open(t.Context(), nil, "hey"); got != "hey!!" {
		t.Errorf("a configuration changed the defaults: got %q", got)
	}
}

func TestCheckValidates(t *testing.T) {
	k, _ := set().Lookup("shout")
	err := k.Check(func(into any) error { into.(*config).Max = -1; return nil })
	if err == nil || !strings.Contains(err.Error(), "max") {
		t.Errorf("got %v, want an error that names max", err)
	}
}

func TestLookupNamesWhatThereIs(t *testing.T) {
	if _, err := set().Lookup("whisper"); err == nil || !strings.Contains(err.Error(), "shout") {
		t.Errorf("got %v", err)
	}
}
