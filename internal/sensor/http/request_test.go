package http

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"
)

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%2e%2e/x", "//a//", "/a/./..", "/%00", "/..%2f..%2f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || s[0] != '/' {
			return
		}
		got, err := cleanPath(s)
		if err != nil {
			return
		}
		if got[0] != '/' || strings.Contains(got, "\x00") {
			t.Errorf("%q: %q", s, got)
		}
		for part := range strings.SplitSeq(got, "/") {
			if part == ".." || part == "." {
				t.Errorf("%q: %q", s, got)
			}
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte("POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("GET http://a/b HTTP/1.0\n\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		in := bufio.NewReaderSize(bytes.NewReader(p), lineLimit+2)
		q, err := readRequest(in)
		if err == nil {
			q.body, err = q.readBody(in)
			if len(q.body) > keptBody {
				t.Errorf("kept %d bytes", len(q.body))
			}
		}
		var r *refusal
		if errors.As(err, &r) && r.status < 400 {
			t.Errorf("refused with %d", r.status)
		}
		if len(q.headers()) > keptHeaders || len(q.line) > lineLimit+2 {
			t.Errorf("%d bytes of headers", len(q.headers()))
		}
	})
}

func FuzzSpan(f *testing.F) {
	f.Add("bytes=0-3", 10)
	f.Fuzz(func(t *testing.T, s string, size int) {
		size = max(size, 0) % 1000
		from, to, state := span(s, size)
		if state == spanPart && (from < 0 || from >= to || to > size) {
			t.Errorf("%q of %d: %d-%d", s, size, from, to)
		}
	})
}
