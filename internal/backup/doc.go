// Package backup copies a data folder while it is in use, and puts copies back:
// backup, verify, restore, and the copy that is kept before an upgrade.
//
// # A store
//
// A store is a folder, or one file (a tar archive of the same), that holds
//
//	honeyguide-backup.json     what this is, the store's id, to whom it is encrypted
//	objects/ab/cdef...         contents, each under the SHA-256 of its bytes as stored
//	generations/ID.json        one manifest for each backup, signed
//	erasures.json              what was erased on the node up to now, signed; not in a file
//
// An object is the content of one file, encrypted to the store's recipient
// (age) unless the store is plain. A manifest names all its objects with their
// sizes, and one of them is the list of files: path, size, SHA-256 of the
// content, and the object that holds it. So everything can be verified without
// the key down to the last byte, and nothing can be read. What did not change
// since the last backup is named again and not copied again.
//
// A manifest is put in place, by rename, after everything it names is on the
// disk: a backup that was interrupted has none, and so does not exist.
//
// # The order of a copy
//
// The state comes first and everything it points at later: what the state says
// was read of the event log, written to the audit log, or put away as a sample
// is there in what is copied after it, because it was there before. So the
// cursor of a restored state never lies behind the end of the restored log. The
// keys come last: a key ring only grows while the copy runs.
//
// # A restore
//
// Everything is written into a folder inside the data folder, compared with its
// SHA-256, opened and checked, and only then put in the place of what was there,
// which is moved aside and not removed. A journal makes the change of places
// whole: see [Recover].
package backup
