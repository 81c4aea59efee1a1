package sftp

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// FuzzServe: whatever is sent, the server ends with the input, in bounds.
func FuzzServe(f *testing.F) {
	all := frame(enc([]byte{1}, 3))
	for _, s := range steps {
		if !bytes.HasPrefix(s.pkt, []byte("FRAME")) {
			all = append(all, frame(s.pkt)...)
			f.Add(append(frame(enc([]byte{1}, 3)), frame(s.pkt)...))
		}
	}
	f.Add(all)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 0})
	image := vfs.NewImage(1, time.Now())
	for _, e := range []vfs.Entry{{Path: "/root", Mode: vfs.Dir | 0o700}, {Path: "/etc", Mode: vfs.Dir | 0o755}, {Path: "/etc/passwd", Mode: 0o644, Text: "root:x:0:0:root:/root:/bin/bash\n"}} {
		if err := image.Add(e); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		fs := image.NewFS(vfs.Quota{Bytes: 1 << 20, Inodes: 64}, time.Now)
		out := &counter{}
		Serve(context.Background(), bytes.NewReader(p), out, Options{FS: fs, Home: "/root", Umask: 0o22})
		if used, _ := fs.Used(); used > 1<<20 {
			t.Errorf("%d bytes kept", used)
		}
	})
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// TestBreaksOff holds the exit status after what no client sends.
func TestBreaksOff(t *testing.T) {
	huge := binary.BigEndian.AppendUint32(nil, maxPacket+1)
	init := frame(enc([]byte{1}, 3))
	for _, tc := range []struct {
		name string
		in   []byte
		want int
	}{
		{"nothing", nil, 0},
		{"half a length", []byte{0, 0}, 0},
		{"half a packet", append(init, 0, 0, 0, 9, 17), 0},
		{"too long", huge, 11},
		{"empty packet", make([]byte, 4), 255},
		{"a request before init", frame(pkt(16, 1, ".")), 255},
		{"an extension before init", frame(pkt(200, 1, "limits@openssh.com")), 255},
		{"a name cut short", append(init, frame(pkt(16, 1, []byte{0, 0, 0, 9, 'x'}))...), 255},
		{"a name with NUL inside", append(init, frame(pkt(17, 1, "a\x00b"))...), 255},
		{"a name with NUL at its end", append(init, frame(pkt(17, 1, "a\x00"))...), 0},
	} {
		fs := vfs.NewImage(1, time.Now()).NewFS(vfs.Quota{}, time.Now)
		if got := Serve(context.Background(), bytes.NewReader(tc.in), io.Discard, Options{FS: fs}); got != tc.want {
			t.Errorf("%s: exit status %d, want %d", tc.name, got, tc.want)
		}
	}
}

// TestHandlesAreBounded opens until it is refused.
func TestHandlesAreBounded(t *testing.T) {
	in, out, _ := start(t, nil)
	ask := func(p []byte) byte {
		go func() { _, _ = in.Write(frame(p)) }()
		var head [4]byte
		if _, err := io.ReadFull(out, head[:]); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(out, b); err != nil {
			t.Fatal(err)
		}
		return b[0]
	}
	ask(enc([]byte{1}, 3))
	n := 0
	for ask(pkt(3, 1, "/etc/hostname", 1, none)) == fxpHandle {
		if n++; n > maxHandles {
			t.Fatal("no bound")
		}
	}
	if n != maxHandles {
		t.Errorf("refused after %d, want %d", n, maxHandles)
	}
}
