//go:build linux || darwin

package uptime

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time since the machine was booted, sleep included.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(fmt.Sprintf("the clock that every kernel of this system has cannot be read: %v", err))
	}
	return time.Duration(t.Nano())
}
