package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// Exit statuses: a contract with every script that calls freehold.
const (
	exitDone      = 0
	exitFailed    = 1
	exitDifferent = 2
	exitBlocked   = 3
	exitInvalid   = 4
	exitBusy      = 5
	exitPending   = 6
)

var (
	// errUsage is wrapped by everything that was typed wrong.
	errUsage = errors.New("usage")
	// errDifferent ends a command that found differences and has said so.
	errDifferent = errors.New("differences found")
	// errViolated ends an audit that found something and has said so. It is no
	// lifecycle.ErrBlocked: nothing was kept from happening.
	errViolated = errors.New("violations found")
	// errTold ends a command that failed and whose result says all there is to say.
	errTold = errors.New("failed")
)

// childError carries the exit status of a command that freehold ran for the user.
type childError struct{ status int }

func (e childError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// usageError is a mistake on the command line, with the command that explains it.
type usageError struct {
	command string // "freehold onboard"
	text    string
}

func (e *usageError) Error() string { return e.text }
func (e *usageError) Unwrap() error { return errUsage }

// exitCode is the only place that decides an exit status.
func exitCode(err error) int {
	var child childError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &child):
		return child.status
	case errors.Is(err, errUsage), errors.Is(err, spec.ErrInvalid), errors.Is(err, lifecycle.ErrInvalid):
		return exitInvalid
	case errors.Is(err, lifecycle.ErrBusy):
		return exitBusy
	case errors.Is(err, lifecycle.ErrBlocked), errors.Is(err, errViolated):
		return exitBlocked
	case errors.Is(err, lifecycle.ErrPending):
		return exitPending
	case errors.Is(err, errDifferent):
		return exitDifferent
	default:
		return exitFailed
	}
}

// tell writes err for people: what failed, then what to do next.
func tell(w io.Writer, err error) {
	var child childError
	if different, ok := errors.AsType[*differentError](err); ok {
		err = different.failed
	}
	if err == nil || errors.Is(err, errTold) || errors.Is(err, errViolated) || errors.Is(err, errDifferent) || errors.As(err, &child) {
		return
	}
	if mistakes, ok := errors.AsType[spec.Mistakes](err); ok {
		for _, m := range mistakes {
			fmt.Fprintf(w, "freehold: %s\n", m)
		}
		return
	}
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintf(w, "freehold: %s\n", line)
	}
	if blocked, ok := errors.AsType[*lifecycle.Error](err); ok {
		tellPolicy(w, blocked.Policy)
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(w, "see: %s --help\n", usage.command)
		return
	}
	if next := nextStep(err); next != "" {
		fmt.Fprintf(w, "next: %s\n", next)
	}
}

// nextStep says what an operator does about err; the use case's own advice wins.
func nextStep(err error) string {
	org := "ORG"
	if e, ok := errors.AsType[*lifecycle.Error](err); ok {
		if e.Next != "" {
			return e.Next
		}
		if e.Org != "" {
			org = e.Org
		}
	}
	switch {
	case errors.Is(err, lifecycle.ErrBusy):
		return "wait until the other operation has ended (freehold status " + org + "), then run this again"
	case errors.Is(err, lifecycle.ErrPending):
		return "run the same command again later; it goes on where it stopped"
	case errors.Is(err, lifecycle.ErrBlocked):
		return "change what the policy names, then run the same command again"
	case errors.Is(err, lifecycle.ErrProtected):
		return "set deletionProtection: false in the spec, run freehold onboard -f with it, then offboard again"
	case errors.Is(err, lifecycle.ErrCancelled):
		return "run the same command again; it goes on where it stopped"
	default:
		return ""
	}
}

// differentError is errDifferent beside failures, which are told but do not
// decide the exit status.
type differentError struct{ failed error }

func (e *differentError) Error() string {
	if e.failed == nil {
		return errDifferent.Error()
	}
	return fmt.Sprintf("%v, and %v", errDifferent, e.failed)
}

func (e *differentError) Is(target error) bool { return target == errDifferent }
