package statetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func users(b *bench) {
	anna := honeyguide.User{Name: "Anna", Display: "Anna\x00 B", Kind: honeyguide.UserPerson, Role: "admin", CreatedBy: "first"}
	created := false
	save := func(u *honeyguide.User) error {
		return b.Update(b.Context(), func(tx state.Tx) (err error) {
			v := *u
			if created, err = tx.Users().Save(b.Context(), &v); err == nil {
				*u = v
			}
			return err
		})
	}
	b.code("save", save(&anna), "")
	b.same("as stored", []any{created, anna.ID != "", anna.CreatedAt, anna.Display}, []any{true, true, state.Time(start), "Anna\uFFFD B"})
	b.code("the same name in another case", save(&honeyguide.User{Name: "ANNA", Kind: honeyguide.UserPerson}), honeyguide.CodeConflict)
	b.code("no name", save(&honeyguide.User{}), honeyguide.CodeInvalid)
	b.clock.step(time.Minute)
	bot := honeyguide.User{Name: "bot", Kind: honeyguide.UserService, Role: "read", Disabled: true}
	b.code("save", save(&bot), "")
	changed := anna
	changed.Name, changed.CreatedAt, changed.Role = "mallory", time.Time{}, "viewer"
	b.code("change", save(&changed), "")
	b.same("the name stays", []any{created, changed.Name, changed.CreatedAt, changed.Role}, []any{false, "Anna", anna.CreatedAt, "viewer"})
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, id := range []string{anna.ID, "anna", "ANNA"} {
			got, err := tx.Users().Get(ctx, id)
			if err != nil {
				return err
			}
			b.same(id, got, changed)
		}
		_, err := tx.Users().Named(ctx, anna.ID)
		b.code("an id is no name", err, honeyguide.CodeNotFound)
		for want, q := range map[int64]state.UserQuery{2: {}, 1: {Role: "viewer"}, 0: {Kind: honeyguide.UserService, Enabled: true}} {
			n, err := tx.Users().Count(ctx, q)
			if n != want || err != nil {
				b.Errorf("%+v: %d, %v", q, n, err)
			}
		}
		all := pages(b, 1, func(p state.Page) ([]honeyguide.User, string, error) {
			return tx.Users().List(ctx, state.UserQuery{Page: p})
		})
		b.same("all", all, []honeyguide.User{bot, changed})
		return nil
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(
			tx.Credentials().Save(ctx, &honeyguide.Credential{User: bot.ID, Kind: honeyguide.CredentialPassword}),
			tx.LoginSessions().Save(ctx, &honeyguide.LoginSession{ID: "l", User: bot.ID, Sum: "s", SeenAt: start, Until: start}),
			tx.LoginTries().Add(ctx, honeyguide.LoginTry{User: bot.ID, At: start}),
			tx.APIKeys().Save(ctx, &honeyguide.APIKey{ID: "k", Sum: "k", Owner: bot.ID}),
			tx.Users().Remove(ctx, bot.ID))
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		creds, e1 := tx.Credentials().Of(ctx, bot.ID, "")
		logins, e2 := tx.LoginSessions().Of(ctx, bot.ID)
		tries, e3 := tx.LoginTries().Of(ctx, bot.ID)
		keys, e4 := tx.APIKeys().List(ctx)
		b.same("gone with the user", []int{len(creds), len(logins), len(tries), len(keys)}, []int{0, 0, 0, 0})
		return errors.Join(e1, e2, e3, e4)
	})
	b.code("removed twice", b.Update(b.Context(), func(tx state.Tx) error { return tx.Users().Remove(b.Context(), bot.ID) }), honeyguide.CodeNotFound)
}

func credentials(b *bench) {
	c := honeyguide.Credential{User: "u1", Kind: honeyguide.CredentialPasskey, Name: "key\xff", Lookup: "L1", Data: []byte{0, 255}, Counter: 7}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Credentials().Save(ctx, &c) })
	b.same("tidied", []any{c.Name, c.ID != ""}, []any{"key\uFFFD", true})
	other := honeyguide.Credential{User: "u2", Kind: honeyguide.CredentialPasskey, Lookup: "L1"}
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Credentials().Save(b.Context(), &other) })
	b.code("the lookup of another", err, honeyguide.CodeConflict)
	link := honeyguide.Credential{User: "u1", Kind: honeyguide.CredentialLink, Lookup: "L1", ExpiresAt: start}
	b.clock.step(time.Second)
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Credentials().Save(ctx, &link) })
	again := c
	again.User, again.Kind, again.Counter, again.CreatedAt = "thief", "link", 8, time.Time{}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Credentials().Save(ctx, &again) })
	b.same("whose it is stays", []any{again.User, again.Kind, again.CreatedAt}, []any{"u1", honeyguide.CredentialPasskey, c.CreatedAt})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Credentials().Find(ctx, honeyguide.CredentialPasskey, "L1")
		b.same("found", got, again)
		_, none := tx.Credentials().Find(ctx, honeyguide.CredentialTOTP, "L1")
		b.code("of another kind", none, honeyguide.CodeNotFound)
		all, e2 := tx.Credentials().Of(ctx, "u1", "")
		b.same("all", all, []honeyguide.Credential{again, link})
		keys, e3 := tx.Credentials().Of(ctx, "u1", honeyguide.CredentialPasskey)
		b.same("keys", keys, []honeyguide.Credential{again})
		return errors.Join(err, e2, e3)
	})
	err = b.Update(b.Context(), func(tx state.Tx) error {
		for i := range state.MaxCredentials {
			if err := tx.Credentials().Save(b.Context(), &honeyguide.Credential{User: "u1", Kind: honeyguide.CredentialPasskey, Lookup: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	b.code("too many", err, honeyguide.CodeConflict)
	b.up(func(ctx context.Context, tx state.Tx) error {
		n, err := tx.Credentials().RemoveOf(ctx, "u1", honeyguide.CredentialLink)
		b.same("removed", n, int64(1))
		return errors.Join(err, tx.Credentials().Remove(ctx, c.ID))
	})
	b.code("removed twice", b.Update(b.Context(), func(tx state.Tx) error { return tx.Credentials().Remove(b.Context(), c.ID) }), honeyguide.CodeNotFound)
}

func logins(b *bench) {
	mk := func(id, user string, at time.Time) honeyguide.LoginSession {
		return honeyguide.LoginSession{ID: id, User: user, Sum: "sum-" + id, Stage: honeyguide.LoginIn, Methods: []string{"password"}, Since: at, SeenAt: at, Until: at.Add(12 * time.Hour), Address: netip.MustParseAddr("192.0.2.1"), Agent: "x"}
	}
	one, two, other := mk("1", "u1", state.Time(start)), mk("2", "u1", state.Time(start.Add(time.Minute))), mk("3", "u2", state.Time(start))
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.LoginSessions().Save(ctx, &one), tx.LoginSessions().Save(ctx, &two), tx.LoginSessions().Save(ctx, &other))
	})
	seen := state.Time(start.Add(time.Hour))
	moved := two
	moved.Sum = "moved"
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.LoginSessions().Save(ctx, &moved), tx.LoginSessions().Seen(ctx, map[string]time.Time{"1": seen, "3": start.Add(-time.Hour), "gone": seen}))
	})
	one.SeenAt = seen
	b.see(func(ctx context.Context, tx state.Tx) error {
		_, old := tx.LoginSessions().Find(ctx, "sum-2")
		b.code("the cookie of before", old, honeyguide.CodeNotFound)
		got, err := tx.LoginSessions().Find(ctx, "moved")
		b.same("the cookie of now", got, moved)
		all, e2 := tx.LoginSessions().Of(ctx, "u1")
		b.same("newest first", all, []honeyguide.LoginSession{moved, one})
		same, e3 := tx.LoginSessions().Get(ctx, "3")
		b.same("never seen earlier", same, other)
		return errors.Join(err, e2, e3)
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		n, err := tx.LoginSessions().RemoveOf(ctx, "u1", "1")
		b.same("all but one", n, int64(1))
		m, e2 := tx.LoginSessions().Trim(ctx, start.Add(30*time.Minute), start.Add(time.Hour))
		b.same("idle", m, int64(1))
		k, e3 := tx.LoginSessions().Trim(ctx, start, one.Until)
		b.same("over", k, int64(1))
		return errors.Join(err, e2, e3, tx.LoginSessions().Remove(ctx, "gone"))
	})
	net := netip.MustParsePrefix("192.0.2.1/32")
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range state.KeptTries + 5 {
			if err := tx.LoginTries().Add(ctx, honeyguide.LoginTry{User: "u1", At: start.Add(time.Duration(i) * time.Second), Right: i == 50, Network: net}); err != nil {
				return err
			}
		}
		return nil
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		all, err := tx.LoginTries().Of(ctx, "u1")
		if len(all) != state.KeptTries || !all[0].At.After(all[1].At) || all[0].Network != net {
			b.Errorf("%d tries, %+v", len(all), all[:2])
		}
		for since, want := range map[time.Duration]bool{0: true, 50 * time.Second: true, 51 * time.Second: false} {
			if known, err := tx.LoginTries().Known(ctx, "u1", net.String(), start.Add(since)); known != want || err != nil {
				b.Errorf("known since %v: %v, %v", since, known, err)
			}
		}
		stranger, e2 := tx.LoginTries().Known(ctx, "u1", "192.0.2.2/32", start)
		b.same("from elsewhere", stranger, false)
		return errors.Join(err, e2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.LoginTries().Trim(ctx, start.Add(time.Hour))
		all, e2 := tx.LoginTries().Of(ctx, "u1")
		b.same("forgotten", all, []honeyguide.LoginTry{})
		return errors.Join(err, e2)
	})
}

func roles(b *bench) {
	r := honeyguide.Role{Name: "night", Permissions: []string{"read"}, CreatedBy: "anna"}
	b.up(func(ctx context.Context, tx state.Tx) error {
		created, err := tx.Roles().Save(ctx, &r)
		b.same("created", created, true)
		return err
	})
	changed := honeyguide.Role{Name: "night", Permissions: []string{"read", "work"}, CreatedBy: "ben"}
	b.up(func(ctx context.Context, tx state.Tx) error {
		created, err := tx.Roles().Save(ctx, &changed)
		b.same("changed", []any{created, changed.CreatedBy, changed.CreatedAt}, []any{false, "anna", r.CreatedAt})
		return err
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Roles().Get(ctx, "night")
		b.same("get", got, changed)
		_, none := tx.Roles().Get(ctx, "day")
		b.code("no role", none, honeyguide.CodeNotFound)
		all, e2 := tx.Roles().List(ctx)
		b.same("all", all, []honeyguide.Role{changed})
		return errors.Join(err, e2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Roles().Remove(ctx, "night") })
	b.code("removed twice", b.Update(b.Context(), func(tx state.Tx) error { return tx.Roles().Remove(b.Context(), "night") }), honeyguide.CodeNotFound)
}

func apiKeys(b *bench) {
	k := honeyguide.APIKey{ID: "k1", Name: "ci", Role: "ingest", Sum: "abc", Last4: "wxyz", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.APIKeys().Save(ctx, &k) })
	changed := k
	changed.Sum, changed.Last4, changed.UsedAt, changed.ExpiresAt = "other", "", state.Time(start), state.Time(start.Add(time.Hour))
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.APIKeys().Save(ctx, &changed) })
	b.same("its secret stays", []any{changed.Sum, changed.Last4, changed.CreatedAt}, []any{"abc", "wxyz", k.CreatedAt})
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.APIKeys().Save(b.Context(), &honeyguide.APIKey{ID: "x"}) })
	b.code("without a sum", err, honeyguide.CodeInvalid)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.APIKeys().Find(ctx, "abc")
		b.same("found", got, changed)
		_, none := tx.APIKeys().Find(ctx, "")
		b.code("nothing", none, honeyguide.CodeNotFound)
		all, e2 := tx.APIKeys().List(ctx)
		b.same("all", all, []honeyguide.APIKey{changed})
		return errors.Join(err, e2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.APIKeys().Remove(ctx, "k1") })
	b.code("removed twice", b.Update(b.Context(), func(tx state.Tx) error { return tx.APIKeys().Remove(b.Context(), "k1") }), honeyguide.CodeNotFound)
}
