package sigmabench

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	sigmago "github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"

	"honeyguide/internal/sigma"
)

// engines are the public rules in both.
type engines struct {
	ours   *sigma.Engine
	theirs []evaluator.RuleEvaluator
}

var missing = regexp.MustCompile(`placeholder %([^%]+)%`)

// load reads the public rules of some log sources. The other engine gets those
// it can parse.
func load(t *testing.T, want func(sigma.Source) bool) engines {
	t.Helper()
	dir := os.Getenv("HONEYGUIDE_SIGMA_DIR")
	if dir == "" {
		t.Skip("HONEYGUIDE_SIGMA_DIR does not name a checkout of the public rules")
	}
	with := sigma.Placeholders{}
	var out engines
	set := &sigma.Ruleset{}
	for _, folder := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance"} {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".yml") {
				return err
			}
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			one := &sigma.Ruleset{}
			for more := true; more; {
				more = false
				one = &sigma.Ruleset{}
				one.Add(p, text, with)
				for _, f := range one.Faults {
					if f.Kind == sigma.FaultPlaceholder {
						with[missing.FindStringSubmatch(f.Why)[1]] = []string{"x"}
						more = true
					}
				}
			}
			for _, r := range one.Rules {
				if !want(r.Logsource) {
					continue
				}
				set.Rules = append(set.Rules, r)
				if rule, err := sigmago.ParseRule(text); err == nil {
					out.theirs = append(out.theirs, *evaluator.ForRule(rule, evaluator.WithPlaceholderExpander(
						func(context.Context, string) ([]string, error) { return []string{"x"}, nil })))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out.ours, _ = sigma.NewEngine(set)
	return out
}

// covers is our routing, for the other engine, which has none.
func covers(rule sigmago.Logsource, of []sigma.Source) bool {
	same := func(a, b string) bool { return a == "" || a == b }
	return slices.ContainsFunc(of, func(s sigma.Source) bool {
		return same(rule.Product, s.Product) && same(rule.Category, s.Category) && same(rule.Service, s.Service)
	})
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A rate is events per second of processor time, the median of five.
func rate(t *testing.T, who string, rounds int, run func() (events, hits int)) float64 {
	t.Helper()
	var all []float64
	hits := 0
	run() // warms up
	for range 5 {
		began, events := cpu(), 0
		for range rounds {
			n, h := run()
			events += n
			hits = h
		}
		all = append(all, float64(events)/(cpu()-began).Seconds())
	}
	slices.Sort(all)
	t.Logf("%-8s %10.0f events per second of processor time (median of %.0f), %d hits", who, all[2], all, hits)
	return all[2]
}

func (x *engines) beside(t *testing.T, events []event, every int) {
	t.Helper()
	var some []event
	for i := 0; i < len(events); i += every {
		some = append(some, events[i])
	}
	s := x.ours.NewScratch()
	var hits []*sigma.Rule
	ours := rate(t, "ours", 1+40_000/len(some), func() (int, int) {
		n := 0
		for i := range some {
			hits = x.ours.Match(s, some[i].rec, hits[:0])
			n += len(hits)
		}
		return len(some), n
	})
	var each []time.Duration
	for i := range some { // the second round, so that all is warm
		began := time.Now()
		hits = x.ours.Match(s, some[i].rec, hits[:0])
		each = append(each, time.Since(began))
	}
	slices.Sort(each)
	routes := map[string][]*evaluator.RuleEvaluator{}
	asked, failed := 0, 0
	theirs := rate(t, "sigma-go", 1, func() (int, int) {
		n := 0
		asked, failed = 0, 0
		for i := range some {
			key := ""
			for _, o := range some[i].rec.Sources {
				key += o.Product + "|" + o.Category + "|" + o.Service + ";"
			}
			rules, ok := routes[key]
			if !ok {
				for j := range x.theirs {
					if covers(x.theirs[j].Logsource, some[i].rec.Sources) {
						rules = append(rules, &x.theirs[j])
					}
				}
				routes[key] = rules
			}
			for _, r := range rules {
				asked++
				got, err := r.Matches(t.Context(), some[i].all)
				if err != nil {
					failed++
				} else if got.Match {
					n++
				}
			}
		}
		return len(some), n
	})
	t.Logf("%d events; %d rules of ours, %d of sigma-go (%.1f asked an event, %d evaluations fail); p99 of one event %v; ratio %.0f",
		len(some), x.ours.Len(), len(x.theirs), float64(asked)/float64(len(some)), failed, each[len(each)*99/100], ours/theirs)
}

func TestBesideWindows(t *testing.T) {
	x := load(t, func(s sigma.Source) bool { return s.Product == "windows" })
	for _, name := range []string{"empire_psexec_dcerpc_tcp_svcctl", "cmd_bitsadmin_download_psh_script"} {
		t.Run(name, func(t *testing.T) {
			events := windowsEvents(t, name)
			x.beside(t, events, 1+len(events)/1000)
		})
	}
}

func TestBesideDecoys(t *testing.T) {
	x := load(t, func(s sigma.Source) bool { return s.Product == "linux" || s.Product == "" })
	x.beside(t, decoyEvents(t), 9)
}
