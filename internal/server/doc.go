// Package server runs the services that the control plane consists of: all in one
// process, or some of them, with the others elsewhere. Either way a request takes
// the same path:
//
//	client ──TLS──> gateway ──mTLS──> identity    who calls, and for which org?
//	                   │
//	                   └──mTLS, context token──> control, worker or drift
//	                                                │
//	                        authz: verify, decide, note ──> rpc ──> use case ──> the org's records
//
// Inside of one process the services talk by mutual TLS over loopback as well:
// there is no second path that could lack a check.
package server
