package dataplane

import (
	"encoding/json"
	"fmt"

	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// RecordedOnly lists what a plan would change of the recorded one without
// changing anything in the cloud: who may call the API, and what the org answers
// for. An org that was not onboarded before has no recorded plan, and no changes.
func RecordedOnly(was *plan.Plan, is plan.Plan) ([]finding.Difference, error) {
	if was == nil {
		return nil, nil
	}
	before, err := recordedOf(*was)
	if err != nil {
		return nil, err
	}
	after, err := recordedOf(is)
	return drift.Compare(after, before), err
}

func recordedOf(p plan.Plan) (out map[string]any, err error) {
	text, err := json.Marshal(map[string]any{"access": p.Access, "exceptions": p.Exceptions})
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("read the plan of %s: %w", p.Org, err)
	}
	return out, nil
}
