package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/certs"
	"honeyguide/internal/client"
	"honeyguide/internal/seal"
)

// Secrets configures the master key. The first one that is given counts: master_key, the
// systemd credential honeyguide.key, key_file, passphrase_file; without any
// keys/master.key is made at the first start.
type Secrets struct {
	Encryption     bool              `yaml:"encryption" doc:"seal private keys and secrets on the disk; false = they lie in clear, for whoever can read the data folder"`
	Key            honeyguide.Secret `yaml:"master_key" doc:"the master key: 64 hexadecimal digits, 32 bytes in Base64, or a text of 32 characters and more; better given by SOC_ENCRYPTION_KEY_FILE, not taken from --set"`
	KeyFile        string            `yaml:"key_file" doc:"file that holds the master key; empty = keys/master.key in the data folder"`
	PassphraseFile string            `yaml:"passphrase_file" doc:"file that holds a passphrase of 12 characters and more the master key is made of"`
}

// credentialName is the master key among systemd's credentials.
const credentialName = "honeyguide.key"

// master says where the master key comes from.
func (s Secrets) master() seal.Master {
	switch dir := os.Getenv("CREDENTIALS_DIRECTORY"); {
	case s.Key != "":
		return seal.Master{Key: s.Key, From: "SOC_ENCRYPTION_KEY (secrets.master_key)"}
	case dir != "" && isFile(filepath.Join(dir, credentialName)):
		return seal.Master{KeyFile: filepath.Join(dir, credentialName)}
	case s.KeyFile != "":
		return seal.Master{KeyFile: s.KeyFile}
	case s.PassphraseFile != "":
		return seal.Master{PassphraseFile: s.PassphraseFile}
	}
	return seal.Master{}
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// keysFolder holds the private files.
func keysFolder(s Settings) string { return filepath.Join(s.Node.Data, "keys") }

// acmeFolder holds what is kept for certificates of an authority.
func acmeFolder(s Settings) string { return filepath.Join(s.Node.Data, certs.ACMEFolder) }

// vaultOptions say how the vault of a node is opened.
func vaultOptions(s Settings) seal.VaultOptions {
	return seal.VaultOptions{
		Dir: keysFolder(s), Folders: map[string]string{certs.ACMEFolder: acmeFolder(s)}, Master: s.Secrets.master(), Clear: !s.Secrets.Encryption,
	}
}

// openVault opens the private files before anything that needs a key.
func (a *App) openVault(ctx context.Context) (err error) {
	if err := a.repairModes(ctx); err != nil {
		return err
	}
	o := vaultOptions(a.settings)
	o.Now = a.now
	if a.vault, err = seal.OpenVault(o); err != nil {
		return err
	}
	a.keyring = &keyring{a: a}
	for _, what := range a.vault.Did() {
		a.log.LogAttrs(ctx, slog.LevelWarn, "master key", slog.String("what", what))
	}
	return nil
}

// repairModes makes what lies in the data folder private again, before keys are
// read from it.
func (a *App) repairModes(ctx context.Context) error {
	m, err := lookModes(a.settings.Node.Data, true)
	if err != nil {
		return fmt.Errorf("look at the modes of files: %w", err)
	}
	if n := len(m.repaired); n > 0 {
		a.log.LogAttrs(ctx, slog.LevelWarn, "files others could read were made private", slog.Int("files", n), slog.String("first", m.repaired[0]))
	}
	if n := len(m.failed); n > 0 {
		a.log.LogAttrs(ctx, slog.LevelError, "files others can read could not be made private", slog.Int("files", n), slog.String("first", m.failed[0]))
	}
	for _, dir := range m.open {
		a.log.LogAttrs(ctx, slog.LevelWarn, "others may replace the data folder", slog.String("folder", dir))
	}
	if n := len(m.foreign); n > 0 {
		a.log.LogAttrs(ctx, slog.LevelWarn, "files belong to another user", slog.Int("files", n), slog.String("first", m.foreign[0]))
	}
	return m.refuse(a.settings.Node.Data)
}

// keyring is how people see and change the keys, over the API.
type keyring struct {
	a    *App
	mu   sync.Mutex   // one change at a time
	step func(string) // of tests: called between the steps of a rotation
}

// Status says how the keys stand.
func (k *keyring) Status(ctx context.Context) (client.SecretsStatus, error) {
	st, err := k.a.vault.Status()
	if err != nil {
		return client.SecretsStatus{}, fmt.Errorf("look at the keys: %w", err)
	}
	rows, err := k.a.identity.Sealed(ctx)
	out := client.SecretsStatus{
		Encryption: st.Sealed, Master: st.Master, MasterAt: st.MasterAt, Masters: st.Masters, Rotating: st.Rotating(), Keys: []client.SecretsKey{},
		Files: st.Files, StaleFiles: st.Stale, Clear: append([]string{}, st.Clear...), Rows: rows.Rows, StaleRows: rows.Stale, Lost: rows.Lost,
	}
	for _, key := range st.Keys {
		out.Keys = append(out.Keys, client.SecretsKey{ID: key.ID, Made: key.Made})
	}
	return out, err
}

// Rotate changes the data keys, or goes on with a change that is not over; or the
// master key. It was written to the audit log before.
func (k *keyring) Rotate(ctx context.Context, o client.SecretsOrder) (client.SecretsStatus, error) {
	if !k.mu.TryLock() {
		return client.SecretsStatus{}, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "the keys are being changed just now; look again with: honeyguide secrets status"}
	}
	defer k.mu.Unlock()
	var err error
	switch {
	case !o.Master && (o.Key != "" || o.Passphrase != "" || o.Own):
		err = invalid("key, passphrase and own are about the master key: want master, too")
	case o.Key != "" && o.Passphrase != "" || o.Own && (o.Key != "" || o.Passphrase != ""):
		err = invalid("want one of key, passphrase and own")
	case o.Master:
		err = k.rewrap(o)
	default:
		err = k.rotate(ctx)
	}
	if err != nil {
		return client.SecretsStatus{}, err
	}
	return k.Status(ctx)
}

func (k *keyring) rewrap(o client.SecretsOrder) error {
	if given := k.a.settings.Secrets.master() != (seal.Master{}); given && !o.Own && o.Key == "" && o.Passphrase == "" {
		return invalid("the master key is one you give: give the new one with --key-file or --passphrase-file, or go back to keys/master.key with --own")
	}
	return k.a.vault.Rewrap(seal.Master{Key: o.Key, Passphrase: o.Passphrase, From: "the new master key"})
}

// rotate makes a new data key, seals everything under it and drops the older ones.
// It may be killed at any point: both keys are known until the end, and doing it
// again goes on.
func (k *keyring) rotate(ctx context.Context) error {
	k.at("begin")
	if err := k.a.vault.Rotate(); err != nil {
		return err
	}
	k.at("a new key")
	if _, err := k.a.vault.ResealFiles(); err != nil {
		return fmt.Errorf("seal the private files anew: %w", err)
	}
	k.at("files")
	if _, err := k.a.identity.Reseal(ctx, func() { k.at("rows") }); err != nil {
		return err
	}
	// Whoever had opened a row before the new key was used may have written it since.
	switch left, err := k.a.identity.Sealed(ctx); {
	case err != nil:
		return err
	case left.Stale > left.Lost:
		return fmt.Errorf("%d secrets in rows still need an older key; rotate once more", left.Stale)
	}
	k.at("checked")
	if err := k.a.vault.Finish(auth.KeptDerived()); err != nil {
		return fmt.Errorf("drop the older keys: %w", err)
	}
	k.at("end")
	return nil
}

func (k *keyring) at(step string) {
	if k.step != nil {
		k.step(step)
	}
}

// goOn ends a rotation that a crash or a stop interrupted.
func (k *keyring) goOn(ctx context.Context) error {
	st, err := k.a.vault.Status()
	if err != nil || !st.Rotating() || !k.mu.TryLock() {
		return err
	}
	defer k.mu.Unlock()
	if err := k.rotate(ctx); err != nil {
		return fmt.Errorf("go on with new keys: %w", err)
	}
	k.a.log.LogAttrs(ctx, slog.LevelInfo, "a change of keys that was interrupted is over")
	return nil
}
