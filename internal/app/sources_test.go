package app

import (
	"strings"
	"testing"

	"honeyguide/internal/config"
)

// TestSourceSettings: what is wrong with a source is told before anything starts.
func TestSourceSettings(t *testing.T) {
	for sets, want := range map[string]string{
		"sources.eve.kind=file":                                                        "sources.eve: path: missing",
		"sources.eve.kind=fil sources.eve.path=/a":                                     `did you mean "file"`,
		"sources.ssh.kind=file sources.ssh.path=/a":                                    "a sensor has this name",
		"sources.eve.kind=file sources.eve.path=/a sources.eve.zone=Nowhere/At":        "zone",
		"sources.eve.kind=file sources.eve.path=/a sources.eve.pat=/b":                 `did you mean "path"`,
		"sources.eve.kind=file sources.eve.path=/a,/b/*.log sources.hosts.kind=syslog": "",
		"sources.eve.kind=file sources.eve.enabled=false":                              "",
	} {
		tree, err := config.Load(config.Options{Schema: Schema(), Sets: strings.Fields(sets)})
		var s Settings
		if err == nil {
			s, err = Decode(tree)
		}
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", sets, err, want)
		case want == "" && len(s.Sources) == 0:
			t.Errorf("%s: no sources", sets)
		}
	}
}
