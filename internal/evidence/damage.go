package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"filippo.io/age"

	"honeyguide"
)

// badSuffix is put behind the name of a sample that does not decrypt.
const badSuffix = ".bad"

// A watched reader remembers whether the disk failed: what it did not give out
// says nothing about what lies on it.
type watched struct {
	io.ReadCloser
	failed bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.failed = w.failed || err != nil && err != io.EOF
	return n, err
}

// opened is a sample on its way to somebody.
type opened struct {
	io.Reader
	*watched
}

func (o opened) Read(p []byte) (int, error) { return o.Reader.Read(p) }

// decrypt opens a sample; what is damaged shows while it is read.
func (s *Samples) decrypt(id string) (opened, error) {
	f, err := s.Sealed(id)
	if err != nil {
		return opened{}, err
	}
	w := &watched{ReadCloser: f}
	r, err := age.Decrypt(w, s.key)
	if err != nil {
		_ = f.Close()
	}
	return opened{r, w}, err
}

// Content returns a sample's content, decrypted, after it was read once to the
// end: whoever gets it gets all of it. One that is damaged is put aside, so that
// it is kept anew when it comes again. CodeNotFound, CodeUnavailable.
func (s *Samples) Content(id string) (io.ReadCloser, error) {
	o, err := s.decrypt(id)
	if o.watched == nil {
		return nil, err
	}
	if err == nil {
		_, err = io.Copy(io.Discard, o)
		_ = o.Close() // it was only read
	}
	if err != nil {
		return nil, s.spoilt(id, o.failed, err)
	}
	if o, err = s.decrypt(id); err != nil {
		return nil, fmt.Errorf("open sample: %w", err)
	}
	return o, nil
}

// spoilt says what became of a sample that cannot be read.
func (s *Samples) spoilt(id string, failed bool, cause error) error {
	name := samplePath(id)
	_, foreign := errors.AsType[*age.NoIdentityMatchError](cause)
	e := &honeyguide.Error{Code: honeyguide.CodeUnavailable, Err: cause}
	switch {
	case failed:
		return fmt.Errorf("read sample: %w", cause)
	case foreign: // of all samples when it is the key
		e.Message = "this sample does not open with " + keyFile + ": the key is another one, or the file samples/" + name + " is damaged; restore them from a backup"
		return e
	}
	if err := s.dir.Rename(name, name+badSuffix); err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(fmt.Errorf("read sample: %w", cause), err)
	}
	e.Message = "this sample is damaged on the disk and was put aside as samples/" + name + badSuffix + "; restore it from a backup, or wait until it comes again"
	return e
}
