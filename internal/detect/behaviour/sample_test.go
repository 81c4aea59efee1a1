package behaviour_test

import (
	"testing"

	"honeyguide"
)

// TestMalwareDrop: a program brought is high, a script medium and high once it
// runs, a note nothing.
func TestMalwareDrop(t *testing.T) {
	const from, sum = "203.0.113.7", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	sample := func(n int, path, kind string) honeyguide.Event {
		return event(n, from, honeyguide.ActivitySample, honeyguide.AttrPath, path, honeyguide.AttrFileType, kind, honeyguide.AttrSHA256, sum)
	}
	run := func(n int, path string) honeyguide.Event {
		return event(n, from, honeyguide.ActivityExecute, honeyguide.AttrPath, path, honeyguide.AttrSHA256, sum)
	}
	high, medium, none := honeyguide.SeverityHigh, honeyguide.SeverityMedium, honeyguide.SeverityUnknown
	for _, tc := range []struct {
		name      string
		events    []honeyguide.Event
		drop, ran honeyguide.Severity
	}{
		{"a program", []honeyguide.Event{sample(1, "/root/x", "elf 64-bit x86-64 executable")}, high, none},
		{"a windows program", []honeyguide.Event{sample(1, "/root/x", "pe x86")}, high, none},
		{"a script", []honeyguide.Event{sample(1, "/root/x.sh", "script /bin/sh")}, medium, none},
		{"an archive", []honeyguide.Event{sample(1, "/root/x.tgz", "archive gzip")}, medium, none},
		{"a note", []honeyguide.Event{sample(1, "/root/x", "text")}, none, none},
		{"data", []honeyguide.Event{sample(1, "/root/x", "data")}, none, none},
		{"a script that runs", []honeyguide.Event{sample(1, "/root/x.sh", "script /bin/sh"), run(2, "/root/x.sh")}, medium, high},
		{"a program under another name", []honeyguide.Event{sample(1, "/root/x", "elf"), run(2, "/opt/y")}, high, high},
		{"text that runs as a script", []honeyguide.Event{sample(1, "/root/x", "text"), run(2, "/root/x")}, none, high},
		{"something unknown that runs", []honeyguide.Event{run(2, "/root/x")}, none, medium},
	} {
		got := detectAll(t, open(t), tc.events...)
		if got["malware_drop"].Severity != tc.drop || got["drop_execute"].Severity != tc.ran {
			t.Errorf("%s: drop %v, run %v; want %v, %v", tc.name, got["malware_drop"].Severity, got["drop_execute"].Severity, tc.drop, tc.ran)
		}
	}
}
