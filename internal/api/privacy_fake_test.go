package api

import (
	"context"
	"io"
	"time"

	"honeyguide/internal/personal"
	"honeyguide/internal/privacy"
)

// fakeDesk holds nothing about anybody.
type fakeDesk struct{}

func (fakeDesk) Find(context.Context, personal.Subject) ([]privacy.Found, error) { return nil, nil }

func (fakeDesk) Export(context.Context, personal.Subject, io.Writer) error { return nil }

func (fakeDesk) Why(context.Context, personal.Subject) (string, error) { return "", nil }

func (fakeDesk) Erase(context.Context, personal.Subject, string) (privacy.Erasure, error) {
	return privacy.Erasure{ID: "1"}, nil
}

func (fakeDesk) Wait(context.Context, string, time.Duration) (privacy.Erasure, error) {
	return privacy.Erasure{ID: "1"}, nil
}

func (fakeDesk) Erasures(context.Context) ([]privacy.Erasure, error) { return nil, nil }

func (fakeDesk) Erasure(_ context.Context, id string) (privacy.Erasure, error) {
	return privacy.Erasure{ID: id}, nil
}

func (fakeDesk) ForgetKey(context.Context) error { return nil }

func (fakeDesk) Retention(context.Context) ([]privacy.Kept, error) { return nil, nil }
