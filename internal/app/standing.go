package app

import (
	"context"

	"honeyguide/internal/api"
	"honeyguide/internal/reserve"
)

// nodeStanding looks at the firewall, the disk and the backups for the API.
func (a *App) nodeStanding(ctx context.Context) (out api.Standing, err error) {
	space, err := reserve.Stat(a.settings.Node.Data)
	if err != nil {
		return out, err
	}
	out.Disks = []api.DiskState{{Name: "data", Bytes: space.Size, Free: space.Free}}
	if b := a.backups.Status(ctx, 0); a.settings.Backup.To != "" || b.Last.ID != "" {
		out.Backup = &api.BackupState{At: b.Last.At, Next: b.Next, Running: b.Running, Failing: b.Last.Error != "", Overdue: b.Overdue}
	}
	if a.firewall == nil {
		return out, nil
	}
	h, err := a.firewall.Health(ctx)
	f := &api.FirewallState{
		Serving: h.Serving, Intact: h.Intact, Blocks: h.Blocks, Redirects: h.Redirects,
		Denied: int64(h.Denied), Starts: h.Starts, Layers: h.Layers, Detail: h.Refusal,
	}
	if err != nil { // a firewall that does not answer is a finding, no failure of this question
		f.Detail = err.Error()
	}
	if f.Layers == nil {
		f.Layers = []string{}
	}
	out.Firewall = f
	return out, nil
}
