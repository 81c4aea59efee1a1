package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/config"
	"honeyguide/internal/state"
)

var secretWords = regexp.MustCompile(`(^|_)(secret|password|passphrase|token|key|credential)s?$`)

// files and names are texts that are called like secrets and are none.
var noSecrets = map[string]string{
	"api.tls.key": "a file", "sources.syslog.key": "a file", "audit.s3.access_key": "names the key",
	"secrets.key_file": "a file", "secrets.passphrase_file": "a file",
}

// TestSettingsHideSecrets walks every setting of every kind: a text that is called
// like a secret is one.
func TestSettingsHideSecrets(t *testing.T) {
	seen, secrets := map[string]bool{}, 0
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		name := path[strings.LastIndexByte(path, '.')+1:]
		switch {
		case typ == nil:
		case typ == reflect.TypeFor[honeyguide.Secret]():
			secrets++
		case typ.Kind() == reflect.String:
			if seen[path] = true; secretWords.MatchString(name) && noSecrets[path] == "" {
				t.Errorf("%s is a %v and sounds like a secret: make it a honeyguide.Secret", path, typ)
			}
		case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Slice, typ.Kind() == reflect.Map:
			walk(path, typ.Elem())
		case typ.Kind() == reflect.Struct:
			for _, f := range reflect.VisibleFields(typ) {
				key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
				if f.IsExported() && !f.Anonymous && key != "" && key != "-" {
					walk(path+"."+key, f.Type)
				}
			}
		}
	}
	for _, s := range Schema().Sections {
		if s.Instances == nil {
			walk(s.Key, reflect.TypeOf(s.Defaults))
			continue
		}
		walk(s.Key, reflect.TypeOf(s.Instances.Common))
		for name, d := range s.Instances.Kinds {
			walk(s.Key+"."+name, reflect.TypeOf(d))
		}
	}
	for path := range noSecrets {
		if !seen[path] {
			t.Errorf("there is no %s to be no secret", path)
		}
	}
	if secrets < 20 {
		t.Errorf("only %d secrets", secrets)
	}
}

func TestMasterKeyComesInOrder(t *testing.T) {
	dir := t.TempDir()
	s := Secrets{Key: "x", KeyFile: "/k", PassphraseFile: "/p"}
	if m := s.master(); m.Key != "x" || m.KeyFile != "" {
		t.Errorf("%+v", m)
	}
	s.Key = ""
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if m := s.master(); m.KeyFile != "/k" {
		t.Errorf("a folder without our credential: %+v", m)
	}
	if err := os.WriteFile(filepath.Join(dir, credentialName), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if m := s.master(); m.KeyFile != filepath.Join(dir, credentialName) {
		t.Errorf("%+v", m)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	s.KeyFile = ""
	if m := s.master(); m.PassphraseFile != "/p" {
		t.Errorf("%+v", m)
	}
	for env, want := range map[string]bool{"ENABLE_ENCRYPTION=false": false, "ENABLE_ENCRYPTION=TRUE": true, "X=1": true} {
		tree, err := config.Load(config.Options{Schema: Schema(), Environ: []string{env, "SOC_ENCRYPTION_KEY=abc"}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Decode(tree)
		if err != nil || s.Secrets.Encryption != want || s.Secrets.Key.Reveal() != "abc" {
			t.Errorf("%s: %+v, %v", env, s.Secrets, err)
		}
	}
}

// TestKeysAreNotTyped: what opens everything is not taken from a command line, which
// every user of the machine can read, in whatever form it stands there.
func TestKeysAreNotTyped(t *testing.T) {
	for set, want := range map[string]string{
		"secrets.master_key=" + strings.Repeat("c", 40):         "SOC_ENCRYPTION_KEY_FILE",
		"secrets={master_key: " + strings.Repeat("c", 40) + "}": "SOC_ENCRYPTION_KEY_FILE",
		"backup.passphrase=" + strings.Repeat("c", 40):          "HONEYGUIDE_BACKUP_PASSPHRASE_FILE",
		"secrets.key_file=/etc/key":                             "",
	} {
		// A better place for it is no excuse: it was shown all the same.
		tree, err := config.Load(config.Options{Schema: Schema(), Environ: []string{"SOC_ENCRYPTION_KEY=" + strings.Repeat("d", 40)}, Sets: []string{set}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Decode(tree)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", set, err)
		case want != "" && (honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cccc")):
			t.Errorf("%s: %v", set, err)
		}
	}
}

func TestModes(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	put := func(name string, mode os.FileMode) string {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := map[string]os.FileMode{
		put("keys/a.key", 0o644): 0o600, put("state.db", 0o664): 0o600, put("samples/ab/x.age", 0o644): 0o400, put("events/d.db", 0o600): 0o600,
		put("audit/entries", 0o640): 0o600, data: 0o700, filepath.Join(data, "keys"): 0o700, filepath.Join(data, "samples", "ab"): 0o700,
	}
	outside := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(outside, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(data, "keys", "link")); err != nil {
		t.Fatal(err)
	}
	if f := checkModes(data); f.Status != StatusFail || !strings.Contains(f.Mend, "chmod") {
		t.Errorf("%+v", f)
	}
	if st, _ := os.Stat(data); st.Mode().Perm() == 0o700 {
		t.Error("a check changed a mode")
	}
	if m, err := lookModes(data, true); err != nil || len(m.repaired) < 8 || len(m.failed) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	for path, mode := range want {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, want %v", path, st.Mode(), mode)
		}
	}
	if st, _ := os.Stat(outside); st.Mode().Perm() != 0o644 {
		t.Error("a link was followed")
	}
	if f := checkModes(data); f.Status != StatusOK {
		t.Errorf("%+v", f)
	}
	if err := os.Chmod(filepath.Dir(data), 0o777); err != nil {
		t.Fatal(err)
	}
	if f := checkModes(data); f.Status != StatusWarn || !strings.Contains(f.Text, filepath.Dir(data)) {
		t.Errorf("a folder others may write above: %+v", f)
	}
	if os.Getuid() == 0 {
		if err := os.Lchown(filepath.Join(data, "keys", "a.key"), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		m, err := lookModes(data, false)
		if err != nil || len(m.foreign) != 1 {
			t.Errorf("somebody else's: %+v, %v", m, err)
		}
	}
}

func TestCheckSecrets(t *testing.T) {
	s := defaults()
	s.Node.Data = filepath.Join(t.TempDir(), "data")
	status := func(now time.Time) string {
		var out []string
		for _, f := range checkSecrets(s, now) {
			out = append(out, f.Name+" "+f.Status)
			if f.Status != StatusOK && f.Mend == "" {
				t.Errorf("%+v does not say how to mend it", f)
			}
		}
		return strings.Join(out, ", ")
	}
	now := time.Now()
	if got := status(now); got != "encryption warn, file modes warn" {
		t.Errorf("before the first start: %s", got)
	}
	a := newSecretsApp(t, s)
	a.close()
	if got := status(now); got != "encryption ok, master key warn, file modes ok" {
		t.Errorf("with an own key: %s", got)
	}
	if got := status(now.Add(2 * dataKeyAge)); !strings.HasPrefix(got, "encryption warn") {
		t.Errorf("old: %s", got)
	}
	s.Secrets.Key = "a text of more than thirty-two characters"
	a = newSecretsApp(t, s)
	a.close()
	if got := status(now); got != "encryption ok, master key warn, file modes ok" {
		t.Errorf("with the own key left behind: %s", got)
	}
	if err := os.Remove(filepath.Join(keysFolder(s), "master.key")); err != nil {
		t.Fatal(err)
	}
	if got := status(now); got != "encryption ok, master key ok, file modes ok" {
		t.Errorf("with a given key: %s", got)
	}
	s.Secrets.Key = "another text of more than thirty-two characters"
	if got := status(now); !strings.HasPrefix(got, "encryption fail") {
		t.Errorf("with another key: %s", got)
	}
	s.Secrets = Secrets{}
	if got := status(now); !strings.HasPrefix(got, "encryption warn") {
		t.Errorf("switched off: %s", got)
	}
}

// secretsApp is a part of a core: keys, audit log, state and users.
type secretsApp struct {
	*App
	t *testing.T
}

func newSecretsApp(t *testing.T, s Settings) *secretsApp {
	t.Helper()
	a := &App{settings: s, log: slog.New(slog.DiscardHandler), now: time.Now, memory: 256 << 20}
	for _, step := range []func(context.Context) error{a.lock, a.openVault, a.openKeys, a.openAudit, a.openState, a.openIdentity} {
		if err := step(t.Context()); err != nil {
			_ = a.Close()
			t.Fatal(err)
		}
	}
	return &secretsApp{a, t}
}

func (a *secretsApp) close() {
	a.t.Helper()
	if err := a.Close(); err != nil {
		a.t.Fatal(err)
	}
}

// seed makes accounts with a sealed secret each, more than fit into one batch.
func (a *secretsApp) seed(n int) {
	a.t.Helper()
	err := a.state.Update(a.t.Context(), func(tx state.Tx) error {
		for i := range n {
			u := honeyguide.User{Name: fmt.Sprint("user", i), Role: "viewer", CreatedAt: time.Now().Add(time.Duration(i) * time.Second)}
			if _, err := tx.Users().Save(a.t.Context(), &u); err != nil {
				return err
			}
			data := a.vault.Box().Seal([]byte("secret of "+u.ID), "credential", u.ID, "totp")
			if err := tx.Credentials().Save(a.t.Context(), &honeyguide.Credential{User: u.ID, Kind: honeyguide.CredentialTOTP, Data: data}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// readable opens every row as a reader does; it returns their number.
func (a *secretsApp) readable(ctx context.Context) (n int, err error) {
	err = a.state.View(ctx, func(tx state.Tx) error {
		n = 0
		for after := ""; ; {
			users, next, err := tx.Users().List(ctx, state.UserQuery{Page: state.Page{After: after, Limit: 100}})
			if err != nil {
				return err
			}
			for _, u := range users {
				all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialTOTP)
				if err != nil {
					return err
				}
				for _, c := range all {
					runtime.Gosched() // a rotation may go on between reading and opening
					plain, err := a.vault.Box().Open(c.Data, "credential", u.ID, "totp")
					if err != nil || string(plain) != "secret of "+u.ID {
						return fmt.Errorf("%s: %q, %w", u.Name, plain, err)
					}
					n++
				}
			}
			if after = next; after == "" {
				return nil
			}
		}
	})
	return n, err
}

const seeded = 230

// TestRotationUnderLoad changes the data keys again and again while others read
// rows and files: nobody is ever refused.
func TestRotationUnderLoad(t *testing.T) {
	s := defaults()
	s.Node.Data = filepath.Join(t.TempDir(), "data")
	a := newSecretsApp(t, s)
	defer a.close()
	a.seed(seeded)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var reads atomic.Int64
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if n, err := a.readable(t.Context()); err != nil || n != seeded {
					t.Errorf("a reader: %d rows, %v", n, err)
					return
				}
				if _, err := a.vault.Read(deploymentFile); err != nil {
					t.Errorf("a reader: %v", err)
					return
				}
				reads.Add(1)
			}
		})
	}
	var ids []string
	for len(ids) < 4 || reads.Load() < 6 {
		st, err := a.keyring.Rotate(t.Context(), client.SecretsOrder{})
		if err != nil || st.Rotating || st.StaleRows != 0 || st.StaleFiles != 0 || st.Rows != seeded || len(st.Keys) != 1 || slices.Contains(ids, st.Keys[0].ID) {
			t.Fatalf("%+v, %v", st, err)
		}
		ids = append(ids, st.Keys[0].ID)
	}
	stop()
	readers.Wait()
}

// TestRotationGoesOn stops a rotation at each of its steps. Everything is readable
// after the next start, which ends what was begun.
func TestRotationGoesOn(t *testing.T) {
	s := defaults()
	s.Node.Data = filepath.Join(t.TempDir(), "data")
	a := newSecretsApp(t, s)
	a.seed(seeded)
	stopped := 0
	for at := 0; ; at++ {
		left, last := at, ""
		a.keyring.step = func(what string) {
			if last = what; left == 0 {
				runtime.Goexit()
			}
			left--
		}
		done := make(chan bool)
		go func() {
			whole := false
			defer func() { done <- whole }()
			if _, err := a.keyring.Rotate(t.Context(), client.SecretsOrder{}); err != nil {
				t.Error(err)
			}
			whole = true
		}()
		whole := <-done
		a.close()
		a = newSecretsApp(t, s)
		if n, err := a.readable(t.Context()); err != nil || n != seeded {
			t.Fatalf("stopped at %q: %d rows, %v", last, n, err)
		}
		if err := a.keyring.goOn(t.Context()); err != nil {
			t.Fatalf("stopped at %q: %v", last, err)
		}
		if n, err := a.readable(t.Context()); err != nil || n != seeded {
			t.Fatalf("stopped at %q, gone on: %d rows, %v", last, n, err)
		}
		if st, err := a.keyring.Status(t.Context()); err != nil || st.Rotating || st.StaleRows > 0 || st.Lost > 0 {
			t.Fatalf("stopped at %q, gone on: %+v, %v", last, st, err)
		}
		if whole {
			break
		}
		stopped++
	}
	if stopped < 8 {
		t.Errorf("stopped %d times only", stopped)
	}
	a.close()
}

func TestRotateRefuses(t *testing.T) {
	s := defaults()
	s.Node.Data = filepath.Join(t.TempDir(), "data")
	s.Secrets.Key = "a text of more than thirty-two characters"
	a := newSecretsApp(t, s)
	defer a.close()
	for _, o := range []client.SecretsOrder{
		{Key: "x"}, {Own: true}, {Master: true, Key: "x", Passphrase: "y"}, {Master: true, Own: true, Key: "x"}, {Master: true}, {Master: true, Key: "short"}, {Master: true, Passphrase: "short"}, {Master: true, Key: s.Secrets.Key},
	} {
		if _, err := a.keyring.Rotate(t.Context(), o); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if st, err := a.keyring.Rotate(t.Context(), client.SecretsOrder{Master: true, Passphrase: "correct horse battery"}); err != nil || st.Masters != 2 {
		t.Errorf("%+v, %v", st, err)
	}
}
