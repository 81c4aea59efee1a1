package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The layers of the cage, in the order they are closed.
const (
	LayerNamespaces   = "namespaces"   // own network, mounts, processes, IPC, host name
	LayerRoot         = "root"         // an empty read-only root
	LayerCapabilities = "capabilities" // none, and none to be had
	LayerUser         = "uid"          // no user that owns anything
	LayerLimits       = "rlimits"      // descriptors bounded, no file grows, no core dump
	LayerLandlock     = "landlock"     // no file, no TCP connect or bind, no signal out
	LayerNoNewPrivs   = "no_new_privs" // nothing regains privileges
	LayerSeccomp      = "seccomp"      // the system call filter
)

// States of a layer.
const (
	On       = "on"
	Degraded = "degraded" // weaker than it could be
	Off      = "off"
)

// Layer is one layer's state.
type Layer struct{ Name, State, Detail string }

// Report lists the layers in the order they were closed.
type Report []Layer

// Config says how to close the cage.
type Config struct {
	Namespaces []string // those the process was started in, as [Process.Namespaces] has them
	Conns      int      // connections to be held; bounds the descriptors. 0 means 4096
	Procs      int      // GOMAXPROCS; 0 means what the runtime found
	Memory     int64    // soft memory limit in bytes; 0 means none
	Insecure   bool     // carry on where a layer that must hold cannot be closed
	Egress     *Egress  // nil: it reaches nothing. Else what it may reach
	NetAdmin   bool     // it keeps CAP_NET_ADMIN and may open netlink sockets of netfilter and of routes, and nothing else more
	skip       []string // layers left open, to test the others
}

// Egress lets a process make connections of its own, and nothing else more: TCP
// to the ports listed (where the kernel's Landlock knows TCP; else to any) and
// UDP, which name resolution needs. Which addresses is for the process to judge:
// the filter sees no addresses.
type Egress struct {
	Ports []uint16
}

// nobody is the user and group of a caged process.
const nobody = 65534

// Enter closes the cage around the whole process. Whatever reads files (time
// zones, certificates, DNS configuration) must have done so. The error says
// which layer that must hold could not be closed; the process then has lost
// rights but is no cage.
func Enter(c Config) (Report, error) {
	// An explicit value also stops the runtime from reading the cgroup again.
	procs := c.Procs
	if procs <= 0 {
		procs = runtime.GOMAXPROCS(0)
	}
	runtime.GOMAXPROCS(procs)
	if c.Memory > 0 {
		debug.SetMemoryLimit(c.Memory)
	}
	steps := []struct {
		name string
		must bool
		do   func(Config) (Layer, error)
	}{
		{LayerNamespaces, false, namespaces},
		{LayerLimits, true, limits},
		{LayerRoot, false, emptyRoot},
		{LayerCapabilities, true, capabilities},
		{LayerUser, true, user},
		{LayerLandlock, false, closeLandlock},
		{LayerNoNewPrivs, true, noNewPrivs},
		{LayerSeccomp, true, func(Config) (Layer, error) { return Layer{State: On}, seal(os.Getpid(), c) }},
	}
	closeFiles()
	var report Report
	for _, s := range steps {
		layer, err := Layer{State: Off, Detail: "not asked for"}, error(nil)
		if !slices.Contains(c.skip, s.name) {
			layer, err = s.do(c)
		}
		if err != nil {
			layer = Layer{State: Off, Detail: err.Error()}
		}
		layer.Name = s.name
		report = append(report, layer)
		if err != nil && s.must && !c.Insecure {
			if errors.Is(err, unix.ENOTSUP) { // what the runtime answers in a binary with cgo
				err = fmt.Errorf("%w; build with CGO_ENABLED=0, as `make build` does", err)
			}
			return report, fmt.Errorf("close layer %s: %w", s.name, err)
		}
	}
	return report, nil
}

// closeFiles closes every descriptor that is a file: the Go runtime keeps the
// host's cgroup files open, which it does not read again once GOMAXPROCS was
// set. Standard input and output stay what the parent made them.
func closeFiles() {
	const most = 1024 // a process that has just started has a handful
	for fd := 3; fd < most; fd++ {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil {
			continue
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG, unix.S_IFDIR, unix.S_IFCHR, unix.S_IFBLK:
			unix.Close(fd)
		}
	}
}

func namespaces(c Config) (Layer, error) {
	if len(c.Namespaces) == 0 {
		return Layer{State: Off, Detail: "the host allows none or they are switched off"}, nil
	}
	return Layer{State: On, Detail: fmt.Sprint(c.Namespaces)}, nil
}

func limits(c Config) (Layer, error) {
	conns := c.Conns
	if conns <= 0 {
		conns = 4096
	}
	const margin = 64 // listeners, poller, socket pair
	files := uint64(conns + margin)
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil {
		return Layer{}, err
	}
	layer := Layer{State: On, Detail: fmt.Sprintf("%d descriptors", files)}
	if now.Max < files {
		// Not an error: fewer connections, and accept says so.
		layer.Detail = fmt.Sprintf("%d descriptors, %d wanted", now.Max, files)
		files = now.Max
	}
	for what, n := range map[int]uint64{
		unix.RLIMIT_NOFILE: files, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0,
		unix.RLIMIT_MEMLOCK: 0, unix.RLIMIT_MSGQUEUE: 0,
	} {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return Layer{}, fmt.Errorf("set resource limit %d: %w", what, err)
		}
	}
	return layer, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// Capabilities are numbered 0 to 40; the kernel answers EINVAL beyond its last.
const lastCapability = 63

func capabilities(Config) (Layer, error) {
	layer := Layer{State: On}
	for n := uintptr(0); n <= lastCapability; n++ {
		_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, n, 0, 0, 0, 0)
		if errno == unix.EINVAL {
			break
		}
		if errno == unix.EPERM {
			// Without CAP_SETPCAP the bounding set stays; no_new_privs makes it worthless.
			layer = Layer{State: On, Detail: "none held; bounding set kept by the kernel"}
			break
		}
		if errno != 0 {
			return Layer{}, fmt.Errorf("drop capability %d: %w", n, errno)
		}
	}
	return layer, nil
}

// user becomes nobody and gives all capabilities up. It belongs after
// everything that needs them.
func user(c Config) (Layer, error) {
	var left [2]unix.CapUserData
	if c.NetAdmin {
		// Without this a change of user takes every capability away.
		if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0, 0, 0, 0); errno != 0 {
			return Layer{}, fmt.Errorf("keep capabilities over the change of user: %w", errno)
		}
		left[0].Permitted, left[0].Effective = 1<<unix.CAP_NET_ADMIN, 1<<unix.CAP_NET_ADMIN
	}
	layer, err := becomeNobody(c)
	if err != nil {
		return layer, err
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&left[0])), 0); errno != 0 {
		if c.NetAdmin {
			return Layer{}, fmt.Errorf("keep CAP_NET_ADMIN: %w; run as root or give the service CAP_NET_ADMIN", errno)
		}
		return Layer{}, fmt.Errorf("give up capabilities: %w", errno)
	}
	if c.NetAdmin {
		layer.Detail += ", CAP_NET_ADMIN kept"
	}
	// A change of user makes the process dumpable again and takes the order to
	// die with its parent back, thread by thread.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return Layer{}, fmt.Errorf("forbid dumps: %w", err)
	}
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0); errno != 0 {
		return Layer{}, fmt.Errorf("ask to die with the core: %w", errno)
	}
	return layer, nil
}

func becomeNobody(c Config) (Layer, error) {
	inside := slices.Contains(c.Namespaces, "user")
	if inside && os.Getuid() != 0 {
		return Layer{}, fmt.Errorf("user %d in a namespace that maps root alone", os.Getuid())
	}
	if os.Getuid() != 0 {
		return Layer{State: On, Detail: fmt.Sprintf("user %d as started", os.Getuid())}, nil
	}
	if err := syscall.Setgroups(nil); err != nil && !(inside && errors.Is(err, unix.EPERM)) {
		return Layer{}, fmt.Errorf("leave groups: %w", err)
	}
	if inside {
		// The namespace maps no other user: its root is nobody outside.
		return Layer{State: On, Detail: "mapped by the user namespace"}, nil
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return Layer{}, fmt.Errorf("become group %d: %w", nobody, err)
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return Layer{}, fmt.Errorf("become user %d: %w", nobody, err)
	}
	return Layer{State: On, Detail: fmt.Sprintf("user %d", nobody)}, nil
}

func noNewPrivs(Config) (Layer, error) {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno != 0 {
		return Layer{}, fmt.Errorf("set no_new_privs: %w", errno)
	}
	return Layer{State: On}, nil
}
