package coreutils_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/vfs"
)

// commandNames are the names Lookup knows, read from the switches of the
// package's own source so that no command can be forgotten.
var commandNames = sync.OnceValue(func() []string {
	set := token.NewFileSet()
	files, err := filepath.Glob("*.go")
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		pkg, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return nil
		}
		ast.Inspect(pkg, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return true
			}
			if s, err := strconv.Unquote(l.Value); err == nil && s != "" && len(s) < 24 && !strings.ContainsAny(s, " \n") {
				if _, ok := coreutils.Lookup(s); ok {
					names = append(names, s)
				}
			}
			return true
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
})

func TestCommandNames(t *testing.T) {
	names := commandNames()
	if len(names) < 200 {
		t.Fatalf("only %d commands found", len(names))
	}
	for _, n := range []string{"awk", "tar", "ls", "[", "dd", "uniq"} {
		if !slices.Contains(names, n) {
			t.Errorf("%s is missing", n)
		}
	}
}

// A meter is what a command may cost here: steps and bytes as the shell would
// charge them, output, and what it really took from Go's heap, charged or not.
type meter struct {
	steps, room int
	out         int64
	most        int64
}

var errMeter = errors.New("enough")

func (m *meter) Write(p []byte) (int, error) {
	if m.out += int64(len(p)); m.out > m.most {
		return 0, vfs.EPIPE
	}
	return len(p), nil
}

const (
	meterSteps  = 5000
	meterRoom   = 4 << 20
	meterOutput = 1 << 20
	meterHeap   = 192 << 20 // allocated in all, garbage included
	meterSecond = 20        // seconds until a command is held to hang
)

func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// hostile runs one command under a meter and says what is wrong with it.
func hostile(b *bench, argv []string, stdin string) error {
	cmd, ok := coreutils.Lookup(argv[0])
	if !ok {
		return nil
	}
	b.now, b.seen = moment, nil
	m := &meter{steps: meterSteps, room: meterRoom, most: meterOutput}
	p := b.proc(strings.NewReader(stdin), m, m, argv)
	p.Step = func(n int) error {
		if m.steps -= n; m.steps < 0 {
			return coreutils.ExitStatus(137)
		}
		return nil
	}
	p.Alloc = func(n int) error {
		if m.room -= n; m.room < 0 {
			m.room += n
			return vfs.ENOMEM
		}
		return nil
	}
	naps := 0
	p.Sleep = func(time.Duration) error { // the attacker hangs up after a while
		if naps++; naps > 50 {
			return coreutils.ExitStatus(129)
		}
		return nil
	}
	before := allocated()
	watchdog := time.AfterFunc(meterSecond*time.Second, func() { panic(fmt.Sprintf("hangs: %q < %q", argv, stdin)) })
	defer watchdog.Stop()
	cmd(p)
	if took := allocated() - before; took > meterHeap {
		return fmt.Errorf("%q took %d MiB from the heap: %w", argv, took>>20, errMeter)
	}
	if m.out > 16*meterOutput {
		return fmt.Errorf("%q went on writing to a closed pipe: %d bytes: %w", argv, m.out, errMeter)
	}
	return nil
}

// values are operands that option parsers trip over.
var values = []string{
	"", "-", "-1", "0", "1", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e9", "1000000000", "0x", ":", ",", "%", "\\", "a", "é", "\xff",
	"1,2", "-5-", "3-1", "/", "/w/fruit", "/w/dir", "/nope", "{}", ";", "+", "=", "u+", "@", "[", "(", "*", "s/a/", "%s%", "1d", "now", "a=b", "1K", "1T", "10E", "~", "\n",
}

// TestHostileOptions gives every letter as an option to every command, with
// values that option parsers trip over.
func TestHostileOptions(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+"
	b := newBench(t, "debian-12")
	b.reset()
	b.fixture()
	stdin := "one:two\nthree four 5\n\x00\xffé\n-1\n"
	n := 0
	run := func(argv ...string) {
		n++
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("%q panics: %v", argv, r)
			}
		}()
		if err := hostile(b, argv, stdin); err != nil {
			t.Error(err)
		}
		if used, inodes := b.fs.Used(); used > 1<<20 || inodes > 500 {
			b.reset()
			b.fixture()
		}
	}
	for k, name := range commandNames() {
		for _, v := range values {
			run(name, v)
			run(name, "--", v, v, v)
		}
		for i := range len(letters) {
			opt := "-" + letters[i:i+1]
			run(name, opt)
			// An eleventh of the values; which one moves on with letter and command.
			for j := (k + i) % 11; j < len(values); j += 11 {
				run(name, opt, values[j], "/w/fruit")
				run(name, opt+values[j], "-", values[(j+i)%len(values)])
			}
		}
	}
	t.Logf("%d runs of %d commands", n, len(commandNames()))
}

// FuzzEveryCommand picks a command by its number and gives it arguments
// separated by NUL.
func FuzzEveryCommand(f *testing.F) {
	names := commandNames()
	for i, name := range names {
		f.Add(uint16(i), "-n\x00-1\x00/w/fruit", "a\nb\n")
		if i%8 == 0 {
			f.Add(uint16(i), "--help\x00"+name, "")
		}
	}
	b := newBench(f, "debian-12")
	f.Fuzz(func(t *testing.T, i uint16, args, stdin string) {
		if len(args) > 4096 || len(stdin) > 1<<16 {
			return
		}
		b.t = t
		b.reset()
		b.fixture()
		argv := []string{names[int(i)%len(names)]}
		if args != "" {
			argv = append(argv, strings.Split(args, "\x00")...)
		}
		if err := hostile(b, argv, stdin); err != nil {
			t.Fatal(err)
		}
	})
}
