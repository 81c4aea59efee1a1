package sandbox

import (
	"fmt"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Answers of a filter, see seccomp(2).
const (
	retKill  = unix.SECCOMP_RET_KILL_PROCESS
	retAllow = unix.SECCOMP_RET_ALLOW
	retErrno = unix.SECCOMP_RET_ERRNO
)

// Offsets in struct seccomp_data.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16 // of the first argument, 8 bytes each; the low half comes first on little endian
)

// A cond holds when the low half of argument arg, masked, is value. The kernel
// itself looks at no more than the low half of every argument checked here.
type cond struct{ arg, mask, value uint32 }

// A rule lets a call through when every cond of one of its ways holds. No way
// means always.
type rule struct {
	number uintptr
	ways   [][]cond
}

// deadly calls end the process: nothing in a sensor makes them, so whoever
// does is not ours. The core sees SIGSYS.
var deadly = []uintptr{unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE}

// absent calls are answered as by a kernel that has them not, because the Go
// library knows another way then: clone instead of clone3, whose flags the
// filter cannot see, and copying between two connections by read and write. To
// EPERM it would not fall back.
var absent = []uintptr{unix.SYS_CLONE3, unix.SYS_SENDFILE, unix.SYS_SPLICE}

// plain are the calls let through as they are, the frequent ones first. They
// are what the Go runtime and its poller need to serve accepted connections,
// found by running under the filter; nothing here makes a new object that
// reaches outside.
var plain = []uintptr{
	// I/O on what is open
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_CLOSE, unix.SYS_FSTAT,
	// threads, waiting, time
	unix.SYS_FUTEX, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_NANOSLEEP, unix.SYS_SCHED_YIELD,
	unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_GETTIMEOFDAY, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2,
	// sockets that exist; accept makes one only from the listener
	unix.SYS_ACCEPT4, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SHUTDOWN,
	// memory, never executable
	unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MINCORE,
	// signals and the process itself
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETTID, unix.SYS_GETPID, unix.SYS_GETRANDOM,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// checked are the calls let through with certain arguments only.
func checked(pid int) []rule {
	const newNamespace = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	noExec := [][]cond{{{arg: 2, mask: unix.PROT_EXEC, value: 0}}}
	return []rule{
		{unix.SYS_MMAP, noExec},
		{unix.SYS_MPROTECT, noExec},
		// A thread of this process, in no new namespace.
		{unix.SYS_CLONE, [][]cond{{{arg: 0, mask: unix.CLONE_THREAD | newNamespace, value: unix.CLONE_THREAD}}}},
		// The runtime interrupts its own threads.
		{unix.SYS_TGKILL, is(0, uint32(pid))},
		// The runtime names heap areas.
		{unix.SYS_PRCTL, is(0, unix.PR_SET_VMA)},
		{unix.SYS_FCNTL, append(
			is(1, unix.F_GETFL, unix.F_GETFD, unix.F_SETFD, unix.F_DUPFD_CLOEXEC),
			// O_ASYNC would aim signals.
			[]cond{{arg: 1, mask: all, value: unix.F_SETFL}, {arg: 2, mask: unix.O_ASYNC, value: 0}},
		)},
		{unix.SYS_SETSOCKOPT, append(
			option(unix.SOL_SOCKET, unix.SO_KEEPALIVE, unix.SO_LINGER, unix.SO_RCVBUF, unix.SO_SNDBUF),
			option(unix.IPPROTO_TCP, unix.TCP_NODELAY, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT)...,
		)},
		{unix.SYS_GETSOCKOPT, option(unix.SOL_SOCKET, unix.SO_ERROR, unix.SO_TYPE)},
	}
}

// reaching are the calls a process with [Egress] has besides: TCP and UDP sockets
// of its own, no other family and no raw or multipath ones, and what the Go
// library sets on them before it connects. It can neither bind nor listen.
func reaching() []rule {
	const kind = 0xf // of a socket, without its flags
	var ways [][]cond
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		for _, s := range [][2]uint32{
			{unix.SOCK_STREAM, 0}, {unix.SOCK_STREAM, unix.IPPROTO_TCP}, {unix.SOCK_DGRAM, 0}, {unix.SOCK_DGRAM, unix.IPPROTO_UDP},
		} {
			ways = append(ways, []cond{{arg: 0, mask: all, value: family}, {arg: 1, mask: kind, value: s[0]}, {arg: 2, mask: all, value: s[1]}})
		}
	}
	return []rule{{unix.SYS_SOCKET, ways}, {unix.SYS_CONNECT, [][]cond{{{arg: 0, mask: 0, value: 0}}}}}
}

// settable are the socket options of a process with [Egress] beside the others'.
func settable() [][]cond {
	return append(option(unix.SOL_SOCKET, unix.SO_BROADCAST), option(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)...)
}

const all = ^uint32(0)

// is makes one way for each value of an argument.
func is(arg uint32, values ...uint32) [][]cond {
	var ways [][]cond
	for _, v := range values {
		ways = append(ways, []cond{{arg: arg, mask: all, value: v}})
	}
	return ways
}

// option makes one way for each socket option of a level.
func option(level uint32, names ...uint32) [][]cond {
	var ways [][]cond
	for _, n := range names {
		ways = append(ways, []cond{{arg: 1, mask: all, value: level}, {arg: 2, mask: all, value: n}})
	}
	return ways
}

// commanding are the calls a process with NetAdmin has besides: sockets that
// speak to netfilter, those that tell addresses and routes, no other netlink
// protocol, and what the library does with them.
func commanding() []rule {
	const kind = 0xf // of a socket, without its flags
	anyArgs := [][]cond{{{arg: 0, mask: 0, value: 0}}}
	var ways [][]cond
	for _, protocol := range []uint32{unix.NETLINK_NETFILTER, unix.NETLINK_ROUTE} {
		ways = append(ways, []cond{{arg: 0, mask: all, value: unix.AF_NETLINK}, {arg: 1, mask: kind, value: unix.SOCK_RAW}, {arg: 2, mask: all, value: protocol}})
	}
	return []rule{
		{unix.SYS_SOCKET, ways},
		{unix.SYS_BIND, anyArgs},
		{unix.SYS_SENDMSG, anyArgs},
		{unix.SYS_RECVMSG, anyArgs},
	}
}

// rules are the checked calls of a process closed in by c.
func rules(pid int, c Config) []rule {
	out := checked(pid)
	widen := func(number uintptr, ways [][]cond) {
		for i := range out {
			if out[i].number == number {
				out[i].ways = append(out[i].ways, ways...)
			}
		}
	}
	if c.Egress != nil {
		widen(unix.SYS_SETSOCKOPT, settable())
		out = append(out, reaching()...)
	}
	if c.NetAdmin {
		widen(unix.SYS_SETSOCKOPT, append(
			option(unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, unix.SO_RCVBUFFORCE),
			option(unix.SOL_NETLINK, unix.NETLINK_CAP_ACK)...,
		))
		widen(unix.SYS_GETSOCKOPT, option(unix.SOL_SOCKET, unix.SO_SNDBUF))
		out = append(out, commanding()...)
	}
	return out
}

// compile writes the filter of the process pid: foreign ABIs and deadly calls
// end the process, what is not listed is refused with EPERM.
func compile(pid int, c Config) []bpf.Instruction {
	const refuse = retErrno | uint32(unix.EPERM)
	load := func(off uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: off, Size: 4} }
	ret := func(v uint32) bpf.Instruction { return bpf.RetConstant{Val: v} }
	equal := func(v uint32, skip int) bpf.Instruction {
		return bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipFalse: uint8(skip)}
	}
	prog := []bpf.Instruction{
		load(offArch),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		ret(retKill),
		load(offNumber),
		// The x32 calls of x86-64 have bit 30 set; nobody else's numbers reach so high.
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: 0x40000000, SkipTrue: 1},
		ret(retKill),
	}
	for _, nr := range plain {
		prog = append(prog, equal(uint32(nr), 1), ret(retAllow))
	}
	for _, nr := range deadly {
		prog = append(prog, equal(uint32(nr), 1), ret(retKill))
	}
	for _, nr := range absent {
		prog = append(prog, equal(uint32(nr), 1), ret(retErrno|uint32(unix.ENOSYS)))
	}
	for _, r := range rules(pid, c) {
		var block []bpf.Instruction
		for _, way := range r.ways {
			for i, c := range way {
				// From the failing cond over the rest of the way: three steps each, and the allow.
				rest := 3*(len(way)-1-i) + 1
				block = append(block, load(offArgs+8*c.arg),
					bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: c.mask}, equal(c.value, rest))
			}
			block = append(block, ret(retAllow))
		}
		block = append(block, ret(refuse))
		prog = append(append(prog, equal(uint32(r.number), len(block))), block...)
	}
	return append(prog, ret(refuse))
}

// seal puts the filter over all threads of the process. It needs no_new_privs.
func seal(pid int, c Config) error {
	raw, err := bpf.Assemble(compile(pid, c))
	if err != nil {
		return fmt.Errorf("assemble the system call filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case errno != 0:
		return fmt.Errorf("install the system call filter: %w", errno)
	case r != 0:
		return fmt.Errorf("install the system call filter: thread %d did not follow", r)
	}
	return nil
}
