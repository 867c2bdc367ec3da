package dataplane

import (
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// Unfinished says of an org in a state which operation on it has not ended, and
// of each layer whether it is what was asked for. What was never made differs
// from nothing, so nobody would miss it. Nothing is said of an org that is gone.
func (d DataPlane) Unfinished(state string) []finding.Finding {
	if state == OrgOffboarded {
		return nil
	}
	var out []finding.Finding
	if why := unfinishedOrg[state]; why != "" {
		out = append(out, finding.Finding{Kind: finding.Unfinished, Type: "org", Name: d.Plan.Org, Message: why})
	}
	for _, l := range plan.Layers() {
		if why := d.unfinished(l); why != "" {
			out = append(out, finding.Finding{Kind: finding.Unfinished, Layer: string(l), Type: "layer", Name: string(l), Message: why})
		}
	}
	return out
}

var unfinishedOrg = map[string]string{
	OrgOnboarding:  "its onboarding has begun and has not ended: wait for it, or run onboard again",
	OrgFailed:      "its last operation failed: run it again",
	OrgOffboarding: "its offboarding has begun and has not ended: wait for it, or run offboard again",
}

func (d DataPlane) unfinished(l plan.Layer) string {
	rec := d.Layer(l)
	switch rec.State {
	case "", NotStarted:
		return "it was never made"
	case Making:
		return "the run that makes it has not ended"
	case Failed:
		return "its last run failed: " + rec.Error
	case Removing:
		return "its removal has not ended"
	case Removed:
		return "it is removed, and the org is not offboarded"
	}
	if rec.Unclean {
		return "a run that changed it has not ended"
	}
	return ""
}
