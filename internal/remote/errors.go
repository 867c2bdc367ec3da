package remote

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/api/reason"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/remote/session"
)

// errRefused is the cause of what a server does not let its caller do.
var errRefused = errors.New("permission denied")

// problem is an error of a call as the command line's users know it. It is where
// Connect's codes become the errors that decide an exit status.
func (c *Client) problem(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*lifecycle.Error](err); ok {
		return err
	}
	e := &lifecycle.Error{Org: c.Org(), Doing: doing, Err: err}
	if t, ok := errors.AsType[*tokenError](err); ok {
		e.Err = t.err
		if errors.Is(err, session.ErrLoggedOut) {
			e.Next = c.logIn()
		}
		return e
	}
	coded, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return e
	}
	why, what := reason.Of(coded)
	e.Next = c.advice(what)
	text := words(coded.Message(), c.Org(), what)
	if kind := kinds[why]; kind != nil {
		e.Err = fmt.Errorf("%w: %s", kind, strings.TrimPrefix(text, kind.Error()+": "))
		return e
	}
	next := func(s string) {
		if e.Next == "" {
			e.Next = s
		}
	}
	switch coded.Code() {
	case connect.CodeInvalidArgument, connect.CodeNotFound, connect.CodeAlreadyExists, connect.CodeFailedPrecondition, connect.CodeOutOfRange:
		// What somebody asked for cannot be: another request is needed.
		e.Err = fmt.Errorf("%w: %s", lifecycle.ErrInvalid, strings.TrimPrefix(text, lifecycle.ErrInvalid.Error()+": "))
	case connect.CodeAborted:
		e.Err = fmt.Errorf("%w: %s", lifecycle.ErrBusy, strings.TrimPrefix(text, lifecycle.ErrBusy.Error()+": "))
		e.Next = "wait for the other operation to end (freehold operations wait), then run this again"
	case connect.CodeCanceled:
		e.Err = fmt.Errorf("%w: %s", lifecycle.ErrCancelled, text)
	case connect.CodeUnauthenticated:
		e.Err = fmt.Errorf("%s does not accept the token", c.o.Server.URL())
		e.Next = c.logIn()
		if c.o.Renewable {
			e.Next += "; if you just did, you have no role yet: ask an admin of the org for one"
		}
	case connect.CodePermissionDenied:
		e.Err = errRefused
		if text != errRefused.Error() {
			e.Err = fmt.Errorf("%w: %s", errRefused, text)
		}
		next("freehold get caller shows your roles; an admin changes them in access of the org's document")
	case connect.CodeResourceExhausted:
		e.Err = fmt.Errorf("%s refused the request: %s", c.o.Server.URL(), text)
		next("run the same command again in a minute")
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
		e.Err = fmt.Errorf("%s did not answer: %s", c.o.Server.URL(), text)
		next("check the URL and the network, then run the same command again")
	case connect.CodeUnimplemented:
		e.Err = fmt.Errorf("%s does not offer this: %s", c.o.Server.URL(), text)
	default:
		e.Err = fmt.Errorf("%s failed: %s", c.o.Server.URL(), text)
	}
	return e
}

// kinds are the errors of the reasons for which a code of Connect is not enough.
var kinds = map[string]error{
	reason.Blocked: lifecycle.ErrBlocked, reason.Pending: lifecycle.ErrPending, reason.Protected: lifecycle.ErrProtected, reason.Abandoned: lifecycle.ErrAbandoned,
}

// advice is what a server says to do next, in the commands that its client has:
// they take no org.
func (c *Client) advice(next string) string {
	if c.Org() == "" {
		return next
	}
	return commandOfOrg.ReplaceAllStringFunc(next, func(command string) string {
		return strings.TrimSuffix(command, " "+c.Org())
	})
}

// commandOfOrg is a command of the use cases' advice with its org, which comes last
// or in front of a flag.
var commandOfOrg = regexp.MustCompile(`freehold (?:status|drift|operations(?: [a-z]+)?|projects [a-z]+|audit-log [a-z]+) [a-z0-9-]+`)

// words are a server's, without what the command says again: the org, and what to do next.
func words(text, org, next string) string {
	if next != "" {
		text = strings.TrimSuffix(text, "\n"+next)
	}
	return strings.TrimPrefix(text, org+": ")
}

func (c *Client) logIn() string {
	if !c.o.Renewable {
		return "get a new token for " + c.o.Server.Name() + ": FREEHOLD_TOKEN, or the file of FREEHOLD_TOKEN_FILE, holds one that is not accepted"
	}
	return "freehold login " + c.o.Server.URL()
}

// passing reports whether a call that failed may succeed if it is made again:
// nobody answered, or a server that was busy or going away. Whoever is refused by
// a server is refused again.
func passing(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if _, ok := errors.AsType[*tokenError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*lifecycle.Error](err); ok {
		return false
	}
	coded, ok := errors.AsType[*connect.Error](err)
	if !ok || !coded.IsRemote() {
		return true
	}
	if why, _ := reason.Of(coded); why != "" {
		return false
	}
	switch coded.Code() {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeResourceExhausted:
		return true
	default:
		return false
	}
}
