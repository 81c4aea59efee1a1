package app

import (
	"os"
	"path/filepath"
	"testing"
)

// TestGroupMemory: the least limit of the groups above counts, in both versions.
func TestGroupMemory(t *testing.T) {
	for _, c := range []struct {
		name, groups string
		files        map[string]string
		want         int64
	}{
		{"none", "0::/\n", nil, 0},
		{"unlimited", "0::/a\n", map[string]string{"a/memory.max": "max\n"}, 0},
		{"version 2", "0::/a/b\n", map[string]string{"a/b/memory.max": "max\n", "a/memory.max": "268435456\n"}, 256 << 20},
		{"the nearest is less", "0::/a/b\n", map[string]string{"a/b/memory.max": "1048576\n", "a/memory.max": "268435456\n"}, 1 << 20},
		{"version 1", "9:cpu:/x\n4:memory:/x\n", map[string]string{"memory/x/memory.limit_in_bytes": "536870912\n"}, 512 << 20},
		{"version 1, none", "4:memory:/x\n", map[string]string{"memory/x/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		{"a container sees its own top", "0::/machine/abc\n", map[string]string{"memory.max": "134217728\n"}, 128 << 20},
		{"garbage", "nonsense\n::\n0::/a\n", map[string]string{"a/memory.max": "lots\n"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			put := func(name, text string) {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put("proc/self/cgroup", c.groups)
			for name, text := range c.files {
				put("sys/fs/cgroup/"+name, text)
			}
			if got := groupMemory(root); got != c.want {
				t.Errorf("groupMemory = %d, want %d", got, c.want)
			}
		})
	}
}
