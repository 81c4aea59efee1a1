package shell

import (
	"io"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// TestBroughtFilesAreTold: a file somebody brought is told of once, whatever
// runs it, and the system's own are not told of.
func TestBroughtFilesAreTold(t *testing.T) {
	for line, want := range map[string]string{
		"printf 'echo a\\n' >/tmp/x; sh /tmp/x":                                      "/tmp/x",
		"printf 'echo a\\n' >/tmp/x; bash -e /tmp/x 1":                               "/tmp/x",
		"printf 'echo a\\n' >/tmp/x; cd /tmp; . ./x":                                 "/tmp/x",
		"printf 'echo a\\n' >/tmp/x; source /tmp/x":                                  "/tmp/x",
		"printf 'echo a\\n' >/tmp/x; busybox sh /tmp/x":                              "/tmp/x",
		"printf 'print(1)\\n' >/tmp/x; python3 -u /tmp/x":                            "/tmp/x",
		"printf 'print 1\\n' >/tmp/x; perl -w /tmp/x":                                "/tmp/x",
		"printf '#!/bin/sh\\necho a\\n' >/tmp/x; chmod +x /tmp/x; /tmp/x":            "/tmp/x",
		"printf '#!/usr/bin/python3\\nprint(1)\\n' >/tmp/x; chmod +x /tmp/x; /tmp/x": "/tmp/x",
		"python3 -c 'print(1)' /tmp/x; perl -e 'print 1' /tmp/x; sh -c :":            "",
		". /etc/profile; sh /etc/profile":                                            "",
		"echo :>/tmp/x; echo '. /tmp/x' >/tmp/y; sh /tmp/y":                          "/tmp/x /tmp/y",
	} {
		h, err := testHost()
		if err != nil {
			t.Fatal(err)
		}
		r := &recorder{}
		s := New(Options{Host: h, FS: h.Image.NewFS(vfs.Quota{}, time.Now), Now: time.Now, Watch: r})
		s.Exec(t.Context(), line, nil, io.Discard, io.Discard)
		if got := strings.Join(r.executed, " "); got != want {
			t.Errorf("%s: told of %q, want %q", line, got, want)
		}
	}
}

// TestDeepRecursion: functions call one another as deep as bash's stack allows.
func TestDeepRecursion(t *testing.T) {
	h, err := testHost()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	s := New(Options{Host: h, FS: h.Image.NewFS(vfs.Quota{}, time.Now), Now: time.Now})
	status := s.Exec(t.Context(), "f() { n=$((n+1)); [ $n -lt 8000 ] && f; }; n=0; f; echo $n; f() { f; }; f; echo not here", nil, &out, io.Discard)
	if out.String() != "8000\n" || status != 139 || s.Died() != 11 {
		t.Errorf("%q, %d, signal %d", out.String(), status, s.Died())
	}
}
