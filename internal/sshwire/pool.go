package sshwire

import "sync"

// Buffers come in two sizes: for what people type and servers say, and for
// packets full of data (32 KiB and what is around them). Longer ones are rare
// and left to the collector.
const (
	smallBuffer = 4 << 10
	largeBuffer = 36 << 10
)

var (
	smallPool = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largePool = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// lend returns a buffer of at least n bytes, its length being its capacity.
func lend(n int) []byte {
	switch {
	case n <= smallBuffer:
		return smallPool.Get().(*[smallBuffer]byte)[:]
	case n <= largeBuffer:
		return largePool.Get().(*[largeBuffer]byte)[:]
	}
	return make([]byte, roundUp(n))
}

// giveBack returns a buffer that lend returned.
func giveBack(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallPool.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case largeBuffer:
		largePool.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}
