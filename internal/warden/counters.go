package warden

import "honeyguide/internal/telemetry"

// counters are the metrics of one process.
type counters struct {
	up, throttled                                 *telemetry.Gauge
	restarts, violations, events, given, retries  *telemetry.Counter
	chunks, chunksLost, logsLost, worlds, unasked *telemetry.Counter
	relayed, unanswered, dropped                  *telemetry.Counter
	samples, piecesLost                           *telemetry.Counter
}

func newCounters(m *telemetry.Registry, name string) counters {
	counter := func(metric, help string) *telemetry.Counter {
		return m.Counter("honeyguide_warden_"+metric, help, "process").With(name)
	}
	packets := m.Counter("honeyguide_warden_packets_total", "Datagrams by what became of them.", "process", "result")
	return counters{
		up:         m.Gauge("honeyguide_warden_up", "1 while the sensor process serves.", "process").With(name),
		throttled:  m.Gauge("honeyguide_warden_throttled_seconds", "Time the running sensor process was made to wait by its quota.", "process").With(name),
		restarts:   counter("restarts_total", "Starts after a death."),
		violations: counter("violations_total", "Processes ended because they broke the rules of their cage or the protocol."),
		events:     counter("events_total", "Events made durable."),
		given:      counter("events_refused_total", "Events the event log cannot hold."),
		retries:    counter("append_retries_total", "Failed attempts to make events durable."),
		chunks:     counter("chunks_total", "Recorded pieces kept."),
		chunksLost: counter("chunks_lost_total", "Recorded pieces that could not be kept."),
		logsLost:   counter("log_lines_dropped_total", "Log lines over the rate limit."),
		worlds:     counter("worlds_total", "Worlds of sources handed over to be kept."),
		unasked:    counter("worlds_unanswered_total", "Questions for a world that were too many at once."),
		samples:    counter("samples_total", "Files that peers brought."),
		piecesLost: counter("sample_pieces_lost_total", "Pieces of such files that could not be kept."),
		relayed:    packets.With(name, "relayed"),
		unanswered: packets.With(name, "answer_refused"),
		dropped:    packets.With(name, "dropped"),
	}
}
