package app

import (
	"strings"
	"testing"

	"honeyguide/internal/config"
	"honeyguide/internal/notice"
)

// The doctor says whether anybody would be told, and whether somebody follows.
func TestCheckNotify(t *testing.T) {
	chain := Settings{Notify: notice.Config{Chains: map[string]notice.Chain{"night": {}}}}
	for _, c := range []struct {
		s        Settings
		carriers []string
		status   string
		text     string
	}{
		{Settings{}, nil, StatusWarn, "nobody is told"},
		{Settings{}, []string{"chat"}, StatusOK, "told on chat"},
		{Settings{}, []string{"pager", "chat"}, StatusWarn, "told on chat, pager, and nobody follows"},
		{chain, []string{"pager", "chat"}, StatusOK, "chains: night"},
	} {
		got := checkNotify(c.s, c.carriers)
		if got.Status != c.status || !strings.Contains(got.Text, c.text) || (got.Mend == "") != (c.status == StatusOK) {
			t.Errorf("%v: %+v", c.carriers, got)
		}
	}
}

// The section reaches the settings with its defaults beneath.
func TestNotifySection(t *testing.T) {
	tree, err := config.Load(config.Options{Schema: Schema(), Environ: []string{"HONEYGUIDE_NOTIFY_RATE=7"}, Sets: []string{
		"notify.channels.chat.digest.every=daily 08:00", "notify.chains.night.levels=[{channels: [chat]}, {channels: [pager], after: 10m}]",
	}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(tree)
	if err != nil {
		t.Fatal(err)
	}
	n := s.Notify
	if n.Rate != 7 || n.Dedupe != notice.Defaults().Dedupe || n.Channels["chat"].Digest.Every != "daily 08:00" || len(n.Chains["night"].Levels) != 2 || n.Chains["night"].Levels[1].After.Minutes() != 10 {
		t.Errorf("%+v", n)
	}
}
