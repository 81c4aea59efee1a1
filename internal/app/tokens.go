package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/token"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
	"honeyguide/internal/state"
)

// bait returns the registry of all honeytokens. At the first start it mints
// those every persona begins with; later it makes the same strings again.
func bait(ctx context.Context, st state.Store, secret []byte, host *persona.Host, now time.Time) (*token.Registry, error) {
	minter, err := token.NewMinter(secret, token.Place{Scheme: "mysql", Host: host.Machine.Hostname, Database: host.App.Database, User: host.App.DatabaseUser})
	if err != nil {
		return nil, err
	}
	var stored []honeyguide.Honeytoken
	if err := st.View(ctx, func(tx state.Tx) error {
		stored, _, err = tx.Tokens().List(ctx, state.Page{Limit: 1000})
		return err
	}); err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return mintStarters(ctx, st, minter, host, now)
	}
	var tokens []*token.Token
	for _, t := range stored {
		tk, err := minter.Restore(t)
		if err != nil {
			return nil, &honeyguide.Error{
				Code: honeyguide.CodeInvalid, Err: err,
				Message: "honeytoken " + t.Short + " does not belong to this deployment key; restore keys/deployment.key and state.db from the same backup",
			}
		}
		tokens = append(tokens, tk)
	}
	return token.NewRegistry(tokens...)
}

func mintStarters(ctx context.Context, st state.Store, minter *token.Minter, host *persona.Host, now time.Time) (*token.Registry, error) {
	specs := token.StarterSpecs(host.Name, "http", "admin")
	for i := range specs {
		if specs[i].Kind == token.KindDBURL {
			specs[i].Path = host.App.Env
		}
	}
	var tokens []*token.Token
	for _, spec := range specs {
		t, err := minter.Mint(spec, now)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	registry, err := token.NewRegistry(tokens...)
	if err != nil {
		return nil, err
	}
	return registry, st.Update(ctx, func(tx state.Tx) error {
		for _, t := range tokens {
			face := t.Public()
			if err := tx.Tokens().Save(ctx, &face); err != nil {
				return err
			}
		}
		return nil
	})
}

// plants turns the registry into what a sensor process puts into its host.
func plants(registry *token.Registry, host *persona.Host) []ipc.TokenSetup {
	root := vfs.Cred{}
	view := host.Image.NewFS(vfs.Quota{}, time.Now)
	var out []ipc.TokenSetup
	for _, t := range registry.Tokens() {
		face := t.Public()
		before := content(view, root, face.Path)
		if before == nil { // an application is set up by copying its example
			before = content(view, root, face.Path+".example")
		}
		file := t.Render(before)
		if like, err := view.Stat(root, face.Path+".example"); err == nil { // it must belong to who reads it
			file.UID, file.GID = like.UID, like.GID
		}
		setup := ipc.TokenSetup{ID: face.ID, Kind: face.Kind, Path: file.Path, UID: file.UID, GID: file.GID, Mode: file.Mode, Content: file.Content, Needles: t.Needles()}
		for _, c := range t.Credentials() {
			setup.Credentials = append(setup.Credentials, ipc.Credential{Service: c.Service, User: c.User, Password: c.Password})
		}
		out = append(out, setup)
	}
	return out
}

// content returns what the persona already holds at path, so that bait is
// added to a file instead of replacing it.
func content(view *vfs.FS, as vfs.Cred, path string) []byte {
	f, err := view.Open(as, path, vfs.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err = errors.Join(err, f.Close()); err != nil {
		slog.Debug("read persona file", slog.Any("error", err))
		return nil
	}
	return raw
}
