package kubelive

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"freehold.dev/freehold/internal/finding"
)

// changedPods lists the pods of the layer's own workloads that do not run what
// their ReplicaSet says: somebody gave a running pod another image, or a
// container for debugging, or made a pod that only says whose it is. Kubernetes
// makes a pod anew when it is removed.
func (l *look) changedPods(ctx context.Context, byUID map[types.UID]head, belongs func(head) bool) []Stray {
	sets := map[types.UID]*unstructured.Unstructured{}
	for _, o := range l.listOwn(ctx, "apps", "ReplicaSet", byUID) {
		sets[o.GetUID()] = &o
	}
	var out []Stray
	for _, pod := range l.listOwn(ctx, "", "Pod", byUID) {
		ref, h := metav1.GetControllerOf(&pod), byUID[pod.GetUID()]
		if ref == nil || sets[ref.UID] == nil {
			continue
		}
		if root, _ := rootOf(h, byUID); !belongs(root) {
			continue // it goes with what it was made of
		}
		if d := containersDiffer(sets[ref.UID], &pod); len(d) > 0 {
			s := stray(h, "it does not run what ReplicaSet "+ref.Name+" says")
			s.Differences = d
			out = append(out, s)
		}
	}
	return out
}

// listOwn are the objects of a kind in the layer's own namespace, if there are any.
func (l *look) listOwn(ctx context.Context, group, kind string, known map[types.UID]head) []unstructured.Unstructured {
	k, is := l.kind(group, kind)
	some := false
	for _, h := range known {
		some = some || h.kind == k.kind
	}
	if !is || !some {
		return nil
	}
	list, err := l.client.in(shelf{k.resource, l.sought.Namespace}).List(ctx, metav1.ListOptions{})
	if err != nil {
		l.reading.failure("in namespace "+l.sought.Namespace, k, err)
		return nil
	}
	return slices.DeleteFunc(list.Items, func(o unstructured.Unstructured) bool { _, is := known[o.GetUID()]; return !is })
}

// runsWhat are the fields of a container that say what it runs. What admission
// adds to a pod, volumes and variables with a token, is beside them.
var runsWhat = []string{"image", "command", "args", "securityContext"}

// containersDiffer compares what a pod runs with its template.
func containersDiffer(set, pod *unstructured.Unstructured) []finding.Difference {
	var out []finding.Difference
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		want, _, _ := unstructured.NestedSlice(set.Object, "spec", "template", "spec", list)
		have, _, _ := unstructured.NestedSlice(pod.Object, "spec", list)
		for i, c := range have {
			at := finding.JoinIndex("spec."+list, i)
			is, _ := c.(map[string]any)
			j := slices.IndexFunc(want, func(w any) bool { m, _ := w.(map[string]any); return m["name"] == is["name"] })
			if j < 0 {
				out = append(out, finding.Difference{Path: at, Have: finding.Text(c)})
				continue
			}
			should, _ := want[j].(map[string]any)
			for _, field := range runsWhat {
				if !equal(should[field], is[field]) {
					out = append(out, finding.Difference{Path: at + "." + field, Want: finding.Text(should[field]), Have: finding.Text(is[field])})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b finding.Difference) int { return strings.Compare(a.Path, b.Path) })
	return out
}
