package backup

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// memory is what the last backup to a store saw, so that what did not change is
// not read again. It lies in the data folder, because the program that writes an
// encrypted store cannot read it. Losing it costs one full copy.
type memory map[string]seen

// A seen is a file and what tells whether it has changed since.
type seen struct {
	File
	Inode uint64 `json:"inode"`
	Ctime int64  `json:"ctime"` // nanoseconds
}

func memoryFile(data, store string) string {
	return filepath.Join(data, memoryName, store+".jsonl")
}

// readMemory returns nothing when there is none, or it cannot be used.
func readMemory(data, store string) memory {
	m := memory{}
	f, err := os.Open(memoryFile(data, store))
	if err != nil {
		return m
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var s seen
		if json.Unmarshal(lines.Bytes(), &s) != nil || len(m) > maxObjects {
			return memory{}
		}
		m[s.Path] = s
	}
	if lines.Err() != nil {
		return memory{}
	}
	return m
}

// write keeps what a backup saw. It is a cache: no sync.
func writeMemory(data, store string, list []seen) error {
	file := memoryFile(data, store)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for i := range list {
		if err = enc.Encode(&list[i]); err != nil {
			break
		}
	}
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		_ = os.Remove(file + ".tmp") // it is of no use
		return err
	}
	return os.Rename(file+".tmp", file)
}

// look returns what tells a file from what it was.
func look(path string, st fs.FileInfo) seen {
	s := seen{File: File{Path: path, Size: st.Size(), Mode: uint32(st.Mode().Perm()), Mtime: st.ModTime().UTC()}}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		s.Inode, s.Ctime = sys.Ino, sys.Ctim.Nano()
	}
	return s
}

// same reports whether a file is what it was.
func (s seen) same(o seen) bool {
	return s.Inode != 0 && s.Inode == o.Inode && s.Ctime == o.Ctime && s.Mtime.Equal(o.Mtime) && s.File.Mode == o.File.Mode && s.Size == o.Size
}

// writeFiles writes a list of files, a line each.
func writeFiles(w io.Writer, list []File) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	for i := range list {
		if err := enc.Encode(&list[i]); err != nil {
			return err
		}
	}
	return b.Flush()
}

// readFiles reads a list of files, each checked: none twice, none outside.
func readFiles(r io.Reader, plain bool) ([]File, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var list []File
	known := map[string]bool{}
	for lines.Scan() {
		var f File
		if err := strict(lines.Bytes(), &f); err != nil {
			return nil, err
		}
		if err := f.check(plain); err != nil {
			return nil, err
		}
		if known[f.Path] || len(list) >= maxObjects {
			return nil, fmt.Errorf("%.200q is named twice, or there are too many files", f.Path)
		}
		known[f.Path] = true
		list = append(list, f)
	}
	return list, lines.Err()
}
