package aws

import (
	"errors"
	"time"

	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
)

// Limits are those of AWS Organizations, none of which can be raised.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
//
// The provider asks for each creation's status every ten seconds, so that five at
// once stay far below the two calls per second that AWS allows for it: it needs no
// poller that is shared.
// https://github.com/hashicorp/terraform-provider-aws (internal/service/organizations/account.go)
func (*Cloud) Limits() cloud.Limits {
	return cloud.Limits{
		Create: cloud.Limit{AtOnce: 5, Every: 10 * time.Second, Burst: 3},
		Close:  cloud.Limit{AtOnce: 3, Every: 20 * time.Second, Burst: 1},
	}
}

// closesLater says when a closing that AWS refused is worth asking for again.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
func closesLater(err error) *cloud.PendingError {
	// Those that are under way take about ten minutes.
	out := &cloud.PendingError{Reason: event.CloseQueue, After: 15 * time.Minute, Err: err}
	if c, ok := errors.AsType[*organizationstypes.ConstraintViolationException](err); ok &&
		c.Reason == organizationstypes.ConstraintViolationExceptionReasonCloseAccountQuotaExceeded {
		// The closings of the last 30 days: each day makes room for those of one.
		out.Reason, out.After = event.CloseQuota, 24*time.Hour
	}
	return out
}
