package cli

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// workCmds are what people do with incidents beside looking at them.
func (c *command) workCmds() []*cobra.Command {
	return []*cobra.Command{
		c.phaseCmd(), c.closeCmd(), c.assignCmd(), c.ackCmd(), c.holdCmd(), c.commentCmd(), c.taskCmd(), c.timelineCmd(), c.linkedCmd(), c.dossierCmd(),
	}
}

// A working is a change of an incident under way on the command line.
type working struct {
	req  client.IncidentPatch
	word string // of the verdict
	seen string
}

func (w *working) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.req.Reason, "reason", "", "`why`")
	cmd.Flags().StringVar(&w.seen, "seen", "", "`time` the incident was updated when you saw it: refuse when somebody has changed it since")
}

func (w *working) judges(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.word, "as", "", "`verdict`: true_positive, false_positive, benign or duplicate")
	cmd.Flags().BoolVar(&w.req.Overwrite, "overwrite", false, "the verdict also on alerts with one of their own")
	cmd.Flags().StringVar(&w.req.Comment, "comment", "", "`text` for the timeline")
}

// change asks for the change and shows how the incident stands.
func (c *command) change(cmd *cobra.Command, id string, w *working) error {
	if w.word != "" {
		v, err := honeyguide.ParseVerdict(w.word)
		if err != nil {
			return err
		}
		w.req.Verdict = v
	}
	seen, err := moment("--seen", w.seen)
	if err != nil {
		return err
	}
	var in honeyguide.Incident
	if err := c.patch(cmd, "/incidents/"+url.PathEscape(id), seen, w.req, &in); err != nil {
		return err
	}
	return c.print(in, func(out io.Writer) {
		field(out, "incident", in.Short+"  "+in.Title)
		showHandling(out, &in, time.Now())
	})
}

func (c *command) patch(cmd *cobra.Command, path string, seen time.Time, req, into any) error {
	cl, done, err := c.client(cmd.Context())
	if err != nil {
		return err
	}
	defer done()
	return cl.Patch(cmd.Context(), "/api/v1"+path, seen, req, into)
}

// moment reads a time a flag gives, the zero time when it gives none.
func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, usagef("%s %s: want a time such as 2026-03-01T12:00:00Z", flag, safetext.Term(text))
	}
	return t, nil
}

func (c *command) phaseCmd() *cobra.Command {
	var w working
	cmd := &cobra.Command{
		Use: "phase ID PHASE", Short: "Move it to new, triage, contained, eradicated, recovered or closed.", Args: cobra.ExactArgs(2),
		Long: `Moves an incident along the phases of NIST SP 800-61: new, triage, contained,
eradicated, recovered, closed. Phases may be skipped; going back wants a reason,
and closing a verdict.`,
		Example: `  honeyguide incidents phase I-3 contained --reason "cut off at the firewall"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			w.req.Phase = honeyguide.Phase(strings.ToLower(args[1]))
			return c.change(cmd, args[0], &w)
		},
	}
	w.flags(cmd)
	w.judges(cmd)
	return cmd
}

func (c *command) closeCmd() *cobra.Command {
	var w working
	cmd := &cobra.Command{
		Use: "close ID", Short: "Close it with a verdict.", Args: cobra.ExactArgs(1),
		Example: `  honeyguide incidents close I-3 --as false_positive --reason "our own scanner"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			w.req.Phase = honeyguide.PhaseClosed
			return c.change(cmd, args[0], &w)
		},
	}
	w.flags(cmd)
	w.judges(cmd)
	return cmd
}

func (c *command) assignCmd() *cobra.Command {
	var w working
	cmd := &cobra.Command{
		Use: "assign ID WHO", Short: `Give it to somebody; "" gives it to nobody.`, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			w.req.Owner = &args[1]
			return c.change(cmd, args[0], &w)
		},
	}
	w.flags(cmd)
	return cmd
}

func (c *command) ackCmd() *cobra.Command {
	var w working
	cmd := &cobra.Command{
		Use: "acknowledge ID", Aliases: []string{"ack"}, Short: "Say that somebody has seen it.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w.req.Acknowledge = true
			return c.change(cmd, args[0], &w)
		},
	}
	w.flags(cmd)
	return cmd
}

func (c *command) holdCmd() *cobra.Command {
	var w working
	var off bool
	cmd := &cobra.Command{
		Use: "hold ID", Short: "Stop its clock while it waits for something; --off lets it go on.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			on := !off
			w.req.Hold = &on
			return c.change(cmd, args[0], &w)
		},
	}
	w.flags(cmd)
	cmd.Flags().BoolVar(&off, "off", false, "take it off hold")
	return cmd
}

func (c *command) commentCmd() *cobra.Command {
	return &cobra.Command{
		Use: "comment ID TEXT", Short: "Write into its timeline.", Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var e honeyguide.TimelineEntry
			if err := c.post(cmd.Context(), "/incidents/"+url.PathEscape(args[0])+"/comments", client.Comment{Text: strings.Join(args[1:], " ")}, &e); err != nil {
				return err
			}
			return c.print(e, func(w io.Writer) { timelineRow(w, &e) })
		},
	}
}

// taskCmd is `honeyguide incidents task add|done|reopen|assign|list`.
func (c *command) taskCmd() *cobra.Command {
	root := group("task", "What is to be done for it.")
	var req client.NewTask
	var due string
	add := &cobra.Command{
		Use: "add ID TITLE", Short: "Ask for something to be done.", Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if req.DueAt, err = moment("--due", due); err != nil {
				return err
			}
			req.Title = strings.Join(args[1:], " ")
			var t honeyguide.Task
			if err := c.post(cmd.Context(), "/incidents/"+url.PathEscape(args[0])+"/tasks", req, &t); err != nil {
				return err
			}
			return c.print(t, func(w io.Writer) { taskRow(w, &t) })
		},
	}
	add.Flags().StringVar(&req.Owner, "owner", "", "`who` is to do it")
	add.Flags().StringVar(&due, "due", "", "`time` it is to be done by (RFC 3339)")
	change := func(use, short string, args cobra.PositionalArgs, patch func(args []string) client.TaskPatch) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short, Args: args,
			RunE: func(cmd *cobra.Command, args []string) error {
				var t honeyguide.Task
				path := "/incidents/" + url.PathEscape(args[0]) + "/tasks/" + url.PathEscape(args[1])
				if err := c.patch(cmd, path, time.Time{}, patch(args), &t); err != nil {
					return err
				}
				return c.print(t, func(w io.Writer) { taskRow(w, &t) })
			},
		}
	}
	yes, no := true, false
	list := &cobra.Command{
		Use: "list ID", Short: "List its tasks.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var in honeyguide.Incident
			if err := c.get(cmd.Context(), "/incidents/"+url.PathEscape(args[0]), nil, &in); err != nil {
				return err
			}
			tasks := client.Page[honeyguide.Task]{Items: append([]honeyguide.Task{}, in.Tasks...)}
			return c.print(tasks, func(w io.Writer) { showTasks(w, in.Tasks) })
		},
	}
	root.AddCommand(add, list,
		change("done ID TASK", "Say that it is done.", cobra.ExactArgs(2), func([]string) client.TaskPatch { return client.TaskPatch{Done: &yes} }),
		change("reopen ID TASK", "Say that it is not done after all.", cobra.ExactArgs(2), func([]string) client.TaskPatch { return client.TaskPatch{Done: &no} }),
		change("assign ID TASK WHO", "Give it to somebody.", cobra.ExactArgs(3), func(args []string) client.TaskPatch { return client.TaskPatch{Owner: &args[2]} }))
	return root
}

func showTasks(w io.Writer, list []honeyguide.Task) {
	row(w, "TASK", "DONE", "OWNER", "DUE", "TITLE")
	for i := range list {
		taskRow(w, &list[i])
	}
}

func taskRow(w io.Writer, t *honeyguide.Task) {
	done := "open"
	if !t.DoneAt.IsZero() {
		done = text(t.DoneAt) + " by " + t.DoneBy
	}
	row(w, t.ID, done, t.Owner, t.DueAt, t.Title)
}

func (c *command) timelineCmd() *cobra.Command {
	var kinds []string
	var limit int
	var after string
	var oldest bool
	cmd := &cobra.Command{
		Use: "timeline ID", Short: "All that happened in it and because of it.", Args: cobra.ExactArgs(1),
		Long: `Shows what was noted, alerts, runs and what they did, honeytokens read and used,
and connections, by when it happened. KNOWN says when it became known here.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			if oldest {
				q.Set("order", "oldest")
			}
			if after != "" {
				q.Set("after", after)
			}
			if len(kinds) > 0 {
				q.Set("kind", strings.Join(kinds, ","))
			}
			var p client.Page[honeyguide.TimelineEntry]
			if err := c.get(cmd.Context(), "/incidents/"+url.PathEscape(args[0])+"/timeline", q, &p); err != nil {
				return err
			}
			err := c.print(p, func(w io.Writer) {
				row(w, "TIME", "KNOWN", "KIND", "BY", "WHAT")
				for i := range p.Items {
					timelineRow(w, &p.Items[i])
				}
			})
			if format, _ := c.format(); format == "table" && p.Next != "" {
				fmt.Fprintf(c.err, "more: --after %s\n", p.Next)
			}
			return err
		},
	}
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "only this `kind`: alert, phase, owner, verdict, comment, task, run, act, escalation, merge, evidence, token, session")
	cmd.Flags().IntVar(&limit, "limit", 100, "most lines to show, 1 to 1000")
	cmd.Flags().StringVar(&after, "after", "", "continue behind this `cursor`")
	cmd.Flags().BoolVar(&oldest, "oldest", false, "oldest first")
	return cmd
}

func timelineRow(w io.Writer, e *honeyguide.TimelineEntry) {
	known := "-"
	if !e.SeenAt.Equal(e.At) {
		known = text(e.SeenAt)
	}
	row(w, e.At, known, e.Kind, e.By, e.Text)
}

func (c *command) dossierCmd() *cobra.Command {
	var format, file string
	cmd := &cobra.Command{
		Use: "export ID", Short: "Write all about it into one document: Markdown, JSON or PDF.", Args: cobra.ExactArgs(1),
		Example: "  honeyguide incidents export I-3 --format pdf -O I-3.pdf",
		RunE: func(cmd *cobra.Command, args []string) error {
			if format == "pdf" && file == "" && terminal(c.out) {
				return usagef("name the file to make with -O NAME.pdf")
			}
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			doc, err := cl.Export(cmd.Context(), args[0], format)
			if err != nil {
				return err
			}
			defer doc.Close()
			if file == "" {
				_, err = io.Copy(c.out, doc)
				return err
			}
			return create(file, doc)
		},
	}
	cmd.Flags().StringVar(&format, "format", "markdown", "`form`: markdown, json or pdf")
	cmd.Flags().StringVarP(&file, "out", "O", "", "`name` of the file to make; default standard output")
	return cmd
}

// create writes a file that was not there.
func create(file string, from io.Reader) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		_ = f.Close() // the first error counts
		return fmt.Errorf("write %s: %w", file, err)
	}
	return f.Close()
}

// showHandling shows who has an incident, how far it is, and its clock.
func showHandling(w io.Writer, i *honeyguide.Incident, now time.Time) {
	field(w, "status", string(i.Status)+", phase "+string(i.Phase))
	field(w, "owner", i.Owner)
	showClock(w, i, now)
	showVerdict(w, i.Verdict)
	if len(i.Tasks) > 0 {
		heading(w, fmt.Sprintf("Tasks (%d)", len(i.Tasks)))
		showTasks(w, i.Tasks)
	}
}

// showClock shows the times that have come, and the one an answer is due by.
func showClock(w io.Writer, i *honeyguide.Incident, now time.Time) {
	field(w, "respond by", text(i.DueAt)+due(i, now))
	c := &i.Clock
	for _, x := range []struct {
		name string
		at   time.Time
	}{
		{"acknowledged", c.AcknowledgedAt},
		{"triaged", c.TriagedAt},
		{"judged", c.QualifiedAt},
		{"contained", c.ContainedAt},
		{"eradicated", c.EradicatedAt},
		{"recovered", c.RecoveredAt},
		{"closed", c.ClosedAt},
		{"on hold since", c.HeldSince},
		{"escalated", c.WarnedAt},
		{"breached", c.BreachedAt},
	} {
		if !x.at.IsZero() {
			field(w, x.name, text(x.at)+" (after "+span(x.at.Sub(i.CreatedAt))+")")
		}
	}
	if c.HeldMS > 0 {
		field(w, "was on hold for", span(time.Duration(c.HeldMS)*time.Millisecond))
	}
	if c.Reopened > 0 {
		field(w, "reopened", c.Reopened)
	}
}

// due says how the clock of an incident stands.
func due(i *honeyguide.Incident, now time.Time) string {
	c := &i.Clock
	answered := earliest(c.ContainedAt, c.QualifiedAt, c.ClosedAt)
	switch {
	case i.DueAt.IsZero():
		return ""
	case !answered.IsZero() && answered.After(i.DueAt):
		return " (answered " + span(answered.Sub(i.DueAt)) + " late)"
	case !answered.IsZero():
		return " (answered in time)"
	case i.Status == honeyguide.IncidentOnHold:
		return " (on hold)"
	case i.Status == honeyguide.IncidentResolved || i.Status == honeyguide.IncidentClosed:
		return ""
	case now.After(i.DueAt):
		return " (over since " + span(now.Sub(i.DueAt)) + ")"
	}
	return " (in " + span(i.DueAt.Sub(now)) + ")"
}

func earliest(list ...time.Time) (t time.Time) {
	for _, x := range list {
		if !x.IsZero() && (t.IsZero() || x.Before(t)) {
			t = x
		}
	}
	return t
}

// span writes a duration as people say it.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}
