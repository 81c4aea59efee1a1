package statetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func playbooks(b *bench) {
	v := state.PlaybookVersion{Playbook: "contain", Version: "aaaa11112222", Title: "Contain\x00", Origin: "own", File: "contain.yaml", Text: "id: contain\n"}
	keep := func(v state.PlaybookVersion) {
		b.clock.step(time.Minute)
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Playbooks().Keep(ctx, &v) })
	}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Playbooks().Keep(ctx, &v) })
	b.same("tidied", v.Title, "Contain\uFFFD")
	b.same("loaded", v.LoadedAt, state.Time(start))
	again := v
	again.Text, again.LoadedAt = "another", time.Time{}
	keep(again) // the same version again is no new one
	second := state.PlaybookVersion{Playbook: "contain", Version: "aaaa33334444", Title: "Contain", Text: "second"}
	keep(second)
	keep(state.PlaybookVersion{Playbook: "other", Version: "aaaa11112222", Text: "other"})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Playbooks().Get(ctx, "contain", "aaaa1")
		b.same("by its beginning", got, v)
		newest, e2 := tx.Playbooks().Get(ctx, "contain", "")
		b.same("newest", []any{newest.Version, newest.Text}, []any{second.Version, "second"})
		_, both := tx.Playbooks().Get(ctx, "contain", "aaaa")
		b.code("two begin so", both, honeyguide.CodeInvalid)
		_, none := tx.Playbooks().Get(ctx, "contain", "bbbb")
		b.code("no version", none, honeyguide.CodeNotFound)
		_, nobody := tx.Playbooks().Get(ctx, "nothing", "")
		b.code("no playbook", nobody, honeyguide.CodeNotFound)
		list, e3 := tx.Playbooks().Versions(ctx, "contain")
		bare := v
		bare.Text = ""
		b.same("versions", []any{len(list), list[0].Version, list[1]}, []any{2, second.Version, bare})
		empty, e4 := tx.Playbooks().Versions(ctx, "nothing")
		b.same("no versions", empty, []state.PlaybookVersion{})
		return errors.Join(err, e2, e3, e4)
	})
	for i := range state.MaxPlaybookVersions {
		keep(state.PlaybookVersion{Playbook: "contain", Version: fmt.Sprintf("%012d", i), Text: strings.Repeat("x", 100)})
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		list, err := tx.Playbooks().Versions(ctx, "contain")
		b.same("bounded", []any{len(list), list[0].Version, list[99].Version}, []any{state.MaxPlaybookVersions, fmt.Sprintf("%012d", 99), fmt.Sprintf("%012d", 0)})
		_, gone := tx.Playbooks().Get(ctx, "contain", v.Version)
		b.code("the oldest is gone", gone, honeyguide.CodeNotFound)
		other, e2 := tx.Playbooks().Get(ctx, "other", "")
		b.same("others stay", other.Text, "other")
		return errors.Join(err, e2)
	})
	err := b.Update(b.Context(), func(tx state.Tx) error {
		return tx.Playbooks().Keep(b.Context(), &state.PlaybookVersion{Playbook: "x"})
	})
	b.code("without a version", err, honeyguide.CodeInvalid)
}
