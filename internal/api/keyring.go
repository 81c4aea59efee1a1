package api

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// maxKeys bounds the keys: each request compares with all of them.
const maxKeys = 500

// keyName is what a key may be called: it stands for a person in decisions and
// logs, so two names must not look alike by blanks or odd letters.
var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// reserved are names that stand for somebody else: the peer of the local socket,
// the operator's own key, and those who act without a person.
var reserved = []string{"local", "bootstrap", "playbook", "expiry", "schedule"}

// keyring registers the keys of the API. A key is shown once, when it is made.
func (s *server) keyring() {
	act(s, op("/keys", "list-keys", "Who holds a key, oldest first"), auth.PermKeys, func(ctx context.Context, _ *struct{ Paging }) (client.Page[client.KeyRow], error) {
		all, err := s.dep.Keys.List(ctx)
		p := client.Page[client.KeyRow]{Items: make([]client.KeyRow, 0, len(all))}
		for _, k := range all {
			p.Items = append(p.Items, keyRow(k, s.dep.Now()))
		}
		return p, err
	})
	// No order: its answer holds the key, which must not be kept.
	writeAnew(s, post("/keys", "create-key", "Make a key; the answer is the only place it is ever shown"), auth.PermKeys, s.createKey)
	remove(s, "/keys/{id}", "remove-key", "Take a key back, by its id or its name; holds from the next request on", auth.PermKeys, s.removeKey)
}

func keyRow(k auth.Key, now time.Time) client.KeyRow {
	return client.KeyRow{
		ID: k.ID, Name: k.Name, Scope: string(k.Scope), Last4: k.Last4, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt,
		Expired: !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt),
	}
}

func (s *server) createKey(ctx context.Context, in *client.KeyOrder) (out client.NewKey, err error) {
	now := s.dep.Now().UTC()
	switch {
	case !keyName.MatchString(in.Name):
		return out, invalid("name: want 1 to 64 letters, digits or . _ @ -, beginning with a letter or a digit")
	case slices.Contains(reserved, strings.ToLower(in.Name)):
		return out, invalid("name: stands for somebody else; choose another, such as that of the person or program that gets the key")
	case !in.ExpiresAt.IsZero() && !in.ExpiresAt.After(now):
		return out, invalid("expires_at: lies in the past")
	}
	secret, k, err := auth.NewKey(in.Name, auth.Scope(in.Scope), now, in.ExpiresAt.UTC())
	if err != nil {
		return out, err
	}
	all, err := s.dep.Keys.List(ctx)
	if err != nil {
		return out, err
	}
	if len(all) >= maxKeys {
		return out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "there are as many keys as there may be: take some back"}
	}
	if err := s.dep.Keys.Add(ctx, k); err != nil {
		return out, err
	}
	s.dep.Log.InfoContext(ctx, "key made", "request_id", requestID(ctx), "key", k.ID, "name", k.Name, "scope", string(k.Scope), "by", whoAsks(ctx))
	return client.NewKey{KeyRow: keyRow(k, now), Key: secret.Reveal()}, nil
}

func (s *server) removeKey(ctx context.Context, in *byID) (out client.KeyRow, err error) {
	all, err := s.dep.Keys.List(ctx)
	if err != nil {
		return out, err
	}
	var hit []auth.Key
	for _, k := range all {
		if k.ID == in.ID || strings.EqualFold(k.Name, in.ID) {
			hit = append(hit, k)
		}
	}
	switch len(hit) {
	case 0:
		return out, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no key with this id or name"}
	case 1:
	default:
		return out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "there are several keys of this name: use the id of one"}
	}
	if err := s.dep.Keys.Remove(ctx, hit[0].ID); err != nil {
		return out, err
	}
	s.dep.Live.Revoked(hit[0].ID)
	s.dep.Log.InfoContext(ctx, "key taken back", "request_id", requestID(ctx), "key", hit[0].ID, "name", hit[0].Name, "by", whoAsks(ctx))
	return keyRow(hit[0], s.dep.Now()), nil
}
