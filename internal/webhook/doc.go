// Package webhook sends an org's events to the endpoints that the org has named:
// CloudEvents over HTTP, signed as Standard Webhooks has it.
//
// An event and its delivery to each endpoint are stored in one transaction, so
// that none is lost. A delivery is sent until it succeeds, is dead, or somebody
// removes the endpoint:
//
//	             2xx                                Resend
//	waiting ---------------> delivered      dead ------------> waiting
//	 |   ^                                   ^
//	 |   | later, after each other answer    |
//	 +---+-----------------------------------+
//	        until the schedule is through
//
//	410 Gone disables the endpoint; its deliveries wait until it is enabled.
//
// The deliveries of an endpoint are sent one after the other, in the order in
// which the events were stored. A process that sends has a turn, which another
// can have only after it has ended, and no result counts that comes after that.
// What was sent by a process that then lost its turn, or was killed before it
// recorded the answer, is sent again with the same id: at least once. Endpoints
// do not wait for each other.
//
// A target is judged by the very address that a connection is made to: only
// public ones are dialled, and only with TLS, but for hosts that the operator
// has allowed by name. No redirect is followed, no proxy is used, and nothing
// of an answer is read but its status and Retry-After.
//
// The secrets that sign are named by reference, read whenever something is
// sent, and written nowhere.
package webhook
