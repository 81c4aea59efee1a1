package colblock

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"honeyguide"
)

// Bounds of a block.
const (
	MaxRows    = 4096     // rows a block may have
	maxUnpack  = 16 << 20 // bytes of an uncompressed group a decoder accepts
	maxMembers = 1 << 18  // members of all lists of one block
	maxAttrs   = 256      // attributes that get a column of their own
	version    = 1
)

// Flags of a block.
const (
	FlagWordsIncomplete = 1 << 0 // the Bloom filter lacks words: word questions look inside
	FlagTermsIncomplete = 1 << 1 // it lacks other terms too: every question looks inside
)

// ErrCorrupt is what every decoder error is about.
var ErrCorrupt = errors.New("block is corrupt")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// A Row is one event with its identity.
type Row struct {
	Outbox  string
	Number  int64
	Derived bool // the event's id is that of EventID and need not be kept
	Event   honeyguide.Event
}

// A Block is a packed run of rows.
type Block struct {
	N         int   // rows
	TS0, TS1  int64 // earliest and latest event time, microseconds since 1970
	Sev       uint8 // bit s is set when a row has severity s
	Flags     uint32
	Hot, Cold []byte
	Raw       []byte // nil when no row has raw input
	Bloom     []byte
}

// The columns. Numbers are for good: they are in files.
const (
	colAttr     = 0 // named attribute
	colTime     = 1
	colObserved = 2 // minus time
	colSeverity = 3
	colClass    = 4
	colActivity = 5
	colSensor   = 6
	colSession  = 7
	colSrc      = 8 // address
	colService  = 9
	colAttacks  = 10 // sorted distinct technique ids, escaped, joined by a space
	colDstPort  = 11
	colOutbox   = 12
	colNumber   = 13

	colID         = 20
	colSrcPort    = 21
	colSrcHost    = 22
	colSrcCountry = 23
	colSrcASN     = 24
	colSrcASOrg   = 25
	colDst        = 26
	colDstHost    = 27
	colDstCountry = 28
	colDstASN     = 29
	colDstASOrg   = 30

	colObsCount   = 40
	colObsName    = 41
	colObsType    = 42
	colObsValue   = 43
	colTechCount  = 44
	colTechID     = 45
	colTechTactic = 46
	colTechWhy    = 47
	colMoreAttrs  = 48 // attributes beyond maxAttrs

	colRaw = 60
)

// Encodings.
const (
	encConst   = 0
	encByte    = 1
	encUvarint = 2
	encDiff    = 3
	encDict    = 4
	encPlain   = 5
	encFloat   = 6
	encIdent   = 8
)

// newCompressor returns the zstd encoder: the fastest level, with checksum.
func newCompressor() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
}

// newDecompressor returns the zstd decoder, limited in memory.
func newDecompressor() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxUnpack), zstd.WithDecoderMaxWindow(maxUnpack))
}
