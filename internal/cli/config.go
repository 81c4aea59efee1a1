package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
	"honeyguide/internal/config"
)

func (c *command) configCmd() *cobra.Command {
	cmd := group("config", "Check, show and document the configuration.")
	var origin bool
	show := &cobra.Command{
		Use: "show", Short: "Print every key and its value; secrets are masked.", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			t, err := c.tree()
			if err != nil {
				return err
			}
			if _, err := app.Decode(t); err != nil {
				return usageError{err}
			}
			return t.Show(c.out, origin)
		},
	}
	show.Flags().BoolVar(&origin, "origin", false, "say where each value came from")
	cmd.AddCommand(show,
		&cobra.Command{
			Use: "check", Short: "Read the configuration without starting anything.", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				if _, err := c.settings(); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, "configuration ok")
				return err
			},
		},
		&cobra.Command{
			Use: "docs", Short: "Print every key with type, default, variable and meaning (Markdown).", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return configDocs(c.out, app.Schema()) },
		},
		&cobra.Command{
			Use: "schema", Short: "Print the JSON Schema of the configuration file.", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return app.Schema().JSONSchema(c.out) },
		})
	return cmd
}

func configDocs(w io.Writer, s config.Schema) error {
	if _, err := fmt.Fprint(w, "# Configuration keys\n\nMade by `honeyguide config docs`. Every key can be set in honeyguide.yaml, by its variable, by the same\nvariable with `_FILE` (the value is read from that file), or by `--set key=value`.\n"); err != nil {
		return err
	}
	for _, sec := range s.Sections {
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n| key | type | default | variable | meaning |\n|---|---|---|---|---|\n", sec.Key, sec.Summary)
		for _, k := range s.Keys() {
			if len(k.Path) > len(sec.Key) && k.Path[:len(sec.Key)+1] == sec.Key+"." {
				fmt.Fprintf(w, "| `%s` | %s | %s | `%s` | %s |\n", k.Path, k.Type, code(k.Default), k.Env, k.Doc)
			}
		}
	}
	fmt.Fprint(w, "\n## Other variables\n\n| variable | sets |\n|---|---|\n")
	for _, a := range s.Aliases {
		sets := "`" + a.Key + "`"
		if a.Unused != "" {
			sets = "nothing in this version: " + a.Unused
		}
		fmt.Fprintf(w, "| `%s` | %s |\n", a.Env, sets)
	}
	return nil
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
