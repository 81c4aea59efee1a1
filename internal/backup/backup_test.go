package backup_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"honeyguide"
	"honeyguide/internal/backup"
	"honeyguide/internal/seal"
)

// TestSecondCopyAddsWhatChanged backs up twice under load and puts both back.
func TestSecondCopyAddsWhatChanged(t *testing.T) {
	n := newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := n.state.Exec("INSERT INTO t (y) VALUES (randomblob(2000))"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	job := n.job(to)
	job.Config = []string{filepath.Join(n.data, "rules", "own.yml")}
	first := n.backUp(job)
	at := n.last
	n.event(5)
	second := n.backUp(job)
	close(stop)
	load.Wait()
	if second.Figures.NewObjects >= first.Figures.NewObjects || second.Figures.Events != at+5 {
		t.Errorf("second: %+v, first: %+v", second.Figures, first.Figures)
	}
	differences, compared := 0, 0
	s := open(t, to)
	for _, m := range []*backup.Manifest{first, second} {
		r, err := backup.Verify(t.Context(), backup.Check{From: s, ID: m.ID, Public: n.log.PublicKey(), Probe: probe})
		if err != nil || !r.Sound() || r.Opened < 3 || r.Files != m.Figures.Files {
			t.Fatalf("%+v, %v", r, err)
		}
		rs := restore(s, filepath.Join(t.TempDir(), "r"))
		rs.ID = m.ID
		out, err := rs.Run(t.Context())
		n.must(err)
		sound(t, out.Data, m)
		was, is := sums(t, n.data), sums(t, out.Data)
		for _, name := range []string{"recordings/s1.cast", "samples/ab/cd", "rules/own.yml", "keys/deployment.key", "keys/audit.key", "events/2026-11-20.db"} {
			if compared++; is[name] == "" || is[name] != was[name] {
				t.Errorf("%s differs", name)
				differences++
			}
		}
		for _, name := range []string{"keys/master.key", ".new-x.db", "state.db.v3.bak", "state.db-wal"} {
			if compared++; is[name] != "" {
				t.Errorf("%s is part of a plain copy", name)
				differences++
			}
		}
		if is["restored-configuration/00-own.yml"] != was["rules/own.yml"] {
			t.Error("the configuration is not there")
			differences++
		}
		if a, b := stamp(t, filepath.Join(n.data, "keys/deployment.key")), stamp(t, filepath.Join(out.Data, "keys/deployment.key")); a != b {
			t.Errorf("time of the deployment key: %v, was %v", b, a)
			differences++
		}
	}
	t.Logf("TRUST name=backup-differences figure=%d unit=files target=<=0 of=%d", differences, compared)
}

func stamp(t *testing.T, file string) int64 {
	st, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return st.ModTime().UnixNano()
}

// TestOneFile holds a backup in one encrypted file, for both kinds of keys.
func TestOneFile(t *testing.T) {
	n := newNode(t)
	id, err := seal.NewIdentity()
	n.must(err)
	other, err := seal.NewIdentity()
	n.must(err)
	key, err := backup.ReadKey(id.Reveal())
	n.must(err)
	wrong, err := backup.ReadKey(other.Reveal())
	n.must(err)
	for name, set := range map[string]func(*backup.Job){
		"recipient": func(j *backup.Job) { j.Recipient = id.Recipient().String() }, "passphrase": func(j *backup.Job) { j.Passphrase = "correct horse battery" },
	} {
		file := filepath.Join(t.TempDir(), "one"+backup.ArchiveSuffix)
		job := n.job(file)
		job.Plain = false
		set(&job)
		m := n.backUp(job)
		if m.MasterKey != "inside" {
			t.Errorf("%s: master key %s", name, m.MasterKey)
		}
		if _, err := backup.Make(t.Context(), job); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
			t.Errorf("%s: a file was written over: %v", name, err)
		}
		s := open(t, file)
		k := key
		if name == "passphrase" {
			if _, err := s.Unlock("another horse battery"); honeyguide.ErrorCode(err) != honeyguide.CodeForbidden {
				t.Errorf("%s: a wrong passphrase: %v", name, err)
			}
			k, err = s.Unlock("correct horse battery")
			n.must(err)
		}
		r := restore(s, filepath.Join(t.TempDir(), "r"))
		for _, bad := range []backup.Key{{}, wrong} {
			r.Key = bad
			if _, err := r.Run(t.Context()); honeyguide.ErrorCode(err) != honeyguide.CodeForbidden {
				t.Errorf("%s: restored with a wrong key: %v", name, err)
			}
		}
		r.Key = k
		out, err := r.Run(t.Context())
		n.must(err)
		sound(t, out.Data, m)
		if raw, err := os.ReadFile(file); err != nil || strings.Contains(string(raw), "the master") || strings.Contains(string(raw), "rrrrrrrr") {
			t.Errorf("%s: contents are in clear (%v)", name, err)
		}
	}
}

// TestSwappedRecipient: whoever can write to the store must not choose who reads
// the next backup.
func TestSwappedRecipient(t *testing.T) {
	n := newNode(t)
	mine, err := seal.NewIdentity()
	n.must(err)
	theirs, err := seal.NewIdentity()
	n.must(err)
	job := n.job(filepath.Join(t.TempDir(), "b"))
	job.Plain, job.Recipient = false, mine.Recipient().String()
	n.backUp(job)
	put(t, filepath.Join(job.To, "honeyguide-backup.json"), func(b []byte) []byte {
		return []byte(strings.Replace(string(b), mine.Recipient().String(), theirs.Recipient().String(), 1))
	})
	if _, err := backup.Make(t.Context(), job); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Fatalf("backed up to a store that says another recipient: %v", err)
	}
}

// TestChangedStores changes a store in every way and finds it every time.
func TestChangedStores(t *testing.T) {
	n := newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	m := n.backUp(n.job(to))
	var files []string
	for name := range sums(t, to) {
		files = append(files, name)
	}
	refused := func(what string) {
		t.Helper()
		s, err := backup.Open(to)
		if err != nil {
			return
		}
		defer s.Close()
		r, err := backup.Verify(t.Context(), backup.Check{From: s, ID: m.ID, Public: m.AuditKey, Probe: probe})
		if err == nil && r.Sound() {
			t.Errorf("%s: not found by verify", what)
		}
		data := filepath.Join(t.TempDir(), "r")
		rs := restore(s, data)
		rs.ID, rs.Public = m.ID, m.AuditKey
		if _, err := rs.Run(t.Context()); err == nil {
			t.Errorf("%s: restored", what)
		}
		if left, _ := os.ReadDir(data); len(left) > 1 {
			t.Errorf("%s: it left %v", what, left)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, name := range files {
		full := filepath.Join(to, name)
		whole, err := os.ReadFile(full)
		n.must(err)
		for what, change := range map[string]func([]byte) []byte{
			"changed": func(b []byte) []byte { b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8); return b }, "truncated": func(b []byte) []byte { return b[:len(b)-1] },
			"longer": func(b []byte) []byte { return append(b, 'x') }, "emptied": func([]byte) []byte { return nil },
		} {
			if len(whole) == 0 && what != "longer" || name == "honeyguide-backup.json" && what == "longer" {
				continue
			}
			if name == "honeyguide-backup.json" && what != "emptied" {
				continue // its id and its recipient are compared; white space is not
			}
			put(t, full, change)
			refused(what + " " + name)
			put(t, full, func([]byte) []byte { return whole })
		}
		n.must(os.Remove(full))
		refused("removed " + name)
		n.must(os.WriteFile(full, whole, 0o600))
	}
	a, b := filepath.Join(to, "objects", m.Objects[0].Name[:2], m.Objects[0].Name[2:]), filepath.Join(to, "objects", m.Objects[1].Name[:2], m.Objects[1].Name[2:])
	first, err := os.ReadFile(a)
	n.must(err)
	put(t, a, func([]byte) []byte { b, _ := os.ReadFile(b); return b })
	put(t, b, func([]byte) []byte { return first })
	refused("two objects changed places")
}

// TestSignature: a manifest made anew for other contents is signed by nobody.
func TestSignature(t *testing.T) {
	n, stranger := newNode(t), newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	m := stranger.backUp(stranger.job(to))
	s := open(t, to)
	if _, err := s.Manifest(m.ID, n.log.PublicKey()); err == nil {
		t.Fatal("a manifest of another node was taken")
	}
	second := stranger.backUp(stranger.job(to))
	one, two := filepath.Join(to, "generations", m.ID+".json"), filepath.Join(to, "generations", second.ID+".json")
	raw, err := os.ReadFile(one)
	n.must(err)
	n.must(os.WriteFile(two, raw, 0o600))
	if _, err := s.Manifest(second.ID, ""); err == nil {
		t.Fatal("an old manifest passed for a new one")
	}
}

// TestNewerDataStays: data that has come further is not replaced by accident.
func TestNewerDataStays(t *testing.T) {
	n := newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	m := n.backUp(n.job(to))
	n.event(3)
	n.must(errors.Join(n.state.Close(), n.today.Close(), n.log.Close()))
	s := open(t, to)
	before := sums(t, n.data)
	r := restore(s, n.data)
	for _, step := range []struct {
		replace, newer bool
		want           string
	}{{false, false, "not empty"}, {true, false, "13 events and the backup 10"}} {
		r.Replace, r.EvenIfNewer = step.replace, step.newer
		_, err := r.Run(t.Context())
		if honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), step.want) {
			t.Fatalf("%+v: %v", step, err)
		}
	}
	r.EvenIfNewer = true
	out, err := r.Run(t.Context())
	n.must(err)
	sound(t, n.data, m)
	aside := sums(t, out.Aside)
	for name, sum := range before {
		if aside[name] != sum {
			t.Errorf("%s was not moved aside as it was", name)
		}
	}
	if out.Before == nil || out.Before.Events != 13 || !out.Before.Same {
		t.Errorf("before: %+v", out.Before)
	}
	other := newNode(t)
	other.must(errors.Join(other.state.Close(), other.today.Close(), other.log.Close()))
	r = restore(s, other.data)
	r.Replace = true
	if _, err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another deployment") {
		t.Errorf("another deployment was replaced: %v", err)
	}
}

// TestInUse: what is in use is not touched.
func TestInUse(t *testing.T) {
	n := newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	n.backUp(n.job(to))
	for _, to := range []string{n.data, filepath.Join(n.data, "b")} {
		if _, err := backup.Make(t.Context(), n.job(to)); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("a copy inside the data folder: %v", err)
		}
	}
	full := t.TempDir()
	n.must(os.WriteFile(filepath.Join(full, "letters.txt"), nil, 0o600))
	if _, err := backup.Make(t.Context(), n.job(full)); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("a folder with other things was taken: %v", err)
	}
	job := n.job(to)
	job.Plain = false
	if _, err := backup.Make(t.Context(), job); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("encrypted to nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	job = n.job(filepath.Join(t.TempDir(), "c"))
	job.Told = func(phase string, _ int64) {
		if phase == "files" {
			cancel()
		}
	}
	if _, err := backup.Make(ctx, job); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled backup: %v", err)
	}
	if ids, err := open(t, job.To).IDs(); len(ids) != 0 || err != nil {
		t.Errorf("a cancelled backup is there: %v, %v", ids, err)
	}
}

// TestPrune keeps what the backups left name.
func TestPrune(t *testing.T) {
	n := newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	var last *backup.Manifest
	for range 3 {
		last = n.backUp(n.job(to))
		n.event(1)
	}
	p, err := backup.Prune(to, 1)
	if err != nil || len(p.Backups) != 2 || p.Objects == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	r, err := backup.Verify(t.Context(), backup.Check{From: open(t, to), Probe: probe})
	if err != nil || !r.Sound() || r.Manifest.ID != last.ID {
		t.Fatalf("%+v, %v", r, err)
	}
	second := n.backUp(n.job(to))
	put(t, filepath.Join(to, "generations", second.ID+".json"), func(b []byte) []byte { b[40] ^= 1; return b })
	if p, err := backup.Prune(to, 1); err == nil || len(p.Backups) > 0 {
		t.Errorf("pruned although a manifest cannot be read: %+v", p)
	}
}
