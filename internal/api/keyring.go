package api

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// maxKeys bounds the keys: each request compares with all of them.
const maxKeys = 500

// keyring registers the keys of the API. A key is shown once, when it is made.
func (s *server) keyring() {
	act(s, op("/keys", "list-keys", "Who holds a key, oldest first"), auth.PermKeys, func(ctx context.Context, _ *struct{ Paging }) (client.Page[client.KeyRow], error) {
		all, err := s.dep.Keys.List(ctx)
		p := client.Page[client.KeyRow]{Items: make([]client.KeyRow, 0, len(all))}
		for _, k := range all {
			p.Items = append(p.Items, s.keyRow(ctx, k))
		}
		return p, err
	})
	// No order: its answer holds the key, which must not be kept.
	writeAnew(s, post("/keys", "create-key", "Make a key; the answer is the only place it is ever shown"), auth.PermKeys, s.createKey)
	remove(s, "/keys/{id}", "remove-key", "Take a key back, by its id or its name; holds from the next request on", auth.PermKeys, s.removeKey)
	write(s, post("/keys/{id}/rotate", "rotate-key", "Make a key in the place of another, by its id or name; the answer is the only place it is ever shown"), auth.PermKeys, s.rotateKey)
	s.router.lately("POST "+base+"/keys", "DELETE "+base+"/keys/{id}", "POST "+base+"/keys/{id}/rotate")
}

func (s *server) keyRow(ctx context.Context, k auth.Key) client.KeyRow {
	now := s.dep.Now()
	out := client.KeyRow{
		ID: k.ID, Name: k.Name, Scope: string(k.Scope), Last4: k.Last4, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt,
		Expired: !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt), UsedAt: k.UsedAt, Successor: k.Successor,
	}
	for _, p := range k.From {
		out.From = append(out.From, p.String())
	}
	if k.UsedFrom.IsValid() {
		out.UsedFrom = k.UsedFrom.String()
	}
	if k.Owner != "" {
		if u, err := s.dep.Identity.User(ctx, k.Owner); err == nil {
			out.Owner = u.Name
		}
	}
	return out
}

// keyFrom reads the addresses a key is good from.
func keyFrom(all []string) (out []netip.Prefix, err error) {
	for _, text := range all {
		p, err := netip.ParsePrefix(text)
		if addr, e := netip.ParseAddr(text); e == nil {
			addr = addr.Unmap().WithZone("")
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, invalid("from: want addresses and prefixes, such as 192.0.2.0/24")
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (s *server) createKey(ctx context.Context, in *client.KeyOrder) (out client.NewKey, err error) {
	now := s.dep.Now().UTC()
	if err := auth.GoodName(in.Name); err != nil {
		return out, err
	}
	if !in.ExpiresAt.IsZero() && !in.ExpiresAt.After(now) {
		return out, invalid("expires_at: lies in the past")
	}
	if err := s.dep.Identity.MayGrant(ctx, actor(ctx).Principal, in.Scope); err != nil {
		return out, err
	}
	from, err := keyFrom(in.From)
	if err != nil {
		return out, err
	}
	owner, err := s.keyOwner(ctx, in)
	if err != nil {
		return out, err
	}
	secret, k, err := auth.NewKey(in.Name, auth.ScopeRead, now, in.ExpiresAt.UTC())
	if err != nil {
		return out, err
	}
	k.Scope, k.From, k.Owner = auth.Scope(in.Scope), from, owner
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
	return client.NewKey{KeyRow: s.keyRow(ctx, k), Key: secret.Reveal()}, nil
}

// keyOwner finds the user a key is to belong to. The name of a person on a key
// that is not theirs would put words into their mouth.
func (s *server) keyOwner(ctx context.Context, in *client.KeyOrder) (id string, err error) {
	if in.Owner != "" {
		u, err := s.dep.Identity.User(ctx, in.Owner)
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
			return "", invalid("owner: there is no user of this name")
		}
		if err != nil {
			return "", err
		}
		id = u.ID
		if err := s.dep.Identity.MayGrant(ctx, auth.Principal{ID: u.ID, Scope: auth.Scope(u.Role), Permissions: s.powersOf(ctx, u.Role)}, in.Scope); err != nil {
			return "", invalid("owner: may do less than this scope, and a key may do no more than its owner")
		}
	}
	named, err := s.dep.Identity.User(ctx, in.Name)
	switch {
	case honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
		return id, nil
	case err != nil:
		return "", err
	case named.ID != id:
		return "", invalid("name: is that of a user; make it their key with owner, or choose another")
	}
	return id, nil
}

// powersOf are what a role grants; nothing when it cannot be read.
func (s *server) powersOf(ctx context.Context, role string) []auth.Permission {
	all, err := s.dep.Identity.Powers(ctx, role)
	if err != nil {
		return []auth.Permission{}
	}
	return all
}

// rotateKey makes a key in the place of another.
func (s *server) rotateKey(ctx context.Context, id string, in *client.RotateOrder) (out client.NewKey, err error) {
	now := s.dep.Now().UTC()
	var overlap time.Duration
	if in.Overlap != "" {
		if overlap, err = span("overlap", in.Overlap, 0, 90*24*time.Hour); err != nil {
			return out, err
		}
	}
	old, err := s.findKey(ctx, id)
	if err != nil {
		return out, err
	}
	if !old.ExpiresAt.IsZero() && !now.Before(old.ExpiresAt) || old.Successor != "" {
		return out, conflictOf("this key has ended or has a successor already: make a new one")
	}
	// Whoever rotates a key holds it.
	if err := s.dep.Identity.MayGrant(ctx, actor(ctx).Principal, string(old.Scope)); err != nil {
		return out, err
	}
	secret, next := old.Renewed(now)
	if err := s.dep.Keys.Replace(ctx, old.ID, next, now.Add(overlap)); err != nil {
		return out, err
	}
	s.dep.Log.InfoContext(ctx, "key rotated", "request_id", requestID(ctx), "key", old.ID, "successor", next.ID, "name", next.Name, "by", whoAsks(ctx))
	return client.NewKey{KeyRow: s.keyRow(ctx, next), Key: secret.Reveal()}, nil
}

// findKey finds a key by its id or name.
func (s *server) findKey(ctx context.Context, id string) (k auth.Key, err error) {
	all, err := s.dep.Keys.List(ctx)
	if err != nil {
		return k, err
	}
	var hit []auth.Key
	for _, k := range all {
		if k.ID == id || strings.EqualFold(k.Name, id) {
			hit = append(hit, k)
		}
	}
	switch len(hit) {
	case 0:
		return k, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no key with this id or name"}
	case 1:
		return hit[0], nil
	}
	return k, conflictOf("there are several keys of this name: use the id of one")
}

// mayHandle says why who asks may not hand out or take back a key of this scope.
// That of a role which is gone grants nothing, and anybody with the permission may
// take it back.
func (s *server) mayHandle(ctx context.Context, k auth.Key) error {
	if _, err := s.dep.Identity.Powers(ctx, string(k.Scope)); honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return nil
	}
	return s.dep.Identity.MayGrant(ctx, actor(ctx).Principal, string(k.Scope))
}

func (s *server) removeKey(ctx context.Context, in *byID) (out client.KeyRow, err error) {
	k, err := s.findKey(ctx, in.ID)
	if err != nil {
		return out, err
	}
	// Who may not hand a key out may not take it away from those who hold it either.
	if err := s.mayHandle(ctx, k); err != nil {
		return out, err
	}
	out = s.keyRow(ctx, k)
	if err := s.dep.Keys.Remove(ctx, k.ID); err != nil {
		return out, err
	}
	s.dep.Live.Revoked(k.ID)
	s.dep.Log.InfoContext(ctx, "key taken back", "request_id", requestID(ctx), "key", k.ID, "name", k.Name, "by", whoAsks(ctx))
	return out, nil
}
