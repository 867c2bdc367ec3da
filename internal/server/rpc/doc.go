// Package rpc answers the procedures of the API. A handler reads the caller's
// context, which the middleware in front of it has verified, calls one use case
// or reads the caller's own records, and converts the result. It decides nothing,
// and there is no way for it to learn of an org but from that context.
package rpc
