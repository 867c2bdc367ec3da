// Package edge is what every request from outside passes first. Hosts decides
// which host, and so which org, a request addresses, before anything is routed
// or authenticated; nothing behind it reads a host from a request again.
package edge
