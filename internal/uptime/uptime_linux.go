package uptime

import "golang.org/x/sys/unix"

// clock counts while the machine sleeps:
// https://man7.org/linux/man-pages/man2/clock_gettime.2.html
const clock = unix.CLOCK_BOOTTIME
