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
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
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
		"a run that failed beside a resource tells the CLI's own words": {
			&engine.Error{Stack: "acme.cluster", Doing: "update", Kind: engine.ErrLocked, Detail: "locked by pid 1", Next: "wait"},
			ErrBusy, "acme: cluster: the stack is locked by another update: locked by pid 1", "wait",
		},
		"an org that another operation holds": {
			fmt.Errorf("%w acme", registry.ErrBusy), ErrBusy, "acme: cluster: another operation holds the org acme", "freehold status acme",
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
				t.Errorf("told twice: %v", again)
			}
		})
	}
	if err := fail("acme", "", nil); err != nil {
		t.Errorf("no failure: %v", err)
	}
}

// sky is a cloud in which an account becomes usable as the readings say.
type sky struct {
	cloud.Cloud
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

func TestANewAccountIsUsedAfterTwoCleanReadsInARow(t *testing.T) {
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
			var waits int
			c := &sky{readings: tc.readings}
			s := &Service{Cloud: c, Now: time.Now, ProbeEvery: time.Millisecond}
			op := &operation{emit: func(ev event.Event) {
				if ev.Type == event.Waiting {
					waits++
				}
			}}
			if err := s.awaitUsable(t.Context(), op, cloud.Account{ID: "1"}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]int{tc.reads, tc.waits}, []int{c.read, waits}); d != "" {
				t.Errorf("reads and waits (-want +got):\n%s", d)
			}
		})
	}
}

func TestAnAccountThatNeverBecomesUsableIsPendingAfterTheDeadline(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time { now = now.Add(10 * time.Minute); return now }
	no := fmt.Errorf("ec2: %w", cloud.ErrNotUsable)
	s := &Service{Cloud: &sky{readings: []error{no, no, no, no, no, no}}, Now: clock, ProbeEvery: time.Millisecond}
	err := s.awaitUsable(t.Context(), &operation{emit: func(event.Event) {}}, cloud.Account{ID: "1"})
	if !errors.Is(fail("acme", "account", err), ErrPending) {
		t.Errorf("got %v, want it pending", err)
	}
	other := errors.New("no network")
	s.Cloud = &sky{readings: []error{other}}
	if err := s.awaitUsable(t.Context(), nil, cloud.Account{ID: "1"}); !errors.Is(err, other) || errors.Is(err, cloud.ErrNotUsable) {
		t.Errorf("a probe that fails: %v", err)
	}
}

func TestAnOperationEndsInOneTerminalEventOfItsKind(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want event.Type
	}{
		{nil, event.OperationSucceeded},
		{fmt.Errorf("x: %w", ErrBlocked), event.OperationBlocked},
		{fmt.Errorf("x: %w", ErrPending), event.OperationPending},
		{fmt.Errorf("x: %w", ErrCancelled), event.OperationFailed},
		{errors.New("x"), event.OperationFailed},
	} {
		r, err := registry.Open(t.Context(), t.TempDir()+"/registry.db", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		s := &Service{Registry: r, Now: time.Now}
		var got []event.Type
		op, err := s.begin(t.Context(), "acme", "onboard", func(ev event.Event) { got = append(got, ev.Type) })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.end(t.Context(), op, nil, tc.err); !errors.Is(err, tc.err) {
			t.Errorf("end returned %v, want %v", err, tc.err)
		}
		if d := cmp.Diff([]event.Type{event.OperationStarted, tc.want}, got); d != "" {
			t.Errorf("events after %v (-want +got):\n%s", tc.err, d)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
