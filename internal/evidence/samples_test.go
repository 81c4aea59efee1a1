package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/seal"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func openSamples(t *testing.T, dir string, change func(*SampleOptions)) *Samples {
	t.Helper()
	o := SampleOptions{Now: func() time.Time { return noon }, Vault: seal.Clear(dir)}
	if change != nil {
		change(&o)
	}
	s, err := OpenSamples(filepath.Join(dir, "samples"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func sumOf(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}

// bring sends content in pieces and seals it.
func bring(s *Samples, number uint64, content []byte, change func(*honeyguide.Event)) *honeyguide.Event {
	for at := 0; at < len(content); at += 1000 {
		_ = s.Stage("p", ipc.Piece{File: number, At: uint64(at), Data: content[at:min(at+1000, len(content))]})
	}
	e := &honeyguide.Event{Activity: honeyguide.ActivitySample}
	e.Src.Addr = netip.MustParseAddrPort("203.0.113.7:1000")
	e.Set(ipc.AttrFile, int64(number))
	e.Set(honeyguide.AttrSize, int64(len(content)))
	e.Set(honeyguide.AttrSHA256, sumOf(content))
	if change != nil {
		change(e)
	}
	s.Seal("p", e)
	return e
}

func content(t *testing.T, s *Samples, id string) []byte {
	t.Helper()
	r, err := s.Content(id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// files lists what is in the folder.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "samples"), func(p string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSampleIsKept(t *testing.T) {
	dir := t.TempDir()
	s := openSamples(t, dir, nil)
	bad := append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), []byte(strings.Repeat("x", 5000)+"\x00http://198.51.100.9/c2\x00")...)
	e := bring(s, 1, bad, nil)
	if e.Str(honeyguide.AttrKept) != Kept || e.Str(honeyguide.AttrFileType) != "elf 64-bit x86-64 executable" || e.Str(honeyguide.AttrSHA256) != sumOf(bad) || e.Attrs[ipc.AttrFile] != nil {
		t.Errorf("sealed: %v", e.Attrs)
	}
	if len(e.Observables) != 3 || e.Observables[1].Value != "198.51.100.9" {
		t.Errorf("observables: %v", e.Observables)
	}
	if !bytes.Equal(content(t, s, sumOf(bad)), bad) {
		t.Error("the content is not what was brought")
	}
	// At rest nothing is what it was, nobody else may read it, and the key is private.
	name := filepath.Join(dir, "samples", samplePath(sumOf(bad)))
	raw, err := os.ReadFile(name)
	if err != nil || !bytes.HasPrefix(raw, []byte("age-encryption.org/v1")) || bytes.Contains(raw, []byte("198.51.100.9")) {
		t.Errorf("at rest: %v %.30q", err, raw)
	}
	for path, mode := range map[string]os.FileMode{name: 0o400, filepath.Join(dir, "samples.key"): 0o600} {
		if i, err := os.Stat(path); err != nil || i.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, i.Mode(), err)
		}
	}
	bring(s, 2, bad, nil) // again
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %v", got)
	}
	// After a restart it is still there.
	_ = s.Close()
	if s = openSamples(t, dir, nil); !bytes.Equal(content(t, s, sumOf(bad)), bad) {
		t.Error("lost by a restart")
	}
}

// TestHostileSensor: whatever a sensor process claims or leaves out, content has
// its true name, and what is missing is said.
func TestHostileSensor(t *testing.T) {
	dir := t.TempDir()
	s := openSamples(t, dir, func(o *SampleOptions) { o.File, o.Staged = 4000, 2 })
	lie := bring(s, 1, []byte("one\n"), func(e *honeyguide.Event) { e.Set(honeyguide.AttrSHA256, sumOf([]byte("two\n"))) })
	if lie.Str(honeyguide.AttrSHA256) != sumOf([]byte("one\n")) || lie.Str(honeyguide.AttrDetail) == "" || s.Has(sumOf([]byte("two\n"))) {
		t.Errorf("a wrong hash: %v", lie.Attrs)
	}
	if e := bring(s, 2, []byte("x"), func(e *honeyguide.Event) { e.Set(honeyguide.AttrSHA256, "../../etc/passwd") }); e.Str(honeyguide.AttrSHA256) != sumOf([]byte("x")) {
		t.Errorf("a path for a hash: %v", e.Attrs)
	}
	long := bytes.Repeat([]byte("long "), 2000)
	cut := bring(s, 3, long, nil)
	if cut.Str(honeyguide.AttrKept) != KeptTruncated || cut.Str(honeyguide.AttrSHA256) != sumOf(long) || cut.Int(honeyguide.AttrSize) != 10000 || cut.Int("sample.kept_bytes") != 4000 {
		t.Errorf("a long one: %v", cut.Attrs)
	}
	if got := content(t, s, sumOf(long)); !bytes.Equal(got, long[:4000]) {
		t.Errorf("%d bytes kept", len(got))
	}
	for name, e := range map[string]*honeyguide.Event{
		"no pieces": bring(s, 4, nil, func(e *honeyguide.Event) { e.Set(honeyguide.AttrSHA256, sumOf([]byte("none"))) }),
		"no number": bring(s, 0, nil, func(e *honeyguide.Event) { e.Set(honeyguide.AttrKept, "yes") }),
	} {
		if e.Str(honeyguide.AttrKept) != "no: it did not come through" {
			t.Errorf("%s: %v", name, e.Attrs)
		}
	}
	if err := s.Stage("p", ipc.Piece{File: 9, At: 5, Data: []byte("x")}); err == nil {
		t.Error("a piece behind a gap is taken")
	}
	for n := range uint64(2) {
		if err := s.Stage("q", ipc.Piece{File: n + 1, Data: []byte("x")}); err != nil {
			t.Error(err)
		}
	}
	if err := s.Stage("q", ipc.Piece{File: 3, Data: []byte("x")}); err == nil {
		t.Error("too many files on their way")
	}
	s.Drop("q")
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, stageSuffix) {
			t.Errorf("left behind: %s", name)
		}
	}
}

// TestCrashLeavesNoHalf: what was on its way is gone after a restart, and never
// had a sample's name.
func TestCrashLeavesNoHalf(t *testing.T) {
	dir := t.TempDir()
	s := openSamples(t, dir, nil)
	if err := s.Stage("p", ipc.Piece{File: 1, Data: []byte("half")}); err != nil {
		t.Fatal(err)
	}
	if s.Has(sumOf([]byte("half"))) || len(files(t, dir)) != 1 {
		t.Errorf("on its way: %v", files(t, dir))
	}
	_ = s.dir.Close() // as a killed process would
	openSamples(t, dir, nil)
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("after a crash: %v", got)
	}
}

func TestSampleQuotas(t *testing.T) {
	dir := t.TempDir()
	now := noon
	s := openSamples(t, dir, func(o *SampleOptions) {
		o.Source, o.Total, o.Now = 5000, 12000, func() time.Time { return now }
	})
	body := func(n byte) []byte { return bytes.Repeat([]byte{n, 'x', '\n'}, 1000) }
	kept := func(n byte) string { return bring(s, uint64(n), body(n), nil).Str(honeyguide.AttrKept) }
	if got := kept(1); got != Kept {
		t.Error(got)
	}
	if got := kept(2); got != "no: over the day's limit of this source" {
		t.Error(got)
	}
	now = now.Add(24 * time.Hour)
	if got := kept(2); got != Kept {
		t.Error(got)
	}
	now = now.Add(24 * time.Hour)
	if got := kept(3); got != Kept {
		t.Error(got)
	}
	now = now.Add(24 * time.Hour)
	if got := kept(4); got != "no: the store of samples is full" {
		t.Error(got)
	}
	// What nobody knows of goes, but not at once.
	known := func(_ context.Context, id string) (bool, error) { return id == sumOf(body(2)), nil }
	now = time.Now()
	if n, err := s.Prune(t.Context(), known); n != 0 || err != nil {
		t.Errorf("%d removed at once, %v", n, err)
	}
	now = now.Add(2 * time.Hour)
	if n, err := s.Prune(t.Context(), known); n != 2 || err != nil || !s.Has(sumOf(body(2))) || s.Has(sumOf(body(1))) {
		t.Errorf("%d removed, %v", n, err)
	}
	if got := kept(4); got != Kept {
		t.Error(got)
	}
}

func TestSniff(t *testing.T) {
	pe := make([]byte, 0x100)
	copy(pe, "MZ")
	pe[0x3c] = 0x80
	copy(pe[0x80:], "PE\x00\x00\x64\x86")
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	for in, want := range map[string]string{
		"": "data", "\x7fELF": "elf cut short",
		"\x7fELF\x01\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\x28\x00": "elf 32-bit arm executable",
		"\x7fELF\x01\x02\x01" + strings.Repeat("\x00", 9) + "\x00\x02\x00\x08": "elf 32-bit mips big-endian executable",
		"\x7fELF\x09\x09\x01" + strings.Repeat("\xff", 20):                     "elf unknown machine",
		"#!/bin/sh\nrm -rf /": "script /bin/sh", "#! /usr/bin/\x1b]0;x\x07perl -w\n": "script /usr/bin/?]0;x?perl -w",
		string(pe): "pe x86-64", "MZ": "pe dos", "\xca\xfe\xba\xbe\x00\x00\x00\x02": "macho universal", "\xca\xfe\xba\xbe\x00\x00\x00\x34": "java-class",
		string(tar): "archive tar", "PK\x03\x04": "archive zip", "\x1f\x8b\x08": "archive gzip", "<!DOCTYPE HTML>": "html", "<?php eval": "script php",
		"ssh-rsa AAAA": "text ssh key", "hello\n": "text", "a\x00b": "data", strings.Repeat("a", 4095) + "\u00e4": "text", "\xff\xfe": "data",
	} {
		if got := Sniff([]byte(in)); got != want {
			t.Errorf("%.20q: %q, want %q", in, got, want)
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("MZ" + strings.Repeat("\xff", 80)))
	f.Add([]byte("\x7fELF\x01\x01\x01"))
	f.Add([]byte("#!\xff\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		got := Sniff(p)
		if got == "" || len(got) > 200 || strings.ContainsAny(got, "\x00\n\x1b") {
			t.Errorf("%q", got)
		}
		observables("x", p, got)
	})
}
