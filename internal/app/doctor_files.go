package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"honeyguide"
)

// checkConfigFiles says whether others can read the configuration.
func checkConfigFiles(s Settings) Finding {
	const name = "configuration files"
	var loose []string
	for _, file := range s.Files {
		if st, err := os.Stat(file); err == nil && st.Mode().Perm()&0o077 != 0 {
			loose = append(loose, file)
		}
	}
	switch {
	case len(s.Files) == 0:
		return ok(name, "none: the defaults and the environment count")
	case len(loose) > 0:
		return Finding{name, StatusWarn, strings.Join(loose, ", ") + " can be read by others; it names what is watched, and may hold secrets", "chmod 600 " + strings.Join(loose, " ") + ", or honeyguide doctor --fix"}
	}
	return ok(name, "%s: private", strings.Join(s.Files, ", "))
}

// Fix takes rights to files from others, where the checklist asks for it, and says
// what it changed. Nothing else is mended without a person.
func Fix(s Settings) (did []string, err error) {
	var errs []error
	shut := func(path string, st fs.FileInfo, mode fs.FileMode) {
		if st.Mode().Perm()&0o077 == 0 {
			return
		}
		if err := os.Chmod(path, mode); err != nil {
			errs = append(errs, err)
			return
		}
		did = append(did, fmt.Sprintf("%s: %04o to %04o", path, st.Mode().Perm(), mode))
	}
	for _, file := range s.Files {
		if st, err := os.Stat(file); err == nil && st.Mode().IsRegular() {
			shut(file, st, 0o600)
		}
	}
	data := s.Node.Data
	st, err := os.Stat(data)
	if errors.Is(err, fs.ErrNotExist) {
		return did, errors.Join(errs...)
	}
	if err != nil {
		return did, errors.Join(append(errs, err)...)
	}
	if !st.IsDir() {
		return did, errors.Join(append(errs, invalid("node.data: %s is no folder", data))...)
	}
	shut(data, st, 0o700)
	errs = append(errs, filepath.WalkDir(filepath.Join(data, "keys"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			shut(path, info, 0o700)
		case info.Mode().IsRegular(): // a link leads elsewhere: that is not ours to change
			shut(path, info, 0o600)
		}
		return nil
	}))
	return did, errors.Join(errs...)
}

// checkMode says whether this is production.
func checkMode(s Settings) Finding {
	if s.Node.Mode != "production" {
		return Finding{"mode", StatusWarn, "node.mode is " + s.Node.Mode, "set node.mode: production (HONEYPOT_MODE=production)"}
	}
	return ok("mode", "production")
}

// checkThreshold says from what severity on an alert opens an incident.
func checkThreshold(s Settings) Finding {
	if s.Detect.Threshold > honeyguide.SeverityHigh {
		return Finding{"threshold", StatusWarn, "only " + s.Detect.Threshold.String() + " alerts open incidents", "set detect.threshold: medium (THREAT_THRESHOLD)"}
	}
	return ok("threshold", "alerts of %s and more open incidents", s.Detect.Threshold)
}

// longRetention is more than most purposes need.
const longRetention = 400

func checkRetention(s Settings) Finding {
	if n := s.longest(); n > longRetention {
		return Finding{"retention", StatusWarn, fmt.Sprintf("a class of data is kept %d days", n), "set store.retention_days (DATA_RETENTION_DAYS), and what stands below privacy, to what your purpose needs; 90 is usual"}
	}
	readable := "and addresses and names are readable as long"
	if n := s.Privacy.Pseudonyms; n > 0 {
		readable = fmt.Sprintf("and addresses and names become pseudonyms after %d days", n)
	}
	return ok("retention", "no class of data is kept longer than %d days, %s", s.longest(), readable)
}

// checkSegment says in how many networks this machine stands: decoys belong into
// one of their own.
func checkSegment() Finding {
	const name = "segment"
	list, err := net.InterfaceAddrs()
	if err != nil {
		return Finding{name, StatusWarn, fmt.Sprint(err), "look at the networks of this machine with ip address"}
	}
	nets := map[string]bool{}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() && n.IP.To4() != nil {
			nets[(&net.IPNet{IP: n.IP.Mask(n.Mask), Mask: n.Mask}).String()] = true
		}
	}
	if len(nets) > 1 {
		return Finding{name, StatusWarn, fmt.Sprintf("this machine stands in %d networks; who escaped from a decoy would stand in all of them", len(nets)), "give the decoys a machine in a segment of its own, and let its firewall deny what they do not need"}
	}
	return ok(name, "networks this machine stands in, besides its own: %d; that the decoys' is one of its own only its firewall can show", len(nets))
}
