package sandbox

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// emptyRoot makes an empty read-only tmpfs the root of the process and lets go
// of the old one. Where the root cannot be changed it falls back to chroot,
// which a process with privileges could leave: the layer is degraded then.
func emptyRoot(c Config) (Layer, error) {
	if !slices.Contains(c.Namespaces, "mnt") {
		return Layer{State: Off, Detail: "no mount namespace"}, nil
	}
	const safe = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return Layer{}, fmt.Errorf("make mounts private: %w", err)
	}
	dir, err := mountEmpty(safe)
	if err != nil {
		return Layer{}, err
	}
	if err := unix.Chdir(dir); err != nil {
		return Layer{}, fmt.Errorf("enter the empty root: %w", err)
	}
	layer := Layer{State: On, Detail: "empty, read-only"}
	if err := unix.PivotRoot(".", "."); err != nil {
		// The root of an initramfs cannot be pivoted away.
		if cerr := unix.Chroot("."); cerr != nil {
			return Layer{}, errors.Join(fmt.Errorf("pivot root: %w", err), fmt.Errorf("change root: %w", cerr))
		}
		layer = Layer{State: Degraded, Detail: "chroot: " + err.Error()}
	} else if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return Layer{}, fmt.Errorf("let go of the old root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return Layer{}, fmt.Errorf("enter the new root: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY|safe, "size=4k,nr_inodes=2,mode=0"); err != nil {
		return Layer{}, fmt.Errorf("make the root read-only: %w", err)
	}
	return layer, nil
}

// mountEmpty mounts an empty tmpfs on some directory every system has.
func mountEmpty(flags uintptr) (string, error) {
	err := error(unix.ENOENT)
	for _, dir := range []string{"/tmp", "/dev", "/proc", "/etc"} {
		if err = unix.Mount("tmpfs", dir, "tmpfs", flags, "size=4k,nr_inodes=2,mode=0"); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("mount an empty root: %w", err)
}
