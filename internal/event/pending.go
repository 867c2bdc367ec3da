package event

// Reason says, on the terminal event of a pending operation, what the cloud has
// to do first.
type Reason string

// The reasons for which an operation is pending.
const (
	// AccountQuota: the organization may have no more accounts.
	AccountQuota Reason = "account-quota"
	// ServiceQuota: a service quota of the org's account is used up.
	ServiceQuota Reason = "service-quota"
	// Verification: AWS verifies the account, or the organization's business.
	Verification Reason = "verification"
	// CreationQueue: other accounts are being created, or this one still is.
	CreationQueue Reason = "creation-queue"
	// CloseQueue: other accounts are being closed.
	CloseQueue Reason = "close-queue"
	// CloseQuota: as many accounts were closed in 30 days as AWS allows.
	CloseQuota Reason = "close-quota"
	// Throttled: the cloud went on throttling after all retries.
	Throttled Reason = "throttled"
)

// Reasons are all of them.
func Reasons() []Reason {
	return []Reason{AccountQuota, ServiceQuota, Verification, CreationQueue, CloseQueue, CloseQuota, Throttled}
}
