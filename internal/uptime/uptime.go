// Package uptime is a clock that all processes of a machine share, that nobody
// sets, and that goes on while a process is stopped or the machine sleeps. A
// time.Time has no such reading: its wall clock is set, and its monotonic clock
// stands still with the machine.
package uptime

import "time"

// Since is how long ago t was; negative while it is to come.
func Since(t time.Duration) time.Duration { return Now() - t }
