package v1alpha1

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestAQuantityStaysAsItWasWritten(t *testing.T) {
	for reason, c := range map[string]struct{ given, written, value string }{
		"the shortest form":        {`"1Gi"`, `"1Gi"`, "1Gi"},
		"a longer form":            {`"1024Mi"`, `"1024Mi"`, "1Gi"},
		"a fraction":               {`"0.5"`, `"0.5"`, "500m"},
		"a number, as kubectl has": {`4`, `"4"`, "4"},
		"none":                     {`null`, `""`, "0"},
		"an empty one":             {`""`, `""`, "0"},
	} {
		var q Quantity
		if err := json.Unmarshal([]byte(c.given), &q); err != nil {
			t.Errorf("%s: %v", reason, err)
			continue
		}
		text, err := json.Marshal(q)
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
		if diff := cmp.Diff(c.written, string(text)); diff != "" {
			t.Errorf("%s: written (-want +got):\n%s", reason, diff)
		}
		if got, want := q.Value(), resource.MustParse(c.value); got.Cmp(want) != 0 {
			t.Errorf("%s: the value is %s, want %s", reason, got.String(), want.String())
		}
	}
}

func TestWhatIsNoQuantityIsRefused(t *testing.T) {
	for _, text := range []string{`"four"`, `true`, `{}`, `[4]`, `"4 Gi"`} {
		q := MustQuantity("1")
		if err := json.Unmarshal([]byte(text), &q); err == nil {
			t.Errorf("%s was read as %q", text, q.Text)
		}
	}
}

// The API server's answers come as unstructured objects, in which a whole number
// is no text.
func TestAnObjectOfTheClusterIsReadWithItsNumbersAndItsSettings(t *testing.T) {
	object := map[string]any{
		"metadata": map[string]any{"name": "shop"},
		"spec": map[string]any{
			"org": "acme", "ttl": "72h", "hibernate": true,
			"quota":  map[string]any{"cpu": int64(4), "memory": "1024Mi", "pods": int64(5)},
			"limits": map[string]any{"minCpu": int64(1)},
		},
	}
	var got Project
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
		t.Fatal(err)
	}
	want := Project{}
	want.Name = "shop"
	want.Spec = ProjectSpec{Org: "acme", ProjectSettings: ProjectSettings{
		TTL: "72h", Hibernate: true,
		Quota:  Quota{CPU: MustQuantity("4"), Memory: MustQuantity("1024Mi"), Pods: 5},
		Limits: Limits{MinCPU: MustQuantity("1")},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("project (-want +got):\n%s", diff)
	}
}
