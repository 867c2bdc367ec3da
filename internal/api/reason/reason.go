// Package reason says in an error of the API why a request failed, where a code
// of Connect stands for several reasons. It is a google.rpc.ErrorInfo, as
// AIP-193 (https://google.aip.dev/193) has it: a client branches on the reason,
// and never on the text.
package reason

import (
	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// Domain is that of all reasons.
const Domain = "freehold.dev"

// The reasons.
const (
	Blocked   = "BLOCKED"   // the policies do not allow what was asked for
	Pending   = "PENDING"   // the cloud has to act first
	Protected = "PROTECTED" // it is protected from deletion
	Abandoned = "ABANDONED" // the operation's process is gone
)

// next is the key of what somebody does about it.
const next = "next"

// Add adds a reason to an error, and what to do next. Each may be empty.
func Add(e *connect.Error, why, what string) *connect.Error {
	if why == "" && what == "" {
		return e
	}
	info := &errdetails.ErrorInfo{Domain: Domain, Reason: why}
	if what != "" {
		info.Metadata = map[string]string{next: what}
	}
	detail, err := connectproto.NewErrorDetail(info)
	if err != nil {
		return e // the code and the text say it too
	}
	return e.WithDetail(detail)
}

// Of returns the reason of an error, and what to do next; empty where it has none.
func Of(e *connect.Error) (why, what string) {
	for _, d := range e.Details() {
		m, err := connectproto.UnmarshalErrorDetail(d)
		if info, ok := m.(*errdetails.ErrorInfo); err == nil && ok && info.GetDomain() == Domain {
			return info.GetReason(), info.GetMetadata()[next]
		}
	}
	return "", ""
}
