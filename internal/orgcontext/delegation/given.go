package delegation

import (
	"context"
	"fmt"
)

// Given verifies a token that the service own was given for a request, and now
// shows to the identity service to get one for the next hop. Who presented it, and
// for which org, own has compared when it came; here it is all that Verify asks
// beside those two.
func (v *Verifier) Given(_ context.Context, token string) (Claims, error) {
	c, err := v.claimed(token)
	if err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return c, nil
}
