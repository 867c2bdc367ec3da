package aws

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
)

func TestCloseAccountAsksOnceAndTellsWhatIsPending(t *testing.T) {
	const other = "444455556666"
	us := caller("arn:aws:iam::111122223333:user/ada")
	account := func(status string) string { return `{"Account":{"Id":"` + other + `","Status":"` + status + `"}}` }
	tests := map[string]struct {
		id      string
		answers answers
		want    error // wrapped; nil: none
		fails   bool  // with an error that wraps nothing of ours
		asks    bool  // for the closing
	}{
		"an open account is closed":                  {id: other, answers: answers{"DescribeAccount": account("ACTIVE"), "CloseAccount": "{}"}, asks: true},
		"one that is being closed is left alone":     {id: other, answers: answers{"DescribeAccount": account("PENDING_CLOSURE")}},
		"one that is closed is left alone":           {id: other, answers: answers{"DescribeAccount": account("SUSPENDED")}},
		"one that was closed in between is done":     {id: other, answers: answers{"DescribeAccount": account("ACTIVE"), "CloseAccount": "400 AccountAlreadyClosedException"}, asks: true},
		"AWS's limit of closings is for later":       {id: other, answers: answers{"DescribeAccount": account("ACTIVE"), "CloseAccount": "400 ConstraintViolationException"}, want: cloud.ErrPending, asks: true},
		"an account of nobody's is not found":        {id: other, answers: answers{"DescribeAccount": "400 AccountNotFoundException"}, want: cloud.ErrNotFound},
		"the management account is never closed":     {id: "111122223333", answers: answers{}, fails: true},
		"who may not close it is told so, not later": {id: other, answers: answers{"DescribeAccount": account("ACTIVE"), "CloseAccount": "400 AccessDeniedException"}, fails: true, asks: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.answers["GetCallerIdentity"] = us
			c, asked := tt.answers.cloud(t)
			err := c.CloseAccount(t.Context(), tt.id)
			switch {
			case tt.fails && (err == nil || errors.Is(err, cloud.ErrPending)):
				t.Errorf("CloseAccount: %v, want a failure", err)
			case !tt.fails && !errors.Is(err, tt.want):
				t.Errorf("CloseAccount: %v, want %v", err, tt.want)
			}
			if p, ok := errors.AsType[*cloud.PendingError](err); tt.want == cloud.ErrPending && (!ok || p.Reason != event.CloseQueue || p.After == 0) { //nolint:errorlint // the sentinel itself
				t.Errorf("CloseAccount: %#v, want a time when to ask again", err)
			}
			if got := slices.Contains(asked(), "CloseAccount"); got != tt.asks {
				t.Errorf("the closing was asked for: %t, want %t", got, tt.asks)
			}
		})
	}
}

func TestAClosingThatAWSRefusesForNowSaysWhenToAskAgain(t *testing.T) {
	for reason, want := range map[organizationstypes.ConstraintViolationExceptionReason]event.Reason{
		organizationstypes.ConstraintViolationExceptionReasonCloseAccountQuotaExceeded:         event.CloseQuota,
		organizationstypes.ConstraintViolationExceptionReasonCloseAccountRequestsLimitExceeded: event.CloseQueue,
	} {
		err := closesLater(&organizationstypes.ConstraintViolationException{Reason: reason})
		if err.Reason != want || !errors.Is(err, cloud.ErrPending) || err.After < 10*time.Minute {
			t.Errorf("%s: %+v", reason, err)
		}
	}
}

func TestTheProviderStaysBelowTheRateOfAskingForTheCreationsThatMayBeUnderWay(t *testing.T) {
	// waitAccountCreated's PollInterval, and AWS's 2 per second.
	const every, most = 10.0, 2.0
	if n := (*Cloud)(nil).Limits().Create.AtOnce; float64(n)/every >= most {
		t.Errorf("%d creations at once ask more often than AWS allows", n)
	}
}

func TestARoleThatLeadsElsewhereIsNotEntered(t *testing.T) {
	c, asked := answers{"GetCallerIdentity": caller("arn:aws:sts::111122223333:assumed-role/r/s")}.cloud(t)
	_, err := c.Inventory(t.Context(), cloud.Account{ID: "444455556666", Region: "eu-central-1"})
	if !errors.Is(err, ErrWrongAccount) {
		t.Errorf("Inventory: %v, want ErrWrongAccount", err)
	}
	// Of a long chain a terminal shows the last error, which has to say it all.
	last := err
	for next := errors.Unwrap(last); next != nil; next = errors.Unwrap(last) {
		last = next
	}
	if !strings.Contains(last.Error(), "111122223333") {
		t.Errorf("the last error does not say where the role leads: %v", last)
	}
	if got := asked(); len(got) != 1 {
		t.Errorf("asked for %v, want nothing but who we are", got)
	}
}
