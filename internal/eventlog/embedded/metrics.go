package embedded

import "honeyguide/internal/telemetry"

type metrics struct {
	events, bytes, refused, failed, corrupt, quarantined, dropped *telemetry.Counter
	wait, commit                                                  *telemetry.Histogram
}

func newMetrics(r *telemetry.Registry) metrics {
	seconds := []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5}
	return metrics{
		events:      r.Counter("honeyguide_eventlog_events_total", "Events stored durably.").With(),
		bytes:       r.Counter("honeyguide_eventlog_bytes_total", "Bytes of packed blocks written, merged ones again.").With(),
		refused:     r.Counter("honeyguide_eventlog_refused_events_total", "Events that were not stored, for want of room or because of a failure; nothing of them was acknowledged, and their senders keep them.").With(),
		failed:      r.Counter("honeyguide_eventlog_failed_commits_total", "Commits that failed; nothing of them was acknowledged.").With(),
		corrupt:     r.Counter("honeyguide_eventlog_corrupt_blocks_total", "Blocks that could not be read and were given up.").With(),
		quarantined: r.Counter("honeyguide_eventlog_quarantined_files_total", "Day files that could not be read and were put aside.").With(),
		dropped:     r.Counter("honeyguide_eventlog_dropped_days_total", "Days dropped by retention.").With(),
		wait:        r.Histogram("honeyguide_eventlog_append_seconds", "From Append to its acknowledgement.", seconds).With(),
		commit:      r.Histogram("honeyguide_eventlog_commit_seconds", "Packing and storing one commit.", seconds).With(),
	}
}
