// Package identity says who calls, and for which org. Who calls is decided by the
// host first: it names the org, and the org's recorded access names the issuers
// that speak for it. A token can only choose among those. Nothing is fetched
// because of what a token says, and no token of one org's host is good at
// another's, because its only audience is the host.
//
//	host ──> org ──> its issuers ──iss──> one of them ──> keys, claims ──> roles ──> context token
//
// The answer to an outsider is the same, whatever is wrong: ErrRefused. Why it was
// refused is a Reason, for the audit log and for Freehold's own log.
//
// What time shows. All that is compared before the signature takes microseconds,
// for an org that exists as for one that does not: both were looked up, and both
// answers are remembered. Only a token that says one of the org's issuers, its
// host and a valid time gets as far as a signature, which takes some 0.1 ms more,
// or a fetch of keys, once a minute at most. So whoever knows an issuer can learn
// by a clock that an org uses it, and by a token of it nothing else.
package identity
