package app

import (
	"strings"
	"testing"

	"honeyguide/internal/config"
)

// TestPrivacySettings: what stands below privacy is what the core goes by.
func TestPrivacySettings(t *testing.T) {
	load := func(sets ...string) (Settings, error) {
		t.Helper()
		tree, err := config.Load(config.Options{Schema: Schema(), Sets: append(sets, "node.data="+t.TempDir())})
		if err != nil {
			t.Fatal(err)
		}
		return Decode(tree)
	}
	s, err := load("privacy.events_days=7", "privacy.pseudonymise_after_days=5", "privacy.login_banner=you are seen")
	if err != nil || s.Privacy.Events != 7 || s.Privacy.Pseudonyms != 5 || s.Privacy.Banner != "you are seen" {
		t.Errorf("%+v, %v", s.Privacy, err)
	}
	if f := checkRetention(s); f.Status != StatusOK || !strings.Contains(f.Text, "pseudonyms after 5 days") {
		t.Errorf("%+v", f)
	}
	for _, set := range []string{"privacy.pseudonymise_after_days=-1", "privacy.events_days=40000"} {
		if _, err := load(set); err == nil || !strings.Contains(err.Error(), strings.SplitN(set, "=", 2)[0]) {
			t.Errorf("%s: %v", set, err)
		}
	}
}
