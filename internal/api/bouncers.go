package api

import (
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// mostBouncers bounds the keys of bouncers: each is compared at every request.
const mostBouncers = 1000

// bouncers are the keys of machines that enforce what is blocked.
func (s *server) bouncers() {
	o := op("/bouncers", "list-bouncers", "Machines that may read what is blocked, and when they last did")
	read(s, o, func(ctx context.Context, _ *struct{ Paging }) (client.Page[client.Bouncer], error) {
		all, err := s.bouncerList(ctx)
		return client.Page[client.Bouncer]{Items: all}, err
	})
	writeAnew(s, post("/bouncers", "add-bouncer", "Make a key for a machine that enforces what is blocked"), auth.PermKeys, s.addBouncer)
	write(s, post("/bouncers/{id}/remove", "remove-bouncer", "Take the key of a bouncer back, by its id or name"), auth.PermKeys, s.removeBouncer)
	s.router.lately("POST "+base+"/bouncers", "POST "+base+"/bouncers/{id}/remove")
}

func (s *server) bouncerKeys(ctx context.Context) ([]auth.Key, error) {
	all, err := s.dep.Keys.List(ctx)
	return slices.DeleteFunc(all, func(k auth.Key) bool { return k.Scope != auth.ScopeBouncer }), err
}

func (s *server) bouncerList(ctx context.Context) ([]client.Bouncer, error) {
	out := []client.Bouncer{}
	keys, err := s.bouncerKeys(ctx)
	if err != nil {
		return out, err
	}
	for _, k := range keys {
		r, err := s.dep.Readers.Reader(ctx, k.ID)
		if err != nil {
			return out, err
		}
		out = append(out, client.Bouncer{
			ID: k.ID, Name: k.Name, Last4: k.Last4, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt,
			LastPull: r.LastPull, Agent: r.Agent, Address: r.Address, Pulls: r.Pulls,
			Active: r.Active, Dropped: r.Dropped, MetricsAt: r.MetricsAt,
		})
	}
	return out, nil
}

func (s *server) addBouncer(ctx context.Context, in *client.BouncerRequest) (out client.BouncerKey, err error) {
	keys, err := s.bouncerKeys(ctx)
	if err != nil {
		return out, err
	}
	now := s.dep.Now().UTC()
	switch {
	case slices.ContainsFunc(keys, func(k auth.Key) bool { return k.Name == in.Name }):
		return out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "name: there is a bouncer of this name; remove it first, or choose another name"}
	case len(keys) >= mostBouncers:
		return out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "there are 1000 bouncers; remove those that are not used"}
	case !in.ExpiresAt.IsZero() && !in.ExpiresAt.After(now):
		return out, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "expires_at: want a time to come, or none"}
	}
	if err := s.dep.Identity.MayGrant(ctx, actor(ctx).Principal, string(auth.ScopeBouncer)); err != nil {
		return out, err
	}
	secret, key, err := auth.NewKey(in.Name, auth.ScopeBouncer, now, in.ExpiresAt.UTC().Truncate(time.Microsecond))
	if err != nil {
		return out, err
	}
	if err := s.dep.Keys.Add(ctx, key); err != nil {
		return out, err
	}
	s.dep.Log.InfoContext(ctx, "bouncer added", "key_id", key.ID, "by", whoAsks(ctx), "request_id", requestID(ctx))
	return client.BouncerKey{
		Bouncer: client.Bouncer{ID: key.ID, Name: key.Name, Last4: key.Last4, CreatedAt: key.CreatedAt, ExpiresAt: key.ExpiresAt},
		Key:     secret.Reveal(),
	}, nil
}

func (s *server) removeBouncer(ctx context.Context, id string, _ *struct{}) (client.Bouncer, error) {
	keys, err := s.bouncerKeys(ctx)
	if err != nil {
		return client.Bouncer{}, err
	}
	i := slices.IndexFunc(keys, func(k auth.Key) bool { return k.ID == id || k.Name == id })
	if i < 0 {
		return client.Bouncer{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no bouncer with this id"}
	}
	k := keys[i]
	if err := s.mayHandle(ctx, k); err != nil {
		return client.Bouncer{}, err
	}
	// The key first: without it nobody can note anything under its id again.
	if err := s.dep.Keys.Remove(ctx, k.ID); err != nil {
		return client.Bouncer{}, err
	}
	s.dep.Live.Revoked(k.ID)
	if err := s.dep.Readers.Forget(ctx, k.ID); err != nil {
		return client.Bouncer{}, err
	}
	s.dep.Log.InfoContext(ctx, "bouncer removed", "key_id", k.ID, "by", whoAsks(ctx), "request_id", requestID(ctx))
	return client.Bouncer{ID: k.ID, Name: k.Name, Last4: k.Last4, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt}, nil
}
