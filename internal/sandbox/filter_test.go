package sandbox

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// verdict runs the filter on one call. The interpreter loads big endian.
func verdict(t testing.TB, vm *bpf.VM, arch, nr uint32, args ...uint32) uint32 {
	t.Helper()
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offNumber:], nr)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offArgs+8*i:], a)
	}
	n, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

func TestFilter(t *testing.T) {
	const pid = 4711
	vm, err := bpf.NewVM(compile(pid, Config{}))
	if err != nil {
		t.Fatal(err)
	}
	const (
		refuse = retErrno | uint32(unix.EPERM)
		gone   = retErrno | uint32(unix.ENOSYS)
		thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	)
	tests := []struct {
		name string
		nr   uintptr
		args []uint32
		want uint32
	}{
		{"read", unix.SYS_READ, nil, retAllow},
		{"execve", unix.SYS_EXECVE, nil, retKill},
		{"clone3", unix.SYS_CLONE3, nil, gone},
		{"splice", unix.SYS_SPLICE, nil, gone},
		{"socket", unix.SYS_SOCKET, nil, refuse},
		{"mmap rw", unix.SYS_MMAP, []uint32{0, 0, unix.PROT_READ | unix.PROT_WRITE}, retAllow},
		{"mmap rx", unix.SYS_MMAP, []uint32{0, 0, unix.PROT_READ | unix.PROT_EXEC}, refuse},
		{"mprotect x", unix.SYS_MPROTECT, []uint32{0, 0, unix.PROT_EXEC}, refuse},
		{"thread", unix.SYS_CLONE, []uint32{thread}, retAllow},
		{"fork", unix.SYS_CLONE, []uint32{uint32(unix.SIGCHLD)}, refuse},
		{"thread in a user namespace", unix.SYS_CLONE, []uint32{thread | unix.CLONE_NEWUSER}, refuse},
		{"own signal", unix.SYS_TGKILL, []uint32{pid, 1}, retAllow},
		{"foreign signal", unix.SYS_TGKILL, []uint32{pid + 1, 1}, refuse},
		{"name memory", unix.SYS_PRCTL, []uint32{unix.PR_SET_VMA}, retAllow},
		{"other prctl", unix.SYS_PRCTL, []uint32{unix.PR_SET_DUMPABLE}, refuse},
		{"get flags", unix.SYS_FCNTL, []uint32{0, unix.F_GETFL}, retAllow},
		{"duplicate", unix.SYS_FCNTL, []uint32{0, unix.F_DUPFD_CLOEXEC}, retAllow},
		{"nonblocking", unix.SYS_FCNTL, []uint32{0, unix.F_SETFL, unix.O_NONBLOCK}, retAllow},
		{"asynchronous", unix.SYS_FCNTL, []uint32{0, unix.F_SETFL, unix.O_NONBLOCK | unix.O_ASYNC}, refuse},
		{"set owner", unix.SYS_FCNTL, []uint32{0, unix.F_SETOWN}, refuse},
		{"set lease", unix.SYS_FCNTL, []uint32{0, unix.F_SETLEASE}, refuse},
		{"keep-alive", unix.SYS_SETSOCKOPT, []uint32{0, unix.SOL_SOCKET, unix.SO_KEEPALIVE}, retAllow},
		{"no delay", unix.SYS_SETSOCKOPT, []uint32{0, unix.IPPROTO_TCP, unix.TCP_NODELAY}, retAllow},
		{"option of another level", unix.SYS_SETSOCKOPT, []uint32{0, unix.IPPROTO_IP, unix.TCP_NODELAY}, refuse},
		{"mark", unix.SYS_SETSOCKOPT, []uint32{0, unix.SOL_SOCKET, unix.SO_MARK}, refuse},
		{"socket error", unix.SYS_GETSOCKOPT, []uint32{0, unix.SOL_SOCKET, unix.SO_ERROR}, retAllow},
		{"peer credentials", unix.SYS_GETSOCKOPT, []uint32{0, unix.SOL_SOCKET, unix.SO_PEERCRED}, refuse},
	}
	for _, tt := range tests {
		if got := verdict(t, vm, auditArch, uint32(tt.nr), tt.args...); got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
	}
	for _, arch := range []uint32{0, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_ARM} {
		if got := verdict(t, vm, arch, uint32(unix.SYS_READ)); got != retKill {
			t.Errorf("architecture %#x: %#x, want kill", arch, got)
		}
	}
	if got := verdict(t, vm, auditArch, 0x40000000); got != retKill {
		t.Errorf("x32 call: %#x, want kill", got)
	}
	// What is on no list is refused whatever its arguments.
	for nr := range uint32(1024) {
		known := slices.Contains(plain, uintptr(nr)) || slices.Contains(deadly, uintptr(nr)) || slices.Contains(absent, uintptr(nr)) ||
			slices.ContainsFunc(checked(pid), func(r rule) bool { return r.number == uintptr(nr) })
		if got := verdict(t, vm, auditArch, nr); !known && got != refuse {
			t.Errorf("call %d: %#x, want refused", nr, got)
		}
	}
}

// A process that may reach out can make plain TCP and UDP sockets and connect
// them, and has nothing else that others have not.
func TestEgressFilter(t *testing.T) {
	vm, err := bpf.NewVM(compile(1, Config{Egress: &Egress{}}))
	if err != nil {
		t.Fatal(err)
	}
	const refuse = retErrno | uint32(unix.EPERM)
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	for _, tt := range []struct {
		name string
		nr   uintptr
		args []uint32
		want uint32
	}{
		{"tcp", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM | flags, 0}, retAllow},
		{"tcp6", unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_STREAM | flags, unix.IPPROTO_TCP}, retAllow},
		{"udp", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_DGRAM | flags, unix.IPPROTO_UDP}, retAllow},
		{"mptcp", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM | flags, unix.IPPROTO_MPTCP}, refuse},
		{"raw", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}, refuse},
		{"ping", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP}, refuse},
		{"unix", unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_STREAM, 0}, refuse},
		{"netlink", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW, 0}, refuse},
		{"vsock", unix.SYS_SOCKET, []uint32{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, refuse},
		{"connect", unix.SYS_CONNECT, []uint32{7, 8, 16}, retAllow},
		{"bind", unix.SYS_BIND, []uint32{7, 8, 16}, refuse},
		{"listen", unix.SYS_LISTEN, []uint32{7, 8}, refuse},
		{"send to an address", unix.SYS_SENDTO, nil, refuse},
		{"send descriptors", unix.SYS_SENDMSG, nil, refuse},
		{"broadcast", unix.SYS_SETSOCKOPT, []uint32{7, unix.SOL_SOCKET, unix.SO_BROADCAST}, retAllow},
		{"bind to a device", unix.SYS_SETSOCKOPT, []uint32{7, unix.SOL_SOCKET, unix.SO_BINDTODEVICE}, refuse},
		{"open", unix.SYS_OPENAT, nil, refuse},
		{"execve", unix.SYS_EXECVE, nil, retKill},
	} {
		if got := verdict(t, vm, auditArch, uint32(tt.nr), tt.args...); got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
	}
}

// A process that commands the firewall can make netlink sockets of netfilter
// and of routes, and no other socket of any kind.
func TestNetAdminFilter(t *testing.T) {
	vm, err := bpf.NewVM(compile(1, Config{NetAdmin: true}))
	if err != nil {
		t.Fatal(err)
	}
	const refuse = retErrno | uint32(unix.EPERM)
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	for _, tt := range []struct {
		name string
		nr   uintptr
		args []uint32
		want uint32
	}{
		{"netfilter", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW | flags, unix.NETLINK_NETFILTER}, retAllow},
		{"routes", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW | flags, unix.NETLINK_ROUTE}, retAllow},
		{"xfrm", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_XFRM}, refuse},
		{"tcp", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM | flags, 0}, refuse},
		{"raw", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_RAW, unix.NETLINK_NETFILTER}, refuse},
		{"packet", unix.SYS_SOCKET, []uint32{unix.AF_PACKET, unix.SOCK_RAW, 0}, refuse},
		{"unix", unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_STREAM, 0}, refuse},
		{"bind", unix.SYS_BIND, []uint32{7, 8, 12}, retAllow},
		{"sendmsg", unix.SYS_SENDMSG, []uint32{7, 8, 0}, retAllow},
		{"recvmsg", unix.SYS_RECVMSG, []uint32{7, 8, 0}, retAllow},
		{"connect", unix.SYS_CONNECT, []uint32{7, 8, 16}, refuse},
		{"listen", unix.SYS_LISTEN, []uint32{7, 8}, refuse},
		{"sendto", unix.SYS_SENDTO, nil, refuse},
		{"large buffer", unix.SYS_SETSOCKOPT, []uint32{7, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE}, retAllow},
		{"short answers", unix.SYS_SETSOCKOPT, []uint32{7, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK}, retAllow},
		{"join a group", unix.SYS_SETSOCKOPT, []uint32{7, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP}, refuse},
		{"mark", unix.SYS_SETSOCKOPT, []uint32{7, unix.SOL_SOCKET, unix.SO_MARK}, refuse},
		{"device control", unix.SYS_IOCTL, []uint32{7, unix.SIOCSIFFLAGS}, refuse},
		{"new namespace", unix.SYS_UNSHARE, nil, refuse},
		{"open", unix.SYS_OPENAT, nil, refuse},
		{"execve", unix.SYS_EXECVE, nil, retKill},
	} {
		if got := verdict(t, vm, auditArch, uint32(tt.nr), tt.args...); got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
	}
}
