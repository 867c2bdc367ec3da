package kubeprovider

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// managers tries who may change which fields, in the namespace team-a.
func managers(t *testing.T, p *Provider, c dynamic.Interface) {
	const typ = "kubernetes:core/v1:ConfigMap"
	// setup returns an object of the program whose key somebody else has changed
	// since, and what the program says.
	setup := func(t *testing.T, name, who string, said object) (*engine, resourceState, object) {
		e, h := &engine{t, p}, byHand{t, c}
		program := configMap("team-a", name, said)
		s := e.mustCreate(typ, name, program)
		if _, err := h.at("configmaps", "team-a").Patch(t.Context(), name, types.MergePatchType, []byte(`{"data":{"k":"theirs"}}`), metav1.PatchOptions{FieldManager: who}); err != nil {
			t.Fatal(err)
		}
		return e, s, program
	}
	for name, tt := range map[string]struct {
		who            string
		force          bool
		preview, write string // what each says; "" if it succeeds
	}{
		"what kubectl changed is in a preview's way, and an update takes it over": {
			"kubectl-label", false, `conflict with "kubectl-label" using v1: .data.k`, "",
		},
		"what a controller changed is in the way": {
			"flux", false, `conflict with "flux" using v1: .data.k`, `conflict with "flux" using v1: .data.k`,
		},
		"by force nobody is": {"flux", true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			object := map[bool]string{true: "forced-", false: "asked-"}[tt.force] + tt.who
			e, s, program := setup(t, object, tt.who, map[string]any{"k": "ours"})
			if tt.force {
				byForce(program)
			}
			news := e.check(s.urn, s.inputs, program)
			update := func(preview bool) (*pulumirpc.UpdateResponse, error) {
				return p.Update(t.Context(), &pulumirpc.UpdateRequest{
					Urn: string(s.urn), Id: s.id, Olds: s.outputs, OldInputs: s.inputs, News: news, Preview: preview, Timeout: 5,
				})
			}
			_, previewErr := update(true)
			said(t, "the preview", previewErr, tt.preview)
			_, writeErr := update(false)
			said(t, "the update", writeErr, tt.write)
			if tt.write != "" {
				// The object is there, and the state has it, with what was asked for.
				failed := initFailure(t, writeErr)
				if failed.GetId() != "team-a/"+object || e.values(failed.GetProperties())["data"].(map[string]any)["k"] != "theirs" {
					t.Errorf("the state becomes %v", failed)
				}
				if !strings.Contains(writeErr.Error(), "server-side apply field conflict detected, see "+conflictHelp) {
					t.Errorf("it says %v", writeErr)
				}
				return
			}
			live, err := byHand{t, c}.get("configmaps", "team-a", object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"k": "ours"}, live.Object["data"]); diff != "" {
				t.Errorf("data (-want +live):\n%s", diff)
			}
		})
	}

	t.Run("a create takes over what is the same, and by force what is not", func(t *testing.T) {
		e, h := &engine{t, p}, byHand{t, c}
		if _, err := h.at("configmaps", "team-a").Create(t.Context(), &unstructured.Unstructured{Object: configMap("team-a", "theirs", object{"k": "1"})}, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
			t.Fatal(err)
		}
		_, err := e.create(typ, "theirs", configMap("team-a", "theirs", object{"k": "2"}))
		said(t, "the create", err, `conflict with "kubectl-create" using v1: .data.k`)
		e.mustCreate(typ, "theirs", configMap("team-a", "theirs", object{"k": "1"}))
		e.mustCreate(typ, "theirs", byForce(configMap("team-a", "theirs", object{"k": "3"})))
	})

	t.Run("each resource has a manager of its own until the program names one", func(t *testing.T) {
		e, h := &engine{t, p}, byHand{t, c}
		s := e.mustCreate(typ, "owned", configMap("team-a", "owned", object{"a": "1", "b": "2"}))
		own := managersOf(t, h, "owned")
		if len(own) != 1 || !regexp.MustCompile(`^pulumi-kubernetes-[0-9a-f]{8}$`).MatchString(own[0]) {
			t.Fatalf("the managers are %q", own)
		}
		named := configMap("team-a", "owned", object{"a": "1"})
		named["metadata"].(object)["annotations"] = object{patchFieldManager: "freehold", patchForce: "true"}
		s, err := e.update(s, named)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"freehold"}, managersOf(t, h, "owned")); diff != "" {
			t.Errorf("the managers (-want +live):\n%s", diff)
		}
		live, err := h.get("configmaps", "team-a", "owned")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object{"a": "1"}, live.Object["data"]); diff != "" {
			t.Errorf("what the program dropped (-want +live):\n%s", diff)
		}
		if _, err := e.update(s, named); err != nil {
			t.Errorf("the same again: %v", err)
		}
	})

	t.Run("what a killed run made belongs to nobody who comes back", func(t *testing.T) {
		e, h := &engine{t, p}, byHand{t, c}
		e.mustCreate(typ, "killed", configMap("team-a", "killed", object{"a": "1", "b": "2"}))
		s := e.mustCreate(typ, "killed", configMap("team-a", "killed", object{"a": "1", "b": "2"}))
		if _, err := e.update(s, configMap("team-a", "killed", object{"a": "1"})); err != nil {
			t.Fatal(err)
		}
		live, err := h.get("configmaps", "team-a", "killed")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object{"a": "1", "b": "2"}, live.Object["data"]); diff != "" {
			t.Errorf("the killed run's manager gave up a field (-want +live):\n%s", diff)
		}
	})
}

// said checks an error against what it should contain; "" is no error.
func said(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s says %v", what, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s says %v, and not %q", what, err, want)
	}
}

func managersOf(t *testing.T, h byHand, name string) []string {
	t.Helper()
	live, err := h.get("configmaps", "team-a", name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range live.GetManagedFields() {
		all = append(all, m.Manager)
	}
	slices.Sort(all)
	return all
}
