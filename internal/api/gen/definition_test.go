package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/cloud/sandbox/controlplane/controlplanetest"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apischema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

func TestTheCommittedDefinitionIsFresh(t *testing.T) {
	want, err := definition()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../components/bootstrap/project-crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./internal/api/gen (-generated +committed):\n%s", diff)
	}
}

type mapping = map[string]any

func projectObject(name string, change func(spec mapping)) mapping {
	spec := mapping{
		"org":     "acme",
		"quota":   mapping{"cpu": "4", "memory": "8Gi", "storage": "50Gi", "pods": int64(50)},
		"limits":  mapping{"defaultCpu": "250m", "defaultMemory": "256Mi", "maxCpu": int64(4), "maxMemory": "8Gi"},
		"members": []any{mapping{"group": "team-a", "role": "admin"}},
		"egress":  []any{mapping{"cidr": "10.0.0.0/8", "ports": []any{int64(443)}, "protocol": "TCP"}},
	}
	if change != nil {
		change(spec)
	}
	return mapping{"apiVersion": "freehold.dev/v1alpha1", "kind": "Project", "metadata": mapping{"name": name}, "spec": spec}
}

func TestTheAPIServerAcceptsWhatIsFitAndRefusesTheRest(t *testing.T) {
	_, rc := controlplanetest.Start(t)
	client, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	text, err := definition()
	if err != nil {
		t.Fatal(err)
	}
	var crd mapping
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	definitions := client.Resource(apischema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if _, err := definitions.Create(t.Context(), &unstructured.Unstructured{Object: crd}, metav1.CreateOptions{FieldValidation: "Strict"}); err != nil {
		t.Fatal(err)
	}
	projects := client.Resource(apischema.GroupVersionResource{Group: "freehold.dev", Version: "v1alpha1", Resource: "projects"})
	create := func(o mapping) error {
		_, err := projects.Create(t.Context(), &unstructured.Unstructured{Object: o}, metav1.CreateOptions{FieldValidation: "Strict"})
		return err
	}
	good := projectObject("team-a", nil)
	err = create(good)
	for range 100 {
		if !apierrors.IsNotFound(err) {
			break
		}
		time.Sleep(100 * time.Millisecond) // the kind is not served yet
		err = create(good)
	}
	if err != nil {
		t.Fatal(err)
	}
	set := func(path string, v any) func(mapping) {
		return func(spec mapping) {
			at, keys := spec, strings.Split(path, ".")
			for _, k := range keys[:len(keys)-1] {
				at = at[k].(mapping)
			}
			at[keys[len(keys)-1]] = v
		}
	}
	for name, c := range map[string]struct {
		project mapping
		says    string
	}{
		"a reserved name":               {projectObject("kube-system", nil), "reserved"},
		"a name with a dot":             {projectObject("a.b", nil), "DNS label"},
		"a name that is too long":       {projectObject(strings.Repeat("a", 41), nil), "at most 40"},
		"no quota":                      {projectObject("x", func(s mapping) { delete(s, "quota") }), "spec.quota: Required"},
		"a quantity that is none":       {projectObject("x", set("quota.cpu", "four")), "spec.quota.cpu"},
		"pods as text":                  {projectObject("x", set("quota.pods", "50")), "spec.quota.pods"},
		"a negative number of pods":     {projectObject("x", set("quota.pods", int64(-1))), "spec.quota.pods"},
		"an unknown field":              {projectObject("x", set("quota.cpus", "4")), "spec.quota.cpus"},
		"a member that is both":         {projectObject("x", set("members", []any{mapping{"group": "g", "user": "u", "role": "admin"}})), "exactly one"},
		"a member that is neither":      {projectObject("x", set("members", []any{mapping{"role": "admin"}})), "exactly one"},
		"a role that is none":           {projectObject("x", set("members", []any{mapping{"user": "u", "role": "owner"}})), "role"},
		"everybody as a member":         {projectObject("x", set("members", []any{mapping{"group": "system:authenticated", "role": "admin"}})), "system:"},
		"a range that is none":          {projectObject("x", set("egress", []any{mapping{"cidr": "10.0.0.0"}})), "range of addresses"},
		"a port that is none":           {projectObject("x", set("egress", []any{mapping{"cidr": "10.0.0.0/8", "ports": []any{int64(70000)}}})), "ports"},
		"a protocol that is not served": {projectObject("x", set("egress", []any{mapping{"cidr": "10.0.0.0/8", "protocol": "SCTP"}})), "protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := create(c.project); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the API server says %v, not %q", err, c.says)
			}
		})
	}
}
