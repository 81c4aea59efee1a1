package fuzz

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/archtest"
	"honeyguide/test/rig"
)

const root = "../.."

// targets returns the names of all fuzz targets, by folder.
func targets(t *testing.T) map[string][]string {
	t.Helper()
	files, err := archtest.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, f := range files {
		for _, name := range f.Functions() {
			if f.Test && strings.HasPrefix(name, "Fuzz") {
				out[f.Dir] = append(out[f.Dir], name)
			}
		}
	}
	return out
}

// TestTargetsAreFound keeps the search honest: a parser whose target nobody runs
// is not fuzzed.
func TestTargetsAreFound(t *testing.T) {
	all := targets(t)
	n := 0
	for _, names := range all {
		n += len(names)
	}
	if n < 100 || len(all["internal/ipc"]) == 0 || len(all["internal/sensor/ssh"])+len(all["internal/sshwire"]) == 0 {
		t.Errorf("%d targets in %d packages", n, len(all))
	}
}

var executions = regexp.MustCompile(`execs: (\d+)`)

// A finding is how one target ended.
type finding struct {
	target string
	execs  int
	crash  string // "": none
}

// TestFuzz runs every target for as many seconds as HONEYGUIDE_TRUST_FUZZ_CRASHERS
// says. Without it nothing is run here: the seeds of every target are part of its
// package's own tests. HONEYGUIDE_TRUST_FUZZ_ONLY is a pattern of "folder FuzzName".
func TestFuzz(t *testing.T) {
	if os.Getenv("HONEYGUIDE_TRUST_FUZZ_CRASHERS") == "" {
		t.Skip("make fuzz and make trust run the targets: HONEYGUIDE_TRUST_FUZZ_CRASHERS says for how many seconds each")
	}
	each := time.Duration(rig.Size(t, "fuzz-crashers", 1)) * time.Second
	only, err := regexp.Compile(os.Getenv("HONEYGUIDE_TRUST_FUZZ_ONLY"))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	queue := make(chan [3]string)
	var mu sync.Mutex
	var all []finding
	var group sync.WaitGroup
	for range runtime.NumCPU() {
		group.Go(func() {
			for job := range queue {
				f := run(t.Context(), job[0], job[1], job[2], each, t.TempDir())
				t.Logf("%s: %d inputs", f.target, f.execs)
				mu.Lock()
				all = append(all, f)
				mu.Unlock()
			}
		})
	}
	for dir, names := range targets(t) {
		names = slices.DeleteFunc(names, func(name string) bool { return !only.MatchString(dir + " " + name) })
		if len(names) == 0 {
			continue
		}
		program := filepath.Join(bin, strings.ReplaceAll(dir, "/", "-")+".test")
		build := exec.Command("go", "test", "-c", "-vet=off", "-fuzz=.", "-o", program, "./"+dir)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			t.Errorf("build %s: %v\n%s", dir, err, out)
			continue
		}
		for _, name := range names {
			queue <- [3]string{program, dir, name}
		}
	}
	close(queue)
	group.Wait()
	execs, crashers, silent := 0, 0, 0
	for _, f := range all {
		execs += f.execs
		if f.crash != "" {
			crashers++
			t.Errorf("%s: %s", f.target, f.crash)
		} else if f.execs == 0 {
			silent++
			t.Logf("%s ran nothing in %v", f.target, each)
		}
	}
	t.Logf("%d inputs of %d targets, %v each", execs, len(all), each)
	t.Logf("TRUST name=fuzz-crashers figure=%d unit=targets target=<=0 of=%d inputs=%d", crashers, len(all)-silent, execs)
}

// run fuzzes one target. What crashes it is kept as a seed of its package, unless
// the product was broken on purpose.
func run(ctx context.Context, program, dir, name string, each time.Duration, cache string) finding {
	f := finding{target: dir + " " + name}
	ctx, cancel := context.WithTimeout(ctx, each+2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.run=^$", "-test.fuzz=^"+name+"$", "-test.fuzztime="+each.String(), "-test.parallel=1", "-test.fuzzcachedir="+cache)
	cmd.Dir = filepath.Join(root, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	seeds := filepath.Join(root, dir, "testdata", "fuzz", name)
	before := list(seeds)
	out, err := cmd.CombinedOutput()
	for _, m := range executions.FindAllStringSubmatch(string(out), -1) {
		f.execs, _ = strconv.Atoi(m[1])
	}
	if err != nil {
		f.crash = fmt.Sprintf("%v\n%.3000s", err, out)
	}
	if strings.Contains(os.Getenv("GOFLAGS"), "-overlay=") {
		for _, made := range list(seeds) {
			if !slices.Contains(before, made) {
				_ = os.Remove(filepath.Join(seeds, made))
			}
		}
		_ = os.Remove(seeds) // unless there are others
	}
	return f
}

func list(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // there are none yet
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
