package cloud

import "time"

// Limits are what an organization lets everybody do together. They are the
// organization's and not an org's: whoever acts for one org has to wait for the
// others.
type Limits struct {
	// Create and Close are about the organization's accounts.
	Create, Close Limit
}

// Limit bounds one kind of act.
type Limit struct {
	// AtOnce is how many may be under way; 0: as many as anybody likes.
	AtOnce int
	// Every is the time that one call costs, and Burst how many may come at once;
	// 0: as fast as anybody likes.
	Every time.Duration
	Burst int
}
