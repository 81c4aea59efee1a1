package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"honeyguide"
	"honeyguide/internal/seal"
)

// A Lock is what a store is encrypted to. The zero value encrypts nothing.
type Lock struct {
	to     seal.Recipient
	Public string // the recipient, age1...
}

// Plain reports whether nothing is encrypted.
func (l Lock) Plain() bool { return l.Public == "" }

func lockOf(r seal.Recipient) Lock { return Lock{r, r.String()} }

// LockTo encrypts to a public key (age1...). Only the holder of the other half
// can restore; this program cannot read what it wrote.
func LockTo(recipient string) (Lock, error) {
	r, err := seal.ParseRecipient(recipient)
	if err != nil {
		return Lock{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("whom to encrypt to: %v; age-keygen makes a key", err), Err: err}
	}
	return lockOf(r), nil
}

// A Key opens what was locked.
type Key struct{ ids []seal.Identity }

// Empty reports whether it opens nothing.
func (k Key) Empty() bool { return len(k.ids) == 0 }

// ReadKey reads the private half of a key, as age-keygen writes it.
func ReadKey(text honeyguide.Secret) (Key, error) {
	id, err := seal.ParseIdentity(text)
	if err != nil {
		return Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("the key to open it with: %v", err), Err: err}
	}
	return Key{[]seal.Identity{id}}, nil
}

// LeastPassphrase is how many bytes a passphrase has at least: whoever gets hold of
// the store may guess for as long as they like.
const LeastPassphrase = 12

// newIdentity makes the key pair of a store and seals its private half under a
// passphrase. Contents are encrypted to the pair: a passphrase for each of them
// would take too long.
func newIdentity(passphrase honeyguide.Secret) (sealed []byte, l Lock, err error) {
	if n := len(passphrase.Reveal()); n < LeastPassphrase {
		return nil, l, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("the passphrase has %d characters; want at least %d", n, LeastPassphrase)}
	}
	id, err := seal.NewIdentity()
	if err != nil {
		return nil, l, fmt.Errorf("make the store's key: %w", err)
	}
	to, _, err := seal.Passphrase(passphrase)
	if err != nil {
		return nil, l, fmt.Errorf("take the passphrase: %w", err)
	}
	var b bytes.Buffer
	w, err := seal.Encrypt(&b, to)
	if err != nil {
		return nil, l, fmt.Errorf("seal the store's key: %w", err)
	}
	if _, err = io.WriteString(w, id.Reveal().Reveal()); err == nil {
		err = w.Close()
	}
	return b.Bytes(), lockOf(id.Recipient()), err
}

// openIdentity opens the key pair of a store.
func openIdentity(sealed []byte, passphrase honeyguide.Secret) (Key, Lock, error) {
	_, with, err := seal.Passphrase(passphrase)
	if err != nil {
		return Key{}, Lock{}, fmt.Errorf("take the passphrase: %w", err)
	}
	r, err := seal.Decrypt(bytes.NewReader(sealed), with)
	if errors.Is(err, seal.ErrWrongKey) {
		return Key{}, Lock{}, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "the passphrase is not the one this store was made with", Err: err}
	}
	if err != nil {
		return Key{}, Lock{}, damaged("the store's own key does not open: %v", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, 1<<10))
	if err != nil {
		return Key{}, Lock{}, damaged("the store's own key does not open: %v", err)
	}
	id, err := seal.ParseIdentity(honeyguide.Secret(raw))
	if err != nil {
		return Key{}, Lock{}, damaged("the store's own key: %v", err)
	}
	return Key{[]seal.Identity{id}}, lockOf(id.Recipient()), nil
}

// seal returns what encrypts to w; Close ends it. A plain lock hands through.
func (l Lock) seal(w io.Writer) (io.WriteCloser, error) {
	if l.Plain() {
		return through{w}, nil
	}
	return seal.Encrypt(w, l.to)
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
	out, err := seal.Decrypt(r, k.ids...)
	if errors.Is(err, seal.ErrWrongKey) {
		return nil, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "this key does not open the backup: it was encrypted to another one", Err: err}
	}
	return out, err
}
