package main

import (
	"strings"
	"time"
)

// A row is one promise and how it is proven: by a test that prints its figure.
type row struct {
	Name       string
	Promise    string   // in a sentence
	Target     string   // of the figure
	LongTarget string   // in the long size, when it is another
	Of         size     // out of how many at least, or in how many rounds where the test counts them; 0: it does not say
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

// sized names the size of a row's proof in the environment.
func sized(row, n string) []string {
	return []string{"HONEYGUIDE_TRUST_" + strings.ToUpper(strings.ReplaceAll(row, "-", "_")) + "=" + n}
}

// rows are all promises with a proof. docs/operations/trust.md says what each means.
var rows = []row{
	{
		Name: "sandbox-escapes-open", Target: "<=0", Of: size{200, 200},
		Promise: "Nothing a sensor process tries gets it out of its cage.",
		Pkg:     "./internal/sandbox", Run: "^TestSandboxEscape$", Root: true,
	},
	{
		Name: "containment-packets-out", Target: "<=0", Of: size{150, 150},
		Promise: "No attack makes a decoy send a packet to anybody but who asked.",
		Pkg:     "./test/defence", Run: "^TestContainment$", Root: true, Needs: []string{"ip", "nft", "ssh", "curl"},
	},
	{
		Name: "udp-amplification", Target: "<=1", Of: size{100, 100},
		Promise: "A decoy answers a datagram with no more bytes than it was asked with.",
		Pkg:     "./test/defence", Run: "^TestContainment$", Root: true, Needs: []string{"ip", "nft", "ssh", "curl"},
	},
	{
		Name: "audit-tampers-missed", Target: "<=0", Of: size{300, 10_000},
		Promise: "Any one change to any file of the audit log is found.",
		Pkg:     "./internal/audit", Run: "^TestTampering$",
		Short: sized("audit-tampers", "300"), Long: sized("audit-tampers", "10000"), Quick: sized("audit-tampers", "150"),
	},
	{
		Name: "rollback-found", Target: ">=100", Of: size{8, 40},
		Promise: "An audit log that was put back whole to any earlier state is found by a checkpoint kept elsewhere.",
		Pkg:     "./internal/audit", Run: "^TestRollbackIsFoundByTheWitness$",
		Short: sized("rollback", "8"), Long: sized("rollback", "40"), Quick: sized("rollback", "3"),
	},
	{
		Name: "backup-differences", Target: "<=0", Of: size{20, 20},
		Promise: "A node that was backed up under load twice, the second time by what changed, is the same when it is restored.",
		Pkg:     "./internal/backup", Run: "^TestSecondCopyAddsWhatChanged$",
	},
	{
		Name: "backup-lost", Target: "<=0", Of: size{500, 20_000},
		Promise: "What was acknowledged before a backup began is in it, though a thousand records a second come in.",
		Pkg:     "./test/e2e", Run: "^TestBackupUnderLoad$", Limit: 15 * time.Minute,
		Short: sized("backup-lost", "2"), Long: sized("backup-lost", "60"), Quick: sized("backup-lost", "1"),
	},
	{
		Name: "bundle-tampers-missed", Target: "<=0", Of: size{1000, 10_000},
		Promise: "Any one change to a bundle of evidence is found, offline.",
		Pkg:     "./internal/bundle", Run: "^TestTampering$",
		Short: sized("bundle-tampers", "1000"), Long: sized("bundle-tampers", "10000"), Quick: sized("bundle-tampers", "300"),
	},
	{
		Name: "kill9-lost", Target: "<=0", Of: size{20, 200},
		Promise: "No acknowledged event, alert, audit entry or job is lost or doubled when the core is killed under load.",
		Pkg:     "./test/crash", Run: "^TestKillNine$", Limit: 40 * time.Minute,
		Short: sized("kill9-lost", "20"), Long: sized("kill9-lost", "200"), Quick: sized("kill9-lost", "3"),
	},
	{
		Name: "powercut-lost", Target: "<=0", Of: size{3, 20},
		Promise: "None is lost when the power is cut under load.",
		Pkg:     "./test/power", Run: "^TestPowerCut$", Root: true, Limit: 30 * time.Minute,
		Short: sized("powercut-lost", "3"), Long: sized("powercut-lost", "20"), Quick: sized("powercut-lost", "1"),
	},
	{
		Name: "diskfull-lost", Target: "<=0", Of: size{6, 300},
		Promise: "While the disk is full nothing is acknowledged that is not stored, and nothing breaks.",
		Pkg:     "./test/disk", Run: "^TestDiskFull$", Root: true, Limit: 20 * time.Minute,
		Short: sized("diskfull-lost", "6"), Long: sized("diskfull-lost", "300"), Quick: sized("diskfull-lost", "2"),
	},
	{
		Name: "diskfull-recovery", Target: "<=10",
		Promise: "Ten seconds after there is room again events are taken, without anybody's hand.",
		Pkg:     "./test/disk", Run: "^TestDiskFull$", Root: true, Limit: 20 * time.Minute,
		Short: sized("diskfull-lost", "6"), Long: sized("diskfull-lost", "300"), Quick: sized("diskfull-lost", "2"),
	},
	{
		Name: "pii-left", Target: "<=0", Of: size{10, 10},
		Promise: "After an erasure, and after retention, nothing of the person is in any file, and the audit log still verifies.",
		Pkg:     "./test/e2e", Run: "^TestNothingPersonalIsLeft$", Needs: []string{"curl", "ssh"},
	},
	{
		Name: "fuzz-crashers", Target: "<=0", Of: size{100, 100},
		Promise: "No input crashes a parser.",
		Pkg:     "./test/fuzz", Run: "^TestFuzz$", Limit: 5 * time.Hour,
		Short: sized("fuzz-crashers", "1"), Long: sized("fuzz-crashers", "60"),
		Quick: append(sized("fuzz-crashers", "1"), "HONEYGUIDE_TRUST_FUZZ_ONLY=^internal/safetext"),
	},
	{
		Name: "guesses-evaluated", Target: "<=20", Of: size{1000, 10_000},
		Promise: "However many guess at an account, few passwords are looked at.",
		Pkg:     "./test/bench", Run: "^TestGuesses$",
		Short: sized("guesses-evaluated", "1000"), Long: sized("guesses-evaluated", "10000"), Quick: sized("guesses-evaluated", "1000"),
	},
	{
		Name: "guesses-owner-p99", Target: "<=1000",
		Promise: "The owner of an account logs in within a second while others guess at it.",
		Pkg:     "./test/bench", Run: "^TestGuesses$",
		Short: sized("guesses-evaluated", "1000"), Long: sized("guesses-evaluated", "10000"), Quick: sized("guesses-evaluated", "1000"),
	},
	{
		Name: "slow-clients-left", Target: "<=0", Of: size{400, 1200},
		Promise: "Who keeps a connection open by being slow is hung up on in time, at the API and at every decoy.",
		Pkg:     "./test/e2e", Run: "^TestSlowClients$",
		Short: sized("slow-clients-left", "40"), Long: sized("slow-clients-left", "100"), Quick: sized("slow-clients-left", "10"),
	},
	{
		Name: "slow-clients-refused", Target: "<=0", Of: size{10, 10},
		Promise: "Everybody else is served meanwhile.",
		Pkg:     "./test/e2e", Run: "^TestSlowClients$",
		Short: sized("slow-clients-left", "40"), Long: sized("slow-clients-left", "100"), Quick: sized("slow-clients-left", "10"),
	},
	{
		Name: "idle-connections", Target: ">=2000", LongTarget: ">=10000",
		Promise: "10,000 idle connections are held.",
		Pkg:     "./test/e2e", Run: "^TestCrowd$", Needs: []string{"ssh"},
		Short: sized("idle-connections", "2000"), Long: sized("idle-connections", "10000"),
	},
	{
		Name: "idle-newcomer", Target: "<=1000",
		Promise: "Among them a newcomer is logged in within a second.",
		Pkg:     "./test/e2e", Run: "^TestCrowd$", Needs: []string{"ssh"},
		Short: sized("idle-connections", "2000"), Long: sized("idle-connections", "10000"),
	},
	{
		Name: "soak-rss-slope", Target: "<=1800", LongTarget: "<=10", Of: size{90, 3600},
		Promise: "Memory does not grow without end under load. A short run sees a gross leak alone.",
		Pkg:     "./test/e2e", Run: "^TestSoak$", Root: true, Limit: 90 * time.Minute,
		Short: sized("soak-rss-slope", "90"), Long: sized("soak-rss-slope", "3600"),
	},
	{
		Name: "soak-oom-kills", Target: "<=0", Of: size{1000, 100_000},
		Promise: "256 MiB are enough: nothing is killed for memory.",
		Pkg:     "./test/e2e", Run: "^TestSoak$", Root: true, Limit: 90 * time.Minute,
		Short: sized("soak-rss-slope", "90"), Long: sized("soak-rss-slope", "3600"), Quick: sized("soak-rss-slope", "30"),
	},
	{
		Name: "reproducible-build", Target: "<=0",
		Promise: "The same commit gives the same binary and console, wherever it is built.",
		Dir:     "tools", Pkg: "./repro", Run: "^TestReproducible$", Needs: []string{"git", "npm"}, Limit: 45 * time.Minute,
		Short: sized("reproducible-build", "1"), Long: sized("reproducible-build", "2"), Quick: sized("reproducible-build", "1"),
	},
	{
		Name: "secret-scan", Target: "<=0", Of: size{500, 500},
		Promise: "There is no credential in the repository or its history.",
		Dir:     "tools", Pkg: "./secrets", Run: "^TestRepository$", Needs: []string{"git"},
	},
	{
		Name: "licences", Target: "<=0", Of: size{100, 100},
		Promise: "Every dependency stands under a licence that is allowed.",
		Dir:     "tools", Pkg: "./licences", Run: "^TestLicences$",
	},
	{
		Name: "secrets-canaries-found", Target: "<=0", Of: size{2000, 2000},
		Promise: "No secret is in any file, log, dump, page or figure, in any usual form.",
		Pkg:     "./test/canary", Run: "^TestCanaries$", Limit: 15 * time.Minute,
	},
}
