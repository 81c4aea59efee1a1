// Package script runs a program of the operator's.
//
// No shell looks at the arguments: each is handed over as it is, with what stands in
// braces filled in. The program must lie in the folder respond.scripts, where
// nobody but its owner may write; it runs as nobody when we are root, with an empty
// environment, and is ended with all it started when its time is over.
package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
	"honeyguide/internal/sandbox"
)

// Kind is the script action.
var Kind = kind.Of("script", "Run a program of yours from the folder of scripts.", Config{Timeout: 30 * time.Second}, open)

// Config configures a script action.
type Config struct {
	Script  string        `yaml:"script" doc:"name of the program in the folder respond.scripts, or its absolute path there"`
	Args    []string      `yaml:"args" doc:"its arguments; {target} {incident} {plan} {run} {playbook} {severity} {node} and {param.NAME} are filled in"`
	Verify  []string      `yaml:"verify" doc:"arguments to ask it whether the effect is there: status 0 says yes; empty = it is not asked"`
	Revert  []string      `yaml:"revert" doc:"arguments to undo the effect; empty = it cannot be undone"`
	Timeout time.Duration `yaml:"timeout" doc:"how long it may run, 1s to 5m"`
}

// placeholder is what is filled in.
var placeholder = regexp.MustCompile(`\{(target|incident|plan|run|playbook|severity|node|param\.[a-z][a-z0-9_]{0,39})\}`)

// suspicious is what looks like a placeholder and is none.
var suspicious = regexp.MustCompile(`\{[a-zA-Z_.]+\}`)

const maxArgs = 50

// Validate checks the settings.
func (c *Config) Validate() error {
	if c.Script == "" {
		return respond.Invalid("script: missing; want the name of a program in the folder respond.scripts")
	}
	if c.Timeout < time.Second || c.Timeout > 5*time.Minute {
		return respond.Invalid("timeout: want 1s to 5m")
	}
	for key, list := range map[string][]string{"args": c.Args, "verify": c.Verify, "revert": c.Revert} {
		if len(list) > maxArgs {
			return respond.Invalid("%s: at most %d", key, maxArgs)
		}
		for i, arg := range list {
			if bad := suspicious.FindString(placeholder.ReplaceAllString(arg, "")); bad != "" {
				return respond.Invalid("%s[%d]: %s is nothing that can be filled in", key, i, bad)
			}
			if strings.ContainsRune(arg, 0) {
				return respond.Invalid("%s[%d]: a zero byte", key, i)
			}
		}
	}
	return nil
}

type action struct {
	cfg Config
	dep respond.Deps
}

// Which of them an action is depends on its settings.
type (
	verified   struct{ *action }
	reverted   struct{ *action }
	verifiable struct{ reverted } // both
)

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = verified{}
	_ respond.Reverter = reverted{}
	_ respond.Verifier = verifiable{}
	_ respond.Reverter = verifiable{}
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	a := &action{cfg, dep}
	if _, err := a.program(); err != nil {
		return nil, err
	}
	switch {
	case len(cfg.Verify) > 0 && len(cfg.Revert) > 0:
		return verifiable{reverted{a}}, nil
	case len(cfg.Verify) > 0:
		return verified{a}, nil
	case len(cfg.Revert) > 0:
		return reverted{a}, nil
	}
	return a, nil
}

// program finds the file and sees that nobody else can have put it there. It is
// looked at before every run.
func (a *action) program() (string, error) {
	if a.dep.Scripts == "" {
		return "", respond.Invalid("script: respond.scripts is empty; name the folder scripts may be run from")
	}
	folder, err := filepath.EvalSymlinks(a.dep.Scripts)
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return "", respond.Invalid("script: respond.scripts: %v", err)
	}
	path := a.cfg.Script
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", respond.Invalid("script: %v", err)
	}
	inside, err := filepath.Rel(folder, path)
	if err != nil || !filepath.IsLocal(inside) || inside == "." {
		return "", respond.Invalid("script: %s is not in the folder respond.scripts", path)
	}
	for p := path; ; p = filepath.Dir(p) {
		if err := ours(p, p == path); err != nil {
			return "", err
		}
		if p == folder {
			return path, nil
		}
	}
}

// ours reports why a file or folder might be somebody else's work.
func ours(path string, program bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return respond.Invalid("script: %v", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return respond.Invalid("script: %s belongs to somebody else; it must be root's or ours", path)
	case info.Mode().Perm()&0o022 != 0:
		return respond.Invalid("script: others may write to %s; take that right away", path)
	case program && (info.Mode().Type() != 0 || info.Mode().Perm()&0o111 == 0):
		return respond.Invalid("script: %s is no program; make it one with chmod 755", path)
	case program && info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		return respond.Invalid("script: %s changes its user; that is not allowed", path)
	case !program && !info.IsDir():
		return respond.Invalid("script: %s is no folder", path)
	}
	return nil
}

const (
	maxValue  = 2000 // bytes filled in for one placeholder
	maxTarget = 500
)

// Plan plans a run. What may not be handed to a program is an error.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p := honeyguide.Plan{
		Action: a.dep.Name, Target: r.Target, Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason, Irreversible: len(a.cfg.Revert) == 0,
		Run: r.Run, Playbook: r.Playbook,
	}
	if len(r.Target) > maxTarget {
		return p, errors.New("plan a script: the target is too long")
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	if r.Incident != nil {
		p.Incident = r.Incident.ID
		p.Params[respond.ParamSeverity] = r.Incident.Severity.String()
	}
	p.ID = "PLAN" // not known yet
	args, err := a.fill(a.cfg.Args, p)
	if err != nil {
		return p, fmt.Errorf("plan a script: %w", err)
	}
	p.ID = ""
	for i := range args {
		args[i] = safetext.TermN(fmt.Sprintf("%q", args[i]), 80)
	}
	p.Effect = fmt.Sprintf("The script %s would run with: %s", safetext.TermN(filepath.Base(a.cfg.Script), 60), cmp.Or(strings.Join(args[:min(len(args), 12)], " "), "no arguments"))
	return p, nil
}

// fill fills arguments in. A value never makes an option of an argument, nor two of
// one, and holds no character that steers.
func (a *action) fill(list []string, p honeyguide.Plan) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, arg := range list {
		var fault error
		filled := placeholder.ReplaceAllStringFunc(arg, func(name string) string {
			v := a.value(name[1:len(name)-1], p)
			switch {
			case len(v) > maxValue:
				fault = fmt.Errorf("%s is longer than %d bytes", name, maxValue)
			case safetext.Hostile(v) || strings.ToValidUTF8(v, "") != v:
				fault = fmt.Errorf("%s holds a character that no program is handed", name)
			}
			return v
		})
		if placeholder.FindStringIndex(arg) != nil && !strings.HasPrefix(arg, "-") && strings.HasPrefix(filled, "-") {
			fault = fmt.Errorf("what is filled into %q would make an option of it", arg)
		}
		if fault != nil {
			return nil, fault
		}
		out = append(out, filled)
	}
	return out, nil
}

func (a *action) value(name string, p honeyguide.Plan) string {
	switch name {
	case "target":
		return p.Target
	case "incident":
		return p.Incident
	case "plan":
		return p.ID
	case "run":
		return p.Run
	case "playbook":
		return p.Playbook
	case "severity":
		return p.Params[respond.ParamSeverity]
	case "node":
		return a.dep.Node
	}
	return p.Params[strings.TrimPrefix(name, "param.")]
}

const maxOutput = 8 << 10

// final are exit statuses that say that trying again is no use: those of sysexits.h
// but for 69 (unavailable), 71, 74 and 75 (temporary failures), and what a shell
// says of programs it cannot run.
var final = []int{64, 65, 66, 67, 68, 70, 72, 73, 76, 77, 78, 126, 127}

// run runs the script.
func (a *action) run(ctx context.Context, args []string, p honeyguide.Plan) (respond.Receipt, error) {
	path, err := a.program()
	if err != nil {
		return respond.Receipt{}, respond.Permanent(err)
	}
	if args, err = a.fill(args, p); err != nil {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("run the script: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	exit, err := sandbox.RunScript(ctx, sandbox.Script{Path: path, Args: args, MaxOutput: maxOutput})
	said := safetext.TermN(strings.TrimSpace(exit.Output), 200)
	switch {
	case err != nil:
		return respond.Receipt{}, fmt.Errorf("run the script: %w", err)
	case exit.Code == 0:
		return receipt(exit.Output), nil
	}
	err = fmt.Errorf("the script ended with %s; it said: %s", exit, cmp.Or(said, "nothing"))
	if exit.Signal == 0 && slices.Contains(final, exit.Code) {
		return respond.Receipt{}, respond.Permanent(err)
	}
	return respond.Receipt{}, err
}

// receipt reads the output: a line ref=NAME names the effect, the first other line
// is shown.
func receipt(output string) (r respond.Receipt) {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if ref, ok := strings.CutPrefix(line, "ref="); ok && r.Ref == "" {
			r.Ref = safetext.TermN(ref, 100)
		} else if r.Detail == "" {
			r.Detail = safetext.TermN(line, 200)
		}
	}
	return r
}

// Apply runs the script. It may run twice for one plan: {plan} is the key to know
// that by.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return a.run(ctx, a.cfg.Args, p)
}

func (a *action) verify(ctx context.Context, p honeyguide.Plan) error {
	_, err := a.run(ctx, a.cfg.Verify, p)
	return err
}

// Verify asks the script.
func (v verified) Verify(ctx context.Context, p honeyguide.Plan) error { return v.verify(ctx, p) }

// Verify asks the script.
func (v verifiable) Verify(ctx context.Context, p honeyguide.Plan) error { return v.verify(ctx, p) }

// Revert lets the script undo what it did.
func (r reverted) Revert(ctx context.Context, p honeyguide.Plan) error {
	_, err := r.run(ctx, r.cfg.Revert, p)
	return err
}
