package identity

import (
	"errors"
	"fmt"
)

// ErrRefused is wrapped by every refusal. It is all that an outsider may learn.
var ErrRefused = errors.New("unauthenticated")

// ErrUnavailable is wrapped when it cannot be said who calls, because the registry
// or the service's own identity does not answer.
var ErrUnavailable = errors.New("the identity service cannot answer now")

// Reason is why a call was refused, for logs.
type Reason string

// The reasons.
const (
	HostUnknown       Reason = "host-unknown"        // neither an org's host nor the operators'
	OrgUnknown        Reason = "org-unknown"         // there is no such org, or not any more
	ProcedureUnknown  Reason = "procedure-unknown"   // nobody answers it, or not at this host or audience
	PresenterRefused  Reason = "presenter-refused"   // a service that may not ask for this
	ContextRefused    Reason = "context-refused"     // a context token that is not the presenter's
	TokenMissing      Reason = "token-missing"       // no Authorization header
	SchemeUnknown     Reason = "scheme-unknown"      // not exactly one Bearer token
	TokenTooLarge     Reason = "token-too-large"     // more than 16 KiB
	TokenMalformed    Reason = "token-malformed"     // not a signed JWT in compact form
	AlgorithmRefused  Reason = "algorithm-refused"   // none, HS256 and everything else that is not listed
	HeaderRefused     Reason = "header-refused"      // crit, or a key that the token brings along
	TypeRefused       Reason = "type-refused"        // another kind of token
	IssuerUnknown     Reason = "issuer-unknown"      // not one of the org's
	AudienceRefused   Reason = "audience-refused"    // not the host, and nothing but the host
	PartyRefused      Reason = "party-refused"       // issued to another client (azp)
	TokenExpired      Reason = "token-expired"       //
	TokenNotYetValid  Reason = "token-not-yet-valid" // nbf or iat in the future
	LifetimeTooLong   Reason = "lifetime-too-long"   // more than 24 hours, or none
	ClaimMissing      Reason = "claim-missing"       // a claim that every such token has
	KeyUnknown        Reason = "key-unknown"         // the issuer has no such key
	KeyUnnamed        Reason = "key-unnamed"         // no kid, and the issuer has several keys
	IssuerUnavailable Reason = "issuer-unavailable"  // its keys could not be fetched
	SignatureWrong    Reason = "signature-wrong"     //
	SubjectRefused    Reason = "subject-refused"     // not a subject of the org's access
	ClaimsDiffer      Reason = "claims-differ"       // a pipeline without what its entry asks for
	AccountDiffers    Reason = "account-differs"     // a role of another AWS account
	GroupsMissing     Reason = "groups-missing"      // no list of groups in the token
	RoleMissing       Reason = "role-missing"        // known, and in no group with a role
)

// RefusedError is a refusal with its reason.
type RefusedError struct {
	Reason Reason
	// Detail completes the reason for logs, with what the token said in quotes.
	Detail string
}

// Error names the reason, and is for Freehold's own logs.
func (e *RefusedError) Error() string {
	if e.Detail == "" {
		return string(e.Reason)
	}
	return string(e.Reason) + ": " + e.Detail
}

// Unwrap lets errors.Is find ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

func refuse(r Reason, format string, args ...any) *RefusedError {
	return &RefusedError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// shown is a text of a token as logs have it: quoted, and not long.
func shown(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}
