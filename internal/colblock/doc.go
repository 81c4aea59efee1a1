// Package colblock packs events into column blocks and takes them out again. It
// is a pure codec: no files, no clock. A block holds up to MaxRows events in four
// blobs: hot (what most questions are decided by), cold (the rest), raw (the
// input as it came) and a Bloom filter over the terms a question may name.
//
// # Format, version 1
//
// hot, cold and raw are one zstd frame each, with checksum. Uncompressed, a group is
//
//	u8 version = 1, uvarint number of columns,
//	per column: uvarint id, u8 encoding, uvarint length,
//	the bytes of the columns in the same order
//
// A reader skips columns it does not know. Encodings, for a column of n values:
//
//	0 constant    u8 inner encoding (1, 2, 3, 5), then one value: all are equal
//	1 byte        n bytes
//	2 uvarint     n varints
//	3 difference  n zigzag varints, each the difference to the value before it (to 0 at first)
//	4 dictionary  uvarint k, k x (uvarint length, bytes), n x uvarint code; code 0 is the empty text, not written
//	5 plain       n x uvarint length, then the bytes
//	6 float       n x 8 bytes, IEEE 754, little endian
//	8 ident       n x u8 form, then per value: form 0 nothing (empty), 1 the 16 bytes of an id of 26 characters,
//	              2 uvarint length and bytes
//
// Column id 0 is a named attribute: its bytes begin with uvarint length, name,
// u8 type (s, i, f, b or j for JSON), a bitmap of the rows that have it (row 0 is
// bit 0 of byte 0), and hold values for those rows only. More than maxAttrs
// (name, type) pairs in one block go into one column of length-prefixed triples.
// A list is a column of counts and one column per field for all members.
//
// An event with an outbox but no id has the id of [EventID] and stores none.
//
// Whatever a decoder meets, it answers with an error: counts are checked against
// the number of rows, lengths against what is left, and a frame that would unpack
// to more than 16 MiB is refused.
package colblock
