package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Hash is a hash of the tree (RFC 6962: SHA-256, leaves prefixed with 0, nodes with 1).
type Hash = tlog.Hash

// A Checkpoint says, signed, that a log had so many entries with that root.
type Checkpoint struct {
	Origin string // name of the log and of its key
	Size   int64  // entries
	Root   Hash
	Note   []byte // the signed note it was read from, or is written as
}

// maxNote is the size of the longest note that is read.
const maxNote = 16 << 10

// signCheckpoint makes the note of a tree: text of C2SP tlog-checkpoint.
func signCheckpoint(signer note.Signer, size int64, root Hash) (Checkpoint, error) {
	c := Checkpoint{Origin: signer.Name(), Size: size, Root: root}
	text := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, size, base64.StdEncoding.EncodeToString(root[:]))
	msg, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return c, fmt.Errorf("sign the checkpoint: %w", err)
	}
	c.Note = msg
	return c, nil
}

// OpenCheckpoint verifies a signed note by a public key (name+hash+key) and
// returns what it says. Signatures of others beside the log's own are let be.
func OpenCheckpoint(msg []byte, key string) (Checkpoint, error) {
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the public key: %w", err)
	}
	return openCheckpoint(msg, v)
}

func openCheckpoint(msg []byte, v note.Verifier) (Checkpoint, error) {
	return readCheckpoint(msg, v, openNote)
}

// openOwn is openCheckpoint for what this log wrote itself and nobody signed
// since: no byte of it may differ.
func openOwn(msg []byte, v note.Verifier) (Checkpoint, error) {
	return readCheckpoint(msg, v, openExact)
}

func readCheckpoint(msg []byte, v note.Verifier, open func([]byte, note.Verifier) (*note.Note, error)) (Checkpoint, error) {
	if len(msg) > maxNote {
		return Checkpoint{}, errors.New("checkpoint: it is too long to be one")
	}
	n, err := open(msg, v)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return c, err
	}
	if c.Origin != v.Name() {
		return c, fmt.Errorf("checkpoint: of the log %.80q, not of %.80q", c.Origin, v.Name())
	}
	c.Note = bytes.Clone(msg)
	return c, nil
}

// openNote verifies a note by the signature of one key. That signature has to be
// written the one way it can be; lines of others are let be.
func openNote(msg []byte, v note.Verifier) (*note.Note, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return nil, fmt.Errorf("its signature does not hold: %w", err)
	}
	if _, err := FromBase64(n.Sigs[0].Base64); err != nil {
		return nil, fmt.Errorf("its signature: %w", err)
	}
	return n, nil
}

// openExact is openNote for notes with one signature and nothing else.
func openExact(msg []byte, v note.Verifier) (*note.Note, error) {
	n, err := openNote(msg, v)
	if err == nil && string(msg) != n.Text+"\n— "+n.Sigs[0].Name+" "+n.Sigs[0].Base64+"\n" {
		return nil, errors.New("it is signed and not as this log writes it")
	}
	return n, err
}

// FromBase64 reads base64 that stands the one way it is written. The library lets
// spare bits be, and line breaks even where it is strict.
func FromBase64(text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil && base64.StdEncoding.EncodeToString(raw) != text {
		err = errors.New("this base64 is not written the one way it can be")
	}
	return raw, err
}

// parseCheckpoint reads the text of a note: origin, size, root, and lines that
// later versions may add.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("checkpoint: want an origin, a size and a root, a line each")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("checkpoint: its second line is no number of entries")
	}
	root, err := FromBase64(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, errors.New("checkpoint: its third line is no root")
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}, nil
}
