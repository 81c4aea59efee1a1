package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"honeyguide"
	"honeyguide/internal/certs"
	"honeyguide/internal/seal"
)

// Secrets configures the master key. The first one that is given counts: key, the
// systemd credential honeyguide.key, key_file, passphrase_file; without any
// keys/master.key is made at the first start.
type Secrets struct {
	Encryption     bool              `yaml:"encryption" doc:"seal private keys and secrets on the disk; false = they lie in clear, for whoever can read the data folder"`
	Key            honeyguide.Secret `yaml:"key" doc:"the master key: 64 hexadecimal digits, 32 bytes in Base64, or a text of 32 characters and more; better given by SOC_ENCRYPTION_KEY_FILE"`
	KeyFile        string            `yaml:"key_file" doc:"file that holds the master key; empty = keys/master.key in the data folder"`
	PassphraseFile string            `yaml:"passphrase_file" doc:"file that holds a passphrase of 12 characters and more the master key is made of"`
}

// credentialName is the master key among systemd's credentials.
const credentialName = "honeyguide.key"

// master says where the master key comes from.
func (s Secrets) master() seal.Master {
	switch dir := os.Getenv("CREDENTIALS_DIRECTORY"); {
	case s.Key != "":
		return seal.Master{Key: s.Key, From: "SOC_ENCRYPTION_KEY (secrets.key)"}
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
	o := vaultOptions(a.settings)
	o.Now = a.now
	if a.vault, err = seal.OpenVault(o); err != nil {
		return err
	}
	for _, what := range a.vault.Did() {
		a.log.LogAttrs(ctx, slog.LevelWarn, "master key", slog.String("what", what))
	}
	return nil
}

// lookVault opens the vault of a node for a look that changes nothing; nil when it
// cannot be opened, which a check of its own tells.
func lookVault(s Settings) *seal.Vault {
	o := vaultOptions(s)
	o.ReadOnly = true
	v, err := seal.OpenVault(o)
	if err != nil {
		return nil
	}
	return v
}
