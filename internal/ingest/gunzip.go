package ingest

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"honeyguide"
)

const (
	// maxRatio is how many bytes one compressed byte may become on the whole.
	// Logs reach 10 to 40; gzip itself could reach 1030.
	maxRatio = 250
	// freeBytes may come out before the ratio is looked at.
	freeBytes = 64 << 20
)

// A meter counts what is read through it and tells how far it got.
type meter struct {
	r        io.Reader
	n, told  int64
	progress func(int64)
}

// toldEvery is how often progress is told, in bytes.
const toldEvery = 256 << 10

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.progress != nil && (m.n-m.told >= toldEvery || err != nil && m.n > m.told) {
		m.told = m.n
		m.progress(m.n)
	}
	return n, err
}

// A limit ends a stream that grows beyond its bounds.
type limit struct {
	r     io.Reader
	n     int64
	max   int64  // bytes in all; 0: no bound
	input *meter // of the compressed bytes; nil when there are none
}

func (l *limit) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	if l.max > 0 && l.n > l.max {
		return 0, refuse(fmt.Sprintf("the input is larger than %d bytes: split it", l.max))
	}
	if l.input != nil && l.n > freeBytes && l.n/maxRatio > l.input.n {
		return 0, refuse(fmt.Sprintf("the compressed input becomes more than %d times as large: decompress and check it first", maxRatio))
	}
	if err != nil && l.input != nil && !errors.Is(err, io.EOF) {
		err = damaged(err)
	}
	return n, err
}

// damaged says which errors are the compressed data's own fault.
func damaged(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "the compressed input is damaged or cut off", Err: err}
	}
	return err
}

// open undoes up to two layers of gzip: a compressed file that was sent with a
// compressed transfer.
func open(in *meter, maxBytes int64) (io.Reader, error) {
	br := bufio.NewReaderSize(in, 32<<10)
	var r io.Reader = br
	zipped := false
	for range 2 {
		magic, _ := br.Peek(2)
		if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			break
		}
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("open the compressed input: %w", damaged(err))
		}
		zipped = true
		br = bufio.NewReaderSize(z, 32<<10)
		r = br
	}
	l := &limit{r: r, max: maxBytes}
	if zipped {
		l.input = in
	}
	return l, nil
}
