package sandbox

import "golang.org/x/sys/unix"

// auditArch is what the kernel calls this architecture's system call ABI.
const auditArch = unix.AUDIT_ARCH_X86_64
