package localhost

import "golang.org/x/sys/unix"

// native is how the kernel names the calls of this processor's programs.
const native = unix.AUDIT_ARCH_AARCH64

// compat are accept, accept4 and io_uring_setup as 32-bit programs call them:
// arch/arm/tools/syscall.tbl of Linux.
var compat = []uint32{285, 366, 425}
