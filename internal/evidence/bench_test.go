package evidence_test

import (
	"fmt"
	"testing"
	"time"

	"honeyguide/internal/evidence"
	"honeyguide/internal/ipc"
)

// BenchmarkSession is what one exec session leaves: three chunks in a file of
// their own.
func BenchmarkSession(b *testing.B) {
	s, err := evidence.Open(b.TempDir(), evidence.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	n := 0
	for b.Loop() {
		n++
		id := fmt.Sprintf("%026d", n)
		for i, c := range []struct {
			stream byte
			data   string
		}{{'i', "uname -a\n"}, {'o', "Linux srv 6.1.0-37-amd64 x86_64 GNU/Linux\n"}, {'x', "0"}} {
			err := s.Chunk(ipc.Chunk{Session: id, Time: begin.Add(time.Duration(i)), Stream: c.stream, Data: []byte(c.data)})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkChunk is one more piece of a terminal that is open.
func BenchmarkChunk(b *testing.B) {
	s, err := evidence.Open(b.TempDir(), evidence.Options{Session: 1 << 40, Total: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		if err := s.Chunk(ipc.Chunk{Session: session, Time: begin, Stream: 'o', Data: []byte("root@srv:~# ls -la\r\n")}); err != nil {
			b.Fatal(err)
		}
	}
}
