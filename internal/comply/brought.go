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
	Classes  int64   // of data with a time limit of their own
	MaskDays float64 // until addresses and names become pseudonyms; 0: never
	Erasures int64   // in the period
	Pending  int64   // requests that wait
	Findings int64   // personal data found in captured text, in the period
	Searched bool    // captured text is searched for personal data
	Purpose  bool    // purpose and legal basis are written down
}

// Privacy keeps how personal data are treated.
func (f *Facts) Privacy(p Privacy) {
	const from = "privacy"
	f.Count("retention.classes", p.Classes, "settings privacy")
	f.Days("privacy.mask", p.MaskDays, "settings privacy")
	f.Count("privacy.erasures", p.Erasures, from)
	f.Count("privacy.pending", p.Pending, from)
	f.Flag("privacy.purpose", p.Purpose, "settings privacy")
	if p.Searched {
		f.Count("privacy.findings", p.Findings, from)
	} else {
		f.Missing("privacy.findings", "captured text is not searched for personal data")
	}
}

// Store is how what is stored fares.
type Store struct {
	Reserve     bool  // room is kept for a full disk
	Quarantined int64 // blocks and files set aside as damaged
	Lost        int64 // events refused for want of room since the start
}

// Store keeps how what is stored fares.
func (f *Facts) Store(s Store) {
	const from = "event log"
	f.Flag("reserve.ready", s.Reserve, from)
	f.Count("store.quarantined", s.Quarantined, from)
	f.Count("events.lost", s.Lost, from)
}
