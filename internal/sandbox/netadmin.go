package sandbox

import "golang.org/x/sys/unix"

// HasNetAdmin reports whether this process may hand CAP_NET_ADMIN to one it
// starts.
func HasNetAdmin() bool {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var set [2]unix.CapUserData
	err := unix.Capget(&head, &set[0])
	return err == nil && set[0].Permitted&(1<<unix.CAP_NET_ADMIN) != 0
}
