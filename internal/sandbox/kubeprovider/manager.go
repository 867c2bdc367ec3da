package kubeprovider

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// managerPrefix is of the names of field managers that the program did not name.
const managerPrefix = "pulumi-kubernetes-"

// fieldManager returns who owns the fields that a program sets of one resource:
// whom its annotation names, else whom the state names, else somebody new. So
// what a run made that was killed before its state was written belongs to
// nobody who comes back (provider/pkg/provider/provider.go, fieldManagerName).
func fieldManager(object map[string]any, c checkpoint) (string, error) {
	if named := annotation(object, patchFieldManager); named != "" {
		return named, nil
	}
	if c.manager != "" {
		return c.manager, nil
	}
	made, err := resource.NewUniqueName(nil, managerPrefix, 0, 0, nil)
	if err != nil {
		return "", fmt.Errorf("make up a field manager: %w", err)
	}
	return made, nil
}

// forced reports whether a write takes fields from other managers: because the
// program says so; because a preview of a create cannot know what goes before
// it; because the object was never applied by anybody
// (provider/pkg/await/await.go, patchForce).
func forced(object map[string]any, live *unstructured.Unstructured, preview bool) bool {
	switch {
	case isTrue(object, patchForce):
		return true
	case live == nil:
		return preview
	case len(live.GetManagedFields()) == 0:
		return true
	}
	if preview {
		for _, m := range live.GetManagedFields() {
			switch m.Manager {
			case "pulumi-resource-kubernetes", "pulumi-kubernetes", "pulumi-kubernetes.exe":
				if m.Operation == metav1.ManagedFieldsOperationUpdate {
					return true
				}
			}
		}
	}
	return false
}

// conflictHelp is where the official provider sends whoever has a conflict.
const conflictHelp = "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/" +
	"managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"

// explained adds to a conflict who had it and what can be done, in the words of
// the official provider (provider/pkg/await/await.go, handleSSAErr).
func explained(err error, manager string) error {
	if !apierrors.IsConflict(err) {
		return err
	}
	return errors.Join(
		fmt.Errorf("server-side apply field conflict detected, see %s for troubleshooting help", conflictHelp),
		fmt.Errorf("The resource managed by field manager %q had an apply conflict: %w", manager, err), //nolint:staticcheck // the official provider's own words
	)
}

// predecessors are managers whose fields an update takes over before it applies,
// so that they never conflict: whoever's name begins like that and who wrote in
// that way. A preview writes nothing, and so it does conflict with them
// (provider/pkg/await/await.go, fixCSAFieldManagers; fluxcd/pkg ssa/patch.go,
// PatchReplaceFieldsManagers).
var predecessors = []struct {
	prefix string
	by     metav1.ManagedFieldsOperationType
}{
	{"kubectl", metav1.ManagedFieldsOperationApply},
	{"kubectl", metav1.ManagedFieldsOperationUpdate},
	{"before-first-apply", metav1.ManagedFieldsOperationUpdate},
	{"pulumi-kubernetes", metav1.ManagedFieldsOperationUpdate},
	{"pulumi-resource-kubernetes", metav1.ManagedFieldsOperationUpdate},
}

func precedes(m metav1.ManagedFieldsEntry) bool {
	for _, p := range predecessors {
		if strings.HasPrefix(m.Manager, p.prefix) && m.Operation == p.by && m.Subresource == "" {
			return true
		}
	}
	return false
}

// takenOver returns an object's managed fields as they are when a manager has
// taken over those of its predecessors; false when there are none.
func takenOver(live *unstructured.Unstructured, manager string) ([]metav1.ManagedFieldsEntry, bool, error) {
	var ours *metav1.ManagedFieldsEntry
	var entries []metav1.ManagedFieldsEntry
	owned, found := fields{}, false
	for _, m := range live.GetManagedFields() {
		own := m.Manager == manager && m.Operation == metav1.ManagedFieldsOperationApply && m.Subresource == ""
		switch {
		case own:
			ours = &m
		case precedes(m):
			found = true
			if ours == nil {
				ours = &m
			}
		default:
			entries = append(entries, m)
			continue
		}
		var f map[string]any
		if m.FieldsV1 != nil {
			if err := json.Unmarshal(m.FieldsV1.Raw, &f); err != nil {
				return nil, false, fmt.Errorf("read the fields of manager %q: %w", m.Manager, err)
			}
		}
		owned.merge(f)
	}
	if !found {
		return nil, false, nil
	}
	raw, err := json.Marshal(owned)
	if err != nil {
		return nil, false, fmt.Errorf("write the fields of manager %q: %w", manager, err)
	}
	entry := *ours
	entry.Manager, entry.Operation, entry.Subresource = manager, metav1.ManagedFieldsOperationApply, ""
	entry.FieldsV1 = &metav1.FieldsV1{Raw: raw}
	return append(entries, entry), true, nil
}

// nothing is an object that applies none of its fields: by it a manager gives
// all of them up (provider/pkg/ssa/actions.go, Relinquish).
func nothing(object map[string]any) map[string]any {
	k := names(object)
	metadata := map[string]any{"name": k.name}
	if k.namespace != "" {
		metadata["namespace"] = k.namespace
	}
	return map[string]any{"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata}
}
