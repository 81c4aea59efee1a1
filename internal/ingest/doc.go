// Package ingest reads the alerts and logs of other products: files, standard
// input and uploads. It cuts a stream into records, finds out whose records
// they are, and turns each into events; what cannot be understood becomes a
// dead letter with source, line and reason, and the rest goes on.
//
// # How a stream is read
//
// gzip is recognised by its magic bytes. The framing is decided by the first
// non-blank byte and the first record, never by a file name: JSON lines, a JSON
// array, objects one after the other (pretty-printed or not), or CSV with a
// header line. Memory is bounded whatever comes: a record over the limit is
// skipped while it streams by and only its beginning is kept.
//
// # Whose record it is
//
// A [Mapper] knows one product. With format "auto" each record is offered to
// the mapper that took the one before, then to all; the best match takes it.
//
// # The same input twice
//
// Event.ID is derived from the time, the product and the record's own id (or,
// where it has none, its content and how often that came before in the input):
// the same record gives the same id in any file, on any machine, under any name.
// Within one [Read], and over the calls that share [Options].Seen, a record
// whose id was stored is counted as a duplicate and not emitted again; beyond
// that window it is up to the store and the detectors to merge what has the
// same id.
package ingest
