package rulebook

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"honeyguide/internal/config"
	"honeyguide/internal/sigma"
)

// ShippedPrefix begins the file names of the rules the product ships.
const ShippedPrefix = "shipped:"

// Bounds of a folder of rules.
const (
	maxFiles = 20_000
	maxFile  = 4 << 20
	maxTotal = 256 << 20
)

// IsRule reports whether a file of this name is read as rules: YAML, and no
// examples beside a rule (NAME.test.yaml).
func IsRule(name string) bool {
	base := strings.ToLower(path.Base(filepath.ToSlash(name)))
	stem, ok := strings.CutSuffix(base, ".yml")
	if !ok {
		stem, ok = strings.CutSuffix(base, ".yaml")
	}
	return ok && !strings.HasPrefix(base, ".") && !strings.HasSuffix(stem, ".test")
}

// loaded is what the files say.
type loaded struct {
	shipped, own sigma.Ruleset
}

// load reads the shipped rules and the folder.
func load(opt *Options) *loaded {
	l := &loaded{}
	with, err := readPlaceholders(opt.Placeholders)
	if err != nil {
		l.own.Faults = append(l.own.Faults, sigma.Fault{File: opt.Placeholders, Line: 1, Kind: sigma.FaultError, Why: err.Error()})
	}
	if opt.Shipped != nil {
		ReadFolder(&l.shipped, opt.Shipped, ShippedPrefix, with)
	}
	if opt.Folder != "" {
		if _, err := os.Stat(opt.Folder); !errors.Is(err, fs.ErrNotExist) {
			ReadFolder(&l.own, os.DirFS(opt.Folder), strings.TrimSuffix(opt.Folder, "/")+"/", with)
		}
	}
	return l
}

// ReadFolder adds every rule file below a folder to a set, in the order of the
// names; prefix stands before the names of files in faults. What cannot be read
// is a fault.
func ReadFolder(set *sigma.Ruleset, folder fs.FS, prefix string, with sigma.Placeholders) {
	fault := func(name string, why string) {
		set.Faults = append(set.Faults, sigma.Fault{File: prefix + name, Line: 1, Kind: sigma.FaultError, Why: why})
	}
	files, total := 0, 0
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			fault(name, err.Error())
			return nil
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.Type().IsRegular() || !IsRule(name):
			return nil
		}
		if files++; files > maxFiles {
			fault(name, fmt.Sprintf("more than %d files of rules; the rest is not read", maxFiles))
			return fs.SkipAll
		}
		text, err := readFile(folder, name)
		if err != nil {
			fault(name, err.Error())
			return nil
		}
		if total += len(text); total > maxTotal {
			fault(name, fmt.Sprintf("more than %d MiB of rules; the rest is not read", maxTotal>>20))
			return fs.SkipAll
		}
		set.Add(prefix+name, text, with)
		return nil
	})
	if err != nil {
		fault(".", err.Error())
	}
}

// readFile reads one file up to the bound; a larger one is an error.
func readFile(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("the file is larger than %d MiB", maxFile>>20)
	}
	return text, err
}

// readPlaceholders reads a file of names and, for each, its values.
func readPlaceholders(file string) (sigma.Placeholders, error) {
	with := sigma.Placeholders{}
	if file == "" {
		return with, nil
	}
	text, err := readFile(os.DirFS(filepath.Dir(file)), filepath.Base(file))
	if err != nil {
		return with, err
	}
	into := map[string][]string(with)
	if err := config.Strict(file, text)(&into); err != nil {
		return sigma.Placeholders{}, err
	}
	return into, nil
}

// markOf tells one state of the files from another: names, sizes, times and
// inodes. Contents are not read.
func markOf(folder, placeholders string) string {
	h := fnv.New128a()
	note := func(name string, st fs.FileInfo) {
		line := name + "\x00" + strconv.FormatInt(st.Size(), 36) + "\x00" + strconv.FormatInt(st.ModTime().UnixNano(), 36)
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			line += "\x00" + strconv.FormatUint(sys.Ino, 36)
		}
		_, _ = io.WriteString(h, line+"\n") // a hash takes everything
	}
	n := 0
	if folder != "" {
		// What cannot be read is a fault when the folder is read; here it is no change.
		_ = filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !IsRule(name) {
				return nil
			}
			if n++; n > maxFiles {
				return fs.SkipAll
			}
			if st, err := d.Info(); err == nil {
				note(name, st)
			}
			return nil
		})
	}
	if placeholders != "" {
		if st, err := os.Stat(placeholders); err == nil {
			note(placeholders, st)
		}
	}
	return string(h.Sum(nil))
}

// Text returns the text of the file an entry stands in.
func (b *Book) Text(e *Entry) (string, error) {
	if name, ok := strings.CutPrefix(e.Meta.File, ShippedPrefix); ok {
		text, err := readFile(b.opt.Shipped, name)
		return string(text), err
	}
	name, err := filepath.Rel(b.opt.Folder, e.Meta.File)
	if err != nil {
		return "", err
	}
	text, err := readFile(os.DirFS(b.opt.Folder), filepath.ToSlash(name))
	return string(text), err
}

// sorted returns faults by file and line.
func sorted(faults []sigma.Fault) []sigma.Fault {
	slices.SortStableFunc(faults, func(a, b sigma.Fault) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return faults
}

// Shipped returns the folder of rules in what the product carries.
func Shipped(carried fs.FS) (fs.FS, error) { return fs.Sub(carried, "sigma") }
