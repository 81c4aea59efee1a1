package comply

import "time"

// A Backup is how backups stand.
type Backup struct {
	Last      time.Time // of the last good one; zero: there is none
	Tested    time.Time // when one was unpacked and checked
	Encrypted bool      // the last one is
}

// Backup keeps how backups stand.
func (f *Facts) Backup(b Backup) {
	const from = "journal of backups"
	f.Flag("backup.made", !b.Last.IsZero(), from)
	f.Age("backup.last", b.Last, from)
	f.Flag("backup.tried", !b.Tested.IsZero(), from)
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

// Erasing is how requests to erase fare.
type Erasing struct {
	Done    int64 // of those made in the period
	Waiting int64
	Overdue int64 // of those that wait
}

// Erasing keeps how requests to erase fare.
func (f *Facts) Erasing(e Erasing) {
	const from = "privacy desk"
	f.Count("privacy.requests", e.Done+e.Waiting, from)
	f.Count("privacy.erasures", e.Done, from)
	f.Count("privacy.pending", e.Waiting, from)
	f.Count("privacy.overdue", e.Overdue, from)
}

// Kept is how long data are kept.
type Kept struct {
	Events  int       // days
	Longest int       // days of the class that is kept longest
	Endless int64     // classes kept for ever
	Oldest  time.Time // of the events there are; zero: there are none
}

// Kept keeps how long data are kept. Events go day by day, so the oldest are a day
// old when their limit is over.
func (f *Facts) Kept(k Kept) {
	const from = "retention of data"
	f.Days("retention.events", float64(k.Events), from)
	f.Days("retention.longest", float64(k.Longest), from)
	f.Count("retention.endless", k.Endless, from)
	late := 0.0
	if !k.Oldest.IsZero() {
		late = max(f.At.Sub(k.Oldest).Hours()/24-float64(k.Events)-1, 0)
	}
	f.Days("retention.late", late, from)
}

// Evidence is how evidence is kept.
type Evidence struct {
	Chains, Broken int64 // of custody
	Ready, Failed  int64 // bundles of the period
	Serious        int64 // incidents of the period
	Sealed         int64 // of these, with a bundle
}

// Evidence keeps how evidence is kept.
func (f *Facts) Evidence(e Evidence) {
	const from = "state: custody, bundles, incidents"
	f.Count("evidence.chains", e.Chains, from)
	f.Count("evidence.broken", e.Broken, from)
	f.Count("evidence.bundles", e.Ready, from)
	f.Count("evidence.failed", e.Failed, from)
	f.Count("evidence.serious", e.Serious, from)
	f.Share("evidence.sealed", e.Sealed, e.Serious, from)
}

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
