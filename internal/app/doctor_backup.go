package app

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"honeyguide/internal/backup"
)

// Ages at which the doctor speaks up.
const (
	backupStale   = 7 * 24 * time.Hour  // without backup.every
	restoreUntold = 90 * 24 * time.Hour // since a backup was last unpacked and checked
)

// checkBackup says how old the last good backup is, and when one was last put to
// the test.
func checkBackup(s Settings, now time.Time) []Finding {
	p, err := backup.ReadPast(s.Node.Data)
	mend := "set backup.to, backup.recipient and backup.every; see docs/operations/backup.md"
	old := backupStale
	if s.Backup.Every > 0 {
		old, mend = 2*s.Backup.Every, "honeyguide backup status says why; see docs/operations/backup.md"
	}
	var out []Finding
	age := now.Sub(p.At).Truncate(time.Minute)
	switch {
	case err != nil:
		out = append(out, Finding{"backup", StatusWarn, fmt.Sprintf("how backups went cannot be read: %v", err), mend})
	case p.ID == "" && p.Error != "":
		out = append(out, Finding{"backup", StatusFail, "there is none; the last try failed: " + p.Error, mend})
	case p.ID == "":
		out = append(out, Finding{"backup", StatusWarn, "none was made yet", mend})
	case p.Error != "":
		out = append(out, Finding{"backup", StatusFail, fmt.Sprintf("the last try failed at %s: %s; the last good one is %s old", p.FailedAt.Format(time.RFC3339), p.Error, age), mend})
	case age > old:
		out = append(out, Finding{"backup", StatusFail, fmt.Sprintf("the last good one is %s old", age), mend})
	case p.Plain:
		out = append(out, Finding{"backup", StatusWarn, fmt.Sprintf("%s old, in %s, and not encrypted", age, p.To), "set backup.recipient or backup.passphrase, and another backup.to"})
	case sameDisk(p.To, s.Node.Data):
		out = append(out, Finding{"backup", StatusWarn, fmt.Sprintf("%s old, in %s, on the disk it is a copy of", age, p.To), "set backup.to to a folder of another disk or a mounted share"})
	default:
		out = append(out, ok("backup", "%s old, in %s", age, p.To))
	}
	switch tested := now.Sub(p.TestedAt); {
	case p.ID == "":
		out = append(out, Finding{"restore test", StatusWarn, "there is no backup to try it with", mend})
	case p.TestedAt.IsZero():
		out = append(out, Finding{"restore test", StatusWarn, "no backup was ever unpacked and checked", "honeyguide backup verify --identity FILE (or --passphrase-file FILE)"})
	case tested > restoreUntold:
		out = append(out, Finding{"restore test", StatusWarn, fmt.Sprintf("the last one was %d days ago", int(tested.Hours()/24)), "honeyguide backup verify --identity FILE (or --passphrase-file FILE)"})
	default:
		out = append(out, ok("restore test", "backup %s was unpacked and checked on %s", p.Tested, p.TestedAt.Format(time.DateOnly)))
	}
	return out
}

// sameDisk reports whether two paths are on one file system.
func sameDisk(a, b string) bool {
	device := func(path string) (uint64, bool) {
		st, err := os.Stat(path)
		if err != nil {
			return 0, false
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok {
			return 0, false
		}
		return sys.Dev, true
	}
	x, ok1 := device(a)
	y, ok2 := device(b)
	return ok1 && ok2 && x == y
}
