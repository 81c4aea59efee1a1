package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	var b strings.Builder
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-22T12:00:00Z"}, {Key: "vcs.modified", Value: "true"}, {Key: "-trimpath", Value: "true"}, {Key: "GOARCH", Value: "arm64"}, {Key: "GOOS", Value: "linux"},
	}, Deps: []*debug.Module{{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:x"}, {Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "../b"}}}}
	if err := describe(&b, info); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"commit:   abc\n", "2026-11-22T12:00:00Z, with changes", "go1.26.8 for linux/arm64", "left out", "cgo:      not used", "modules:  2\n", "example.org/a v1.0.0 h1:x", "../b  (replaced by a folder)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := describe(&b, &debug.BuildInfo{}); err != nil || !strings.Contains(b.String(), "commit:   not recorded") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
