package judge

import (
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/policies"
)

// Current leaves out the exceptions whose last day is over. The day is UTC's.
func Current(all []policies.Exception, now time.Time) []policies.Exception {
	today := now.UTC().Format(time.DateOnly)
	return slices.DeleteFunc(slices.Clone(all), func(e policies.Exception) bool { return e.Expires < today })
}

// ProviderURN is the URN in a reference to a provider, which is its URN and its
// id; "" when there is none.
func ProviderURN(reference string) string {
	i := strings.LastIndex(reference, "::")
	return reference[:max(i, 0)]
}
