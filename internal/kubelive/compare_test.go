package kubelive_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"freehold.dev/freehold/internal/kubelive"
)

// What a real API server says of every kind, components/bootstrap tests.
func TestEachFieldOfALiveObjectIsAskedForAllowedADefaultOrADifference(t *testing.T) {
	const ours = `{"manager":"pulumi-kubernetes-1","operation":"Apply","apiVersion":"apps/v1","fieldsType":"FieldsV1",
		"fieldsV1":{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{}}}}`
	entry := func(manager, rest, fields string) string {
		return `{"manager":"` + manager + `","operation":"Update","apiVersion":"apps/v1","fieldsType":"FieldsV1"` + rest + `,"fieldsV1":` + fields + `}`
	}
	for reason, tc := range map[string]struct {
		labels  string // beside "a": "1"
		spec    string // beside the replicas
		entries string
		want    []string
		unowned bool
	}{
		"as it was applied":             {"", "", ours, nil, false},
		"a default that was there":      {"", `,"paused":false`, ours, nil, false},
		"a field that nobody owns":      {"", `,"minReadySeconds":9`, ours, []string{"spec.minReadySeconds"}, true},
		"a label of another":            {`,"b":"2"`, "", ours + "," + entry("kubectl", "", `{"f:metadata":{"f:labels":{"f:b":{}}}}`), []string{"metadata.labels.b"}, false},
		"a value of ours, taken":        {"", "", ours + "," + entry("kubectl", `,"subresource":"scale"`, `{"f:spec":{"f:replicas":{}}}`), []string{"spec.replicas"}, false},
		"what the cluster writes":       {"", "", ours + "," + entry("x", `,"subresource":"status"`, `{"f:status":{"f:replicas":{}}}`), nil, false},
		"no owner on record":            {"", "", "{}", []string{"metadata.managedFields"}, true},
		"a record that cannot be read":  {"", "", ours + `,{"manager":"x","operation":"Update","fieldsType":"FieldsV2"}`, []string{"metadata.managedFields"}, true},
		"ours in the name of an update": {`,"b":"2"`, "", ours + "," + entry("pulumi-kubernetes-1", "", `{"f:metadata":{"f:labels":{"f:b":{}}}}`), []string{"metadata.labels.b"}, false},
	} {
		t.Run(reason, func(t *testing.T) {
			text := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"n","uid":"u","resourceVersion":"7","labels":{"a":"1"` + tc.labels +
				`},"managedFields":[` + tc.entries + `]},"spec":{"replicas":2` + tc.spec + `},"status":{"replicas":2}}`
			live := &unstructured.Unstructured{}
			if err := json.Unmarshal([]byte(text), &live.Object); err != nil {
				t.Fatal(err)
			}
			type m = map[string]any
			want := m{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": m{"name": "n", "labels": m{"a": "1"}}, "spec": m{"replicas": 2.0}}
			was := m{"metadata": m{"labels": m{"a": "1"}}, "spec": m{"replicas": 2.0, "paused": false}}
			for name, manager := range map[string]any{"recorded": "pulumi-kubernetes-1", "guessed": nil} {
				was["__fieldManager"] = manager
				o, _ := kubelive.Of("urn", "kubernetes:apps/v1:Deployment", "n", "n", want, was)
				got := kubelive.Compare(o, live)
				var paths []string
				for _, d := range got.Differences {
					paths = append(paths, d.Path)
				}
				if d := cmp.Diff(tc.want, paths); d != "" || got.Unowned != tc.unowned {
					t.Errorf("with its manager %s (-want +got):\n%s; unowned: %t", name, d, got.Unowned)
				}
			}
		})
	}
}
