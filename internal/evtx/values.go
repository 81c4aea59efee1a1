package evtx

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Types of values.
const (
	typeNull   = 0x00
	typeString = 0x01
	typeANSI   = 0x02
	typeInt8   = 0x03
	typeUint8  = 0x04
	typeInt16  = 0x05
	typeUint16 = 0x06
	typeInt32  = 0x07
	typeUint32 = 0x08
	typeInt64  = 0x09
	typeUint64 = 0x0a
	typeReal32 = 0x0b
	typeReal64 = 0x0c
	typeBool   = 0x0d
	typeBinary = 0x0e
	typeGUID   = 0x0f
	typeSize   = 0x10
	typeTime   = 0x11
	typeSystem = 0x12
	typeSID    = 0x13
	typeHex32  = 0x14
	typeHex64  = 0x15
	typeBinXML = 0x21
	typeArray  = 0x80
)

// sizes of the types that have one.
var sizes = map[byte]int{
	typeInt8: 1, typeUint8: 1, typeInt16: 2, typeUint16: 2, typeInt32: 4, typeUint32: 4, typeInt64: 8, typeUint64: 8, typeReal32: 4, typeReal64: 8,
	typeBool: 4, typeGUID: 16, typeTime: 8, typeSystem: 16, typeHex32: 4, typeHex64: 8,
}

// value writes a value as Windows shows it; those of a list are joined by commas.
func (w *writer) value(v value) {
	b := w.chunk[v.off : v.off+v.len]
	switch {
	case v.typ == typeArray|typeString:
		w.strings(b)
	case v.typ&typeArray != 0:
		typ := v.typ &^ typeArray
		n := sizes[typ]
		for i := 0; n > 0 && i+n <= len(b); i += n {
			if i > 0 {
				w.out = append(w.out, ", "...)
			}
			w.scalar(typ, b[i:i+n])
		}
	default:
		w.scalar(v.typ, b)
	}
}

// strings writes texts that each end with a zero.
func (w *writer) strings(b []byte) {
	for start, i := 0, 0; i+1 < len(b); i += 2 {
		if b[i] != 0 || b[i+1] != 0 {
			if i+3 >= len(b) {
				w.utf16(b[start:])
			}
			continue
		}
		w.utf16(b[start:i])
		if start = i + 2; start+1 < len(b) {
			w.out = append(w.out, ", "...)
		}
	}
}

// scalar writes one value. One that is too short for its type is left out.
func (w *writer) scalar(typ byte, b []byte) {
	if len(b) < sizes[typ] {
		return
	}
	le := binary.LittleEndian
	switch typ {
	case typeString:
		for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
			b = b[:len(b)-2]
		}
		w.utf16(b)
	case typeANSI:
		for _, c := range b {
			if c != 0 {
				w.rune(rune(c))
			}
		}
	case typeInt8:
		w.out = strconv.AppendInt(w.out, int64(int8(b[0])), 10)
	case typeUint8:
		w.out = strconv.AppendUint(w.out, uint64(b[0]), 10)
	case typeInt16:
		w.out = strconv.AppendInt(w.out, int64(int16(le.Uint16(b))), 10)
	case typeUint16:
		w.out = strconv.AppendUint(w.out, uint64(le.Uint16(b)), 10)
	case typeInt32:
		w.out = strconv.AppendInt(w.out, int64(int32(le.Uint32(b))), 10)
	case typeUint32:
		w.out = strconv.AppendUint(w.out, uint64(le.Uint32(b)), 10)
	case typeInt64:
		w.out = strconv.AppendInt(w.out, int64(le.Uint64(b)), 10)
	case typeUint64:
		w.out = strconv.AppendUint(w.out, le.Uint64(b), 10)
	case typeReal32:
		w.out = strconv.AppendFloat(w.out, float64(math.Float32frombits(le.Uint32(b))), 'g', -1, 32)
	case typeReal64:
		w.out = strconv.AppendFloat(w.out, math.Float64frombits(le.Uint64(b)), 'g', -1, 64)
	case typeBool:
		w.out = strconv.AppendBool(w.out, le.Uint32(b) != 0)
	case typeBinary:
		w.out = fmt.Appendf(w.out, "%X", b)
	case typeHex32:
		w.out = fmt.Appendf(w.out, "0x%x", le.Uint32(b))
	case typeHex64:
		w.out = fmt.Appendf(w.out, "0x%x", le.Uint64(b))
	case typeSize:
		if len(b) >= 8 {
			w.out = fmt.Appendf(w.out, "0x%x", le.Uint64(b))
		} else if len(b) >= 4 {
			w.out = fmt.Appendf(w.out, "0x%x", le.Uint32(b))
		}
	case typeTime:
		w.out = fileTime(le.Uint64(b)).AppendFormat(w.out, "2006-01-02T15:04:05.0000000Z")
	case typeSystem:
		w.out = systemTime(b).AppendFormat(w.out, "2006-01-02T15:04:05.000Z")
	case typeGUID:
		w.guid(b)
	case typeSID:
		w.sid(b)
	}
}

// systemTime reads year, month, weekday, day, hour, minute, second, millisecond.
func systemTime(b []byte) time.Time {
	f := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
	return time.Date(f(0), time.Month(f(1)), f(3), f(4), f(5), f(6), f(7)*1e6, time.UTC)
}

func (w *writer) guid(b []byte) {
	le := binary.LittleEndian
	w.out = fmt.Appendf(w.out, "{%08x-%04x-%04x-", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]))
	w.out = hex.AppendEncode(w.out, b[8:10])
	w.out = append(w.out, '-')
	w.out = hex.AppendEncode(w.out, b[10:16])
	w.out = append(w.out, '}')
}

// sid writes a security identifier: S-1-5-18.
func (w *writer) sid(b []byte) {
	if len(b) < 8 {
		return
	}
	authority := uint64(0)
	for _, c := range b[2:8] {
		authority = authority<<8 | uint64(c)
	}
	w.out = fmt.Appendf(w.out, "S-%d-%d", b[0], authority)
	for i := 8; i+4 <= len(b) && i < 8+4*int(b[1]); i += 4 {
		w.out = append(w.out, '-')
		w.out = strconv.AppendUint(w.out, uint64(binary.LittleEndian.Uint32(b[i:])), 10)
	}
}
