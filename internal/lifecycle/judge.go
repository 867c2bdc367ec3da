package lifecycle

import (
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/policies"
)

// judgeRefreshed asks the rules about a layer as it is now: the values that a
// read-only refresh has read. What is gone is not asked about.
func (s *Service) judgeRefreshed(d dataplane.DataPlane, l plan.Layer, steps []engine.Step) ([]finding.Finding, error) {
	scope, err := d.Scope(l)
	if err != nil {
		return nil, err
	}
	now := readNow(steps)
	var out []finding.Finding
	for _, f := range now.Judge(judge.NewIndex(policies.All()), scope, s.Now(), true) {
		message := f.Rule + ": " + f.Message
		if f.Path != "" {
			message += " (at " + f.Path + ")"
		}
		if f.Exception != nil {
			message += ", accepted until " + f.Exception.Expires
		}
		out = append(out, finding.Finding{
			Kind: finding.Violated, Layer: f.Layer, Type: f.Resource.Type, Name: f.Resource.Name, ID: f.Resource.ID, URN: f.Resource.URN,
			Message: message, Policy: &f,
		})
	}
	return out, nil
}

// readNow turns the steps of a refresh into what rules look at. A value that
// the engine does not show is a secret.
func readNow(steps []engine.Step) *judge.Subjects {
	var now judge.Subjects
	for _, st := range steps {
		if st.Op == "delete" {
			continue
		}
		secret := false
		shown, _ := unsealed(st.Inputs(), func() { secret = true }).(map[string]any)
		now.Add(judge.Subject{
			Resource: policies.Resource{URN: st.URN, Type: st.Type, Name: st.Name, ID: st.ID, Properties: shown, Component: !st.Custom},
			Provider: st.Provider, Secret: secret,
		})
	}
	return &now
}

// unsealed copies a value with policies.Unknown in the place of secrets.
func unsealed(v any, secret func()) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = unsealed(e, secret)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = unsealed(e, secret)
		}
		return out
	case string:
		if v == unknown.Sealed {
			secret()
			return policies.Unknown{}
		}
	}
	return v
}
