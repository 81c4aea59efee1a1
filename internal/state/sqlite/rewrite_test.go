package sqlite_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/personal"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// forms are the ways in which an address and a name stand in files.
func forms(addr, name string) [][]byte {
	a := netip.MustParseAddr(addr)
	return [][]byte{[]byte(addr), a.AsSlice(), []byte(name), []byte(base64.StdEncoding.EncodeToString([]byte("from " + addr + "\n")))}
}

func searchFiles(t *testing.T, dir string, list [][]byte) (hits []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, f := range list {
			if bytes.Contains(bytes.ToLower(b), bytes.ToLower(f)) {
				hits = append(hits, fmt.Sprintf("%s: %q", filepath.Base(path), f))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// TestRewrite erases an address and a name from a store in use and looks for them
// in every file, while it is open and after.
func TestRewrite(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	s := open(t, state.Deps{Dir: dir, Now: func() time.Time { return now }}).(*sqlite.Store)
	src := honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:999")}
	other := honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.9:999")}
	ctx := t.Context()
	update := func(fn func(tx state.Tx) error) {
		t.Helper()
		if err := s.Update(ctx, fn); err != nil {
			t.Fatal(err)
		}
	}
	for batch := range 6 { // more than one page, and rows that are written again
		update(func(tx state.Tx) error {
			for i := range 1200 {
				if batch > 0 && i%17 > 0 {
					continue
				}
				e, name := src, "Zebulon"
				a := honeyguide.Alert{Title: fmt.Sprintf("Zebulon tried %d", i), Evidence: []honeyguide.Evidence{{EventID: fmt.Sprint("e", i, batch), Time: now, Text: "ssh zebulon@203.0.113.7"}}}
				if i%3 > 0 {
					e, name = other, "root"
					a = honeyguide.Alert{Title: "somebody else"}
				}
				a.Time, a.DedupeKey, a.Src, a.Attacker, a.Severity = now, fmt.Sprint("k", i, ":", state.Addr(e)), e, "attacker:"+state.Addr(e), honeyguide.SeverityHigh
				if _, err := tx.Alerts().Save(ctx, &a); err != nil {
					return err
				}
				if err := tx.Sessions().Save(ctx, &honeyguide.Session{ID: fmt.Sprintf("s%04d", i), Src: e, StartedAt: now, LastAt: now, User: name, Events: int64(batch)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	update(func(tx state.Tx) error {
		in := honeyguide.Incident{Key: "attacker:203.0.113.7", Title: "203.0.113.7 and zebulon", Attackers: []string{"attacker:203.0.113.7"}, CreatedAt: now, UpdatedAt: now, Status: honeyguide.IncidentNew}
		if _, err := tx.Incidents().Save(ctx, &in); err != nil {
			return err
		}
		if err := tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{Time: now, Source: "x", Raw: []byte("from 203.0.113.7\n")}); err != nil {
			return err
		}
		if err := tx.Jobs().Add(ctx, &state.Job{Kind: "look", Key: "203.0.113.7", RunAt: now, Arg: []byte(`{"address":"203.0.113.7"}`)}); err != nil {
			return err
		}
		if err := tx.Notes().Add(ctx, &state.Note{Attacker: "attacker:203.0.113.7", Text: "Zebulon from 203.0.113.7 called"}); err != nil {
			return err
		}
		if err := tx.Checkpoints().Put(ctx, state.Checkpoint{Source: "x", Key: "y", Value: []byte("\x00\xff\x04 203.0.113.7 \xfe")}); err != nil {
			return err
		}
		return tx.Models().Remember(ctx, "detect", 1, []byte("\x01\x0b203.0.113.7\xff\x00"))
	})
	if err := os.WriteFile(filepath.Join(dir, "state.db.v3.bak"), []byte("203.0.113.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	if hits := searchFiles(t, dir, forms("203.0.113.7", "zebulon")); len(hits) < 3 {
		t.Fatalf("the search finds too little: %v", hits)
	}
	held := func(r *personal.Rewriter) (n int) {
		t.Helper()
		if err := s.Walk(ctx, func(row state.Row) error {
			for _, c := range row.Cells {
				if _, hits := r.Field(c.Column, c.Text); hits > 0 {
					n++
					break
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, who := range []string{"address:203.0.113.7", "user:zebulon"} {
		subject, err := personal.Parse(who)
		if err != nil {
			t.Fatal(err)
		}
		r := personal.Erase(subject, personal.NewMark())
		before := held(r)
		got, err := s.Rewrite(ctx, state.Rewrite{Change: func(_, column, value string) (string, int) { return r.Field(column, value) }})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, n := range got {
			sum += int(n)
		}
		if before == 0 || sum < before {
			t.Errorf("%s: %d rows had it, %d were changed: %v", who, before, sum, got)
		}
		if n := held(r); n > 0 {
			t.Errorf("%s: %d rows still have it", who, n)
		}
	}
	if hits := searchFiles(t, dir, forms("203.0.113.7", "zebulon")); len(hits) > 0 {
		t.Errorf("while it is open: %v", hits)
	}
	if err := s.View(ctx, func(tx state.Tx) error {
		for _, q := range []struct {
			text string
			want int
		}{{"zebulon", 0}, {"tried", 400}, {"203.0.113.7", 0}, {"somebody", 800}} {
			list, _, err := tx.Alerts().List(ctx, state.AlertQuery{Text: q.text, Page: state.Page{Limit: state.MaxLimit}})
			if err != nil || len(list) != min(q.want, state.MaxLimit) {
				t.Errorf("%q finds %d alerts, want %d: %v", q.text, len(list), q.want, err)
			}
			for i := range list {
				if text, _ := json.Marshal(list[i]); strings.Contains(strings.ToLower(string(text)), "zebulon") {
					t.Fatalf("%s", text)
				}
			}
		}
		_, letters, err := tx.Models().Memory(ctx, "detect")
		if err != nil || letters != nil {
			t.Errorf("what triage remembered in a code of its own stayed: %q, %v", letters, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// What is written after that is written over nothing old.
	update(func(tx state.Tx) error {
		a := honeyguide.Alert{Time: now, Title: "again", DedupeKey: "k0203.0.113.8", Src: other}
		_, err := tx.Alerts().Save(ctx, &a)
		return err
	})
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if hits := searchFiles(t, dir, forms("203.0.113.7", "zebulon")); len(hits) > 0 {
		t.Errorf("after it was closed: %v", hits)
	}
}

// TestRewriteOfWhatCollides: rows that become one lose their words, and those behind
// them theirs all the same.
func TestRewriteOfWhatCollides(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	s := open(t, state.Deps{Dir: t.TempDir(), Now: func() time.Time { return now }}).(*sqlite.Store)
	ctx := t.Context()
	if err := s.Update(ctx, func(tx state.Tx) error {
		for _, key := range []string{"by zebulon", "by Zebulon", "another"} {
			in := honeyguide.Incident{Key: key, Title: "Zebulon tried " + key, CreatedAt: now, UpdatedAt: now, Status: honeyguide.IncidentNew}
			if _, err := tx.Incidents().Save(ctx, &in); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	who, err := personal.Parse("user:zebulon")
	if err != nil {
		t.Fatal(err)
	}
	r := personal.Erase(who, personal.NewMark())
	if got, err := s.Rewrite(ctx, state.Rewrite{Change: func(_, column, value string) (string, int) { return r.Field(column, value) }}); err != nil || got["incident"] != 3 {
		t.Fatal(got, err)
	}
	for text, want := range map[string]int{"zebulon": 0, "another": 1, "tried": 2} {
		if err := s.View(ctx, func(tx state.Tx) error {
			list, _, err := tx.Incidents().List(ctx, state.IncidentQuery{Text: text})
			if len(list) != want {
				t.Errorf("%q finds %d incidents, want %d", text, len(list), want)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
}
