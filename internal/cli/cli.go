// Package cli is the honeyguide command: one file a verb. Data goes to
// standard output, everything else to standard error; attacker bytes are
// always shown through safetext, except by -o json and -o yaml, whose encoders
// escape what could steer a terminal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/app"
	"honeyguide/internal/config"
	"honeyguide/internal/safetext"
)

// version is set when the binary is built.
var version = "dev"

// Exit statuses, the same for every verb.
const (
	exitOK         = 0
	exitFailure    = 1
	exitUsage      = 2
	exitPartly     = 3 // some records were refused
	exitNotFound   = 4
	exitNotAllowed = 5
)

// errPartly ends a command whose work is done for all but some records.
var errPartly = errors.New("some records were refused")

// A usageError is the user's: status 2 and a hint.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Main runs one command line and returns the exit status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// The memory of every process of ours may hold keys or what attackers sent: none
	// is left on a disk. Children have the limit of their parent.
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		fmt.Fprintln(stderr, "honeyguide: warning: a crash may leave a copy of the memory on the disk:", err)
	}
	if app.IsChild(args) {
		return app.Child(args, stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	c := &command{in: stdin, out: stdout, err: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return c.status(root.ExecuteContext(ctx))
}

// status prints err for a person and turns it into an exit status.
func (c *command) status(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errPartly) {
		return exitPartly
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(c.err, "honeyguide:", safetext.Term(line))
	}
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown ") {
		fmt.Fprintln(c.err, "Try 'honeyguide --help'.")
		return exitUsage
	}
	switch honeyguide.ErrorCode(err) {
	case honeyguide.CodeInvalid:
		return exitUsage
	case honeyguide.CodeNotFound:
		return exitNotFound
	case honeyguide.CodeForbidden:
		return exitNotAllowed
	}
	return exitFailure
}

// A command holds what every verb shares.
type command struct {
	in       io.Reader
	out, err io.Writer

	file   string   // --config
	sets   []string // --set
	data   string   // --data
	output string   // -o
	server string   // --server
	hide   bool     // --pseudonymise
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "honeyguide",
		Short: "Lure attackers, watch them, defend the network they came for.",
		Long: `Honeyguide runs decoy services, records what attackers do on them, takes in the
alerts of other products, and turns both into few and explained incidents.

Exit status: 0 ok, 1 failure, 2 usage, 3 partly done (some records refused),
4 not found, 5 not allowed.`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := root.PersistentFlags()
	f.StringVarP(&c.file, "config", "c", "", "configuration `file` (default honeyguide.yaml here, then /etc/honeyguide/honeyguide.yaml)")
	f.StringArrayVar(&c.sets, "set", nil, "set one `key=value`, for example sensors.ssh.listen=127.0.0.1:2222")
	f.StringVar(&c.data, "data", "", "data `folder` (same as --set node.data=...)")
	f.StringVarP(&c.output, "output", "o", "", "`format`: table, json or yaml (default table on a terminal, else json)")
	f.BoolVar(&c.hide, "pseudonymise", false, "show addresses, names and mail addresses as pseudonyms, new ones each time: for what is shown to others")
	f.StringVar(&c.server, "server", "", "`address` of a remote core, https://host:8443; its key comes from HONEYGUIDE_API_KEY or HONEYGUIDE_API_KEY_FILE")
	root.AddCommand(c.runCmd(), c.serverCmd(), c.ingestCmd(), c.demoCmd(), c.configCmd(), c.doctorCmd(), c.imageCmd(), c.versionCmd(), c.rulesCmd())
	root.AddCommand(c.geoCmd(), c.feedsCmd(), c.bouncersCmd())
	root.AddCommand(c.lists()...)
	root.AddCommand(c.searchCmd())
	root.AddCommand(c.triageCmd())
	root.AddCommand(c.playbooksCmd(), c.runsCmd(), c.approvalsCmd(), c.allowlistCmd(), c.keysCmd(), c.usersCmd(), c.rolesCmd())
	root.AddCommand(c.secretsCmd())
	root.AddCommand(c.auditCmd(), c.privacyCmd())
	root.AddCommand(c.backupCmd(), c.restoreCmd(), c.upgradeCmd())
	beneath(root, "respond", "The stop switch of all responses.").AddCommand(c.respondCmds()...)
	beneath(root, "rules", "The rules there are, and how good they are.").AddCommand(c.qualityCmd())
	beneath(root, "report", "Figures and reports for people.").AddCommand(c.kpiCmd(), c.complianceCmd())
	return root
}

// beneath returns the command of a name, made when it is not there.
func beneath(root *cobra.Command, name, short string) *cobra.Command {
	for _, cmd := range root.Commands() {
		if cmd.Name() == name {
			return cmd
		}
	}
	cmd := group(name, short)
	root.AddCommand(cmd)
	return cmd
}

// group is a command that only holds others.
func group(name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown verb %q for %q; see 'honeyguide %s --help'", args[0], cmd.Name(), cmd.Name())
			}
			return cmd.Help()
		},
	}
}

// tree loads the configuration the flags name.
func (c *command) tree() (*config.Tree, error) {
	file := c.file
	if file == "" {
		file = os.Getenv("HONEYGUIDE_CONFIG")
	}
	if file == "" {
		for _, f := range []string{"honeyguide.yaml", "/etc/honeyguide/honeyguide.yaml"} {
			if _, err := os.Stat(f); err == nil {
				file = f
				break
			}
		}
	}
	sets := c.sets
	if c.data != "" {
		abs, err := filepath.Abs(c.data)
		if err != nil {
			return nil, err
		}
		sets = append(sets, "node.data="+abs)
	}
	t, err := config.Load(config.Options{Schema: app.Schema(), File: file, Environ: os.Environ(), Sets: sets})
	if err != nil {
		return nil, usageError{err}
	}
	for _, w := range t.Warnings {
		fmt.Fprintln(c.err, "honeyguide: warning:", w)
	}
	return t, nil
}

// settings loads and decodes the configuration.
func (c *command) settings() (app.Settings, error) {
	t, err := c.tree()
	if err != nil {
		return app.Settings{}, err
	}
	s, err := app.Decode(t)
	if err != nil {
		return s, usageError{err}
	}
	return s, nil
}
