package bundle

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"honeyguide"
)

// Contents returns the manifest of an archive without verifying it.
func Contents(r io.ReaderAt, size int64) (*Manifest, error) {
	_, m, err := contents(r, size)
	return m, err
}

func contents(r io.ReaderAt, size int64) (*opened, *Manifest, error) {
	a, err := skim(r, size)
	if err != nil {
		return nil, nil, err
	}
	text := a.document(manifestName, maxManifest)
	if text == nil {
		return nil, nil, damaged(a.Report)
	}
	m, err := decode[Manifest](text)
	return a, &m, err
}

// ItemOf opens one item of an archive by its name, compared with its hash;
// CodeNotFound.
func ItemOf(r io.ReaderAt, size int64, name string) (Item, io.Reader, error) {
	a, m, err := contents(r, size)
	if err != nil {
		return Item{}, nil, err
	}
	for _, it := range m.Items {
		if it.Name != name || !isSum(it.SHA256) {
			continue
		}
		i, ok := a.byRef[objectPath(it.SHA256)]
		if !ok {
			break
		}
		at := func() io.Reader { return io.NewSectionReader(r, a.all[i].at, a.all[i].size) }
		sum := sha256.New()
		if n, err := io.Copy(sum, at()); err != nil {
			return it, nil, fmt.Errorf("read the archive: %w", err)
		} else if hex.EncodeToString(sum.Sum(nil)) != it.SHA256 || n != it.Size {
			a.fault(a.label(a.all[i].path, name), "its content was changed")
			return it, nil, damaged(a.Report)
		}
		return it, at(), nil
	}
	return Item{}, nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("the archive has no %.80q", name)}
}

// skim finds the entries of an archive by their headers.
func skim(r io.ReaderAt, size int64) (*opened, error) {
	a := &opened{r: r, size: size, byRef: map[string]int{}, Report: &Report{}}
	for off := int64(0); len(a.all) < maxEntries; {
		in := bufio.NewReaderSize(io.NewSectionReader(failing{r}, off, size-off), 512)
		m, err := readHeader(in, off)
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			a.fault(show(m.path), "%v", err)
			return nil, damaged(a.Report)
		}
		f := found{member: m, at: off + localHead + int64(len(m.path))}
		if _, twice := a.byRef[m.path]; twice || f.at+m.size > size {
			a.fault(m.path, "it is there twice, or cut short")
			return nil, damaged(a.Report)
		}
		a.byRef[m.path] = len(a.all)
		a.all = append(a.all, f)
		off = f.at + m.size
	}
	return a, nil
}

func damaged(r *Report) error {
	bad := &Refused{r}
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: bad.Error(), Err: bad}
}
