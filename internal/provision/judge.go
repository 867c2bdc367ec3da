package provision

import (
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/report"
	"freehold.dev/freehold/policies"
)

// judgeLive asks the rules about a layer as it is now: the values that a
// read-only refresh has read. What is gone is not asked about.
func (s *Service) judgeLive(d dataPlane, l plan.Layer, steps []engine.Step) ([]report.Finding, error) {
	scope, err := Scope(d.plan, l, d.id.AccountID, d.id.ARN, d.outs)
	if err != nil {
		return nil, fmt.Errorf("scope of layer %s: %w", l, err)
	}
	scope.Exceptions = judge.Current(scope.Exceptions, s.Now())
	resources, sealed := readNow(steps)
	var out []report.Finding
	for _, f := range judge.NewIndex(policies.All()).All(resources, scope) {
		if f.Answer == string(policies.Undecided) && sealed[f.Resource.URN] {
			continue // it hangs on a secret, and the plan knew the secret
		}
		message := f.Rule + ": " + f.Message
		if f.Path != "" {
			message += " (at " + f.Path + ")"
		}
		if f.Exception != nil {
			message += ", accepted until " + f.Exception.Expires
		}
		out = append(out, report.Finding{
			Kind: report.Violated, Layer: f.Layer, Type: f.Resource.Type, Name: f.Resource.Name, ID: f.Resource.ID, URN: f.Resource.URN,
			Message: message, Policy: &f,
		})
	}
	return out, nil
}

// readNow turns the steps of a refresh into what rules look at. sealed are the
// resources with a value that the engine does not show, because it is secret.
func readNow(steps []engine.Step) (resources []policies.Resource, sealed map[string]bool) {
	sealed = map[string]bool{}
	providers := map[string]policies.Provider{}
	inputs := func(st engine.Step) map[string]any {
		in := st.NewInputs
		if in == nil {
			in = st.OldInputs
		}
		shown, _ := unsealed(in, func() { sealed[st.URN] = true }).(map[string]any)
		return shown
	}
	const providerType = "pulumi:providers:"
	for _, st := range steps {
		if pkg, is := strings.CutPrefix(st.Type, providerType); is {
			providers[st.URN] = policies.Provider{
				Package: pkg, Default: policies.DefaultProvider(st.Name), Properties: inputs(st),
			}
		}
	}
	for _, st := range steps {
		if st.Op == "delete" {
			continue
		}
		urn := judge.ProviderURN(st.Provider)
		resources = append(resources, policies.Resource{
			URN: st.URN, Type: st.Type, Name: st.Name, ID: st.ID, Properties: inputs(st), Provider: providers[urn], Component: !st.Custom,
		})
		if sealed[urn] {
			sealed[st.URN] = true
		}
	}
	return resources, sealed
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
		if v == "[secret]" {
			secret()
			return policies.Unknown{}
		}
	}
	return v
}
