package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/respond"
)

// witnessS3 is the name of the store of objects among the witnesses.
const witnessS3 = "s3"

// Rhythms of witnesses that take no person's time.
const (
	tellFiles   = time.Minute
	tellObjects = 10 * time.Minute
)

// openWitnesses finds who keeps copies of checkpoints, once the actions are open.
func (a *App) openWitnesses() error {
	for _, name := range a.settings.Audit.Witness {
		if path, ok := strings.CutPrefix(name, "file:"); ok {
			a.audit.Tell(audit.FileWitness(path, a.now), tellFiles)
			continue
		}
		if m, ok := a.actions[name].(respond.Messenger); ok {
			a.audit.Tell(&messenger{name: name, to: m, app: a, told: a.audit.Checkpoint().Size}, a.settings.Audit.MessageEvery)
			continue
		}
		if name != witnessS3 {
			return invalid("audit.witness: %.80q is neither file:/path, nor s3, nor an action that carries messages", name)
		}
		a.audit.Tell(audit.S3Witness(a.settings.Audit.S3, a.put, a.now), tellObjects)
	}
	return nil
}

// way is where the store of objects is; false when there is none.
func (a *Audit) way() (fetcher.Way, bool) {
	if !slices.Contains(a.Witness, witnessS3) {
		return fetcher.Way{}, false
	}
	w, err := fetcher.WayTo(a.S3.URL)
	return w, err == nil
}

// put makes a PUT request by the process that reaches out.
func (a *App) put(ctx context.Context, url string, header map[string]string, body []byte) (int, []byte, error) {
	var answer bytes.Buffer
	got, err := a.fetch.Do(ctx, fetcher.Request{Method: http.MethodPut, URL: url, Header: header, Body: body, MaxBytes: 16 << 10, Stay: true}, &answer)
	return got.Status, answer.Bytes(), err
}

// messenger sends checkpoints as messages to people or to a log elsewhere, with a
// digest of what happened since the last one.
type messenger struct {
	name string
	to   respond.Messenger
	app  *App
	told int64 // entries the last message knew of
}

func (m *messenger) Name() string { return m.name }

func (m *messenger) Keep(ctx context.Context, c audit.Checkpoint) error {
	digest, err := m.digest(ctx, c.Size)
	if err != nil {
		digest = "What happened since the last message cannot be read: " + err.Error()
	}
	_, err = m.to.Send(ctx, respond.Message{
		ID: fmt.Sprintf("audit-%s-%d", m.app.settings.Node.Name, c.Size), Event: respond.EventTrigger, Key: "audit-checkpoint", Severity: honeyguide.SeverityInformational,
		Title: fmt.Sprintf("Audit log of %s: %d entries", m.app.settings.Node.Name, c.Size),
		Text: "Keep this line. Should the log be put back to an older state, honeyguide audit verify --against shows it.\n\n" +
			c.Line() + "\n\n" + digest, At: m.app.now(),
	})
	if err == nil {
		m.told = c.Size
	}
	return err
}

// Bounds of a digest.
const (
	digestEntries = 20_000
	digestLines   = 20
)

// digest counts what happened since the last message. It names nobody: mail is kept
// where nothing can be removed from it.
func (m *messenger) digest(ctx context.Context, size int64) (string, error) {
	from := max(min(m.told, size), size-digestEntries)
	counts := map[string]int{}
	n := size - from
	for from < size {
		list, next, err := m.app.audit.After(ctx, from, 500)
		if err != nil {
			return "", err
		}
		for i := range list {
			if list[i].Seq < size {
				counts[list[i].Action+" "+string(list[i].Outcome)]++
			}
		}
		from = max(next, from+1)
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	var b strings.Builder
	fmt.Fprintf(&b, "Since the last message: %d entries.", n)
	for i, name := range names {
		if i == digestLines {
			fmt.Fprintf(&b, "\nand %d more sorts", len(names)-i)
			break
		}
		fmt.Fprintf(&b, "\n%d x %s", counts[name], name)
	}
	return b.String(), nil
}

// openFeeds finds the systems that get every entry.
func (a *App) openFeeds() error {
	for _, name := range a.settings.Audit.Export {
		var sink audit.Sink
		if path, ok := strings.CutPrefix(name, "jsonl:"); ok {
			sink = audit.FileSink(path)
		} else if m, ok := a.actions[name].(respond.Messenger); ok {
			sink = &collector{name, m, a.settings.Node.Name}
		} else {
			return invalid("audit.export: %.80q is neither jsonl:/path nor an action that carries messages", name)
		}
		f, err := a.audit.Feed(sink, filepath.Join(a.settings.Node.Data, "audit-export"))
		if err != nil {
			return fmt.Errorf("open the export of audit entries: %w", err)
		}
		a.feeds = append(a.feeds, f)
	}
	return nil
}

// A collector takes entries by an action: CEF lines where it carries lines, else a
// message for each entry.
type collector struct {
	name string
	to   respond.Messenger
	node string
}

func (c *collector) Name() string { return c.name }

func (c *collector) Put(ctx context.Context, list []honeyguide.AuditEntry) (int, error) {
	for i := range list {
		if err := c.one(ctx, &list[i]); err != nil {
			return i, fmt.Errorf("entry %d: %w", list[i].Seq, err)
		}
	}
	return len(list), nil
}

func (c *collector) one(ctx context.Context, e *honeyguide.AuditEntry) error {
	severity := honeyguide.SeverityInformational
	if e.Outcome != honeyguide.AuditAsked {
		severity = honeyguide.SeverityLow
	}
	if lines, ok := c.to.(respond.LineSender); ok {
		return lines.SendLine(ctx, e.Time, severity, "audit", audit.CEF(e))
	}
	text, err := json.Marshal(e)
	if err != nil {
		return errors.New("write the entry: it is none")
	}
	m := respond.Message{
		ID: fmt.Sprintf("audit-%s-entry-%d", c.node, e.Seq), Event: respond.EventTrigger, Key: "audit", Severity: severity,
		Title: strings.TrimSpace(fmt.Sprintf("Audit %d: %s %s (%s)", e.Seq, e.Action, e.Object, e.Outcome)), Text: string(text), At: e.Time,
	}
	for _, f := range []respond.Field{
		{Name: "seq", Value: fmt.Sprint(e.Seq)},
		{Name: "actor", Value: e.Actor},
		{Name: "kind", Value: e.Kind},
		{Name: "action", Value: e.Action},
		{Name: "object", Value: e.Object},
		{Name: "outcome", Value: string(e.Outcome)},
		{Name: "request", Value: e.Request},
	} {
		if f.Value != "" {
			m.Fields = append(m.Fields, f)
		}
	}
	_, err = c.to.Send(ctx, m)
	return err
}
