package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// export builds `honeyguide <name> export`.
func (l listing[T]) export(c *command) *cobra.Command {
	var format string
	var most int
	values := map[string]*string{}
	cmd := &cobra.Command{
		Use: "export", Short: "Write " + l.name + " as CSV or JSON lines, newest first.", Args: cobra.NoArgs,
		Example: "  honeyguide " + l.name + " export --format csv > " + l.name + ".csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"format": {format}, "most": {strconv.Itoa(most)}}
			for flag, v := range values {
				if *v != "" {
					q.Set(flag, *v)
				}
			}
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			r, err := cl.Open(cmd.Context(), "/api/v1"+l.path+"/export?"+q.Encode())
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(c.out, r)
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv, with text made harmless for spreadsheets, or jsonl (`format`)")
	cmd.Flags().IntVar(&most, "most", 100_000, "most rows to write, 1 to 1000000")
	for flag, doc := range l.filters {
		values[flag] = cmd.Flags().String(flag, "", doc)
	}
	return cmd
}

// A listing is one resource of the API as the command line shows it.
type listing[T any] struct {
	name, alias, short string
	path               string            // below /api/v1
	filters            map[string]string // flag -> what it does
	header             []any
	row                func(T) []any
	exports            bool                                                                         // has an export verb
	show               func(w io.Writer, v T, more func(path string, q url.Values, into any) error) // nil = no show verb
}

// command builds `honeyguide <name> list|show`.
func (l listing[T]) command(c *command) *cobra.Command {
	root := group(l.name, l.short)
	root.Aliases = []string{l.alias}
	var limit int
	var after string
	values := map[string]*string{}
	list := &cobra.Command{
		Use: "list", Short: "List " + l.name + ", newest first.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			if after != "" {
				q.Set("after", after)
			}
			for flag, v := range values {
				if *v != "" {
					q.Set(flag, *v)
				}
			}
			var p client.Page[T]
			if err := c.get(cmd.Context(), l.path, q, &p); err != nil {
				return err
			}
			if p.Items == nil {
				p.Items = []T{}
			}
			err := c.print(p, func(w io.Writer) {
				row(w, l.header...)
				for _, item := range p.Items {
					row(w, l.row(item)...)
				}
			})
			if format, _ := c.format(); format == "table" && p.Next != "" {
				fmt.Fprintf(c.err, "more: --after %s\n", p.Next)
			}
			return err
		},
	}
	list.Flags().IntVar(&limit, "limit", 100, "most rows to show, 1 to 1000")
	list.Flags().StringVar(&after, "after", "", "continue behind this `cursor`")
	for flag, doc := range l.filters {
		values[flag] = list.Flags().String(flag, "", doc)
	}
	root.AddCommand(list)
	if l.exports {
		root.AddCommand(l.export(c))
	}
	if l.show != nil {
		root.AddCommand(l.showCommand(c))
	}
	return root
}

func (l listing[T]) showCommand(c *command) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one, by id or short id.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var raw json.RawMessage
			if err := c.get(cmd.Context(), l.path+"/"+url.PathEscape(args[0]), nil, &raw); err != nil {
				return err
			}
			var v T
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			more := func(path string, q url.Values, into any) error { return c.get(cmd.Context(), path, q, into) }
			return c.print(raw, func(w io.Writer) { l.show(w, v, more) })
		},
	}
}

// lists returns the verbs that only show something.
func (c *command) lists() []*cobra.Command {
	common := map[string]string{"severity": "at least this `severity`", "from": "not before this `time` (RFC 3339)", "to": "before this `time`"}
	with := func(more map[string]string) map[string]string {
		for k, v := range common {
			more[k] = v
		}
		return more
	}
	sessions := listing[honeyguide.Session]{
		name: "sessions", alias: "session", short: "What each peer did on one connection; replay its terminal.", path: "/sessions",
		filters: with(map[string]string{"src": "source `address`", "service": "`kind` of the decoy", "user": "`user` that logged in"}),
		header:  []any{"ID", "STARTED", "SERVICE", "SOURCE", "USER", "LOGINS", "COMMANDS", "REQUESTS", "RECORDED"},
		row: func(s honeyguide.Session) []any {
			return []any{s.ID, s.StartedAt, s.Service, address(s.Src), s.User, s.Logins, s.Commands, s.Requests, s.Recording != ""}
		},
		show: showSession,
	}.command(c)
	sessions.AddCommand(c.replayCmd(), c.exportCmd())
	alerts := listing[honeyguide.Alert]{
		name: "alerts", alias: "alert", short: "What detectors claim, with evidence and the reasons for the score.", path: "/alerts", exports: true,
		filters: with(map[string]string{"src": "source `address`", "rule": "rule `id`", "technique": "ATT&CK `id`", "incident": "`id` of an incident", "q": "`words` of title or evidence", "status": "`status`", "suppression": "`id` of the suppression that hides them", "verdict": "`word` of its verdict; none finds those without one"}),
		header:  []any{"ID", "TIME", "SEVERITY", "SCORE", "RULE", "SOURCE", "COUNT", "VERDICT", "TITLE"},
		row: func(a honeyguide.Alert) []any {
			return []any{a.Short, a.Time, a.Severity, a.Score, a.RuleID, address(a.Src), a.Count, string(a.Verdict.As), a.Title}
		},
		show: showAlert,
	}.command(c)
	alerts.AddCommand(c.verdictCmd())
	alerts.AddCommand(c.handleCmds()...)
	incidents := listing[honeyguide.Incident]{
		name: "incidents", alias: "incident", short: "What an analyst works on: one for each attacker or campaign.", path: "/incidents",
		filters: with(map[string]string{"status": "`status`", "q": "`words` of the title"}),
		header:  []any{"ID", "UPDATED", "SEVERITY", "SCORE", "STATUS", "PHASE", "OWNER", "DUE", "ALERTS", "TITLE"},
		row: func(i honeyguide.Incident) []any {
			return []any{i.Short, i.UpdatedAt, i.Severity, i.Score, i.Status, string(i.Phase), i.Owner, i.DueAt, i.AlertCount, i.Title}
		},
		show: showIncident,
	}.command(c)
	incidents.AddCommand(c.regroupCmds()...)
	incidents.AddCommand(c.incidentVerdictCmd())
	incidents.AddCommand(c.workCmds()...)
	return []*cobra.Command{
		sessions,
		c.samplesCmd(),
		c.sourcesCmd(),
		c.suppressionsCmd(),
		c.holdsCmd(),
		c.evidenceCmd(),
		c.noticesCmd(),
		c.attackersCmd(),
		alerts,
		incidents,
		listing[honeyguide.Honeytoken]{
			name: "tokens", alias: "token", short: "The bait: what was read, by whom, and used where.", path: "/tokens", filters: map[string]string{},
			header: []any{"ID", "KIND", "PATH", "OPENS", "EXPOSURES", "LAST READ", "USES", "LAST USED"},
			row: func(t honeyguide.Honeytoken) []any {
				return []any{t.Short, t.Kind, t.Path, t.OpensSensor, t.Exposures, t.ExposedAt, t.Uses, t.UsedAt}
			},
			show: showToken,
		}.command(c),
		c.blocksCmd(),
		listing[honeyguide.Event]{
			name: "events", alias: "event", short: "Everything that was observed.", path: "/events", exports: true,
			filters: with(map[string]string{"src": "source `address` or prefix", "sensor": "`name` of the sensor or source", "service": "`kind` of the decoy", "session": "`id` of a session", "activity": "`verb`", "q": "one `word`"}),
			header:  []any{"TIME", "SEVERITY", "SENSOR", "SOURCE", "ACTIVITY", "WHAT"},
			row: func(e honeyguide.Event) []any {
				return []any{e.Time, e.Severity, e.Sensor, address(e.Src), e.Activity, gist(&e)}
			},
		}.command(c),
		listing[honeyguide.DeadLetter]{
			name: "dead-letters", alias: "dead", short: "Input that could not be understood, with the reason.", path: "/dead-letters",
			filters: map[string]string{"source": "`file` or source"},
			header:  []any{"TIME", "SOURCE", "LINE", "BYTES", "REASON"},
			row: func(d honeyguide.DeadLetter) []any {
				return []any{d.Time, d.Source, d.Line, d.Bytes, d.Reason}
			},
		}.command(c),
	}
}

// address shows an endpoint without a port of zero.
func address(e honeyguide.Endpoint) string {
	switch {
	case !e.Addr.IsValid():
		return e.Hostname
	case e.Addr.Port() == 0:
		return e.Addr.Addr().String()
	}
	return e.Addr.Addr().String()
}

// gist is the telling attribute of an event.
func gist(e *honeyguide.Event) string {
	for _, name := range []string{honeyguide.AttrCommand, honeyguide.AttrRule, honeyguide.AttrURL, honeyguide.AttrPath, honeyguide.AttrToken, honeyguide.AttrClient, honeyguide.AttrDetail, honeyguide.AttrMessage} {
		if s := e.Str(name); s != "" {
			return s
		}
	}
	if user := e.Str(honeyguide.AttrUser); user != "" {
		return user + " / " + e.Str(honeyguide.AttrPassword)
	}
	return ""
}

// post sends a request that changes something, or is too large for a path.
func (c *command) post(ctx context.Context, path string, v, into any) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	return cl.Post(ctx, "/api/v1"+path, v, into)
}

// get asks the API.
func (c *command) get(ctx context.Context, path string, q url.Values, into any) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.hide {
		if q = maps.Clone(q); q == nil {
			q = url.Values{}
		}
		q.Set("pseudonymise", "true")
	}
	return cl.Get(ctx, "/api/v1"+path, q, into)
}
