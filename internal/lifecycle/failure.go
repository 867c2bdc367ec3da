package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// fail says everything about a failure that an operator needs. It is called
// once for each failure, where the org and the layer are known.
func fail(org, layer string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	out := &Error{Org: org, Layer: layer, Err: err, Next: "run the same command again: it goes on where it stopped"}
	if run, ok := errors.AsType[*engine.Error](err); ok {
		out.Next, out.Policy = run.Next, run.Policy
		switch {
		case errors.Is(run, engine.ErrPolicy):
			out.Err = &because{text: blockedText(run.Policy), err: run}
		case len(run.Failures) > 0:
			f := run.Failures[0]
			out.Resource, out.Doing = fmt.Sprintf("%s %q", f.Type, f.Name), f.Op
			out.Err = &because{text: f.Message, err: run}
			if awstype.HasSlot(f.Type) && f.Op == "create" && errors.Is(run, engine.ErrFailed) {
				out.Next = "there can be only one in its place: if freehold drift " + org + " lists another, freehold onboard --prune removes it"
			}
			if more := len(run.Failures) - 1; more > 0 {
				out.Err = &because{text: fmt.Sprintf("%s (and %d more: %s)", f.Message, more, others(run.Failures[1:])), err: run}
			}
		default:
			out.Err = &because{text: fmt.Sprintf("%v: %s", run.Kind, run.Detail), err: run}
		}
	}
	if _, ok := errors.AsType[*registry.RequestError](err); ok {
		out.Err = &because{text: err.Error(), err: errors.Join(ErrInvalid, err)}
		out.Next = "give the request an id of its own; nothing was changed"
	}
	if kind := answerTo(err).kind; kind != nil {
		text := out.Err.Error()
		if errors.Is(kind, ErrCancelled) && !strings.HasPrefix(text, ErrCancelled.Error()) {
			text = ErrCancelled.Error() + ": " + text
		}
		out.Err = &because{text: text, err: errors.Join(kind, err)}
	}
	switch {
	case errors.Is(err, registry.ErrLost):
		out.Next = "another process has taken the org over, because this one did not answer in time; look at it with: freehold status " + org
	case errors.Is(err, dataplane.ErrStateMissing):
		out.Next = "use the --backend and the --registry that the org was onboarded with; nothing was touched"
	case errors.Is(err, registry.ErrBusy):
		out.Next = "wait for it to end, or look at it with: freehold status " + org
	case errors.Is(err, registry.ErrUnknownOperation):
		out.Next = "list the org's operations with: freehold operations " + org
	case errors.Is(err, registry.ErrUnknownOrg):
		out.Next = "list the orgs with: freehold status"
	case errors.Is(err, cloud.ErrNotUsable):
		out.Next = "AWS is still verifying the account: run the same command again in a few minutes"
	}
	return out
}

// blockedText counts what the policies do not allow, by rule: each is reported
// in full beside the error.
func blockedText(found []finding.Policy) string {
	n := map[string]int{}
	var rules []string
	for _, f := range found {
		if !f.Blocks() {
			continue
		}
		if n[f.Rule]++; n[f.Rule] == 1 {
			rules = append(rules, f.Rule)
		}
	}
	for i, r := range rules {
		if n[r] > 1 {
			rules[i] = fmt.Sprintf("%s (%d times)", r, n[r])
		}
	}
	return fmt.Sprintf("%v: %s", ErrBlocked, strings.Join(rules, ", "))
}

func others(fs []engine.Failure) string {
	const most = 5
	var names []string
	for _, f := range fs[:min(len(fs), most)] {
		names = append(names, fmt.Sprintf("%s %q", f.Type, f.Name))
	}
	if len(fs) > most {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// because is a cause in the words of its origin, without the frames that were
// put around it on the way.
type because struct {
	text string
	err  error
}

func (b *because) Error() string { return b.text }
func (b *because) Unwrap() error { return b.err }
