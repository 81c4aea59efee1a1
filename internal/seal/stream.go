package seal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"honeyguide"
)

// Errors of streams. A caller adds which file it was.
var (
	// ErrWrongKey says that a stream was encrypted to others: another key, another
	// passphrase, or a key where a passphrase is wanted.
	ErrWrongKey = errors.New("it was encrypted to another key or passphrase")
	// ErrTruncated says that a stream ends before its end.
	ErrTruncated = errors.New("it is cut short: the end is missing")
	// ErrDamaged says that a stream was changed after it was made.
	ErrDamaged = errors.New("it was changed after it was made, or is damaged")
	// ErrNotEncrypted says that a stream is none of ours.
	ErrNotEncrypted = errors.New("it is no file encrypted with age")
)

// errTail is of the last piece: whether bytes are missing or wrong cannot be told.
var errTail = fmt.Errorf("its last 64 KiB do not open: %w; or %w", ErrTruncated, ErrDamaged)

// Work of a passphrase, as the power of two of scrypt's N at r = 8 (RFC 7914):
// 128·8·2^16 = 64 MiB for what is made here; up to 256 MiB is taken from others,
// which is what the age program makes. More would be a way to fill the memory.
const (
	scryptWork    = 16
	scryptMaxWork = 18
)

// maxHead bounds what is read before a stream is known to be one: about a thousand
// recipients.
const maxHead = 256 << 10

// streamHead begins every age file (age-encryption.org/v1).
const streamHead = "age-encryption.org/v1\n"

// A Recipient is whom a stream is encrypted to: the public half of a key, or a
// passphrase.
type Recipient struct {
	to   age.Recipient
	text string
}

// String returns the public key; a passphrase has none.
func (r Recipient) String() string { return r.text }

// An Identity opens what was encrypted to its Recipient.
type Identity struct {
	with age.Identity
	key  *age.X25519Identity // nil: a passphrase
}

// String tells nothing of the key.
func (Identity) String() string { return "[masked]" }

// GoString masks %#v.
func (Identity) GoString() string { return "[masked]" }

// NewIdentity makes a key (X25519).
func NewIdentity() (Identity, error) {
	key, err := age.GenerateX25519Identity()
	return Identity{key, key}, err
}

// ParseIdentity reads a key, AGE-SECRET-KEY-1... Lines that begin with # are
// notes, as the age program writes them.
func ParseIdentity(text honeyguide.Secret) (Identity, error) {
	for line := range strings.Lines(text.Reveal()) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := age.ParseX25519Identity(line)
		if err != nil {
			break // its words may hold the text
		}
		return Identity{key, key}, nil
	}
	return Identity{}, errors.New("it is no key: want AGE-SECRET-KEY-1 and 58 more characters, as age-keygen makes")
}

// ParseRecipient reads the public half of a key, age1...
func ParseRecipient(text string) (Recipient, error) {
	r, err := age.ParseX25519Recipient(strings.TrimSpace(text))
	switch {
	case err != nil && strings.Contains(strings.ToUpper(text), "SECRET"):
		return Recipient{}, errors.New("that is a private key: want its public half, age1 and 58 more characters")
	case err != nil:
		return Recipient{}, fmt.Errorf("%.80q is no public key: want age1 and 58 more characters", strings.TrimSpace(text))
	}
	return Recipient{r, r.String()}, nil
}

// Passphrase returns both sides of a passphrase (scrypt). A stream encrypted to
// a passphrase has no other recipients.
func Passphrase(text honeyguide.Secret) (Recipient, Identity, error) {
	if text == "" {
		return Recipient{}, Identity{}, errors.New("the passphrase is empty")
	}
	r, err := age.NewScryptRecipient(text.Reveal())
	if err != nil {
		return Recipient{}, Identity{}, err
	}
	r.SetWorkFactor(scryptWork)
	id, err := age.NewScryptIdentity(text.Reveal())
	if err != nil {
		return Recipient{}, Identity{}, err
	}
	id.SetMaxWorkFactor(scryptMaxWork)
	return Recipient{to: r}, Identity{with: id}, nil
}

// Recipient returns the public half; the zero Recipient for a passphrase.
func (i Identity) Recipient() Recipient {
	if i.key == nil {
		return Recipient{}
	}
	r := i.key.Recipient()
	return Recipient{r, r.String()}
}

// Reveal returns the key as text, to be kept in a private file; "" for a passphrase.
func (i Identity) Reveal() honeyguide.Secret {
	if i.key == nil {
		return ""
	}
	return honeyguide.Secret(i.key.String())
}

// Encrypt returns a writer that encrypts what is written to it into w. Without
// Close the stream is cut short and does not open. Every recipient opens it.
func Encrypt(w io.Writer, to ...Recipient) (io.WriteCloser, error) {
	if len(to) == 0 {
		return nil, errors.New("encrypt: there is no recipient")
	}
	all := make([]age.Recipient, 0, len(to))
	for _, r := range to {
		if r.to == nil {
			return nil, errors.New("encrypt: a recipient is empty")
		}
		if r.text == "" && len(to) > 1 {
			return nil, errors.New("encrypt: a passphrase stands alone; encrypt to keys to have more than one recipient")
		}
		all = append(all, r.to)
	}
	out, err := age.Encrypt(w, all...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out, nil
}

// Decrypt returns a reader of what was encrypted. Everything it gives out was
// checked; a later piece may still turn out ErrTruncated or ErrDamaged, so what
// was read is whole only at io.EOF. ErrWrongKey, ErrNotEncrypted.
func Decrypt(r io.Reader, with ...Identity) (io.Reader, error) {
	all := make([]age.Identity, 0, len(with))
	for _, id := range with {
		if id.with == nil {
			return nil, errors.New("decrypt: a key is empty")
		}
		all = append(all, id.with)
	}
	if len(all) == 0 {
		return nil, errors.New("decrypt: there is no key")
	}
	src := &watched{r: r, left: maxHead}
	in := bufio.NewReader(src)
	head, err := in.Peek(len(streamHead))
	switch {
	case src.err != nil:
		return nil, fmt.Errorf("decrypt: %w", src.err)
	case err != nil && len(head) > 0 && strings.HasPrefix(streamHead, string(head)):
		return nil, fmt.Errorf("decrypt: %w", ErrTruncated)
	case string(head) != streamHead:
		return nil, fmt.Errorf("decrypt: %w", ErrNotEncrypted)
	}
	out, err := age.Decrypt(in, all...)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", src.why(err))
	}
	src.left = -1
	return &opened{out, src}, nil
}

// watched remembers the error of the reader below, and whether it has ended.
type watched struct {
	r     io.Reader
	left  int // bytes it may still give out; < 0: no bound
	err   error
	ended bool
}

func (w *watched) Read(p []byte) (int, error) {
	if w.left == 0 {
		return 0, ErrDamaged
	}
	if w.left > 0 {
		p = p[:min(len(p), w.left)]
	}
	n, err := w.r.Read(p)
	if w.left > 0 {
		w.left -= n
	}
	switch {
	case err == io.EOF:
		w.ended = true
	case err != nil:
		w.err = err
	}
	return n, err
}

// why says in our words what is wrong with a stream.
func (w *watched) why(err error) error {
	var none *age.NoIdentityMatchError
	switch {
	case w.err != nil:
		return w.err
	case errors.As(err, &none):
		return ErrWrongKey
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return ErrTruncated
	case strings.Contains(err.Error(), "work factor too large"):
		return errors.New("its passphrase asks for more memory than is given: made with a work factor above 18")
	}
	return ErrDamaged
}

// opened translates the errors of a stream.
type opened struct {
	r   io.Reader
	src *watched
}

func (o *opened) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err != nil && err != io.EOF {
		if err = o.src.why(err); err == ErrDamaged && o.src.ended {
			err = errTail
		}
		err = fmt.Errorf("decrypt: %w", err)
	}
	return n, err
}
