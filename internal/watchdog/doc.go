// Package watchdog ends what a process has started when that process stands still.
//
// A Freehold that is stopped, or that the registry does not answer, loses its org
// to another machine, and the CLI that it has started goes on changing the cloud
// meanwhile. So a process of its own, which nobody stops along with the first,
// ends that CLI at the time until which the org is held for certain:
//
//	dog, err := watchdog.Start(self) // runs self as watchdog.Serve
//	watch, err := dog.Watch(pid, until)
//	…
//	ended, err := watch.Stop()
//
// The two talk over the watchdog's standard input and output, in lines: "watch PID
// UPTIME" in nanoseconds, as often as the time moves, and "stop PID", which is
// answered with "stopped PID true" where the process was ended. When its input
// ends, its owner is gone, and it ends what is left.
package watchdog
