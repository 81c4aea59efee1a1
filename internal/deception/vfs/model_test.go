package vfs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// A model is the plainest file system there is: paths and what is at them. Two
// names of one file share it.
type model map[string]*thing

type thing struct {
	dir  bool
	text string
}

func (m model) parent(p string) bool {
	t, ok := m[p[:max(strings.LastIndexByte(p, '/'), 1)]]
	return ok && t.dir
}

func (m model) empty(p string) bool {
	for q := range m {
		if strings.HasPrefix(q, p+"/") {
			return false
		}
	}
	return true
}

// do carries out one operation and reports whether it works.
func (m model) do(op byte, a, b string) bool {
	t, there := m[a]
	u, taken := m[b]
	switch op % 8 {
	case 0: // mkdir
		if there || !m.parent(a) {
			return false
		}
		m[a] = &thing{dir: true}
	case 1: // write
		if there && t.dir || !m.parent(a) {
			return false
		}
		if !there {
			m[a] = &thing{}
		}
		m[a].text = b
	case 2: // append
		if !there || t.dir {
			return false
		}
		t.text += b
	case 3: // link
		if !there || t.dir || taken || !m.parent(b) {
			return false
		}
		m[b] = t
	case 4: // remove
		if !there || t.dir {
			return false
		}
		delete(m, a)
	case 5: // rmdir
		if !there || !t.dir || !m.empty(a) {
			return false
		}
		delete(m, a)
	case 6: // rename
		switch {
		case !there || !m.parent(b) || t.dir && strings.HasPrefix(b, a+"/") || strings.HasPrefix(a, b+"/"):
			return false
		case taken && (t.dir != u.dir || u.dir && a != b && !m.empty(b)):
			return false
		case a == b || taken && t == u:
			return true
		}
		m[b] = t
		delete(m, a)
		for _, q := range slices.Collect(maps.Keys(m)) {
			if strings.HasPrefix(q, a+"/") {
				m[b+q[len(a):]] = m[q]
				delete(m, q)
			}
		}
	case 7: // truncate
		if !there || t.dir {
			return false
		}
		t.text = t.text[:len(t.text)/2]
	}
	return true
}

// real does the same to a view.
func real(fs *vfs.FS, op byte, a, b string) error {
	open := func(flags int, with func(*vfs.File) error) error {
		f, err := fs.Open(root, a, flags, 0o644)
		if err != nil {
			return err
		}
		if err := with(f); err != nil {
			return err
		}
		return f.Close()
	}
	write := func(f *vfs.File) error { _, err := f.Write([]byte(b)); return err }
	switch op % 8 {
	case 0:
		return fs.Mkdir(root, a, 0o755)
	case 1:
		return open(vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, write)
	case 2:
		return open(vfs.O_WRONLY|vfs.O_APPEND, write)
	case 3:
		return fs.Link(root, a, b)
	case 4:
		return fs.Remove(root, a)
	case 5:
		return fs.Rmdir(root, a)
	case 6:
		return fs.Rename(root, a, b)
	default:
		return open(vfs.O_RDWR, func(f *vfs.File) error { return f.Truncate(f.Stat().Size / 2) })
	}
}

// FuzzModel does the same to a view and to the model and compares all they hold.
// Three bytes make one operation: what, on which of a few paths, and with which.
func FuzzModel(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x04\x01\x03\x04\x02\x06\x00\x01\x04\x05\x00\x05\x01\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x03\x00\x01\x09\x05\x06\x03\x01\x03\x05\x02\x04\x09\x00\x05\x00\x00\x06\x01\x02"))
	f.Add([]byte("\x01\x01\x02\x03\x01\x02\x06\x01\x02\x04\x01\x00\x02\x02\x01\x07\x02\x00\x06\x02\x02"))
	var paths []string
	for _, d := range []string{"/tmp", "/tmp/a", "/tmp/b", "/tmp/a/b"} {
		for _, n := range []string{"a", "b", "c"} {
			paths = append(paths, d+"/"+n)
		}
	}
	img := image(f)
	f.Fuzz(func(t *testing.T, ops []byte) {
		fs := img.NewFS(vfs.Quota{}, clock)
		m := model{"/tmp": {dir: true}}
		done := ""
		for ; len(ops) >= 3; ops = ops[3:] {
			op, a, b := ops[0], paths[int(ops[1])%len(paths)], paths[int(ops[2])%len(paths)]
			done += fmt.Sprintf("%d %s %s\n", op%8, a, b)
			err := real(fs, op, a, b)
			if ok := m.do(op, a, b); ok != (err == nil) {
				t.Fatalf("%sworks in the model: %v, in the view: %v", done, ok, err)
			}
		}
		want, bytes := "", 0
		seen := map[*thing]bool{}
		for _, p := range slices.Sorted(maps.Keys(m)) {
			if m[p].dir {
				want += p + "/\n"
				continue
			}
			want += p + " " + m[p].text + "\n"
			if !seen[m[p]] {
				seen[m[p]], bytes = true, bytes+len(m[p].text)
			}
		}
		if got := holds(t, fs, "/tmp"); got != want {
			t.Fatalf("%sview:\n%smodel:\n%s", done, got, want)
		}
		if used, _ := fs.Used(); used != int64(bytes) {
			t.Fatalf("%s%d bytes are charged for, there are %d", done, used, bytes)
		}
	})
}

// holds lists all below a path, sorted.
func holds(t *testing.T, fs *vfs.FS, dir string) string {
	out := []string{dir + "/"}
	var walk func(string)
	walk = func(dir string) {
		list, err := fs.ReadDir(root, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			p := dir + "/" + i.Name
			if i.Path != p {
				t.Fatalf("%s says its path is %s", p, i.Path)
			}
			if i.IsDir() {
				out = append(out, p+"/")
				walk(p)
				continue
			}
			s, err := cat(fs, root, p)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p+" "+s)
		}
	}
	walk(dir)
	slices.SortFunc(out, func(a, b string) int {
		key := func(s string) string { p, _, _ := strings.Cut(s, " "); return strings.TrimSuffix(p, "/") }
		return strings.Compare(key(a), key(b))
	})
	return strings.Join(out, "\n") + "\n"
}
