package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"honeyguide/internal/report"
	"honeyguide/internal/state"
)

func TestKPIOverTheAPI(t *testing.T) {
	now := day.Add(time.Hour)
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return now } })
	r.update(func(ctx context.Context, tx state.Tx) error {
		a := alert(1)
		a.CreatedAt = a.Time.Add(3 * time.Second)
		_, err := tx.Alerts().Save(ctx, a)
		return err
	})
	k := get[report.KPI](r, "/api/v1/report/kpi")
	if k.Times[0].N != 1 || *k.Times[0].MeanMS != 3000 || !k.Until.Equal(now) || !k.Since.Equal(now.AddDate(0, 0, -30)) {
		t.Errorf("%+v", k)
	}
	if k := get[report.KPI](r, "/api/v1/report/kpi?since="+now.Add(-time.Minute).Format(time.RFC3339)); k.Times[0].N != 0 || k.Times[0].Result != report.NoData {
		t.Errorf("the last minute: %+v", k.Times[0])
	}
	if w := r.call(http.MethodGet, "/api/v1/report/kpi?since=2030-01-01T00:00:00Z", bootstrap, nil); w.Code != http.StatusBadRequest {
		t.Errorf("from the future: %d", w.Code)
	}
}
