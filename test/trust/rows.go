package main

import "time"

// A row is one promise and how it is proven: by a test that prints its figure.
type row struct {
	Name       string
	Promise    string   // in a sentence
	Target     string   // of the figure
	LongTarget string   // in the long size, when it is another
	Of         size     // out of how many at least, 0: the test does not say
	Pkg        string   // package of the test
	Dir        string   // module it is in, when not the root: "tools"
	Run        string   // pattern of the test's name
	Short      []string // environment of the short size
	Long       []string // environment of the size the promise names
	Quick      []string // environment of the least that shows a break
	Root       bool     // needs root
	Needs      []string // programs
	Limit      time.Duration
}

// A size is a number in the short and in the long run.
type size struct{ Short, Long float64 }

func (s size) of(long bool) float64 {
	if long {
		return s.Long
	}
	return s.Short
}

// rows are all promises with a proof. docs/operations/trust.md says what each means.
var rows = []row{
	{
		Name: "sandbox-escapes-open", Target: "<=0", Of: size{200, 200},
		Promise: "Nothing a sensor process tries gets it out of its cage.",
		Pkg:     "./internal/sandbox", Run: "^TestSandboxEscape$", Root: true,
	},
	{
		Name: "audit-tampers-missed", Target: "<=0", Of: size{300, 10000},
		Promise: "Any one change to any file of the audit log is found.",
		Pkg:     "./internal/audit", Run: "^TestTampering$",
		Short: []string{"HONEYGUIDE_TRUST_AUDIT_TAMPERS=300"}, Long: []string{"HONEYGUIDE_TRUST_AUDIT_TAMPERS=10000"}, Quick: []string{"HONEYGUIDE_TRUST_AUDIT_TAMPERS=150"},
	},
	{
		Name: "rollback-found", Target: ">=100", Of: size{8, 40},
		Promise: "An audit log that was put back whole to any earlier state is found by a checkpoint kept elsewhere.",
		Pkg:     "./internal/audit", Run: "^TestRollbackIsFoundByTheWitness$",
		Short: []string{"HONEYGUIDE_TRUST_ROLLBACK=8"}, Long: []string{"HONEYGUIDE_TRUST_ROLLBACK=40"}, Quick: []string{"HONEYGUIDE_TRUST_ROLLBACK=3"},
	},
	{
		Name: "kill9-lost", Target: "<=0", Of: size{20, 200},
		Promise: "No acknowledged record is lost or doubled when the core is killed under load.",
		Pkg:     "./test/crash", Run: "^TestKillNine$",
		Short: []string{"HONEYGUIDE_TRUST_KILL9_LOST=20"}, Long: []string{"HONEYGUIDE_TRUST_KILL9_LOST=200"}, Quick: []string{"HONEYGUIDE_TRUST_KILL9_LOST=3"},
	},
	{
		Name: "idle-connections", Target: ">=2000",
		Promise:    "10,000 idle connections keep no newcomer out.",
		LongTarget: ">=10000",
		Pkg:        "./test/e2e", Run: "^TestCrowd$", Needs: []string{"ssh"},
		Short: []string{"HONEYGUIDE_TRUST_IDLE_CONNECTIONS=2000"}, Long: []string{"HONEYGUIDE_TRUST_IDLE_CONNECTIONS=10000"}, Quick: []string{"HONEYGUIDE_TRUST_IDLE_CONNECTIONS=200"},
	},
	{
		Name: "idle-newcomer", Target: "<=1000",
		Promise: "Among them a newcomer is logged in within a second.",
		Pkg:     "./test/e2e", Run: "^TestCrowd$", Needs: []string{"ssh"},
		Short: []string{"HONEYGUIDE_TRUST_IDLE_CONNECTIONS=2000"}, Long: []string{"HONEYGUIDE_TRUST_IDLE_CONNECTIONS=10000"}, Quick: []string{"HONEYGUIDE_TRUST_IDLE_CONNECTIONS=200"},
	},
}
