package http_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// BenchmarkRequest is one page over a connection that is kept.
func BenchmarkRequest(b *testing.B) {
	r := site(b, nil)
	q := "GET / HTTP/1.1\r\nHost: www.example\r\nUser-Agent: tester\r\n\r\n"
	size := len(ask(b, r, strings.Replace(q, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))) + len("keep-alive") - len("close")
	var in *bufio.Reader
	var c io.Writer
	n := 0
	for b.Loop() {
		if n++; n%900 == 1 { // nginx ends a connection after 1000 requests
			conn := r.Dial(b)
			in, c = bufio.NewReader(conn), conn
		}
		if _, err := io.WriteString(c, q); err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, in, int64(size)); err != nil {
			b.Fatal(err)
		}
	}
}
