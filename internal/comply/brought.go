package comply

import "time"

// A Backup is how backups stand.
type Backup struct {
	Last      time.Time // of the last good one; zero: there is none
	Tested    time.Time // when one was restored as a test
	Encrypted bool      // the last one is
	Count     int64     // kept
}

// Backup keeps how backups stand.
func (f *Facts) Backup(b Backup) {
	const from = "backup"
	f.Count("backup.count", b.Count, from)
	f.Age("backup.last", b.Last, from)
	f.Age("backup.tested", b.Tested, from)
	if b.Last.IsZero() {
		f.Missing("backup.encrypted", "there is no backup")
		return
	}
	f.Flag("backup.encrypted", b.Encrypted, from)
}

// Secrets is how the node's keys stand.
type Secrets struct {
	Sealed  bool      // every key file is sealed under a master key
	Outside bool      // the master key comes from elsewhere than the data folder
	Plain   int64     // key files in clear
	Rotated time.Time // when the keys were changed or made
}

// Secrets keeps how the node's keys stand.
func (f *Facts) Secrets(s Secrets) {
	const from = "key ring"
	f.Flag("secrets.sealed", s.Sealed, from)
	f.Flag("secrets.outside", s.Outside, from)
	f.Count("secrets.plain", s.Plain, from)
	f.Age("secrets.rotated", s.Rotated, from)
}

// Privacy is how personal data are treated.
type Privacy struct {
	Classes  int64 // of data with a time limit of their own
	Erasures int64 // in the period
	Pending  int64 // requests that wait
}

// Privacy keeps how personal data are treated.
func (f *Facts) Privacy(p Privacy) {
	const from = "privacy desk"
	f.Count("retention.classes", p.Classes, from)
	f.Count("privacy.erasures", p.Erasures, from)
	f.Count("privacy.pending", p.Pending, from)
}

// Masking keeps after how many days addresses and names become pseudonyms, 0 =
// never, and whether purpose and legal basis are written down.
func (f *Facts) Masking(days float64, purpose bool) {
	const from = "settings privacy"
	f.Days("privacy.mask", days, from)
	f.Flag("privacy.purpose", purpose, from)
}

// Searched keeps how many personal data were found in captured text.
func (f *Facts) Searched(n int64) { f.Count("privacy.findings", n, "search of captured text") }

// Store is how what is stored fares.
type Store struct {
	Reserve     bool  // room is kept for a full disk
	Quarantined int64 // blocks and files set aside as damaged
}

// Store keeps how what is stored fares.
func (f *Facts) Store(s Store) {
	f.Flag("reserve.ready", s.Reserve, "file reserve in the data folder")
	f.Count("store.quarantined", s.Quarantined, "files set aside in the data folder")
}

// Refused keeps how many events were refused since the start.
func (f *Facts) Refused(n int64) {
	f.Count("events.lost", n, "metric honeyguide_eventlog_refused_events_total")
}
