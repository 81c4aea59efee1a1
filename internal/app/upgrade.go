package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"honeyguide/internal/backup"
	"honeyguide/internal/builtin"
	"honeyguide/internal/reserve"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
)

// upgradeDays is how long the copy from before an upgrade is kept.
const upgradeDays = 14

// An UpgradePlan says what this program would do to a data folder.
type UpgradePlan struct {
	Data    string           `json:"data"`
	Have    int              `json:"have" doc:"schema of the state; 0 = there is none yet"`
	Want    int              `json:"want" doc:"schema this program works with"`
	Needed  bool             `json:"needed"`
	Bytes   int64            `json:"bytes" doc:"of the copy that is made first"`
	Free    int64            `json:"free" doc:"bytes free on the disk of the data folder"`
	Seconds float64          `json:"seconds" doc:"about how long the copy and the change take, by their size"`
	Copies  []backup.Upgrade `json:"copies" doc:"from before earlier upgrades"`
}

// upgradeRate is what a slow disk copies and changes in a second, in bytes.
const upgradeRate = 20 << 20

// PlanUpgrade looks at a data folder without changing it.
func PlanUpgrade(ctx context.Context, s Settings) (p UpgradePlan, err error) {
	p.Data, p.Copies = s.Node.Data, []backup.Upgrade{}
	if p.Have, p.Want, err = schemaOf(ctx, s.Node.Data); err != nil {
		return p, err
	}
	if p.Copies, err = backup.Upgrades(s.Node.Data); err != nil {
		return p, err
	}
	if p.Needed = p.Have > 0 && p.Have < p.Want; !p.Needed {
		return p, nil
	}
	if p.Bytes, err = backup.UpgradeRoom(s.Node.Data); err != nil {
		return p, err
	}
	space, _ := reserve.Stat(s.Node.Data) // 0 when nobody knows
	p.Free = space.Free
	p.Seconds = 1 + 2*float64(p.Bytes)/upgradeRate
	return p, nil
}

// schemaOf reads the schema a state has and the one this program works with. A
// newer one is an error that says what to do.
func schemaOf(ctx context.Context, data string) (have, want int, err error) {
	k, err := builtin.Stores().Lookup("sqlite")
	if err != nil {
		return 0, 0, err
	}
	if _, err := os.Stat(filepath.Join(data, "state.db")); errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	store, err := k.Open(ctx, nil, state.Deps{Dir: data, ReadOnly: true, Schema: func(h, w int) { have, want = h, w }})
	if err == nil {
		err = store.Close()
	}
	if have > 0 && have < want { // that it does not fit is what was asked
		return have, want, nil
	}
	return have, want, err
}

// beforeUpgrade keeps a copy of what an upgrade changes, before anything is
// opened: a newer program may change key files, too.
func (a *App) beforeUpgrade(ctx context.Context) error {
	data := a.settings.Node.Data
	have, want, err := schemaOf(ctx, data)
	if err != nil {
		if errors.Is(err, sqldb.ErrNewer) {
			return err
		}
		a.log.LogAttrs(ctx, slog.LevelWarn, "whether the state has to be upgraded cannot be seen", slog.Any("error", err))
		return nil // opening it says more
	}
	if gone, err := backup.ForgetUpgrades(data, a.now().AddDate(0, 0, -upgradeDays)); err != nil || len(gone) > 0 {
		a.log.LogAttrs(ctx, slog.LevelInfo, "copies from before old upgrades removed", slog.Any("folders", gone), slog.Any("error", err))
	}
	if have == 0 || have >= want {
		return nil
	}
	p, err := ProbeData(ctx, data)
	if err != nil {
		return err
	}
	size, err := backup.AuditSize(data)
	if err != nil {
		return err
	}
	u := backup.Upgrade{Version: a.version, From: have, To: want, At: a.now().UTC(), Events: max(p.Events, p.Cursor), Audit: size}
	if err := backup.KeepBefore(ctx, data, u); err != nil {
		return err
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "copy kept from before the upgrade; honeyguide upgrade rollback puts it back", slog.Int("from", have), slog.Int("to", want), slog.Int("days", upgradeDays))
	return nil
}

// RollBack takes the newest upgrade of a data folder back.
func RollBack(ctx context.Context, s Settings, evenIfNewer bool) (out *backup.RolledBack, err error) {
	lock, err := sqldb.Lock(s.Node.Data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := backup.Recover(s.Node.Data); err != nil {
		return nil, err
	}
	return backup.Rollback{Data: s.Node.Data, Probe: ProbeData, EvenIfNewer: evenIfNewer, Now: time.Now()}.Run(ctx)
}
