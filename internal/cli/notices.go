package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/notice"
	"honeyguide/internal/safetext"
)

// noticesCmd is `honeyguide notices list|show|retry|test|channels`.
func (c *command) noticesCmd() *cobra.Command {
	root := listing[honeyguide.Notice]{
		name: "notices", alias: "notice", short: "Messages to people: what was sent, what waits, what was given up.", path: "/notices",
		filters: map[string]string{
			"channel": "`name` of the channel", "state": "queued, sent, dead, digested, dropped, counted or kept (`state`)",
			"incident": "`id` of an incident", "key": "what it is about (`text`)",
		},
		header: []any{"ID", "CREATED", "CHANNEL", "SEVERITY", "STATE", "COUNT", "TRIES", "SENT", "TITLE", "ERROR"},
		row: func(n honeyguide.Notice) []any {
			return []any{n.ID, n.CreatedAt, n.Channel, n.Severity, n.State, n.Count, n.Attempts, n.SentAt, n.Title, n.Error}
		},
		show: showNotice,
	}.command(c)
	root.AddCommand(c.retryNoticeCmd(), c.testChannelCmd(), c.channelsCmd())
	return root
}

func showNotice(w io.Writer, n honeyguide.Notice, _ lookup) {
	field(w, "notice", n.ID)
	field(w, "state", n.State)
	field(w, "channel", n.Channel)
	if n.Chain != "" {
		field(w, "chain", fmt.Sprintf("%s, level %d", n.Chain, n.Level+1))
	}
	field(w, "severity", n.Severity)
	field(w, "title", n.Title)
	field(w, "incident", n.Incident)
	field(w, "plan", n.Plan)
	field(w, "about", n.Key)
	field(w, "asked for", fmt.Sprintf("%d times", n.Count))
	field(w, "created", n.CreatedAt)
	if n.State == honeyguide.NoticeQueued {
		field(w, "due", n.DueAt)
	}
	field(w, "sent", n.SentAt)
	field(w, "receipt", n.Ref)
	field(w, "tries", n.Attempts)
	field(w, "error", n.Error)
	field(w, "link", n.Link)
	heading(w, "Text")
	fmt.Fprintln(w, safetext.TermN(text(n.Text), 4000))
}

func (c *command) retryNoticeCmd() *cobra.Command {
	return &cobra.Command{
		Use: "retry ID", Short: "Send one again that was given up or had no channel; one that waits goes out now.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var n honeyguide.Notice
			if err := c.post(cmd.Context(), "/notices/"+url.PathEscape(args[0])+"/retry", struct{}{}, &n); err != nil {
				return err
			}
			return c.print(n, func(w io.Writer) { fmt.Fprintf(w, "%s goes out on %s\n", n.ID, safetext.Term(n.Channel)) })
		},
	}
}

// errNotTaken ends a test whose message did not arrive.
var errNotTaken = errors.New("the message was not taken")

func (c *command) testChannelCmd() *cobra.Command {
	return &cobra.Command{
		Use: "test CHANNEL", Short: "Send a test message at once, whatever the hour, and say whether it was taken.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var n honeyguide.Notice
			if err := c.post(cmd.Context(), "/notices/test", client.ChannelTest{Channel: args[0]}, &n); err != nil {
				return err
			}
			if err := c.print(n, func(w io.Writer) {
				if n.State == honeyguide.NoticeSent {
					fmt.Fprintf(w, "%s took it; receipt %s\n", safetext.Term(n.Channel), safetext.Term(text(n.Ref)))
				}
			}); err != nil {
				return err
			}
			if n.State != honeyguide.NoticeSent {
				return fmt.Errorf("%w: %s", errNotTaken, n.Error)
			}
			return nil
		},
	}
}

func (c *command) channelsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "channels", Short: "How the channels stand.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[notice.Status]
			if err := c.get(cmd.Context(), "/notices/channels", nil, &p); err != nil {
				return err
			}
			if p.Items == nil {
				p.Items = []notice.Status{}
			}
			return c.print(p, func(w io.Writer) {
				row(w, "NAME", "STATE", "QUEUED", "RATE", "UNTIL", "ERROR")
				for _, s := range p.Items {
					row(w, s.Name, s.State, s.Queued, s.Rate, s.Until, s.Error)
				}
			})
		},
	}
}
