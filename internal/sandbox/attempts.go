package sandbox

import (
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bad points nowhere: a call that answers EFAULT has looked at its arguments,
// so it was let through.
const bad = 8

// attempts are the ways out that are tried.
var attempts = []attempt{
	// files
	{group: "file", name: "open a file", try: func(Target) error {
		return held(unix.Open("/etc/passwd", unix.O_RDONLY|unix.O_CLOEXEC, 0))
	}},
	{group: "file", name: "create a file", try: func(Target) error {
		const name = "/tmp/.honeyguide-probe"
		err := held(unix.Open(name, unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600))
		if err == nil {
			unix.Unlink(name)
		}
		return err
	}},
	{group: "file", name: "make a directory", try: func(Target) error {
		const name = "/tmp/.honeyguide-probe.d"
		err := unix.Mkdir(name, 0o700)
		if err == nil {
			unix.Rmdir(name)
		}
		return err
	}},
	{group: "file", name: "open the core's memory", try: func(t Target) error {
		return held(unix.Open("/proc/"+strconv.Itoa(int(t.pid()))+"/mem", unix.O_RDWR|unix.O_CLOEXEC, 0))
	}},
	{group: "file", name: "make a file in memory", try: func(Target) error {
		return held(unix.MemfdCreate("probe", unix.MFD_CLOEXEC))
	}},
	{group: "file", name: "open by handle", try: func(Target) error {
		return held(callFor(unix.SYS_OPEN_BY_HANDLE_AT, ^uintptr(99), bad, 0))
	}},
	{group: "file", name: "make a device", try: func(Target) error {
		const name = "/tmp/.honeyguide-probe.c"
		err := unix.Mknod(name, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
		if err == nil {
			unix.Unlink(name)
		}
		return err
	}},

	// network
	{group: "net", name: "TCP connect to the core", egress: true, try: func(t Target) error {
		return over(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Connect(fd, t.tcp()) })
	}},
	// Connecting a datagram socket finds a route and sends nothing.
	{group: "net", name: "UDP connect outside", egress: true, try: func(Target) error {
		return over(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error {
			return unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{192, 0, 2, 1}}) // TEST-NET-1
		})
	}},
	{group: "net", name: "MPTCP connect", try: func(t Target) error {
		return over(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP, func(fd int) error { return unix.Connect(fd, t.tcp()) })
	}},
	{group: "net", name: "UDP send", try: func(Target) error {
		return over(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error {
			return unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
		})
	}},
	{group: "net", name: "raw socket", try: made(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
	{group: "net", name: "packet socket", try: made(unix.AF_PACKET, unix.SOCK_RAW, 0)},
	{group: "net", name: "bind a new port", try: func(Target) error {
		return over(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error {
			return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		})
	}},
	{group: "net", name: "netlink nfnetlink", admin: true, try: made(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER)},
	{group: "net", name: "netlink route", admin: true, try: made(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)},
	{group: "net", name: "netlink xfrm", try: made(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_XFRM)},
	{group: "net", name: "netlink generic", try: made(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_GENERIC)},
	{group: "net", name: "vsock", try: made(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
	{group: "net", name: "socket pair", try: func(Target) error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			unix.Close(fds[0])
			unix.Close(fds[1])
		}
		return err
	}},
	{group: "net", name: "connect to a unix socket", try: func(t Target) error {
		path := t.Unix
		if path == "" {
			path = "/run/systemd/notify"
		}
		return over(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error {
			return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		})
	}},

	// what can be done to a socket it holds
	{group: "socket", name: "connect the listener", socket: true, try: func(t Target) error {
		return unix.Connect(t.Socket, t.tcp())
	}},
	{group: "socket", name: "bind the listener", socket: true, admin: true, try: func(t Target) error {
		return unix.Bind(t.Socket, t.tcp())
	}},
	{group: "socket", name: "receive descriptors", socket: true, admin: true, try: func(t Target) error {
		return call(unix.SYS_RECVMSG, uintptr(t.Socket), bad, unix.MSG_DONTWAIT)
	}},
	{group: "socket", name: "send descriptors", socket: true, admin: true, try: func(t Target) error {
		return call(unix.SYS_SENDMSG, uintptr(t.Socket), bad, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}},
	{group: "socket", name: "send to an address", socket: true, try: func(t Target) error {
		return call(unix.SYS_SENDTO, uintptr(t.Socket), bad, 1, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, bad, 16)
	}},
	{group: "socket", name: "receive with an address", socket: true, try: func(t Target) error {
		return call(unix.SYS_RECVFROM, uintptr(t.Socket), bad, 1, unix.MSG_DONTWAIT)
	}},
	{group: "socket", name: "aim signals", socket: true, try: func(t Target) error {
		return call(unix.SYS_FCNTL, uintptr(t.Socket), unix.F_SETOWN, 0)
	}},
	{group: "socket", name: "choose signals", socket: true, try: func(t Target) error {
		return call(unix.SYS_FCNTL, uintptr(t.Socket), fSetSig, 0)
	}},
	{group: "socket", name: "attach a filter", socket: true, try: func(t Target) error {
		return call(unix.SYS_SETSOCKOPT, uintptr(t.Socket), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, bad, 16)
	}},
	{group: "socket", name: "bind to a device", socket: true, try: func(t Target) error {
		return call(unix.SYS_SETSOCKOPT, uintptr(t.Socket), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, bad, 4)
	}},
	{group: "socket", name: "upper-layer protocol", socket: true, try: func(t Target) error {
		return call(unix.SYS_SETSOCKOPT, uintptr(t.Socket), unix.IPPROTO_TCP, unix.TCP_ULP, bad, 4)
	}},
	{group: "socket", name: "zero-copy receive", socket: true, try: func(t Target) error {
		return call(unix.SYS_GETSOCKOPT, uintptr(t.Socket), unix.IPPROTO_TCP, unix.TCP_ZEROCOPY_RECEIVE, bad, bad)
	}},
	{group: "socket", name: "device control", socket: true, try: func(t Target) error {
		return call(unix.SYS_IOCTL, uintptr(t.Socket), unix.SIOCGIFCONF, bad)
	}},

	// processes
	{group: "process", name: "execute a program", deadly: true, try: func(Target) error {
		return unix.Exec("/bin/true", []string{"true"}, nil)
	}},
	{group: "process", name: "execute a bad pointer", deadly: true, try: func(Target) error {
		return call(unix.SYS_EXECVE, bad, 0, 0)
	}},
	{group: "process", name: "execute a descriptor", deadly: true, try: func(Target) error {
		return call(unix.SYS_EXECVEAT, ^uintptr(99), bad, 0, 0, 0)
	}},
	{group: "process", name: "trace the core", deadly: true, try: func(t Target) error {
		err := call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, t.pid(), 0, 0)
		if err == nil {
			_ = unix.PtraceDetach(int(t.pid()))
		}
		return err
	}},
	{group: "process", name: "fork", try: func(Target) error { return fork() }},
	{group: "process", name: "clone3", try: func(Target) error { return call(unix.SYS_CLONE3, bad, 64) }},
	{group: "process", name: "thread in a new namespace", try: func(Target) error {
		// Without CLONE_SIGHAND the kernel makes no thread, it only looks.
		return call(unix.SYS_CLONE, unix.CLONE_THREAD|unix.CLONE_NEWNET, 0)
	}},
	{group: "process", name: "read the core's memory", try: func(t Target) error {
		local, remote := make([]byte, 8), []unix.RemoteIovec{{Base: bad, Len: 8}}
		_, err := unix.ProcessVMReadv(int(t.pid()), []unix.Iovec{{Base: &local[0], Len: 8}}, remote, 0)
		return err
	}},
	{group: "process", name: "signal the core", try: func(t Target) error { return unix.Kill(int(t.pid()), 0) }},
	{group: "process", name: "signal a thread of the core", try: func(t Target) error {
		pid := t.pid()
		if int(pid) == os.Getpid() { // the filter lets it signal itself
			pid++
		}
		return call(unix.SYS_TGKILL, pid, pid, 0)
	}},
	{group: "process", name: "hold the core", try: func(t Target) error { return held(unix.PidfdOpen(int(t.pid()), 0)) }},
	{group: "process", name: "change the core's limits", try: func(t Target) error {
		return call(unix.SYS_PRLIMIT64, t.pid(), unix.RLIMIT_NOFILE, 0, 0)
	}},

	// privileges
	{group: "privilege", name: "become root", try: func(Target) error { return call(unix.SYS_SETUID, 0) }},
	{group: "privilege", name: "new namespaces", try: func(Target) error { return unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWUTS) }},
	{group: "privilege", name: "new user namespace", try: func(Target) error { return unix.Unshare(unix.CLONE_NEWUSER) }},
	{group: "privilege", name: "join a namespace", try: func(Target) error { return unix.Setns(-1, 0) }},
	// Who may mount learns that there is no such file system.
	{group: "privilege", name: "mount", try: func(Target) error { return unix.Mount("none", "/", "honeyguide", 0, "") }},
	{group: "privilege", name: "change root", try: func(Target) error { return unix.Chroot("/") }},
	{group: "privilege", name: "become dumpable", try: func(Target) error {
		err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
		if err == nil {
			err = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
		}
		return err
	}},
	{group: "privilege", name: "set capabilities", try: func(Target) error { return call(unix.SYS_CAPSET, bad, bad) }},

	// executable memory
	{group: "memory", name: "make memory executable", try: func(Target) error {
		return onPage(func(addr, size uintptr) error {
			return call(unix.SYS_MPROTECT, addr, size, unix.PROT_READ|unix.PROT_EXEC)
		})
	}},
	{group: "memory", name: "make memory executable with a key", try: func(Target) error {
		return onPage(func(addr, size uintptr) error {
			return call(unix.SYS_PKEY_MPROTECT, addr, size, unix.PROT_READ|unix.PROT_EXEC, ^uintptr(0))
		})
	}},
	{group: "memory", name: "map executable memory", try: func(Target) error {
		b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err == nil {
			unix.Munmap(b)
		}
		return err
	}},

	// wide doors of the kernel
	{group: "kernel", name: "io_uring", try: func(Target) error { return held(callFor(unix.SYS_IO_URING_SETUP, 1, bad)) }},
	{group: "kernel", name: "bpf", try: func(Target) error { return call(unix.SYS_BPF, 0, bad, 16) }},
	{group: "kernel", name: "perf events", try: func(Target) error { return held(callFor(unix.SYS_PERF_EVENT_OPEN, bad, 0, ^uintptr(0), ^uintptr(0))) }},
	{group: "kernel", name: "userfaultfd", try: func(Target) error { return held(callFor(unix.SYS_USERFAULTFD, unix.O_CLOEXEC)) }},
	{group: "kernel", name: "key rings", try: func(Target) error {
		_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_THREAD_KEYRING, false)
		return ignore(err, unix.ENOKEY)
	}},
	{group: "kernel", name: "load a module", try: func(Target) error { return call(unix.SYS_INIT_MODULE, bad, 0, bad) }},
	{group: "kernel", name: "set the clock", try: func(Target) error { return call(unix.SYS_CLOCK_SETTIME, unix.CLOCK_REALTIME, bad) }},
	{group: "kernel", name: "restart the machine", try: func(Target) error { return call(unix.SYS_REBOOT, 0, 0, 0, 0) }}, // wrong magic numbers
	{group: "kernel", name: "kernel log", try: func(Target) error { return call(unix.SYS_SYSLOG, 10, 0, 0) }},            // its size
	{group: "kernel", name: "add a filter", try: func(Target) error { return call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, bad) }},
	{group: "kernel", name: "personality", try: func(Target) error { return call(unix.SYS_PERSONALITY, 0xffffffff) }},
}

// fSetSig is fcntl's F_SETSIG.
const fSetSig = 10

// ignore makes one error a success: the kernel answered the question.
func ignore(err error, known error) error {
	if err == known {
		return nil
	}
	return err
}

// onPage lends a page of its own.
func onPage(use func(addr, size uintptr) error) error {
	b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	defer unix.Munmap(b)
	return use(uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
}

// fork makes a child that ends at once.
func fork() error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		for {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}
