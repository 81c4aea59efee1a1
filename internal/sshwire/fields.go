package sshwire

import (
	"encoding/binary"
	"math/bits"
)

// Message numbers of RFC 4250 section 4.1.2 and of the key exchanges.
const (
	msgDisconnect     = 1
	msgIgnore         = 2
	msgUnimplemented  = 3
	msgDebug          = 4
	msgServiceRequest = 5
	msgServiceAccept  = 6
	msgExtInfo        = 7
	msgKexInit        = 20
	msgNewKeys        = 21
	msgKexDHInit      = 30
	msgKexDHReply     = 31
	msgGexGroup       = 31
	msgGexInit        = 32
	msgGexReply       = 33
	msgGexRequest     = 34
	msgAuthRequest    = 50
	msgAuthFailure    = 51
	msgAuthSuccess    = 52
	msgAuthPKOK       = 60
	msgAuthInfo       = 60
	msgAuthResponse   = 61
	msgGlobalRequest  = 80
	msgGlobalSuccess  = 81
	msgGlobalFailure  = 82
	msgOpen           = 90
	msgOpenConfirm    = 91
	msgOpenFailure    = 92
	msgWindowAdjust   = 93
	msgData           = 94
	msgExtendedData   = 95
	msgEOF            = 96
	msgClose          = 97
	msgRequest        = 98
	msgRequestSuccess = 99
	msgRequestFailure = 100
	msgLocalMin       = 192 // from here on sshd takes no message at all
)

// fields reads the fields of a payload (RFC 4251 section 5). After the first
// field that is not there it is bad and reads nothing more. Byte strings alias
// the payload.
type fields struct {
	p   []byte
	bad bool
}

func (f *fields) take(n uint32) []byte {
	if f.bad || uint64(n) > uint64(len(f.p)) {
		f.bad, f.p = true, nil
		return nil
	}
	b := f.p[:n:n]
	f.p = f.p[n:]
	return b
}

func (f *fields) byte() byte {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) bool() bool { return f.byte() != 0 }

func (f *fields) number() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *fields) bytes() []byte { return f.take(f.number()) }

func (f *fields) text() string { return string(f.bytes()) }

// appendNumber appends a uint32.
func appendNumber(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }

// appendString appends a string with its length.
func appendString[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(appendNumber(b, uint32(len(s))), s...)
}

// appendMpint appends a positive integer given by its big-endian magnitude.
func appendMpint(b, magnitude []byte) []byte {
	for len(magnitude) > 0 && magnitude[0] == 0 {
		magnitude = magnitude[1:]
	}
	if len(magnitude) > 0 && magnitude[0]&0x80 != 0 {
		b = append(appendNumber(b, uint32(len(magnitude)+1)), 0)
		return append(b, magnitude...)
	}
	return appendString(b, magnitude)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// roundUp returns the next power of two.
func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) }
