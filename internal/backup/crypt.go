package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"honeyguide"
)

// A Lock is what a store is encrypted to. The zero value encrypts nothing.
type Lock struct {
	to     age.Recipient
	Public string // the recipient, age1...
}

// Plain reports whether nothing is encrypted.
func (l Lock) Plain() bool { return l.to == nil }

// LockTo encrypts to a public key (age1...). Only the holder of the other half
// can restore; this program cannot read what it wrote.
func LockTo(recipient string) (Lock, error) {
	r, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
	if err != nil {
		return Lock{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("%.80q is no public key of age; age-keygen makes one, it begins with age1", recipient), Err: err}
	}
	return Lock{r, r.String()}, nil
}

// A Key opens what was locked.
type Key struct{ ids []age.Identity }

// Empty reports whether it opens nothing.
func (k Key) Empty() bool { return len(k.ids) == 0 }

// ReadKey reads the identities of a file made by age-keygen.
func ReadKey(r io.Reader) (Key, error) {
	ids, err := age.ParseIdentities(io.LimitReader(r, 1<<20))
	if err != nil {
		return Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "this is no file of age identities (AGE-SECRET-KEY-1...)", Err: err}
	}
	return Key{ids}, nil
}

// workFactor is the logarithm of scrypt's cost for a passphrase: 64 MiB and a
// quarter of a second, once for a backup. More would burst the memory of a small
// core.
const workFactor = 16

// newIdentity makes the key pair of a store and seals its private half under a
// passphrase. Contents are encrypted to the pair: a passphrase for each of them
// would take a second each.
func newIdentity(passphrase honeyguide.Secret) (sealed string, l Lock, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", l, fmt.Errorf("make the store's key: %w", err)
	}
	r, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return "", l, fmt.Errorf("take the passphrase: %w", err)
	}
	r.SetWorkFactor(workFactor)
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r)
	if err != nil {
		return "", l, fmt.Errorf("seal the store's key: %w", err)
	}
	if _, err = io.WriteString(w, id.String()); err == nil {
		err = w.Close()
	}
	return b.String(), Lock{id.Recipient(), id.Recipient().String()}, err
}

// errPassphrase says that a passphrase is not the one a store was made with.
var errPassphrase = errors.New("the passphrase is not the one this store was made with")

// openIdentity opens the key pair of a store.
func openIdentity(sealed string, passphrase honeyguide.Secret) (Key, Lock, error) {
	s, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return Key{}, Lock{}, fmt.Errorf("take the passphrase: %w", err)
	}
	s.SetMaxWorkFactor(workFactor + 2)
	r, err := age.Decrypt(strings.NewReader(sealed), s)
	if err != nil {
		return Key{}, Lock{}, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: errPassphrase.Error(), Err: err}
	}
	raw, err := io.ReadAll(io.LimitReader(r, 1<<10))
	if err != nil {
		return Key{}, Lock{}, fmt.Errorf("open the store's key: %w", err)
	}
	id, err := age.ParseX25519Identity(string(raw))
	if err != nil {
		return Key{}, Lock{}, fmt.Errorf("open the store's key: %w", err)
	}
	return Key{[]age.Identity{id}}, Lock{id.Recipient(), id.Recipient().String()}, nil
}

// seal returns what encrypts to w; Close ends it. A plain lock hands through.
func (l Lock) seal(w io.Writer) (io.WriteCloser, error) {
	if l.Plain() {
		return through{w}, nil
	}
	return age.Encrypt(w, l.to)
}

type through struct{ io.Writer }

func (through) Close() error { return nil }

// open returns the content of an object.
func (k Key) open(r io.Reader, encrypted bool) (io.Reader, error) {
	if !encrypted {
		return r, nil
	}
	if k.Empty() {
		return nil, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "this backup is encrypted; give its key with --identity FILE or --passphrase-file FILE"}
	}
	out, err := age.Decrypt(r, k.ids...)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "this key does not open the backup: it was encrypted to another one", Err: err}
	}
	return out, err
}
