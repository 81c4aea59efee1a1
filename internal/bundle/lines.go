package bundle

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The sums of a list say of each line, and of each field of its object, what it
// was: so a changed list can be told down to the field. A line of sums is the
// first 16 hexadecimal digits of the SHA-256 of the line without its line feed,
// and for each field, in the order they stand, a blank and the first 8 digits of
// the SHA-256 of name, colon and value as they stand.

const (
	lineDigits  = 16
	fieldDigits = 8
	maxFields   = 200 // of one line
)

func shortSum(b []byte, digits int) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:digits]
}

// A part is one field of an object as it stands.
type part struct {
	name string
	raw  []byte
}

// parts splits the JSON object of a line into its fields.
func parts(line []byte) ([]part, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	var out []part
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no JSON from byte %d on", d.InputOffset())
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, fmt.Errorf("no JSON from byte %d on", d.InputOffset())
		}
		name, _ := t.(string)
		if out = append(out, part{name, raw}); len(out) > maxFields {
			return nil, errors.New("it has too many fields")
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("its end is missing")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something stands behind the object")
	}
	return out, nil
}

// sumLine writes the sums of a line.
func sumLine(line []byte) string {
	var b strings.Builder
	b.WriteString(shortSum(line, lineDigits))
	fields, err := parts(line)
	if err != nil {
		return b.String()
	}
	for _, f := range fields {
		b.WriteByte(' ')
		b.WriteString(shortSum(append([]byte(f.name+":"), f.raw...), fieldDigits))
	}
	return b.String()
}

// A lister writes a list and its sums.
type lister struct {
	out, sums *bufio.Writer
	n         int64
}

// add writes a value as the next line.
func (l *lister) add(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(line) > maxLine {
		return fmt.Errorf("line %d has %d bytes, more than %d", l.n+1, len(line), maxLine)
	}
	l.n++
	_, err = l.out.Write(append(line, '\n'))
	_, err2 := l.sums.WriteString(sumLine(line) + "\n")
	return errors.Join(err, err2)
}

// nextLine reads a line without its line feed; io.EOF at the end.
func nextLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		if len(line)+len(piece) > maxLine+1 {
			return nil, errors.New("a line is too long to be one")
		}
		line = append(line, piece...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(line) > 0:
			return line, errors.New("the last line has no end")
		default:
			return nil, err
		}
	}
}

// compareLists says which lines and fields of a list differ from its sums.
func compareLists(list, sums io.Reader, tell func(line int, field, why string) bool) {
	a, b := bufio.NewReaderSize(list, 64<<10), bufio.NewReaderSize(sums, 64<<10)
	for n := 1; ; n++ {
		line, err := nextLine(a)
		want, err2 := nextLine(b)
		switch {
		case err == io.EOF && err2 == io.EOF:
			return
		case err2 != nil:
			tell(n, "", "there was no such line")
			return
		case err == io.EOF:
			tell(n, "", "the list ends before it")
			return
		case err != nil:
			tell(n, "", err.Error())
			return
		}
		if !compareLine(line, strings.Fields(string(want)), n, tell) {
			return
		}
	}
}

// compareLine tells which fields of a line are not what they were.
func compareLine(line []byte, want []string, n int, tell func(line int, field, why string) bool) (goOn bool) {
	if len(want) == 0 || shortSum(line, lineDigits) == want[0] {
		return true
	}
	fields, err := parts(line)
	if err != nil {
		return tell(n, "", err.Error())
	}
	if len(fields) != len(want)-1 {
		return tell(n, "", fmt.Sprintf("it has %d fields and had %d", len(fields), len(want)-1))
	}
	told := false
	for i, f := range fields {
		if shortSum(append([]byte(f.name+":"), f.raw...), fieldDigits) != want[i+1] {
			told = true
			if !tell(n, f.name, "it was changed") {
				return false
			}
		}
	}
	return told || tell(n, "", "it was changed between its fields")
}
