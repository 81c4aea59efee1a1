package app

import (
	"context"
	"fmt"
	"syscall"

	"honeyguide/internal/api"
)

// nodeStanding looks at the firewall, the disk and the backups for the API.
func (a *App) nodeStanding(ctx context.Context) (out api.Standing, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(a.settings.Node.Data, &st); err != nil {
		return out, fmt.Errorf("look at the file system of the data folder: %w", err)
	}
	block := int64(st.Bsize)
	out.Disks = []api.DiskState{{Name: "data", Bytes: int64(st.Blocks) * block, Free: int64(st.Bavail) * block}}
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
