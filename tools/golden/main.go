// Command golden records what the real programs of a Debian 12 server answer
// to the cases of test/fidelity/cases, and writes test/fidelity/golden.
//
//	go run ./golden [-root DIR] [-only ID] REPOSITORY
//
// Every case runs twice, each time in a box of its own: a fresh upper layer
// over the root, new mount, pid, net, ipc and uts namespaces, loopback only.
// A case whose two answers differ is not recorded: it needs a mask or a better
// question. Needs root; without -root it makes the root with debootstrap.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == boxWord {
		boxMain()
		return
	}
	root := flag.String("root", "", "a Debian 12 root to record in; empty makes one")
	only := flag.String("only", "", "show the answers of the cases whose id begins so, and write nothing")
	fresh := flag.Bool("new", false, "record only what is not in the golden files yet")
	flag.Parse()
	repo := ".."
	if flag.NArg() > 0 {
		repo = flag.Arg(0)
	}
	if err := run(repo, *root, *only, *fresh); err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
}

func run(repo, root, only string, fresh bool) error {
	if os.Getuid() != 0 {
		return errors.New("namespaces and overlays need root")
	}
	tmp, err := os.MkdirTemp("", "golden")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if root == "" {
		root = filepath.Join(tmp, "root")
		if err := makeRoot(root, filepath.Join(repo, "test", "fidelity", "packages.txt")); err != nil {
			return err
		}
	}
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	persona, err := prepare(tmp)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(repo, "test", "fidelity", "cases", "*.txt"))
	if err != nil {
		return err
	}
	var odd []string
	for _, path := range files {
		book, err := readBook(path)
		if err != nil {
			return err
		}
		book.keep(only)
		name := filepath.Join(repo, "test", "fidelity", "golden", strings.TrimSuffix(filepath.Base(path), ".txt")+".json")
		if fresh {
			if err := book.remember(name); err != nil {
				return err
			}
		}
		odd = append(odd, record(book, strings.Join([]string{persona, root}, ":"))...)
		if only != "" {
			show(book)
			continue
		}
		if err := book.write(name); err != nil {
			return err
		}
		fmt.Printf("%-18s %4d cases %4d scenarios\n", filepath.Base(name), len(book.Cases), len(book.Scenarios))
	}
	if len(odd) > 0 {
		return fmt.Errorf("not recorded, because two recordings differ or failed:\n%s", strings.Join(odd, "\n"))
	}
	return nil
}

func show(b *book) {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	for _, c := range b.Cases {
		enc.Encode(c)
	}
	for _, s := range b.Scenarios {
		fmt.Printf("%s (exit %v)\n", s.ID, s.Exit)
		for _, st := range s.Steps {
			fmt.Printf("  %q -> %q\n", st.In, st.Out)
		}
	}
}

// record fills the answers in, drops what two recordings do not agree on, and
// says what it dropped.
func record(b *book, lower string) (odd []string) {
	var mu sync.Mutex
	work := make(chan func(), 1)
	var wg sync.WaitGroup
	for range 4 { // scenarios mostly wait for silence
		wg.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	drop := func(id, why string) {
		mu.Lock()
		defer mu.Unlock()
		odd = append(odd, "  "+id+": "+why)
	}
	for _, c := range b.Cases {
		if !c.done {
			work <- func() { c.record(lower, drop) }
		}
	}
	for _, s := range b.Scenarios {
		if !s.done {
			work <- func() { s.record(lower, drop) }
		}
	}
	close(work)
	wg.Wait()
	b.dropEmpty()
	return odd
}

func (c *command) record(lower string, drop func(id, why string)) {
	var got [2]answer
	for i := range got {
		a, err := inBox(job{Lower: lower, Line: c.In})
		if err != nil {
			drop(c.ID, err.Error())
			return
		}
		got[i] = *a
	}
	if c.masked(got[0]) != c.masked(got[1]) {
		drop(c.ID, fmt.Sprintf("%q\n    %s\n    %s", c.In, c.masked(got[0]), c.masked(got[1])))
		return
	}
	if c.take(got[0]); !c.done {
		drop(c.ID, "the answer is not UTF-8: show it through od")
	}
}

func (s *scenario) record(lower string, drop func(id, why string)) {
	// Programs race on a terminal: what two of four recordings agree on counts.
	var all []answer
	why := ""
	for range 4 {
		a, err := inBox(job{Lower: lower, Scenario: s})
		if err != nil {
			drop(s.ID, err.Error())
			return
		}
		for _, b := range all {
			if why = s.differ(b, *a); why == "" {
				if s.take(b); !s.done {
					drop(s.ID, "the answer is not UTF-8")
				}
				return
			}
		}
		all = append(all, *a)
	}
	drop(s.ID, why)
}
