package kubelive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"freehold.dev/freehold/internal/finding"
)

// ErrKept is wrapped when an object still differs after it was put back:
// somebody, or something in the cluster, changes it again at once.
var ErrKept = errors.New("it differs again")

// Expose takes the ownership record off objects in which somebody left fields
// that nobody is on record for. Whatever an apply of the layer does to its own
// idea of them, they then stay a difference until they are put back. It changes
// no value.
func (c *Client) Expose(ctx context.Context, results []Result) error {
	for _, r := range results {
		if !r.Unowned {
			continue
		}
		err := c.object(ctx, "expose", r.Object, func(in dynamic.ResourceInterface, live *unstructured.Unstructured) error {
			if live == nil {
				return nil
			}
			_, err := disown(ctx, in, live)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// PutBack makes objects what was applied, and nothing else: what was changed or
// taken away is applied again, what was added goes, and an object that is gone is
// made again. It may be interrupted
// after any write: what is left to do is then still a difference. Nothing that
// holds data is deleted.
func (c *Client) PutBack(ctx context.Context, objects []Object) error {
	for _, o := range objects {
		o.Was = nil // it may have been read since
		err := c.object(ctx, "put back", o, func(in dynamic.ResourceInterface, live *unstructured.Unstructured) error {
			return putBack(ctx, in, o, live)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// MakeWay deletes objects that are to be made again with what Kubernetes lets
// nobody change. It refuses those of kinds that hold anything of anybody's before
// it deletes one. An object that is gone already is as it should be.
func (c *Client) MakeWay(ctx context.Context, objects []Object) error {
	for _, o := range objects {
		if !o.Remakable() {
			return fmt.Errorf("%s %s is not to be made again: it may hold what is somebody's", o.Type, o.ID)
		}
	}
	for _, o := range objects {
		err := c.object(ctx, "remove", o, func(in dynamic.ResourceInterface, live *unstructured.Unstructured) error {
			if live == nil {
				return nil
			}
			uid := live.GetUID()
			err := in.Delete(ctx, live.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// object reads an object, nil where it is gone, and works on it, again if somebody
// wrote to it meanwhile.
func (c *Client) object(ctx context.Context, doing string, o Object, work func(dynamic.ResourceInterface, *unstructured.Unstructured) error) error {
	kind, err := o.kind()
	if err != nil {
		return err
	}
	namespace, name := o.place()
	in := c.in(shelf{resourceOf(kind), namespace})
	const attempts = 5
	for i := 1; ; i++ {
		live, err := in.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			live, err = nil, nil
		}
		if err == nil {
			err = work(in, live)
		}
		switch {
		case err == nil:
			return nil
		case apierrors.IsConflict(err) && i < attempts:
		default:
			return fmt.Errorf("%s %s %s: %w", doing, kind.Kind, o.ID, err)
		}
	}
}

func putBack(ctx context.Context, in dynamic.ResourceInterface, o Object, live *unstructured.Unstructured) error {
	if live == nil {
		_, err := apply(ctx, in, o, empty(o))
		return err
	}
	r := Compare(o, live)
	if len(r.Differences) == 0 {
		return nil
	}
	if o.Manager == "" {
		o.Manager = guessed(live)
	}
	var err error
	if r.Unowned {
		// The API server itself then says what is in the object beside what is
		// applied: it gives that to a manager of its own.
		if live, err = disown(ctx, in, live); err != nil {
			return err
		}
	}
	if live, err = apply(ctx, in, o, live); err != nil {
		return err
	}
	taken, err := takeOver(ctx, in, o, live)
	if err != nil {
		return err
	}
	if taken != nil {
		if live, err = apply(ctx, in, o, taken); err != nil {
			return err
		}
	}
	if r = Compare(o, live); len(r.Differences) > 0 {
		var paths []string
		for _, d := range r.Differences {
			paths = append(paths, d.Path)
		}
		return fmt.Errorf("%w: %s (%s)", ErrKept, strings.Join(paths, ", "), r.Why())
	}
	return nil
}

// empty is an object of which there is nothing but its place.
func empty(o Object) *unstructured.Unstructured {
	out := &unstructured.Unstructured{Object: map[string]any{}}
	if kind, err := o.kind(); err == nil {
		out.SetGroupVersionKind(kind)
	}
	namespace, name := o.place()
	out.SetNamespace(namespace)
	out.SetName(name)
	return out
}

// apply applies the object as the layer did, over whatever is there.
func apply(ctx context.Context, in dynamic.ResourceInterface, o Object, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	u := (&unstructured.Unstructured{Object: o.Want}).DeepCopy()
	u.SetGroupVersionKind(live.GroupVersionKind())
	u.SetName(live.GetName())
	u.SetNamespace(live.GetNamespace())
	delete(u.Object, "status")
	body, err := json.Marshal(u.Object)
	if err != nil {
		return nil, fmt.Errorf("encode the object: %w", err)
	}
	force := true
	how := metav1.PatchOptions{FieldManager: o.Manager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	got, err := in.Patch(ctx, live.GetName(), types.ApplyPatchType, body, how)
	if _, may := remade[live.GroupVersionKind().GroupKind()]; !may || !apierrors.IsInvalid(err) {
		return got, err
	}
	uid := live.GetUID()
	if err := in.Delete(ctx, live.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); err != nil {
		return nil, err
	}
	return in.Patch(ctx, live.GetName(), types.ApplyPatchType, body, how)
}

// remade are the fields that Kubernetes lets nobody change, by kind, of the kinds
// that hold nothing of anybody's: their objects are deleted and applied again
// where no change can put them back. No other kind ever is. The checks are the API
// server's: kubernetes/kubernetes, ValidateStorageClassUpdate in
// pkg/apis/storage/validation, ValidateClusterRoleBindingUpdate and
// ValidateRoleBindingUpdate in pkg/apis/rbac/validation, ValidateConfigMapUpdate
// in pkg/apis/core/validation.
var remade = map[schema.GroupKind][]string{
	{Kind: "ConfigMap"}: {"immutable"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"},
}

// Remakable reports whether the object is of a kind that holds nothing of
// anybody's: it may be deleted, to be made again.
func (o Object) Remakable() bool {
	kind, err := o.kind()
	return err == nil && remade[kind.GroupKind()] != nil
}

// Remade reports whether no update can put the object back: it was made again
// with another value where Kubernetes lets nobody change it. PutBack can. The
// engine cannot: pulumi-kubernetes sends an update, or previews a creation over
// what is there, and the API server refuses both (provider/pkg/await/await.go).
func (r Result) Remade() bool {
	kind, err := r.Object.kind()
	return err == nil && slices.ContainsFunc(remade[kind.GroupKind()], func(field string) bool {
		return slices.ContainsFunc(r.Differences, func(d finding.Difference) bool {
			rest, is := strings.CutPrefix(d.Path, field)
			return is && (rest == "" || strings.ContainsAny(rest[:1], ".["))
		})
	})
}

// disown takes the whole record of who owns what off an object.
func disown(ctx context.Context, in dynamic.ResourceInterface, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	// An empty list would be taken for "as it was"; one empty entry is how it is
	// cleared: https://kubernetes.io/docs/reference/using-api/server-side-apply/#clearing-managedfields
	return record(ctx, in, live, []metav1.ManagedFieldsEntry{{}})
}

// takeOver makes the layer the owner of what others own of the object, so that
// its next apply removes what it does not ask for. nil: nobody else owns anything.
// client-go's csaupgrade does this for one manager that updates; here it is for
// all of them, and not for what the cluster itself writes.
func takeOver(ctx context.Context, in dynamic.ResourceInterface, o Object, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	entries := live.GetManagedFields()
	all, err := ownersOf(entries, o.Manager)
	if err != nil {
		return nil, err
	}
	kind := live.GroupVersionKind().GroupKind()
	mine := slices.IndexFunc(entries, func(e metav1.ManagedFieldsEntry) bool { return ours(e, o.Manager) })
	if mine < 0 {
		return nil, errors.New("what was just applied has no owner on record")
	}
	union, kept, taken := all[mine].set, []metav1.ManagedFieldsEntry{}, false
	for i, e := range entries {
		if i == mine {
			continue
		}
		stays, goes := split(kind, all[i].set)
		if !goes.Empty() {
			union, taken = union.Union(goes), true
		}
		if !stays.Empty() {
			if e.FieldsV1, err = fieldsOf(stays); err != nil {
				return nil, err
			}
			kept = append(kept, e)
		}
	}
	if !taken {
		return nil, nil
	}
	entry := entries[mine]
	if entry.FieldsV1, err = fieldsOf(union); err != nil {
		return nil, err
	}
	return record(ctx, in, live, append(kept, entry))
}

// split parts what an entry owns into what the cluster itself writes and the rest.
func split(kind schema.GroupKind, set *fieldpath.Set) (stays, goes *fieldpath.Set) {
	stays = &fieldpath.Set{}
	set.Leaves().Iterate(func(p fieldpath.Path) {
		if allowed(kind, p) {
			stays.Insert(p.Copy())
		}
	})
	if set.Leaves().Difference(stays).Empty() {
		return set, &fieldpath.Set{}
	}
	return stays, set.Difference(stays)
}

func fieldsOf(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	raw, err := set.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("encode the owned fields: %w", err)
	}
	return &metav1.FieldsV1{Raw: raw}, nil
}

// record writes who owns what, unless somebody has written to the object since
// it was read.
func record(ctx context.Context, in dynamic.ResourceInterface, live *unstructured.Unstructured, entries []metav1.ManagedFieldsEntry) (*unstructured.Unstructured, error) {
	// "replace" of the version, and not "test": a write in between is a conflict
	// then, and no invalid request.
	body, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": entries},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
	if err != nil {
		return nil, fmt.Errorf("encode the owned fields: %w", err)
	}
	return in.Patch(ctx, live.GetName(), types.JSONPatchType, body, metav1.PatchOptions{})
}
