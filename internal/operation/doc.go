// Package operation is the handle of a running operation, and the only way to
// write for an org. It holds the org by a lease, stores each event before
// anybody sees it, and ends with exactly one terminal event.
//
//	          Begin                                End
//	(free) ----------> running, renewed every TTL/3 ----------> ended, delivered
//	                     |   ^                                    ^
//	                     |   | Attach: another process goes on    |
//	                     v   |                                    |
//	          killed, stopped, or cut off                         |
//	                     |                                        |
//	                     +--> Begin of the next operation --------+
//	                          ends it as interrupted
//
// The next operation begins at once when the holder is known to be dead, which
// its own host can tell, and otherwise when the lease has expired. On the same
// machine the clock says that. On another one, Begin watches the lease for as
// long as it lasts: a holder that lives renews it three times by then. An
// operation that was only stopped finds out with its next write or renewal: that
// wraps registry.ErrLost, and ends Context with it as the cause.
//
// A request that has an id is one operation, however often it is made. While
// its process lives it is busy; when that is gone, Begin goes on with the
// operation instead of ending it; after the end, Begin is a
// *registry.RepeatedError.
//
// A terminal event is stored with the end in one transaction, then shown, then
// marked as delivered. If the process is killed in between, the next Begin on
// the org shows it: at least once, and with the same number.
package operation
