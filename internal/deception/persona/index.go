package persona

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// baseIndex lists what the packages of a Debian 12 server install: facts only,
// one file a line, its fields separated by tabs: path; kind, octal mode and,
// unless root's, owner and group (`e4755`, `d700:42:0`); size; time of change;
// target of a link or first line of a script. Kinds: d folder, l link,
// e program, o shared object, s script, t text, b other bytes.
//
//go:embed base.tsv
var baseIndex string

// packageIndex lists the packages: name, version, architecture, size in KiB,
// section, priority, essential, summary.
//
//go:embed packages.tsv
var packageIndex string

// loadIndex puts an index into an image. Folders get the time given.
func loadIndex(img *vfs.Image, index string, folders time.Time) error {
	for n := 1; index != ""; n++ {
		var line string
		line, index, _ = strings.Cut(index, "\n")
		if line == "" {
			continue
		}
		e, err := parseEntry(line)
		if err != nil {
			return fmt.Errorf("index line %d: %w", n, err)
		}
		if e.Mtime.IsZero() || e.Mode&vfs.TypeMask == vfs.Dir {
			e.Mtime = folders
		}
		if err := img.Add(e); err != nil {
			return fmt.Errorf("index line %d: %w", n, err)
		}
	}
	return nil
}

func parseEntry(line string) (vfs.Entry, error) {
	var f [5]string
	rest := line
	for i := range f {
		var more bool
		f[i], rest, more = strings.Cut(rest, "\t")
		if !more && i < 3 {
			return vfs.Entry{}, fmt.Errorf("%q has too few fields", line)
		}
	}
	mode, owner, _ := strings.Cut(f[1], ":")
	if len(mode) < 2 || !strings.HasPrefix(f[0], "/") {
		return vfs.Entry{}, fmt.Errorf("%q is no entry", line)
	}
	perm, err := strconv.ParseUint(mode[1:], 8, 12)
	if err != nil {
		return vfs.Entry{}, fmt.Errorf("mode %q: %w", mode, err)
	}
	size, err := strconv.ParseInt(f[2], 10, 48)
	if err != nil || size < 0 {
		return vfs.Entry{}, fmt.Errorf("size %q", f[2])
	}
	e := vfs.Entry{Path: f[0], Mode: uint32(perm), Size: size}
	if t, err := strconv.ParseInt(f[3], 10, 48); err == nil && t > 0 {
		e.Mtime = time.Unix(t, 0)
	}
	if owner != "" {
		u, g, _ := strings.Cut(owner, ":")
		uid, err1 := strconv.ParseUint(u, 10, 32)
		gid, err2 := strconv.ParseUint(g, 10, 32)
		if err1 != nil || err2 != nil {
			return vfs.Entry{}, fmt.Errorf("owner %q", owner)
		}
		e.UID, e.GID = uint32(uid), uint32(gid)
	}
	return e, kindOf(&e, mode[0], f[4])
}

// kindOf gives an entry its type and its content.
func kindOf(e *vfs.Entry, kind byte, target string) error {
	key := hashOf(e.Path)
	switch kind {
	case 'd':
		e.Mode |= vfs.Dir
	case 'l':
		e.Mode |= vfs.Symlink
		e.Target = target
	case 'e':
		e.Source = elf{key: key, size: e.Size}
	case 'o':
		e.Source = elf{key: key, size: e.Size, shared: true}
	case 's':
		e.Source = prose{key: key, head: target + "\n", size: e.Size}
	case 't':
		e.Source = prose{key: key, size: e.Size}
	case 'b':
		e.Source = bytesOf{key: key}
	default:
		return fmt.Errorf("kind %q", kind)
	}
	if e.Size == 0 {
		e.Source = nil
	}
	return nil
}

func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
