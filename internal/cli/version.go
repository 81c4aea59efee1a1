package cli

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (c *command) versionCmd() *cobra.Command {
	verbose := false
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version.", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := fmt.Fprintf(c.out, "honeyguide %s\n", version); err != nil || !verbose {
				return err
			}
			info, ok := debug.ReadBuildInfo()
			if !ok {
				_, err := fmt.Fprintln(c.out, "this binary does not say how it was built")
				return err
			}
			return describe(c.out, info)
		},
	}
	cmd.Flags().BoolVar(&verbose, "verbose", false, "say how it was built, and of which modules")
	return cmd
}

// describe writes how a binary was built: enough to build it again and compare.
func describe(w io.Writer, info *debug.BuildInfo) error {
	var b strings.Builder
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	fmt.Fprintf(&b, "commit:   %s\n", or(set["vcs.revision"], "not recorded"))
	if set["vcs.revision"] != "" {
		fmt.Fprintf(&b, "          of %s, %s\n", or(set["vcs.time"], "an unknown time"), map[bool]string{true: "with changes that are in no commit", false: "without other changes"}[set["vcs.modified"] == "true"])
	}
	fmt.Fprintf(&b, "compiler: %s for %s/%s\n", info.GoVersion, or(set["GOOS"], "?"), or(set["GOARCH"], "?"))
	fmt.Fprintf(&b, "paths:    %s\n", map[bool]string{true: "left out, so the build can be repeated anywhere", false: "those of the machine it was built on"}[set["-trimpath"] == "true"])
	fmt.Fprintf(&b, "cgo:      %s\n", map[bool]string{true: "used", false: "not used"}[set["CGO_ENABLED"] == "1"])
	fmt.Fprintf(&b, "modules:  %d\n", len(info.Deps))
	for _, m := range info.Deps {
		sum := m.Sum
		if m.Replace != nil {
			m, sum = m.Replace, m.Replace.Sum
		}
		fmt.Fprintf(&b, "          %s %s %s\n", m.Path, m.Version, or(sum, "(replaced by a folder)"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
