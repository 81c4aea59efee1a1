package password

import (
	"bytes"
	"crypto/sha1" // the form the lists are published in
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	//lint:ignore SA1019 the published lists of NTLM hashes are made of it; nothing is kept in it
	"golang.org/x/crypto/md4"

	"honeyguide"
)

// Breaches looks passwords up in a list of stolen ones, in the forms Have I Been
// Pwned publishes: one file of lines HASH or HASH:COUNT in the order of the
// hashes, SHA-1 (40 hex digits), NTLM (32) or SHA-1 cut to 16 or more; or a folder
// of range files, ABCDE.txt with the 35 digits that follow. Nothing is read into
// memory and nothing is asked of the network.
//
// A nil *Breaches knows no password.
type Breaches struct {
	path  string
	file  *os.File // nil: a folder
	size  int64
	width int // hex digits of a hash in the file
	ntlm  bool
}

// Bounds of a line.
const (
	maxLine   = 128
	minWidth  = 16
	sha1Width = 40
	ntlmWidth = 32
	prefix    = 5       // digits in the name of a range file
	maxRange  = 4 << 20 // bytes of a range file
)

// OpenBreaches opens a list. The error names what is wrong with the file.
func OpenBreaches(path string) (*Breaches, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, broken(path, "it cannot be read", err)
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, "00000.txt")); err != nil {
			return nil, broken(path, "the folder holds no 00000.txt", err)
		}
		return &Breaches{path: path}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, broken(path, "it cannot be read", err)
	}
	b := &Breaches{path: path, file: f, size: info.Size()}
	if err := b.check(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

func broken(path, why string, err error) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("auth.breach_list: %s: %s; want lines HASH:COUNT in the order of the hashes, or a folder of range files", path, why), Err: err}
}

// check looks at a few lines: what is not sorted would be searched in vain.
func (b *Breaches) check() error {
	var before string
	for i := range int64(17) {
		line, _, err := b.line(b.size * i / 17)
		if err != nil {
			return broken(b.path, err.Error(), nil)
		}
		switch {
		case line == "" && i == 0:
			return broken(b.path, "it is empty", nil)
		case line == "":
			continue // the last line began before this place
		case i == 0:
			b.width, b.ntlm = len(line), len(line) == ntlmWidth
		case len(line) != b.width:
			return broken(b.path, "its hashes differ in length", nil)
		case line < before:
			return broken(b.path, "it is not in the order of the hashes", nil)
		}
		before = line
	}
	return nil
}

// line returns the hash of the first line that begins at or after an offset, in
// capitals, and where the line after it begins. "" says that there is none.
func (b *Breaches) line(at int64) (string, int64, error) {
	var buf [2 * maxLine]byte
	from := max(at-1, 0) // a line begins after the line feed before it
	n, err := b.file.ReadAt(buf[:], from)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", 0, fmt.Errorf("read the list of stolen passwords: %w", err)
	}
	text := buf[:n]
	start := 0
	if at > 0 {
		feed := bytes.IndexByte(text, '\n')
		if feed < 0 {
			if n == len(buf) {
				return "", 0, errors.New("a line is too long")
			}
			return "", b.size, nil
		}
		start = feed + 1
	}
	rest := text[start:]
	if len(rest) == 0 {
		return "", b.size, nil
	}
	end := bytes.IndexByte(rest, '\n')
	next := from + int64(start+end+1)
	if end < 0 {
		if len(rest) > maxLine || n == len(buf) {
			return "", 0, errors.New("a line is too long")
		}
		end, next = len(rest), b.size
	}
	hash, _, _ := strings.Cut(strings.TrimRight(string(rest[:end]), "\r"), ":")
	hash = strings.ToUpper(hash)
	if len(hash) < minWidth || len(hash) > sha1Width || strings.Trim(hash, "0123456789ABCDEF") != "" {
		return "", 0, errors.New("a line holds no hash")
	}
	return hash, next, nil
}

// Has reports whether a password is on the list.
func (b *Breaches) Has(password string) (bool, error) {
	switch {
	case b == nil:
		return false, nil
	case b.file == nil:
		return b.inRange(sha1Hex(password))
	case b.ntlm:
		return b.search(ntlmHex(password))
	}
	return b.search(sha1Hex(password)[:b.width])
}

// search finds a hash by halving the file.
func (b *Breaches) search(want string) (bool, error) {
	low, high := int64(0), b.size // the line looked for begins in [low, high)
	for low < high {
		middle := low + (high-low)/2
		hash, next, err := b.line(middle)
		switch {
		case err != nil:
			return false, err
		case hash == "" || hash > want:
			high = middle
		case hash == want:
			return true, nil
		default:
			low = next
		}
	}
	return false, nil
}

// inRange looks into the range file of a hash.
func (b *Breaches) inRange(want string) (bool, error) {
	f, err := os.Open(filepath.Join(b.path, want[:prefix]+".txt"))
	if err != nil {
		return false, fmt.Errorf("read the list of stolen passwords: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRange))
	if err != nil {
		return false, fmt.Errorf("read the list of stolen passwords: %w", err)
	}
	for line := range bytes.Lines(text) {
		hash, count, counted := strings.Cut(strings.TrimSpace(string(line)), ":")
		if strings.EqualFold(hash, want[prefix:]) {
			return !counted || count != "0", nil // lines padded against listeners count 0
		}
	}
	return false, nil
}

// Close closes the file.
func (b *Breaches) Close() error {
	if b == nil || b.file == nil {
		return nil
	}
	return b.file.Close()
}

func sha1Hex(password string) string {
	sum := sha1.Sum([]byte(password))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func ntlmHex(password string) string {
	h := md4.New()
	_ = binary.Write(h, binary.LittleEndian, utf16.Encode([]rune(password))) // a hash takes everything
	return strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}
