package sftp

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

// exchange is one request to the real sftp-server and what it answered.
type exchange struct {
	Ask    string `json:"ask"`
	Answer string `json:"answer"` // described, see describe
}

// pkt builds a request: ints by size, text and bytes as strings.
func pkt(kind byte, id uint32, parts ...any) []byte {
	b := []byte{kind}
	b = binary.BigEndian.AppendUint32(b, id)
	return enc(b, parts...)
}

func enc(b []byte, parts ...any) []byte {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		case uint64:
			b = binary.BigEndian.AppendUint64(b, p)
		case string:
			b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

func frame(p []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...) }

func attrsOf(parts ...any) []byte { return enc(nil, parts...) }

var none = attrsOf(0)

// steps are the requests of the recording: every kind, done and refused. The
// home folder holds an empty folder w.
var steps = []struct {
	name string
	pkt  []byte
}{
	{"realpath .", pkt(16, 1, ".")},
	{"realpath empty", pkt(16, 1, "")},
	{"realpath missing last", pkt(16, 1, "w/../nope")},
	{"realpath missing middle", pkt(16, 1, "nope/x")},
	{"realpath trailing slash", pkt(16, 1, "w/")},
	{"realpath missing slash", pkt(16, 1, "w/none/")},
	{"realpath link", pkt(16, 1, "/bin/sh")},
	{"realpath file as folder", pkt(16, 1, "/etc/passwd/x")},
	{"realpath above root", pkt(16, 1, "/../../etc/./ssh")},
	{"mkdir", pkt(14, 2, "w/d", none)},
	{"mkdir again", pkt(14, 2, "w/d", none)},
	{"mkdir mode", pkt(14, 2, "w/e", attrsOf(4, 0o40755))},
	{"mkdir in missing", pkt(14, 2, "w/no/d", none)},
	{"mkdir empty name", pkt(14, 2, "", none)},
	{"stat folder", pkt(17, 3, "w/d")},
	{"stat missing", pkt(17, 3, "w/none")},
	{"stat empty", pkt(17, 3, "")},
	{"open missing", pkt(3, 4, "w/none", 1, none)},
	{"open new", pkt(3, 4, "w/f", 0x1a, attrsOf(4, 0o100644))},
	{"write", pkt(6, 5, "\x00\x00\x00\x00", uint64(0), "hello world")},
	{"write behind the end", pkt(6, 5, "\x00\x00\x00\x00", uint64(14), "!")},
	{"fstat", pkt(8, 6, "\x00\x00\x00\x00")},
	{"read of a file for writing", pkt(5, 7, "\x00\x00\x00\x00", uint64(0), 100)},
	{"fsync", pkt(200, 8, "fsync@openssh.com", "\x00\x00\x00\x00")},
	{"fsetstat mode", pkt(10, 9, "\x00\x00\x00\x00", attrsOf(4, 0o100640))},
	{"fsetstat times", pkt(10, 9, "\x00\x00\x00\x00", attrsOf(8, 1000000000, 1000000001))},
	{"readdir of a file", pkt(12, 9, "\x00\x00\x00\x00")},
	{"close", pkt(4, 10, "\x00\x00\x00\x00")},
	{"close again", pkt(4, 10, "\x00\x00\x00\x00")},
	{"close a long handle", pkt(4, 10, "\x00\x00\x00\x00\x00")},
	{"write without a handle", pkt(6, 10, "\x00\x00\x00\x09", uint64(0), "x")},
	{"read without a handle", pkt(5, 10, "\x00\x00\x00\x09", uint64(0), 10)},
	{"fstat without a handle", pkt(8, 10, "\x00\x00\x00\x09")},
	{"readdir without a handle", pkt(12, 10, "\x00\x00\x00\x09")},
	{"fsync without a handle", pkt(200, 10, "fsync@openssh.com", "\x00\x00\x00\x09")},
	{"stat file", pkt(17, 11, "w/f")},
	{"open exclusive", pkt(3, 12, "w/f", 0x2a, none)},
	{"open folder", pkt(3, 12, "w/d", 1, none)},
	{"read folder", pkt(5, 13, "\x00\x00\x00\x00", uint64(0), 10)},
	{"close folder", pkt(4, 13, "\x00\x00\x00\x00")},
	{"open folder for writing", pkt(3, 12, "w/d", 2, none)},
	{"open for reading", pkt(3, 14, "w/f", 1, none)},
	{"read some", pkt(5, 15, "\x00\x00\x00\x00", uint64(6), 5)},
	{"read all", pkt(5, 15, "\x00\x00\x00\x00", uint64(0), 1<<20)},
	{"read nothing", pkt(5, 15, "\x00\x00\x00\x00", uint64(0), 0)},
	{"read at the end", pkt(5, 15, "\x00\x00\x00\x00", uint64(15), 5)},
	{"read at a negative offset", pkt(5, 15, "\x00\x00\x00\x00", uint64(1)<<63, 5)},
	{"write to a file for reading", pkt(6, 15, "\x00\x00\x00\x00", uint64(0), "x")},
	{"second handle", pkt(3, 16, "w/f", 1, none)},
	{"close first", pkt(4, 17, "\x00\x00\x00\x00")},
	{"third handle takes its number", pkt(3, 18, "w/f", 0x6, none)},
	{"append", pkt(6, 19, "\x00\x00\x00\x00", uint64(0), "+tail")},
	{"close third", pkt(4, 19, "\x00\x00\x00\x00")},
	{"read appended", pkt(5, 19, "\x00\x00\x00\x01", uint64(0), 100)},
	{"close second", pkt(4, 19, "\x00\x00\x00\x01")},
	{"symlink", pkt(20, 20, "f", "w/l")},
	{"symlink again", pkt(20, 20, "f", "w/l")},
	{"symlink to nothing", pkt(20, 20, "", "w/l2")},
	{"readlink", pkt(19, 21, "w/l")},
	{"readlink of a file", pkt(19, 21, "w/f")},
	{"readlink missing", pkt(19, 21, "w/none")},
	{"lstat link", pkt(7, 22, "w/l")},
	{"stat link", pkt(17, 22, "w/l")},
	{"setstat size", pkt(9, 23, "w/f", attrsOf(1, uint64(5)))},
	{"setstat missing", pkt(9, 23, "w/none", attrsOf(1, uint64(5)))},
	{"setstat nothing", pkt(9, 23, "w/none", none)},
	{"setstat huge", pkt(9, 23, "w/f", attrsOf(1, uint64(1)<<63))},
	{"setstat owner", pkt(9, 23, "w/f", attrsOf(2, 33, 33))},
	{"stat after", pkt(17, 24, "w/f")},
	{"lsetstat mode of a link", pkt(200, 25, "lsetstat@openssh.com", "w/l", attrsOf(4, 0o777))},
	{"lsetstat size", pkt(200, 25, "lsetstat@openssh.com", "w/l", attrsOf(1, uint64(1)))},
	{"hardlink", pkt(200, 26, "hardlink@openssh.com", "w/f", "w/h")},
	{"hardlink again", pkt(200, 26, "hardlink@openssh.com", "w/f", "w/h")},
	{"hardlink of a folder", pkt(200, 26, "hardlink@openssh.com", "w/d", "w/hd")},
	{"rename", pkt(18, 27, "w/h", "w/g")},
	{"rename over", pkt(18, 27, "w/g", "w/f")},
	{"rename missing", pkt(18, 27, "w/none", "w/g2")},
	{"rename folder", pkt(18, 27, "w/e", "w/e2")},
	{"rename folder over folder", pkt(18, 27, "w/e2", "w/d")},
	{"posix rename", pkt(200, 28, "posix-rename@openssh.com", "w/g", "w/g3")},
	{"posix rename folder over file", pkt(200, 28, "posix-rename@openssh.com", "w/e2", "w/g3")},
	{"posix rename over folder", pkt(200, 28, "posix-rename@openssh.com", "w/e2", "w/d")},
	{"opendir", pkt(11, 29, "w")},
	{"readdir", pkt(12, 30, "\x00\x00\x00\x01")},
	{"readdir end", pkt(12, 30, "\x00\x00\x00\x01")},
	{"closedir", pkt(4, 30, "\x00\x00\x00\x01")},
	{"opendir missing", pkt(11, 31, "w/none")},
	{"opendir of a file", pkt(11, 31, "w/f")},
	{"remove folder", pkt(13, 32, "w/d")},
	{"remove missing", pkt(13, 32, "w/none")},
	{"rmdir full", pkt(15, 33, "w")},
	{"rmdir file", pkt(15, 33, "w/f")},
	{"rmdir", pkt(15, 33, "w/d")},
	{"rmdir missing", pkt(15, 33, "w/d")},
	{"remove", pkt(13, 34, "w/f")},
	{"remove link", pkt(13, 34, "w/l")},
	{"limits", pkt(200, 35, "limits@openssh.com")},
	{"expand ~", pkt(200, 36, "expand-path@openssh.com", "~")},
	{"expand ~/w", pkt(200, 36, "expand-path@openssh.com", "~/w")},
	{"expand ~user", pkt(200, 36, "expand-path@openssh.com", "~daemon/x")},
	{"expand nobody's", pkt(200, 36, "expand-path@openssh.com", "~nosuchuser/x")},
	{"expand relative", pkt(200, 36, "expand-path@openssh.com", "w/g3")},
	{"home directory", pkt(200, 37, "home-directory", "root")},
	{"home directory of nobody known", pkt(200, 37, "home-directory", "nosuchuser")},
	{"users and groups", pkt(200, 38, "users-groups-by-id@openssh.com", string(attrsOf(0, 1, 54321)), string(attrsOf(0, 54321)))},
	{"open source", pkt(3, 39, "w/g3", 1, none)},
	{"open target", pkt(3, 39, "w/c", 0x1a, none)},
	{"copy data", pkt(200, 40, "copy-data", "\x00\x00\x00\x01", uint64(0), uint64(0), "\x00\x00\x00\x00", uint64(0))},
	{"copy data to itself", pkt(200, 40, "copy-data", "\x00\x00\x00\x01", uint64(0), uint64(0), "\x00\x00\x00\x01", uint64(0))},
	{"copy data without a handle", pkt(200, 40, "copy-data", "\x00\x00\x00\x07", uint64(0), uint64(0), "\x00\x00\x00\x00", uint64(0))},
	{"copied", pkt(8, 41, "\x00\x00\x00\x00")},
	{"unknown extension", pkt(200, 42, "check-file", "x")},
	{"unknown request, then a known one", append(frameless(pkt(99, 43)), pkt(16, 44, "/")...)},
	{"long name", pkt(17, 45, "/"+strings.Repeat("x", 300))},
	{"very long name", pkt(17, 45, strings.Repeat("/xxxxxxx", 600))},
	{"proc file", pkt(3, 46, "/proc/sys/kernel/ostype", 1, none)},
	{"read proc file", pkt(5, 46, "\x00\x00\x00\x02", uint64(0), 100)},
	{"write below /proc", pkt(3, 46, "/proc/nosuch", 0x1a, none)},
	{"second init", enc([]byte{1}, 3)},
}

// frameless puts a packet that is not answered before the next one.
func frameless(p []byte) []byte { return append(append([]byte("FRAME"), frame(p)...), "NEXT"...) }

// send writes a step. sftp-server looks at what is behind a packet it does not
// answer only when more comes in, hence the pause.
func send(in io.Writer, p []byte) error {
	if rest, ok := bytes.CutPrefix(p, []byte("FRAME")); ok {
		first, second, _ := bytes.Cut(rest, []byte("NEXT"))
		if _, err := in.Write(first); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
		p = second
	}
	_, err := in.Write(frame(p))
	return err
}

// talk sends every step and describes every answer.
func talk(t *testing.T, in io.Writer, out io.Reader) []exchange {
	t.Helper()
	var list []exchange
	ask := func(name string, p []byte) {
		if err := send(in, p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var head [4]byte
		if _, err := io.ReadFull(out, head[:]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		answer := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(out, answer); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, exchange{name, describe(answer)})
	}
	ask("init", enc([]byte{1}, 3))
	for _, s := range steps {
		ask(s.name, s.pkt)
	}
	return list
}

// start runs our server on a home with an empty folder w.
func start(t testing.TB, change func(*Options)) (in *io.PipeWriter, out *io.PipeReader, status <-chan int) {
	t.Helper()
	host, err := persona.New([]byte("a secret for tests only"), "debian-12", persona.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	fs := host.Image.NewFS(vfs.Quota{}, time.Now)
	if err := fs.Mkdir(vfs.Cred{}, "/root/w", 0o755); err != nil {
		t.Fatal(err)
	}
	o := Options{FS: fs, Home: "/root", Umask: 0o22}
	if change != nil {
		change(&o)
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan int, 1)
	go func() {
		n := Serve(context.Background(), inR, outW, o)
		_ = outW.Close()
		_ = inR.Close()
		done <- n
	}()
	t.Cleanup(func() { _ = inW.Close(); _ = outR.Close() })
	return inW, outR, done
}

const golden = "testdata/openssh-9.2.json"

// TestAsRecorded holds every answer against what OpenSSH's sftp-server said to
// the same request. The recording is made anew from a real one by
// HONEYGUIDE_SFTP_SERVER=PROGRAM, which must start it in a home that holds an
// empty folder w.
func TestAsRecorded(t *testing.T) {
	if real := os.Getenv("HONEYGUIDE_SFTP_SERVER"); real != "" {
		record(t, real)
	}
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var want []exchange
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	in, out, _ := start(t, nil)
	got := talk(t, in, out)
	if len(got) != len(want) {
		t.Fatalf("%d answers, %d recorded", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s:\n got %s\nwant %s", want[i].Ask, got[i].Answer, want[i].Answer)
		}
	}
}

func record(t *testing.T, program string) {
	t.Helper()
	cmd := exec.Command(program, "/usr/lib/openssh/sftp-server")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	list := talk(t, in, out)
	_ = in.Close()
	_ = cmd.Wait()
	raw, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(golden, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
