// Package delegation carries for whom a request is made from one service to the
// next. The identity service, which alone reads tokens from outside, signs a
// context token for one request: who asks, for which org, with which roles,
// through whom (act), and which service may take it (aud). A callee verifies it
// and gets a Verified, the only way for a request to become an
// orgcontext.Context.
//
//	Freehold-Context: header.claims.signature     typ freehold-context+jwt, ES256
//	Freehold-Org: acme
//
// The token is signed with the key of the identity service's own SVID, and brings
// the SVID along (x5c). So a callee needs nothing but its trust domain's bundle,
// and there is neither a key set to fetch nor a secret to share. It accepts only
//
//   - a chain that ends in the bundle, whose leaf is the identity service;
//   - the algorithm ES256, the type, and no header that it does not know;
//   - itself as the one audience;
//   - the peer of its mTLS connection as the newest actor: a token that was
//     stolen is worth nothing to another service;
//   - a life of at most a minute, and clocks at most five seconds apart;
//   - either an org, the one in the other header, or the fleet, and no org there.
//
// A token can be presented again while it lasts, by the same peer to the same
// callee: a retry is no attack, and both ends are Freehold's.
package delegation
