package event

import "freehold.dev/freehold/internal/finding"

// Comparison is what orgs own, side by side, and what they have in common.
type Comparison struct {
	Orgs   []Status         `json:"orgs"`
	Shared []finding.Shared `json:"shared"`
}
