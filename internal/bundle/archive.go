package bundle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An archive is a ZIP file (PKWARE APPNOTE 6.3) that can be written in one way
// only: every entry is stored as it is, in a fixed order, with no time, no
// comment and no extra field. So each byte of it follows from the content, a
// reader can say of any byte whether it is right, and nothing can swell.

// A member is one entry of an archive.
type member struct {
	path string
	size int64
	crc  uint32
	off  int64 // of its local header
}

const (
	localMagic   = 0x04034b50
	centralMagic = 0x02014b50
	endMagic     = 0x06054b50
	localHead    = 30
	centralHead  = 46
	endHead      = 22
	dosDate      = 0x21           // 1 January 1980, the first day there is
	madeBy       = 3<<8 | 20      // Unix, version 2.0
	needs        = 20             // version 2.0
	fileMode     = 0o100444 << 16 // a plain file that is only read
	maxNameBytes = 128            // of any entry
	copyBuffer   = 256 << 10      // for content
)

// local is the header before a member's content.
func (m *member) local() []byte {
	b := make([]byte, localHead, localHead+len(m.path))
	le := binary.LittleEndian
	le.PutUint32(b[0:], localMagic)
	le.PutUint16(b[4:], needs)
	le.PutUint16(b[12:], dosDate)
	le.PutUint32(b[14:], m.crc)
	le.PutUint32(b[18:], uint32(m.size))
	le.PutUint32(b[22:], uint32(m.size))
	le.PutUint16(b[26:], uint16(len(m.path)))
	return append(b, m.path...)
}

// central is the line of a member in the directory at the end.
func (m *member) central() []byte {
	b := make([]byte, centralHead, centralHead+len(m.path))
	le := binary.LittleEndian
	le.PutUint32(b[0:], centralMagic)
	le.PutUint16(b[4:], madeBy)
	le.PutUint16(b[6:], needs)
	le.PutUint16(b[14:], dosDate)
	le.PutUint32(b[16:], m.crc)
	le.PutUint32(b[20:], uint32(m.size))
	le.PutUint32(b[24:], uint32(m.size))
	le.PutUint16(b[28:], uint16(len(m.path)))
	le.PutUint32(b[38:], fileMode)
	le.PutUint32(b[42:], uint32(m.off))
	return append(b, m.path...)
}

// directory is what follows the last content: the line of each member and the
// record of the end.
func directory(members []member, off int64) []byte {
	var out []byte
	for i := range members {
		out = append(out, members[i].central()...)
	}
	b := make([]byte, endHead)
	le := binary.LittleEndian
	le.PutUint32(b[0:], endMagic)
	le.PutUint16(b[8:], uint16(len(members)))
	le.PutUint16(b[10:], uint16(len(members)))
	le.PutUint32(b[12:], uint32(len(out)))
	le.PutUint32(b[16:], uint32(off))
	return append(out, b...)
}

// writeArchive writes members in order; open gives the content of each.
func writeArchive(w io.Writer, members []member, open func(i int) (io.ReadCloser, error)) (size int64, err error) {
	if len(members) > maxEntries {
		return 0, fmt.Errorf("the archive would have %d entries, more than %d", len(members), maxEntries)
	}
	out := bufio.NewWriterSize(w, copyBuffer)
	var off int64
	for i := range members {
		m := &members[i]
		m.off = off
		head := m.local()
		if _, err := out.Write(head); err != nil {
			return 0, err
		}
		off += int64(len(head)) + m.size
		if off > MaxArchive {
			return 0, errTooLarge
		}
		if err := pour(out, m, i, open); err != nil {
			return 0, fmt.Errorf("%s: %w", m.path, err)
		}
	}
	end := directory(members, off)
	if _, err := out.Write(end); err != nil {
		return 0, err
	}
	return off + int64(len(end)), out.Flush()
}

var errTooLarge = errors.New("the evidence is larger than one archive may be")

func pour(out io.Writer, m *member, i int, open func(i int) (io.ReadCloser, error)) error {
	r, err := open(i)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, r)
	if err = errors.Join(err, r.Close()); err == nil && n != m.size {
		err = fmt.Errorf("it has %d bytes and had %d", n, m.size)
	}
	return err
}

// readHeader reads the local header of the next member; io.EOF where the
// directory begins. What is not as archives are written is an error that says so.
func readHeader(r *bufio.Reader, off int64) (m member, err error) {
	magic, err := r.Peek(4)
	if err != nil {
		return m, cut(err)
	}
	switch binary.LittleEndian.Uint32(magic) {
	case localMagic:
	case centralMagic, endMagic:
		return m, io.EOF
	default:
		return m, fmt.Errorf("at byte %d neither an entry nor the directory begins", off)
	}
	b := make([]byte, localHead)
	if _, err := io.ReadFull(r, b); err != nil {
		return m, cut(err)
	}
	le := binary.LittleEndian
	name := make([]byte, le.Uint16(b[26:]))
	if len(name) > maxNameBytes {
		return m, fmt.Errorf("at byte %d an entry begins whose name has %d bytes", off, len(name))
	}
	if _, err := io.ReadFull(r, name); err != nil {
		return m, cut(err)
	}
	m = member{path: string(name), size: int64(le.Uint32(b[22:])), crc: le.Uint32(b[14:]), off: off}
	if why := badName(m.path); why != "" {
		return m, errors.New(why)
	}
	switch flags, method := le.Uint16(b[6:]), le.Uint16(b[8:]); {
	case flags&1 != 0:
		return m, errors.New("it is encrypted as a whole; a hand-over with a password has to be opened first")
	case method != 0:
		return m, errors.New("it is compressed, and entries of evidence never are: what is small here cannot become large")
	case flags != 0:
		return m, errors.New("its header has flags that archives of evidence do not have")
	case le.Uint16(b[28:]) != 0:
		return m, errors.New("its header has an extra field")
	case le.Uint32(b[18:]) != le.Uint32(b[22:]):
		return m, errors.New("its header gives two sizes")
	}
	if differ(m.local(), append(b, name...)) >= 0 {
		return m, errors.New("its header is not written the one way it can be")
	}
	return m, nil
}

// cut is what an error of reading a header says: that the archive ends too early,
// unless the reading itself failed.
func cut(err error) error {
	if bad := (*readError)(nil); errors.As(err, &bad) {
		return err
	}
	return errors.New("the archive is cut short")
}
