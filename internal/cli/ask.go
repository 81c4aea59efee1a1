package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/safetext"
)

// careful gives a verb that acts the flag --yes.
func careful(cmd *cobra.Command, yes *bool) *cobra.Command {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do it without being asked")
	return cmd
}

// sure asks a person before something is done that others feel. Where nobody
// can be asked it wants --yes, so that a script says what it means.
func (c *command) sure(yes bool, question string) error {
	if yes {
		return nil
	}
	unasked := usagef("%s? Say --yes to do it where nobody can be asked", safetext.Term(question))
	if !terminal(c.in) {
		return unasked
	}
	fmt.Fprintf(c.err, "%s? [y/N] ", safetext.Term(question))
	line, err := bufio.NewReader(c.in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	case "":
		if err != nil { // /dev/null, which passes for a terminal
			return unasked
		}
	}
	return errors.New("nothing was done")
}

// lasting reads a time span: what Go writes, and days and weeks: 90m, 90d, 2w.
func lasting(flag, text string) (time.Duration, error) {
	for unit, size := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, err := strconv.Atoi(strings.TrimSuffix(text, unit)); err == nil && strings.HasSuffix(text, unit) && n > 0 && n <= 36500 {
			return time.Duration(n) * size, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usagef("--%s: want a time such as 90m, 1h, 30d or 2w", flag)
	}
	return d, nil
}

// del asks the API to end something.
func (c *command) del(ctx context.Context, path string, q url.Values, into any) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	return cl.Delete(ctx, "/api/v1"+path, q, into)
}
