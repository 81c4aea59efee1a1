package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A machine is where a table was measured.
type machine struct {
	Name       string  `json:"name"`
	Processor  string  `json:"processor"`
	Processors int     `json:"processors"`
	MemoryMiB  int64   `json:"memory_mib"`
	System     string  `json:"system"`
	Kernel     string  `json:"kernel"`
	Go         string  `json:"go"`
	Load       float64 `json:"load"` // of the last minute, before anything began
}

func thisMachine() machine {
	m := machine{Processors: runtime.NumCPU(), Load: loadNow(), Go: strings.TrimPrefix(output("", goTool(), "version"), "go version ")}
	m.Name, _ = os.Hostname()
	m.Processor = field("/proc/cpuinfo", "model name", ":")
	m.System = strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`)
	kib, _ := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal", ":"), " kB"), 10, 64)
	m.MemoryMiB = kib >> 10
	m.Kernel = output("", "uname", "-r")
	return m
}

// field reads one value of a file of names and values, "" when there is none.
func field(file, name, between string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		if k, v, ok := strings.Cut(line, between); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// output is the first line a program prints, "" when it does not.
func output(dir, name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return firstLine(string(out), "")
}

// commitOf names what is measured; a changed tree is marked.
func commitOf(root string) string {
	c := output(root, "git", "rev-parse", "HEAD")
	if c == "" {
		return "no commit"
	}
	if output(root, "git", "status", "--porcelain") != "" {
		c += " with changes"
	}
	return c
}

func versionOf(root string) string {
	if v := output(root, "git", "describe", "--tags", "--always", "--dirty"); v != "" {
		return v
	}
	return "dev"
}

// loadNow is the load of the last minute.
func loadNow() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	words := strings.Fields(string(raw))
	if len(words) == 0 {
		return 0
	}
	v, _ := strconv.ParseFloat(words[0], 64)
	return v
}

// A meter tells own work of a row from that of others on the machine.
type meter struct {
	began  time.Time
	system float64 // seconds all processors worked
	own    float64 // seconds our children did
}

func startMeter() meter { return meter{time.Now(), systemSeconds(), ownSeconds()} }

// foreign is the share of all processors that others used since, 0 to 1.
func (m meter) foreign() float64 {
	whole := time.Since(m.began).Seconds() * float64(runtime.NumCPU())
	if whole <= 0 {
		return 0
	}
	others := (systemSeconds() - m.system) - (ownSeconds() - m.own)
	return min(max(others/whole, 0), 1)
}

// ticks a second: what the kernel counts processor time in for programs.
const ticks = 100

// systemSeconds is how long all processors worked since the machine started.
func systemSeconds() float64 {
	words := strings.Fields(field("/proc/stat", "cpu", "  ")) // user nice system idle iowait irq softirq steal ...
	sum := 0.0
	for i, w := range words {
		if i > 7 {
			break // the rest is counted in user already
		}
		if v, err := strconv.ParseFloat(w, 64); err == nil && i != 3 && i != 4 {
			sum += v
		}
	}
	return sum / ticks
}

// ownSeconds is how long this process and what it waited for worked.
func ownSeconds() float64 {
	sum := 0.0
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
		}
	}
	return sum
}

// busy reports whether a figure was measured beside the work of others: a quarter
// of the machine went to them. The load of before tells nothing of meanwhile, and
// that of meanwhile is mostly our own.
func busy(foreign float64) bool { return foreign > 0.25 }

// shortPath writes a path below the working folder without it.
func shortPath(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
