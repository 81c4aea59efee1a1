package bundle

import (
	"io"

	"honeyguide"
	"honeyguide/internal/bundle/handover"
)

// A Pack is an archive behind a password, for people without our program.
type Pack struct {
	honeyguide.Veil
	name     string
	size     int64
	password honeyguide.Secret
}

// HandOver prepares a pack of an archive and returns its new password, which is
// kept nowhere.
func HandOver(name string, size int64) (Pack, honeyguide.Secret) {
	p := Pack{name: name, size: size, password: honeyguide.Secret(handover.Password())}
	return p, p.password
}

// Size is how large the pack is, in bytes.
func (p Pack) Size() int64 { return handover.Size(p.name, p.size) }

// Write writes the pack of what r gives.
func (p Pack) Write(w io.Writer, r io.Reader) error {
	return handover.Write(w, p.name, r, p.size, p.password.Reveal())
}
