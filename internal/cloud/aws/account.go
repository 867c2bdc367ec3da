package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"freehold.dev/freehold/internal/cloud"
)

// CloseAccount asks for the closing of an account of the organization, which
// AWS then does by itself: PENDING_CLOSURE is done as far as we can do it.
//
// AWS closes three accounts at a time, and in 30 days a fifth of the
// organization's; above that it wraps cloud.ErrPending.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
func (c *Cloud) CloseAccount(ctx context.Context, accountID string) error {
	us, err := c.Identity(ctx)
	if err != nil {
		return err
	}
	if us.AccountID == accountID {
		return fmt.Errorf("close account %s: it is the management account, which is never closed", accountID)
	}
	account, err := c.describe(ctx, accountID)
	switch {
	case isCode(err, "AccountNotFoundException"):
		return fmt.Errorf("close account %s: %w: %w", accountID, cloud.ErrNotFound, err)
	case err != nil:
		return fmt.Errorf("close account %s: organizations:DescribeAccount: %w", accountID, err)
	case account.Status == organizationstypes.AccountStatusSuspended, account.Status == organizationstypes.AccountStatusPendingClosure:
		return nil
	}
	_, err = organizations.NewFromConfig(c.base).CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: aws.String(accountID)})
	switch {
	case err == nil, isCode(err, "AccountAlreadyClosedException"):
		return nil
	case isCode(err, "ConstraintViolationException", "ConcurrentModificationException", "TooManyRequestsException"):
		return fmt.Errorf("close account %s: %w", accountID, closesLater(err))
	default:
		return fmt.Errorf("close account %s: organizations:CloseAccount: %w", accountID, err)
	}
}
