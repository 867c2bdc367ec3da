package localhost

import "golang.org/x/sys/unix"

// native is how the kernel names the calls of this processor's programs.
const native = unix.AUDIT_ARCH_X86_64

// compat are socketcall, accept4 and io_uring_setup as 32-bit programs call them:
// arch/x86/entry/syscalls/syscall_32.tbl of Linux.
var compat = []uint32{102, 364, 425}
