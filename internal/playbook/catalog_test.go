package playbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

func store(t testing.TB) state.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir(), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func one(id, more string) string {
	return "id: " + id + "\ntitle: The one\nsteps: [{action: block_ip}]\n" + more
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Another size or time shows the change; a test may be quicker than the clock.
	at := time.Now().Add(time.Duration(len(text)) * time.Millisecond)
	if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
		t.Fatal(err)
	}
}

func TestCatalogFollowsFolder(t *testing.T) {
	dir, st := t.TempDir(), store(t)
	shipped := fstest.MapFS{
		"playbooks/a.yaml": {Data: []byte(one("a", ""))},
		"playbooks/b.yaml": {Data: []byte(one("b", ""))},
		"playbooks/c.yaml": {Data: []byte(strings.Replace(one("c", ""), "block_ip", "launch", 1))},
	}
	c, err := playbook.OpenCatalog(t.Context(), playbook.Options{
		Shipped: shipped, Folder: dir, State: st, Actions: map[string]respond.Action{"block_ip": nil}, Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(what, want string, faults int) {
		t.Helper()
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range c.View().Entries {
			s := e.ID + ":" + e.Origin
			if e.Replaces {
				s += ":replaces"
			}
			if e.Outdated {
				s += ":outdated"
			}
			if e.Disabled {
				s += ":disabled"
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want || len(c.View().Faults) != faults || len(c.Shelf().List()) != len(got) {
			t.Errorf("%s: %v, faults %v, want %s and %d", what, got, c.View().Faults, want, faults)
		}
	}
	check("one of an unknown action is not in force", "a:shipped b:shipped", 1)
	write(t, dir, "mine.yaml", one("mine", ""))
	write(t, dir, "b.yml", one("b", "disabled: true\n"))
	write(t, dir, ".hidden.yaml", "nonsense")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("own ones come and replace", "a:shipped b:own:replaces:disabled mine:own", 1)
	before, _ := c.Shelf().Get("mine")
	write(t, dir, "mine.yaml", one("mine", "when: severty > low\n"))
	check("a fault leaves what was", "a:shipped b:own:replaces:disabled mine:own:outdated", 2)
	if b, _ := c.Shelf().Get("mine"); b != before {
		t.Error("it is another")
	}
	write(t, dir, "mine.yaml", one("mine", "when: severity > low\n"))
	check("and right again", "a:shipped b:own:replaces:disabled mine:own", 1)
	after, _ := c.Shelf().Get("mine")
	write(t, dir, "twice.yaml", one("mine", "mode: apply\n"))
	check("an id twice", "a:shipped b:own:replaces:disabled mine:own", 2)
	for _, name := range []string{"b.yml", "twice.yaml", "mine.yaml"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	check("gone", "a:shipped b:shipped", 1)
	if err := st.View(t.Context(), func(tx state.Tx) error {
		list, err := tx.Playbooks().Versions(t.Context(), "mine")
		if len(list) != 2 {
			t.Errorf("versions %+v", list)
		}
		for _, b := range []*playbook.Playbook{before, after} {
			v, err := tx.Playbooks().Get(t.Context(), "mine", b.Version)
			if err != nil || v.Text != b.Text || v.Origin != playbook.OriginOwn {
				t.Errorf("%+v, %v", v, err)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	check("no folder", "a:shipped b:shipped", 2)
}
