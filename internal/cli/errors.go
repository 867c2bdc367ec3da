package cli

import (
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/home"
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
	// errUsage is wrapped by every mistake on the command line.
	errUsage = errors.New("usage")
	// errDifferent ends a command that found differences and has shown them.
	errDifferent = errors.New("differences found")
	// errViolated ends an audit that found something and has shown it. It does
	// not wrap lifecycle.ErrBlocked: nothing was prevented.
	errViolated = errors.New("violations found")
	// errReported ends a command that failed and whose result says everything.
	errReported = errors.New("failed")
)

// worst are the exit statuses of a run over several orgs, the worst first. What
// nobody has an explanation for outranks what a person has to change (a document,
// a policy's violation), and that outranks what another run settles: one whose
// org was held was not begun, and one that is pending goes on.
var worst = []int{exitFailed, exitInvalid, exitBlocked, exitBusy, exitPending, exitDifferent, exitDone}

// worse is the worse of two exit statuses. One that is not in the table is the worst.
func worse(a, b int) int {
	if slices.Index(worst, a) < slices.Index(worst, b) {
		return a
	}
	return b
}

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
	var several *manyError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &several):
		return several.exit
	case errors.As(err, &child):
		return child.status
	case errors.Is(err, errUsage), errors.Is(err, spec.ErrInvalid), errors.Is(err, lifecycle.ErrInvalid), errors.Is(err, home.ErrOpen):
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

// shown reports whether the command's output has already said what err says.
func shown(err error) bool {
	var child childError
	return errors.As(err, &child) ||
		slices.ContainsFunc([]error{errReported, errViolated, errDifferent}, func(e error) bool { return errors.Is(err, e) })
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
	open, isOpen := errors.AsType[*home.OpenError](err)
	switch {
	case isOpen:
		return "see what else was changed there, then take it back: chown -hR $(id -u) " + open.Path + " && chmod -R go-w " + open.Path + "; or set --home to another folder"
	case errors.Is(err, lifecycle.ErrBusy):
		return "wait for the other operation to end (freehold status " + org + "), then run this again"
	case errors.Is(err, lifecycle.ErrPending):
		return "run the same command again later; it continues where it stopped"
	case errors.Is(err, lifecycle.ErrBlocked):
		return "fix what the policy names, then run the same command again"
	case errors.Is(err, lifecycle.ErrProtected):
		return "set deletionProtection: false in the spec, run freehold onboard -f with it, then offboard again"
	case errors.Is(err, lifecycle.ErrCancelled):
		return "run the same command again; it continues where it stopped"
	default:
		return ""
	}
}

// differentError is errDifferent along with failures, which are printed but do not
// decide the exit status.
type differentError struct{ failed error }

func (e *differentError) Error() string {
	if e.failed == nil {
		return errDifferent.Error()
	}
	return fmt.Sprintf("%v, and %v", errDifferent, e.failed)
}

func (e *differentError) Is(target error) bool { return target == errDifferent }
