package persona

import (
	"fmt"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// debian builds Debian 12; lived says whether somebody has been using it.
func debian(seed []byte, name string, o Options, lived bool) (*Host, error) {
	if o.Now.IsZero() {
		return nil, fmt.Errorf("persona %s: the moment of deployment is missing", name)
	}
	h := &Host{
		Name:    name,
		Machine: &machine.Machine{Hostname: "app", Boot: o.Now.AddDate(0, -1, 0), NextPID: 4000},
		Image:   vfs.NewImage(1, o.Now),
		SSH:     SSHFacts{Banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", Version: "OpenSSH_9.2p1"},
		HTTP:    HTTPFacts{Server: "nginx/1.22.1"},
	}
	for _, e := range []vfs.Entry{
		{Path: "/root", Mode: vfs.Dir | 0o700}, {Path: "/tmp", Mode: vfs.Dir | 0o1777}, {Path: "/bin", Mode: vfs.Symlink | 0o777, Target: "usr/bin"},
		{Path: "/usr/bin/cat", Mode: 0o755, Text: "\x7fELF"}, {Path: "/usr/bin/echo", Mode: 0o755, Text: "\x7fELF"},
		{Path: "/etc/passwd", Mode: 0o644, Text: "root:x:0:0:root:/root:/bin/bash\n"},
	} {
		e.Mtime = o.Now
		if err := h.Image.Add(e); err != nil {
			return nil, fmt.Errorf("persona: %w", err)
		}
	}
	return h, nil
}
