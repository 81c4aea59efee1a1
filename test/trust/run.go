package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Verdicts of a row.
const (
	verdictKept   = "kept"
	verdictMissed = "MISSED"
	verdictBlind  = "NO FIGURE" // the proof ran and said nothing, or not all of it ran
	verdictNotRun = "NOT RUN"   // it could not be tried here
)

// A result is how a row ended.
type result struct {
	Name    string   `json:"name"`
	Promise string   `json:"promise"`
	Target  string   `json:"target"`
	Figure  *float64 `json:"figure"` // none: no figure
	Unit    string   `json:"unit,omitempty"`
	Of      float64  `json:"of,omitempty"`
	Verdict string   `json:"verdict"`
	Why     string   `json:"why,omitempty"`
	Seconds float64  `json:"seconds"`
	Load    float64  `json:"load"`              // before it began
	Foreign float64  `json:"foreign_processor"` // share of the processors that others used meanwhile
	Busy    bool     `json:"busy,omitempty"`
	Log     string   `json:"log"`
}

// defaultLimit bounds a row that names no limit.
const defaultLimit = 15 * time.Minute

// prove runs one row and judges it.
func prove(ctx context.Context, o options, r row, s *screen) result {
	env := r.Short
	if o.long {
		env = r.Long
	}
	res := result{Name: r.Name, Promise: r.Promise, Target: r.goal(o.long), Log: r.Name + ".log", Load: loadNow()}
	s.begin(r.Name)
	defer func() { s.end(res) }()
	if why := lacking(r); why != "" {
		res.Verdict, res.Why = verdictNotRun, why
		return res
	}
	m := startMeter()
	log, err := os.Create(filepath.Join(o.out, res.Log))
	if err != nil {
		res.Verdict, res.Why = verdictNotRun, err.Error()
		return res
	}
	defer log.Close()
	e, again := s.ran[r.key(env)]
	if again {
		_, _ = io.WriteString(log, e.text)
	} else {
		e = execute(ctx, o.root, r, env, nil, io.MultiWriter(log, s))
		s.ran[r.key(env)] = e
		res.Seconds = e.took.Seconds()
	}
	res.Foreign = m.foreign()
	res.Busy = busy(res.Foreign)
	judge(&res, r, e, r.Of.of(o.long))
	return res
}

// key is the same for rows whose figures one run of one test prints.
func (r row) key(env []string) string {
	return strings.Join(append([]string{r.Dir, r.Pkg, r.Run}, env...), " ")
}

// goal is the target of a row in a size.
func (r row) goal(long bool) string {
	if long && r.LongTarget != "" {
		return r.LongTarget
	}
	return r.Target
}

// lacking says what a row needs that is not here.
func lacking(r row) string {
	if r.Root && os.Getuid() != 0 {
		return "needs root"
	}
	for _, program := range r.Needs {
		if _, err := exec.LookPath(program); err != nil {
			return "needs " + program + "; make setup installs it"
		}
	}
	return ""
}

// An execution is what a run of a row's test printed and how it ended.
type execution struct {
	text                    string // as go test -v prints it
	passed, failed, skipped int    // tests and their parts
	reason                  string // the first skip or failure, in the test's own words
	broken                  string // why it did not run at all
	took                    time.Duration
}

// execute runs the test of a row. flags are more flags of go test; GOFLAGS with
// them reaches the binaries that the test builds itself.
func execute(ctx context.Context, root string, r row, env, flags []string, copyTo io.Writer) execution {
	limit := r.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit+time.Minute)
	defer cancel()
	args := []string{"test", "-json", "-count=1", "-vet=off", "-timeout", limit.String(), "-run", r.Run, r.Pkg}
	cmd := exec.CommandContext(ctx, goTool(), args...)
	cmd.Dir = filepath.Join(root, r.Dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Env = append(cmd.Env, env...)
	if len(flags) > 0 {
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+strings.Join(flags, " ")))
	}
	// A group of its own, so that what the test started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	var errs bytes.Buffer
	cmd.Stderr = &errs
	began := time.Now()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return execution{broken: fmt.Sprintf("go test did not start: %v", err)}
	}
	e := listen(out, copyTo)
	err = cmd.Wait()
	e.took = time.Since(began)
	_, _ = copyTo.Write(errs.Bytes())
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil && e.broken == "":
		e.broken = "stopped: " + context.Cause(ctx).Error()
	case err != nil && !errors.As(err, &exit):
		e.broken = err.Error()
	case err != nil && e.failed == 0 && e.broken == "":
		e.broken = firstLine(errs.String()+e.text, "go test ended with "+err.Error())
	}
	return e
}

func goTool() string {
	if g := os.Getenv("GO"); g != "" {
		return g
	}
	return "go"
}

// said is the first line of what a test logs.
var said = regexp.MustCompile(`^    [A-Za-z0-9_.-]+\.go:[0-9]+: `)

// maxText bounds what is kept of a test's output to look for its figure.
const maxText = 16 << 20

// listen reads what go test -json tells.
func listen(in io.Reader, copyTo io.Writer) (e execution) {
	var text strings.Builder
	lines := bufio.NewReaderSize(in, 1<<16)
	last := ""
	for {
		line, err := lines.ReadString('\n')
		var event struct{ Action, Test, Output string }
		if len(line) > 0 && json.Unmarshal([]byte(line), &event) == nil {
			switch event.Action {
			case "output", "build-output":
				_, _ = io.WriteString(copyTo, event.Output)
				if text.Len() < maxText {
					text.WriteString(event.Output)
				}
				// Further lines of a longer text say less than its first.
				if said.MatchString(event.Output) && !strings.Contains(event.Output, ": TRUST ") {
					last = strings.TrimSpace(event.Output)
				}
			case "build-fail":
				e.broken = "it does not build"
			}
			e.count(event.Action, event.Test, last)
		}
		if err != nil {
			e.text = text.String()
			return e
		}
	}
}

// count counts how a test ended. A test with parts says so after them, so the
// first reason is the one of the part.
func (e *execution) count(action, test, last string) {
	switch {
	case action == "pass" && test != "":
		e.passed++
		return
	case action == "fail":
		e.failed++
	case action == "skip" && test != "":
		e.skipped++
	default:
		return
	}
	if e.reason == "" {
		e.reason = last
	}
}

func firstLine(text, otherwise string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return otherwise
}

// judge fills in the verdict of a row.
func judge(res *result, r row, e execution, least float64) {
	f, err := oneFigure(r.Name, e.text)
	goal, terr := parseTarget(res.Target)
	if err == nil {
		res.Figure, res.Unit, res.Of = &f.Value, f.Unit, f.Of
	}
	set := func(verdict, why string) { res.Verdict, res.Why = verdict, printable(why) }
	switch {
	case terr != nil:
		set(verdictNotRun, terr.Error())
	case e.broken != "":
		set(verdictNotRun, e.broken)
	case e.failed > 0:
		set(verdictMissed, "the test failed: "+e.reason)
	case err == nil && !goal.met(f.Value):
		set(verdictMissed, "")
	case e.skipped > 0:
		set(verdictBlind, "skipped: "+e.reason)
	case e.passed == 0:
		set(verdictBlind, "no test has this name")
	case err != nil:
		set(verdictBlind, err.Error())
	case f.tries() < least:
		set(verdictBlind, fmt.Sprintf("tried %s times, and %s are promised", trim(f.tries()), trim(least)))
	default:
		set(verdictKept, "")
	}
}
