package image

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// Forge wraps columns as a file, so that fuzzing need not guess check sums.
func Forge(raw []byte) []byte {
	packed := binary.AppendUvarint(nil, uint64(len(raw)))
	var z bytes.Buffer
	w, _ := flate.NewWriter(&z, flate.BestSpeed)
	_, _ = w.Write(raw)
	_ = w.Close()
	packed = append(packed, z.Bytes()...)
	head := binary.LittleEndian.AppendUint32(append([]byte(magic), version), crc32.ChecksumIEEE(packed))
	return append(head, packed...)
}

// Columns is what Forge wraps.
func Columns(file []byte) []byte {
	_, n := binary.Uvarint(file[9:])
	raw, _ := io.ReadAll(flate.NewReader(bytes.NewReader(file[9+n:])))
	return raw
}
