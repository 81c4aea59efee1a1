package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// makeRoot makes a Debian 12 server root with the packages of list.
func makeRoot(dir, list string) error {
	raw, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var names []string
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 0 && !strings.HasPrefix(f[0], "#") {
			names = append(names, f[0])
		}
	}
	cmd := exec.Command("debootstrap", "--variant=minbase", "--include="+strings.Join(names, ","), "bookworm", dir)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make a Debian root with debootstrap: %w", err)
	}
	return nil
}

// prepare makes the layer between the root and the cases: the host's own name
// and the home of somebody who never logged in. debootstrap copies the name of
// the machine it ran on and writes no /etc/hosts.
func prepare(tmp string) (string, error) {
	dir := filepath.Join(tmp, "persona")
	for name, text := range map[string]string{
		"etc/hostname": "srv01\n",
		"etc/hosts":    "127.0.0.1\tlocalhost\n127.0.1.1\tsrv01\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	home := filepath.Join(dir, "root")
	if err := os.Mkdir(home, 0o700); err != nil {
		return "", err
	}
	for _, gone := range []string{filepath.Join(home, ".ssh"), filepath.Join(dir, "etc", "resolv.conf")} {
		if err := syscall.Mknod(gone, syscall.S_IFCHR, 0); err != nil { // how an overlay says "deleted"
			return "", fmt.Errorf("hide %s: %w", gone, err)
		}
	}
	return dir, nil
}
