package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/unknown"
)

var everyMark = []string{
	plugin.UnknownStringValue, plugin.UnknownBoolValue, plugin.UnknownNumberValue, plugin.UnknownAssetValue,
	plugin.UnknownArchiveValue, plugin.UnknownArrayValue, plugin.UnknownObjectValue,
}

// properties are some of a preview's event, with unknowns anywhere in them.
func properties() *rapid.Generator[map[string]any] {
	mark := rapid.SampledFrom(everyMark)
	leaf := rapid.OneOf(
		rapid.Just[any]("plain"), rapid.Just[any](1.0), rapid.Just[any](nil), rapid.Just[any](true),
		rapid.Map(mark, func(m string) any { return m }),
		rapid.Map(mark, func(m string) any { return "arn:aws:iam::" + m + ":role/x" }),
		rapid.Map(mark, func(m string) any { return `{"Statement":[{"Resource":"` + m + `"}]}` }),
		rapid.Just[any](map[string]any{sig.Key: sig.Secret, "ciphertext": "[secret]"}),
		rapid.Map(mark, func(m string) any { return map[string]any{sig.Key: sig.OutputValue, "value": m} }),
	)
	value := leaf
	for range 3 {
		inner := value
		value = rapid.OneOf(leaf,
			rapid.Map(rapid.SliceOfN(inner, 1, 3), func(s []any) any { return s }),
			rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), inner, 1, 3), func(m map[string]any) any { return m }),
		)
	}
	return rapid.MapOfN(rapid.SampledFrom([]string{"name", "role", "tags", "policy"}), value, 1, 4)
}

// TestNoStepCarriesTheEnginesTextForTheUnknown holds for whatever the engine
// shows of a resource, and for what an adoption would write of it.
func TestNoStepCarriesTheEnginesTextForTheUnknown(t *testing.T) {
	clean := func(t *rapid.T, what string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range everyMark {
			if strings.Contains(string(raw), m) {
				t.Errorf("%s has %s in it: %s", what, m, raw)
			}
		}
		if strings.Contains(string(raw), sig.Secret) {
			t.Errorf("%s has a secret in it that is not one: %s", what, raw)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in, out := properties().Draw(t, "inputs"), properties().Draw(t, "outputs")
		w := newWatch(Stack{}, nil, time.Now)
		urn := "urn:pulumi:acme.account::freehold::aws:iam/role:Role::r"
		provider := "urn:pulumi:acme.account::freehold::pulumi:providers:aws::p"
		w.take(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: apitype.StepEventMetadata{
			Op: apitype.OpCreate, URN: urn, Type: "aws:iam/role:Role", Provider: provider + "::" + plugin.UnknownStringValue,
			Old: &apitype.StepEventStateMetadata{Custom: true, Inputs: out, Outputs: in},
			New: &apitype.StepEventStateMetadata{Custom: true, ID: plugin.UnknownStringValue, Inputs: in, Outputs: out},
		}}})
		w.take(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: apitype.StepEventMetadata{
			Op: apitype.OpCreate, URN: "urn:pulumi:acme.account::freehold::" + stackType + "::s", Type: stackType,
			New: &apitype.StepEventStateMetadata{Outputs: out},
		}}})
		st := w.steps[0]
		clean(t, "the step", []any{st.ID, st.OldInputs, st.NewInputs, st.OldOutputs, st.NewOutputs})
		for name, v := range w.outputs {
			if unknown.In(v) {
				t.Errorf("output %s is not known yet, and there: %v", name, v)
			}
		}

		state := map[string]any{"resources": []any{map[string]any{"urn": provider, "id": "p-1"}}}
		st.ID = "r-1"
		if err := addResources(state, []Step{st}); err != nil {
			t.Fatal(err)
		}
		clean(t, "the state", state)
		raw, _ := json.Marshal(state)
		if strings.Contains(string(raw), "known after apply") || strings.Contains(string(raw), unknown.Sealed) {
			t.Errorf("the state has what nobody knows: %s", raw)
		}
	})
}

// A provider that is made anew in the preview has no id there. What it had made
// before belongs to the one that is recorded.
func TestALostResourceBelongsToTheProviderThatIsRecorded(t *testing.T) {
	for reason, tc := range map[string]struct {
		reference string
		recorded  []any
		want      string
	}{
		"its id is not known in the preview": {"p::" + plugin.UnknownStringValue, []any{map[string]any{"urn": "p", "id": "1"}}, "p::1"},
		"it is known":                        {"p::1", []any{map[string]any{"urn": "p", "id": "1"}}, "p::1"},
		"another one waits for its removal": {
			"p::" + plugin.UnknownStringValue,
			[]any{map[string]any{"urn": "p", "id": "2"}, map[string]any{"urn": "p", "id": "1", "delete": true}}, "p::2",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			state := map[string]any{"resources": tc.recorded}
			if err := addResources(state, []Step{{URN: "u", ID: "r-1", Type: "t", Provider: tc.reference}}); err != nil {
				t.Fatal(err)
			}
			all := state["resources"].([]any)
			if diff := cmp.Diff(tc.want, all[len(all)-1].(map[string]any)["provider"]); diff != "" {
				t.Errorf("provider (-want +got):\n%s", diff)
			}
		})
	}
}
