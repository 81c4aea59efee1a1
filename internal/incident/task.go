package incident

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// AddTask asks for something to be done. Title, Owner, DueAt and By of t count.
func (d *Desk) AddTask(ctx context.Context, id string, t honeyguide.Task) (honeyguide.Incident, honeyguide.Task, error) {
	t.Title = strings.TrimSpace(t.Title)
	switch {
	case t.By == "":
		return honeyguide.Incident{}, t, invalid("by: somebody has to ask for a task")
	case t.Title == "" || len(t.Title) > maxTitle:
		return honeyguide.Incident{}, t, invalid("title: want 1 to %d bytes that say what is to be done", maxTitle)
	case len(t.Owner) > maxOwner:
		return honeyguide.Incident{}, t, invalid("owner: at most %d bytes", maxOwner)
	}
	in, err := d.work(ctx, id, time.Time{}, func(tx state.Tx, in *honeyguide.Incident, now time.Time) error {
		if len(in.Tasks) >= honeyguide.MaxTasks {
			return clash("%s has %d tasks, which is all it may have", in.Short, honeyguide.MaxTasks)
		}
		t = honeyguide.Task{ID: nextTask(in.Tasks), Title: t.Title, Owner: t.Owner, By: t.By, CreatedAt: now, DueAt: t.DueAt}
		in.Tasks = append(in.Tasks, t)
		text := t.ID + " asked for: " + t.Title
		if t.Owner != "" {
			text += " (" + t.Owner + ")"
		}
		return worked(ctx, tx, in, t.By, t.ID, text, now)
	})
	return in, t, err
}

func nextTask(list []honeyguide.Task) string {
	last := 0
	for _, t := range list {
		n, _ := strconv.Atoi(strings.TrimPrefix(t.ID, "T-"))
		last = max(last, n)
	}
	return "T-" + strconv.Itoa(last+1)
}

// worked saves an incident after a change of its tasks.
func worked(ctx context.Context, tx state.Tx, in *honeyguide.Incident, by, task, text string, now time.Time) error {
	first(&in.Clock.AcknowledgedAt, now)
	in.UpdatedAt = now
	if err := note(ctx, tx, in, now, honeyguide.EntryTask, by, task, text); err != nil {
		return err
	}
	_, err := tx.Incidents().Save(ctx, in)
	return err
}

// A TaskChange is what somebody decides about a task. What is nil stays.
type TaskChange struct {
	By    string
	Seen  time.Time // see [Change]
	Done  *bool
	Owner *string
	DueAt *time.Time
	Title *string
}

// ChangeTask does that. A task is named by its ID, T-1, in any case. CodeNotFound.
func (d *Desk) ChangeTask(ctx context.Context, id, task string, c TaskChange) (honeyguide.Incident, honeyguide.Task, error) {
	var t honeyguide.Task
	switch {
	case c.By == "":
		return honeyguide.Incident{}, t, invalid("by: somebody has to answer for a change")
	case c.Done == nil && c.Owner == nil && c.DueAt == nil && c.Title == nil:
		return honeyguide.Incident{}, t, invalid("done, owner, due_at or title: say what changes")
	case c.Owner != nil && len(*c.Owner) > maxOwner:
		return honeyguide.Incident{}, t, invalid("owner: at most %d bytes", maxOwner)
	case c.Title != nil && (strings.TrimSpace(*c.Title) == "" || len(*c.Title) > maxTitle):
		return honeyguide.Incident{}, t, invalid("title: want 1 to %d bytes that say what is to be done", maxTitle)
	}
	in, err := d.work(ctx, id, c.Seen, func(tx state.Tx, in *honeyguide.Incident, now time.Time) error {
		i := slices.IndexFunc(in.Tasks, func(t honeyguide.Task) bool { return strings.EqualFold(t.ID, task) })
		if i < 0 {
			return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: in.Short + " has no such task; honeyguide incidents show " + in.Short + " lists them"}
		}
		text := c.apply(&in.Tasks[i], now)
		t = in.Tasks[i]
		if text == "" {
			return nil // as it was
		}
		return worked(ctx, tx, in, c.By, t.ID, t.ID+" "+text+": "+t.Title, now)
	})
	return in, t, err
}

// apply changes t and says what became of it, "" when nothing did.
func (c *TaskChange) apply(t *honeyguide.Task, now time.Time) string {
	var said []string
	if c.Title != nil && strings.TrimSpace(*c.Title) != t.Title {
		t.Title = strings.TrimSpace(*c.Title)
		said = append(said, "reworded")
	}
	if c.Owner != nil && *c.Owner != t.Owner {
		t.Owner = *c.Owner
		said = append(said, "given to "+or(t.Owner, "nobody"))
	}
	if c.DueAt != nil && !c.DueAt.Equal(t.DueAt) {
		t.DueAt = state.Time(*c.DueAt)
		said = append(said, "due "+t.DueAt.Format(time.RFC3339))
	}
	switch {
	case c.Done == nil || *c.Done == !t.DoneAt.IsZero():
	case *c.Done:
		t.DoneAt, t.DoneBy = now, c.By
		said = append(said, "done")
	default:
		t.DoneAt, t.DoneBy = time.Time{}, ""
		said = append(said, "open again")
	}
	return strings.Join(said, ", ")
}
