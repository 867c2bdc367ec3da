package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestAFailureSaysWhatOnWhatAndWhatNext(t *testing.T) {
	quota := &engine.Error{
		Stack: "acme.cluster", Doing: "update", Kind: engine.ErrQuota, Next: "ask AWS",
		Failures: []engine.Failure{
			{Type: "aws:ec2/vpc:Vpc", Name: "network", Op: "create", Message: "VpcLimitExceeded: too many"},
			{Type: "aws:ec2/eip:Eip", Name: "nat", Op: "create", Message: "AddressLimitExceeded"},
		},
	}
	inTheWay := &engine.Error{
		Stack: "acme.cluster", Doing: "update", Kind: engine.ErrFailed, Next: "again",
		Failures: []engine.Failure{{Type: "aws:eks/identityProviderConfig:IdentityProviderConfig", Name: "idp", Op: "create", Message: "ResourceInUse"}},
	}
	for reason, tc := range map[string]struct {
		err  error
		kind error
		says string
		next string
	}{
		"a failed resource is named with its cause, and the others are counted": {
			quota, ErrPending,
			`acme: cluster: aws:ec2/vpc:Vpc "network": create: VpcLimitExceeded: too many (and 1 more: aws:ec2/eip:Eip "nat")`,
			"ask AWS",
		},
		"a thing whose place is taken": {
			inTheWay, nil, `acme: cluster: aws:eks/identityProviderConfig:IdentityProviderConfig "idp": create: ResourceInUse`, "freehold onboard --prune",
		},
		"a run that failed beside a resource has the CLI's own words": {
			&engine.Error{Stack: "acme.cluster", Doing: "update", Kind: engine.ErrLocked, Detail: "locked by pid 1", Next: "wait"},
			ErrBusy, "acme: cluster: the stack is locked by another update: locked by pid 1", "wait",
		},
		"an org that another operation holds": {
			&registry.BusyError{Lease: registry.Lease{Org: "acme", Operation: "X"}, Kind: "onboard"}, ErrBusy,
			"acme: cluster: another operation holds the org acme: onboard X, running since 0001-01-01T00:00:00Z", "freehold status acme",
		},
		"an org that another process has taken over": {
			fmt.Errorf("record layer cluster: %w", registry.ErrLost), ErrBusy,
			"acme: cluster: record layer cluster: the operation no longer holds its org", "another process has taken the org over",
		},
		"a state that is missing": {
			fmt.Errorf("%w: no stack acme.cluster", dataplane.ErrStateMissing), nil,
			"acme: cluster: the layer's state is missing: no stack acme.cluster", "--backend",
		},
		"an operation that never was": {
			fmt.Errorf("%w X", registry.ErrUnknownOperation), ErrInvalid, "acme: cluster: unknown operation X", "freehold operations acme",
		},
		"an org that never was": {fmt.Errorf("%w %q", registry.ErrUnknownOrg, "acme"), ErrInvalid, `acme: cluster: unknown org "acme"`, "freehold status"},
		"an account not yet usable": {
			fmt.Errorf("sts: %w", cloud.ErrNotUsable), ErrPending, "acme: cluster: sts: account is not usable yet", "in a few minutes",
		},
		"a cancelled run": {
			&engine.Error{Stack: "s", Doing: "update", Kind: engine.ErrCancelled, Detail: "interrupted", Next: "again"},
			ErrCancelled, "acme: cluster: cancelled: interrupted", "again",
		},
		"a record that could not be read because of ctrl-c": {
			fmt.Errorf("read the orgs: %w", context.Canceled), ErrCancelled, "acme: cluster: cancelled: read the orgs: context canceled", "again",
		},
		"what nobody foresaw keeps its words": {errors.New("the sky fell"), nil, "acme: cluster: the sky fell", "run the same command again"},
	} {
		t.Run(reason, func(t *testing.T) {
			err := fail("acme", "cluster", tc.err)
			var e *Error
			if !errors.As(err, &e) || err.Error() != tc.says {
				t.Errorf("got  %v\nwant %s", err, tc.says)
			}
			if tc.kind != nil && !errors.Is(err, tc.kind) {
				t.Errorf("%v is not %v", err, tc.kind)
			}
			if !strings.Contains(e.Next, tc.next) {
				t.Errorf("next: %q, want %q in it", e.Next, tc.next)
			}
			if again := fail("other", "", err); again.Error() != tc.says {
				t.Errorf("wrapped twice: %v", again)
			}
		})
	}
	if err := fail("acme", "", nil); err != nil {
		t.Errorf("no failure: %v", err)
	}
}

func TestARefusalGivesEveryReason(t *testing.T) {
	owned := registry.OwnedError{Identity: finding.Identity{Kind: "account", Value: "1"}, Owner: "globex"}
	one := dataplane.Refusal{Field: "region", Message: "region cannot change", Next: "set it back"}
	if err := refuse("acme"); err != nil {
		t.Errorf("no reason: %v", err)
	}
	err := refuse("acme", one)
	if e := refused(t, err, ErrInvalid, "acme: invalid request: region cannot change"); e.Next != "set it back" {
		t.Errorf("next: %s", e.Next)
	}
	err = refuse("acme", one, dataplane.Owned("acme", owned))
	e := refused(t, err, ErrInvalid, "acme: invalid request, for 2 reasons:\n  region cannot change\n    next: set it back\n")
	if o, ok := errors.AsType[*registry.OwnedError](err); !ok || o.Owner != "globex" || len(e.Refusals) != 2 {
		t.Errorf("%v has owner %v and refusals %+v", err, o, e.Refusals)
	}
}

func TestAnOperationEndsInOneStoredTerminalEventOfItsKind(t *testing.T) {
	for reason, tc := range map[string]struct {
		err  error
		want event.Type
	}{
		"success":      {nil, event.OperationSucceeded},
		"a policy":     {fmt.Errorf("x: %w", ErrBlocked), event.OperationBlocked},
		"a quota":      {fmt.Errorf("x: %w", ErrPending), event.OperationPending},
		"ctrl-c":       {fmt.Errorf("x: %w", ErrCancelled), event.OperationFailed},
		"another one":  {&Error{Org: "acme", Layer: "cluster", Err: errors.New("x"), Next: "do this"}, event.OperationFailed},
		"a lost lease": {fmt.Errorf("x: %w", registry.ErrBusy), event.OperationFailed},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			proc := p.here()
			err := proc.operate(t.Context(), "acme", operation.Request{Kind: "onboard"}, proc.sink, nil, func(context.Context, *run) (ending, error) {
				return ending{result: event.Onboarding{Org: "acme"}, changes: map[string]int{"create": 2}}, tc.err
			})
			if !errors.Is(err, tc.err) {
				t.Errorf("returned %v, want %v", err, tc.err)
			}
			var got []event.Type
			for _, ev := range proc.shown {
				got = append(got, ev.Type)
			}
			if diff := cmp.Diff([]event.Type{event.OperationStarted, tc.want}, got); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]event.Type{tc.want}, p.ends("acme")); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
			last := proc.shown[len(proc.shown)-1]
			if last.Changes["create"] != 2 || last.Result == nil || last.Seq == 0 {
				t.Errorf("the terminal event: %+v", last)
			}
			if e, ok := errors.AsType[*Error](tc.err); ok && (last.Next != e.Next || last.Layer != e.Layer) {
				t.Errorf("the terminal event does not say what to do: %+v", last)
			}
		})
	}
}

// A process that was asleep for longer than its lease, and wakes up.
func TestAProcessThatHasLostItsOrgChangesNothingMore(t *testing.T) {
	p := newPlace(t)
	asleep := p.here()
	err := asleep.operate(t.Context(), "acme", operation.Request{Kind: "onboard"}, asleep.sink, nil, func(ctx context.Context, r *run) (ending, error) {
		p.world.Sleep(2 * asleep.Holding.TTL)
		other := p.start(lifecycletest.Machine{Name: "b"})
		if _, err := other.onboard(document(t)); err != nil {
			t.Fatal(err)
		}
		d := dataplane.Of(plan.Build(document(t)), cloud.Identity{}, nil)
		if err := r.putOrg(ctx, d, dataplane.OrgFailed); !errors.Is(err, registry.ErrLost) {
			t.Errorf("a write after the loss: %v", err)
		}
		return ending{}, nil
	})
	if !errors.Is(err, ErrBusy) {
		t.Errorf("it ended with %v, want ErrBusy", err)
	}
	if o, _ := p.org("acme"); o.State != dataplane.OrgReady {
		t.Errorf("the org is %s", o.State)
	}
	if diff := cmp.Diff([]event.Type{event.OperationFailed, event.OperationSucceeded}, p.ends("acme")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

// sky is a cloud in which an account becomes usable as the readings say.
type sky struct {
	*lifecycletest.Cloud

	readings []error
	read     int
}

func (s *sky) Usable(context.Context, cloud.Account) error {
	defer func() { s.read++ }()
	if s.read < len(s.readings) {
		return s.readings[s.read]
	}
	return nil
}

// awaiting runs a wait for an account inside an operation.
func awaiting(t *testing.T, c *sky, change func(*Service)) (waits int, err error) {
	t.Helper()
	p := newPlace(t).here()
	c.Cloud, p.Service.Cloud = p.Process.Cloud(), c
	change(p.Service)
	var out error
	err = p.operate(t.Context(), "acme", operation.Request{Kind: "onboard"}, p.sink, nil, func(ctx context.Context, r *run) (ending, error) {
		out = r.awaitUsable(ctx, cloud.Account{ID: "1"})
		return ending{}, out
	})
	for _, ev := range p.shown {
		if ev.Type == event.Waiting {
			waits++
		}
	}
	return waits, errors.Join(err, out)
}

func TestANewAccountIsUsedAfterTwoCleanReadsWithAPauseBetween(t *testing.T) {
	no := fmt.Errorf("ec2: %w", cloud.ErrNotUsable)
	for reason, tc := range map[string]struct {
		readings []error
		reads    int
		waits    int
	}{
		"an account that is usable is read twice":   {nil, 2, 0},
		"one that is not yet is waited for":         {[]error{no, no}, 4, 2},
		"one that flaps begins its count from anew": {[]error{no, nil, no}, 5, 2},
	} {
		t.Run(reason, func(t *testing.T) {
			c := &sky{readings: tc.readings}
			const pause = 20 * time.Millisecond
			began := time.Now()
			waits, err := awaiting(t, c, func(s *Service) { s.ProbeEvery = pause })
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]int{tc.reads, tc.waits}, []int{c.read, waits}); d != "" {
				t.Errorf("reads and waits (-want +got):\n%s", d)
			}
			// Two reads in the same moment say one thing.
			if took := time.Since(began); took < pause*time.Duration(tc.reads-1) {
				t.Errorf("%d reads in %s, want a pause of %s between each two", tc.reads, took, pause)
			}
		})
	}
}

func TestAnAccountThatNeverBecomesUsableIsPendingAfterTheDeadline(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time { now = now.Add(10 * time.Minute); return now }
	no := fmt.Errorf("ec2: %w", cloud.ErrNotUsable)
	_, err := awaiting(t, &sky{readings: []error{no, no, no, no, no, no, no, no}}, func(s *Service) { s.Now, s.UsableWithin = clock, 30*time.Minute })
	if !errors.Is(fail("acme", "account", err), ErrPending) {
		t.Errorf("got %v, want it pending", err)
	}
	other := errors.New("no network")
	if _, err := awaiting(t, &sky{readings: []error{other}}, func(*Service) {}); !errors.Is(err, other) || errors.Is(err, cloud.ErrNotUsable) {
		t.Errorf("a probe that fails: %v", err)
	}
}
