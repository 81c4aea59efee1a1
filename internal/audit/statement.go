package audit

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// SignStatement signs a text that is no checkpoint with the log's key: what is
// handed out of this installation can then be known again by the same public
// key. The first line of the text says what it is; it must not be the name of
// a log, so that no statement passes for a checkpoint.
func (l *Log) SignStatement(text string) ([]byte, error) {
	if first, _, _ := strings.Cut(text, "\n"); first == "" || first == l.signer.Name() || strings.HasPrefix(first, "honeyguide-audit/") {
		return nil, fmt.Errorf("sign a statement: it must not begin with the name of a log")
	}
	return note.Sign(&note.Note{Text: text}, l.signer)
}

// OpenStatement verifies what [Log.SignStatement] made and returns its text.
func OpenStatement(msg []byte, key string) (string, error) {
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return "", fmt.Errorf("read the public key: %w", err)
	}
	n, err := openExact(msg, v)
	if err != nil {
		return "", err
	}
	return n.Text, nil
}
