package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"honeyguide/internal/seal"
)

// How old keys may become before the doctor speaks of them.
const (
	dataKeyAge   = 365 * 24 * time.Hour
	masterKeyAge = 2 * dataKeyAge
)

// checkSecrets says how private files and secrets are kept. It changes nothing.
func checkSecrets(s Settings, now time.Time) []Finding {
	return append(checkVault(s, now), checkModes(s.Node.Data))
}

func checkVault(s Settings, now time.Time) []Finding {
	if !s.Secrets.Encryption {
		return []Finding{{"encryption", StatusWarn, "off: the keys of this node and second factors lie in clear", "remove secrets.encryption: false, or ENABLE_ENCRYPTION=false"}}
	}
	o := vaultOptions(s)
	o.ReadOnly, o.Now = true, func() time.Time { return now }
	v, err := seal.OpenVault(o)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isFile(filepath.Join(o.Dir, seal.RingFile)):
		return []Finding{{"encryption", StatusWarn, "there are no keys yet", "they are made at the first start"}}
	case err != nil:
		return []Finding{{"encryption", StatusFail, fmt.Sprint(err), "docs/operations/secrets.md"}}
	case !v.Sealed():
		return []Finding{{"encryption", StatusWarn, "the keys of this node still lie in clear", "they are sealed at the next start"}}
	}
	st, err := v.Status()
	if err != nil {
		return []Finding{{"encryption", StatusFail, fmt.Sprint(err), "docs/operations/secrets.md"}}
	}
	return []Finding{checkSealed(st, now), checkMaster(s, st, now)}
}

// checkSealed is about the data keys.
func checkSealed(st seal.Status, now time.Time) Finding {
	age := now.Sub(st.Keys[0].Made)
	switch {
	case st.Rotating():
		return Finding{"encryption", StatusWarn, fmt.Sprintf("a change of the data keys is not over: %d files are under an older one", st.Stale), "start the core, or honeyguide secrets rotate"}
	case len(st.Clear) > 0:
		return Finding{"encryption", StatusWarn, "in clear: " + strings.Join(st.Clear, ", "), "sealed when they are used next; remove what is not used any more"}
	case age > dataKeyAge:
		return Finding{"encryption", StatusWarn, fmt.Sprintf("the data key is %d days old", int(age/(24*time.Hour))), "honeyguide secrets rotate"}
	}
	return ok("encryption", "%d private files are sealed; the data key is %d days old", st.Files, int(age/(24*time.Hour)))
}

// checkMaster is about the master key.
func checkMaster(s Settings, st seal.Status, now time.Time) Finding {
	const mend = "give it from elsewhere: a systemd credential honeyguide.key, SOC_ENCRYPTION_KEY_FILE or secrets.key_file; see docs/operations/secrets.md"
	age := now.Sub(st.MasterAt)
	from := s.Secrets.master()
	switch {
	case st.Masters > 1:
		return Finding{"master key", StatusWarn, "a new master key waits for its first use, and the one before is still good", "put the new one into the configuration and restart"}
	case st.Master == seal.MasterOwn:
		return Finding{"master key", StatusWarn, seal.MasterFile + " lies beside the data: who copies the whole folder can open it", mend}
	case isFile(filepath.Join(keysFolder(s), seal.MasterFile)):
		return Finding{"master key", StatusWarn, seal.MasterFile + " is not used any more, and opens old copies of the folder", "move it to where those are kept, or remove it"}
	case from.Key != "" && os.Getenv("SOC_ENCRYPTION_KEY") != "":
		return Finding{"master key", StatusWarn, "it stands in the environment, which the processes of this user can read", mend}
	case age > masterKeyAge:
		return Finding{"master key", StatusWarn, fmt.Sprintf("it is %d days old", int(age/(24*time.Hour))), "honeyguide secrets rotate --master; see docs/how-to/rotate-keys.md"}
	}
	return ok("master key", "given from outside the data folder, %d days ago", int(age/(24*time.Hour)))
}

// checkModes says whether others can read or replace what lies in the data folder.
func checkModes(data string) Finding {
	m, err := lookModes(data, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{"file modes", StatusWarn, "there is no data folder yet", "it is made at the first start"}
	case err != nil:
		return Finding{"file modes", StatusFail, fmt.Sprint(err), "run as the user that owns the folder"}
	case len(m.repaired) > 0:
		return Finding{"file modes", StatusFail, fmt.Sprintf("%d let others in, such as %s", len(m.repaired), m.repaired[0]), "the next start repairs them; or chmod -R go= " + data}
	case len(m.foreign) > 0:
		return Finding{"file modes", StatusWarn, fmt.Sprintf("%d belong to another user, such as %s", len(m.foreign), m.foreign[0]), "chown -R the folder to the user Honeyguide runs as"}
	case len(m.open) > 0:
		return Finding{"file modes", StatusWarn, "others may put something else in the place of what lies in " + strings.Join(m.open, ", "), "chmod go-w these folders, or choose another place"}
	}
	return ok("file modes", "for their owner alone, up to the root")
}
