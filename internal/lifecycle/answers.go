package lifecycle

import (
	"context"
	"errors"
	"time"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/wait"
)

// answer is what is done about a class of errors. The zero answer gives up: the
// operation has failed.
type answer struct {
	// kind is what a caller branches on; nil: it failed.
	kind error
	// retries is how often a step is tried again that failed like this, the first
	// time after pause, and then after twice as long as before.
	retries int
	pause   time.Duration
	// reason is what a pending operation waits for, and after is when it is worth
	// asking again. Whoever returns the error may know better: see cloud.PendingError.
	reason event.Reason
	after  time.Duration
}

// quotaAfter is when a quota is worth looking at again: AWS raises some at once,
// and some by hand.
const quotaAfter = 6 * time.Hour

// answers are all classes of errors, the first that fits an error is its own.
// What is not in here, nobody has foreseen, and it is given up as well: what is
// not understood is not repeated.
var answers = []struct {
	class error
	answer
}{
	{registry.ErrLost, answer{kind: ErrBusy}},
	{registry.ErrBusy, answer{kind: ErrBusy}},
	{registry.ErrUnknownOrg, answer{kind: ErrInvalid}},
	{registry.ErrNoOrg, answer{kind: ErrInvalid}},
	{registry.ErrCancelled, answer{kind: ErrCancelled}},
	{registry.ErrUnknownOperation, answer{kind: ErrInvalid}},
	// The slots of all orgs: waited for, and given up.
	{registry.ErrFull, answer{kind: ErrPending, reason: event.CreationQueue, after: 5 * time.Minute}},
	// What a write left is not known: the next run looks through it.
	{registry.ErrUnavailable, answer{}},
	{registry.ErrAppended, answer{}},
	{registry.ErrKnownEndpoint, answer{}},
	{registry.ErrUnknownEndpoint, answer{}},
	{registry.ErrUnknownDelivery, answer{}},
	{registry.ErrNotYourTurn, answer{}},
	{registry.ErrArchive, answer{}},
	{registry.ErrNotEmpty, answer{}},

	// What it had begun is looked for first, and whether the org is still its own.
	{engine.ErrStalled, answer{retries: 3, pause: time.Second}},
	// The engine has tried it again already.
	{engine.ErrUnheard, answer{retries: 1, pause: 5 * time.Second}},
	// Another process is at the stack: what it does is not to be repeated beside it.
	{engine.ErrLocked, answer{kind: ErrBusy}},
	{engine.ErrPolicy, answer{kind: ErrBlocked}},
	{engine.ErrProtected, answer{kind: ErrProtected}},
	{engine.ErrCancelled, answer{kind: ErrCancelled}},
	{engine.ErrQuota, answer{kind: ErrPending, reason: event.ServiceQuota, after: quotaAfter}},
	{engine.ErrVerification, answer{kind: ErrPending, reason: event.Verification, after: 30 * time.Minute}},
	{engine.ErrCloseQuota, answer{kind: ErrPending, reason: event.CloseQuota, after: 24 * time.Hour}},
	{engine.ErrCloseQueue, answer{kind: ErrPending, reason: event.CloseQueue, after: 15 * time.Minute}},
	// The provider has backed off already, and all orgs ask the same account.
	{engine.ErrThrottled, answer{kind: ErrPending, retries: 3, pause: 15 * time.Second, reason: event.Throttled, after: 5 * time.Minute}},
	// A name that does not resolve for a moment.
	{engine.ErrUnreachable, answer{retries: 2, pause: time.Second}},
	// What a person has to see to.
	{engine.ErrSecrets, answer{}},
	{engine.ErrPluginMissing, answer{}},
	{engine.ErrDenied, answer{}},
	{engine.ErrCredentials, answer{}},
	{engine.ErrWrongAccount, answer{}},
	{engine.ErrNameInUse, answer{}},
	// What bootstrap can make anew without harm it has by then: see remaking.
	{engine.ErrImmutable, answer{}},
	{engine.ErrUnanalyzed, answer{}},
	{engine.ErrNoStack, answer{}},
	{engine.ErrFailed, answer{}},

	{cloud.ErrNotUsable, answer{kind: ErrPending, reason: event.Verification, after: 15 * time.Minute}},
	{cloud.ErrPending, answer{kind: ErrPending, reason: event.Verification, after: 15 * time.Minute}},
	{cloud.ErrUnsupported, answer{}},
	{cloud.ErrNotFound, answer{}},

	{dataplane.ErrStateMissing, answer{}},
	{dataplane.ErrRecordMissing, answer{}},
	{dataplane.ErrWhichCluster, answer{}},
	{dataplane.ErrNotReady, answer{}},

	// A wait that gave up for one of the causes above has its answer.
	{wait.ErrDeadline, answer{}},
	{ErrLate, answer{}},
	{context.Canceled, answer{kind: ErrCancelled}},
}

// answerTo is what is done about an error.
func answerTo(err error) answer {
	for _, a := range answers {
		if errors.Is(err, a.class) {
			return a.answer
		}
	}
	return answer{}
}

// failsForGood reports whether a run of the engine failed in a way of which nothing is
// known that would end it: it is neither tried again nor waited for.
func failsForGood(err error) bool {
	_, ran := errors.AsType[*engine.Error](err)
	return ran && answerTo(err) == (answer{})
}

// pendingFor says what a pending operation waits for, and after how long it is
// worth asking again.
func pendingFor(err error) (event.Reason, time.Duration) {
	a := answerTo(err)
	if a.reason == "" {
		// It says itself that it is pending, and not why.
		a = answerTo(cloud.ErrPending)
	}
	if p, ok := errors.AsType[*cloud.PendingError](err); ok {
		if a.reason = p.Reason; p.After > 0 {
			a.after = p.After
		}
	}
	if run, ok := errors.AsType[*engine.Error](err); ok && errors.Is(run, engine.ErrQuota) {
		for _, f := range run.Failures {
			if f.Type == awstype.OrganizationsAccount {
				a.reason = event.AccountQuota
			}
		}
	}
	return a.reason, a.after
}
