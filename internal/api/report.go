package api

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/report"
	"honeyguide/internal/state"
)

// kpiDays is the span of key figures nobody asked another one for.
const kpiDays = 30

type kpiIn struct {
	Since time.Time `query:"since" doc:"absent: thirty days ago"`
	Until time.Time `query:"until" doc:"absent: now"`
}

func (s *server) report() {
	read(s, op("/report/kpi", "report-kpi", "Key figures of a span of time, computed from what is stored: docs/reference/kpi.md defines each"), func(ctx context.Context, in *kpiIn) (k report.KPI, err error) {
		now := s.dep.Now().UTC()
		if in.Until.IsZero() {
			in.Until = now
		}
		if in.Since.IsZero() {
			in.Since = now.AddDate(0, 0, -kpiDays)
		}
		if !in.Since.Before(in.Until) {
			return k, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "since, until: want a since before until"}
		}
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			k, err = report.Compute(ctx, tx, in.Since, in.Until)
			return err
		})
		return k, err
	})
}
