package audit

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide"
)

var kills = flag.Int("kills", 12, "how often TestKillNine kills")

// childVar names the folder a child of TestKillNine records in.
const childVar = "HONEYGUIDE_AUDIT_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		recordForever(dir)
		return
	}
	os.Exit(m.Run())
}

// recordForever records from eight writers and says so after each entry is
// acknowledged.
func recordForever(root string) {
	l, err := Open(context.Background(), Options{Dir: filepath.Join(root, "audit"), Keys: filepath.Join(root, "keys"), Rotate: 100_000})
	if err != nil || l.Refused() != "" {
		fmt.Println("refused", err, l.Refused())
		os.Exit(1)
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				e := entry(n)
				e.Object = fmt.Sprintf("entry:%d-%d-%d", os.Getpid(), w, n)
				if err := l.Record(context.Background(), e); err != nil {
					fmt.Println("refused", err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println("acked", e.Object)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestKillNine kills a process that records, again and again, and looks for
// every entry it was told is there. With -kills=200 as often as is promised.
func TestKillNine(t *testing.T) {
	root := t.TempDir()
	acked, cuts := map[string]bool{}, 0
	for kill := range *kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVar+"="+root)
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(pipe)
		began := make(chan struct{})
		var once sync.Once
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					once.Do(func() { close(began) })
					return // what is cut off counts for nothing
				}
				word, name, _ := strings.Cut(strings.TrimSpace(line), " ")
				if word != "acked" {
					t.Errorf("kill %d: %s", kill, line)
				}
				acked[name] = true
				once.Do(func() { close(began) })
			}
		}()
		<-began
		time.Sleep(time.Duration(30+rand.IntN(170)) * time.Millisecond)
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
		r, err := Verify(t.Context(), Check{Dir: filepath.Join(root, "audit"), Key: publicOf(t, root)})
		if err != nil || !r.Sound() {
			t.Fatalf("kill %d: %+v, %v", kill, r, err)
		}
		if r.Tail > 0 {
			cuts++
		}
	}
	l, err := Open(t.Context(), Options{Dir: filepath.Join(root, "audit"), Keys: filepath.Join(root, "keys")})
	if err != nil || l.Refused() != "" {
		t.Fatal(err, l.Refused())
	}
	defer l.Close()
	found := map[string]int{}
	for q := (Query{Limit: 1000}); ; {
		page, next, err := l.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			found[e.Object]++
		}
		if q.Before = next; next == 0 {
			break
		}
	}
	lost, twice := 0, 0
	for name := range acked {
		switch found[name] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	t.Logf("%d kills: %d entries acknowledged, %d stored, %d lost, %d twice, %d unacknowledged tails, %d files", *kills, len(acked), len(found), lost, twice, cuts, len(l.segs))
	if lost > 0 || twice > 0 || len(acked) < 10**kills {
		t.Errorf("lost %d, twice %d of %d", lost, twice, len(acked))
	}
}

func publicOf(t *testing.T, root string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "keys", publicFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestFullDisk records on a file system that is full every now and then. What
// was acknowledged stays, what was refused is not there, reading goes on, and
// recording does, too, once there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no small file system can be made: %v", err)
		}
		t.Skipf("no right to make a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	b := newBench(t, func(o *Options) {
		o.Dir, o.Keys, o.Rotate = filepath.Join(dir, "audit"), filepath.Join(dir, "keys"), 64_000
	})
	acked, refused := 0, 0
	for round := range 12 {
		fill(t, filepath.Join(dir, "fill"), int64(round)*700)
		for n := range 40 {
			err := b.log.RecordAll(t.Context(), entries(0, 1+n%7))
			switch {
			case err == nil:
				acked += 1 + n%7
			case honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable:
				t.Fatal(err)
			default:
				refused++
			}
		}
		if _, _, err := b.log.List(t.Context(), Query{}); err != nil {
			t.Errorf("reading while the disk is full: %v", err)
		}
		if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
			t.Fatal(err)
		}
		b.record(entry(round))
		acked++
		if round%4 == 3 {
			b.again()
		}
		if why := b.log.Refused(); why != "" {
			t.Fatal(why)
		}
	}
	r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey()})
	if err != nil || !r.Sound() || r.Size != int64(acked) {
		t.Errorf("%d acknowledged: %+v, %v", acked, r, err)
	}
	t.Logf("%d entries acknowledged, %d writes refused", acked, refused)
	if refused == 0 {
		t.Error("the disk was never full")
	}
}

// fill takes all room there is but some bytes.
func fill(t *testing.T, file string, leave int64) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if st, err := f.Stat(); err == nil && leave > 0 {
		_ = f.Truncate(max(st.Size()-leave, 0))
	}
}

func FuzzRecords(f *testing.F) {
	buf, _, _ := encode(nil, &honeyguide.AuditEntry{Actor: "x"})
	f.Add(buf)
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := records{r: strings.NewReader(string(raw))}
		for n := int64(0); ; n++ {
			text, err := r.next()
			if err != nil {
				if err != io.EOF && !errors.Is(err, errTorn) {
					t.Fatal(err)
				}
				return
			}
			_, _ = decode(text, n)
		}
	})
}

// FuzzVerify gives a verification any checkpoint and any entries.
func FuzzVerify(f *testing.F) {
	k, _, err := newKeys()
	if err != nil {
		f.Fatal(err)
	}
	c, _ := signCheckpoint(k.signer, 1, Hash{})
	buf, _, _ := encode(nil, &honeyguide.AuditEntry{Actor: "x"})
	f.Add(c.Note, buf, buf)
	f.Fuzz(func(t *testing.T, point, entries, hashes []byte) {
		dir := t.TempDir()
		for name, raw := range map[string][]byte{checkpointName: point, entriesName: entries, hashesName: hashes} {
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := Verify(t.Context(), Check{Dir: dir, Key: k.public}); err == nil && r.Sound() {
			t.Error("what nobody signed is sound")
		}
	})
}

func FuzzCheckpoints(f *testing.F) {
	k, _, err := newKeys()
	if err != nil {
		f.Fatal(err)
	}
	c, _ := signCheckpoint(k.signer, 7, Hash{1})
	f.Add(string(c.Note))
	f.Add("Nov 22 host honeyguide: " + c.Line() + "\nhoneyguide-checkpoint:" + strings.Repeat("A", 99))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadCheckpoints(strings.NewReader(text), k.public)
		for _, x := range got.List {
			if x.Size != 7 || x.Origin != c.Origin {
				t.Errorf("%+v, %v", x, err)
			}
		}
		_, _ = parseCheckpoint(text)
		_, _ = ParseProof([]byte(text))
		_, _, _ = CheckProof(Proof{Record: text, Checkpoint: text, Hashes: []string{text}}, k.public)
	})
}

// BenchmarkAppend records in batches; the figure is entries a second.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			l := newBench(b)
			list := entries(0, size)
			for b.Loop() {
				if err := l.log.RecordAll(b.Context(), list); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkAppendParallel records one entry each from many at a time.
func BenchmarkAppendParallel(b *testing.B) {
	l := newBench(b)
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := l.log.Record(context.Background(), entry(1)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkVerify verifies 100,000 entries; so does a start without caches.
func BenchmarkVerify(b *testing.B) {
	l := newBench(b)
	const n = 100_000
	for i := range n / 1000 {
		l.record(entries(i*1000, 1000)...)
	}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			l.sound()
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := l.log.List(b.Context(), Query{Object: "run:R-1"}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("prove", func(b *testing.B) {
		for b.Loop() {
			_, p, err := l.log.Prove(b.Context(), 4711)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := CheckProof(p, l.log.PublicKey()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
