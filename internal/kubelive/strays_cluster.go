package kubelive

import (
	"context"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/finding"
)

// judge says why an object is a stray; false: it is none.
type judge func(l *look, k listed, o *unstructured.Unstructured) (Stray, bool)

// watch is a kind in a namespace, or in the whole cluster.
type watch struct {
	group, kind, namespace string
	judge                  judge
}

// watched are the kinds of which an object that nobody declared matters by
// itself: it gives rights past the namespaces, or sees and changes what others
// send to the API server.
var watched = []watch{
	{rbacGroup, "ClusterRoleBinding", "", judgeBinding("it gives rights in the whole cluster")},
	{rbacGroup, "RoleBinding", systemSpace, judgeBinding("it gives rights in " + systemSpace)},
	{rbacGroup, "ClusterRole", "", judgeEverybodysRole},
	{"admissionregistration.k8s.io", "MutatingWebhookConfiguration", "", judgeHook("it sees and changes what is sent to the API server")},
	{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "", judgeHook("it sees and refuses what is sent to the API server")},
	{"admissionregistration.k8s.io", "MutatingAdmissionPolicy", "", always("it changes what is sent to the API server")},
	{"admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", "", always("it changes what is sent to the API server")},
	{"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "", always("it refuses what is sent to the API server")},
	{"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "", always("it refuses what is sent to the API server")},
	{"apiregistration.k8s.io", "APIService", "", judgeAPIService},
	{"storage.k8s.io", "StorageClass", "", judgeClass},
	{"freehold.dev", "Project", "", judgeProject},
}

// inCluster lists what matters in the whole cluster and no layer declares.
func (l *look) inCluster(ctx context.Context) []Stray {
	var mu sync.Mutex
	var out []Stray
	together(watched, func(w watch) {
		k, is := l.kind(w.group, w.kind)
		if !is {
			return // there can be none
		}
		list, err := l.client.in(shelf{k.resource, w.namespace}).List(ctx, metav1.ListOptions{})
		if err != nil {
			where := "in the whole cluster"
			if w.namespace != "" {
				where = "in namespace " + w.namespace
			}
			l.reading.failure(where, k, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range list.Items {
			o := &list.Items[i]
			if l.declared[headOf(k, o).key()] {
				continue
			}
			if s, is := w.judge(l, k, o); is {
				s.Live = o.Object
				out = append(out, s)
			}
		}
	})
	return out
}

func always(why string) judge {
	return func(_ *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
		return stray(headOf(k, o), "no layer declares it: "+why), true
	}
}

func judgeHook(why string) judge {
	return func(l *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
		if eksHook(o) {
			return Stray{}, false
		}
		return always(why)(l, k, o)
	}
}

func judgeAPIService(l *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
	by := servedBy(o)
	if by == "" || o.GetName() == eksMetrics && by == eksMetricsService {
		return Stray{}, false
	}
	return always("service "+by+" answers requests in the API server's place")(l, k, o)
}

func judgeClass(l *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
	if !defaultClass(o) {
		return Stray{}, false
	}
	return always("volumes that name no class are made by it, and not with the org's key")(l, k, o)
}

func judgeProject(l *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
	if l.sought.Pulled && o.GetLabels()[v1alpha1.LabelSource] == v1alpha1.SourceAPI {
		return Stray{}, false
	}
	s, _ := always("the controller keeps a namespace for it, and lets its members in")(l, k, o)
	if policy, _, _ := unstructured.NestedString(o.Object, "spec", "deletionPolicy"); policy == "Delete" {
		s.Kept = true
		s.Why += "; its deletionPolicy is Delete, so its namespace would go with it: remove it with kubectl"
	}
	return s, true
}

// judgeBinding leaves what the cluster itself binds, and what gives nothing to
// anybody.
func judgeBinding(why string) judge {
	return func(l *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
		subjects, _, _ := unstructured.NestedSlice(o.Object, "subjects")
		role, h := roleOf(o), headOf(k, o)
		g, known := standingGrant(h.id(), role)
		var kept, others []any
		for _, s := range subjects {
			if text := subjectOf(s); slices.Contains(g.subjects, text) || !l.sought.gains(text, role) {
				kept = append(kept, s)
			} else {
				others = append(others, s)
			}
		}
		switch {
		case len(others) == 0:
			return Stray{}, false
		case known:
			return added(h, "subjects", kept, subjects, fmt.Sprintf("the cluster's own binding of %s; somebody was added to it", role)), true
		default:
			return stray(h, fmt.Sprintf("no layer declares it: %s, %s", why, role)), true
		}
	}
}

// judgeEverybodysRole finds what was added to a role that everybody has. Other
// roles give nothing until somebody binds them.
func judgeEverybodysRole(_ *look, k listed, o *unstructured.Unstructured) (Stray, bool) {
	known, everybodys := everybodysRoles[o.GetName()]
	if !everybodys {
		return Stray{}, false
	}
	rules, _, _ := unstructured.NestedSlice(o.Object, "rules")
	kept := slices.DeleteFunc(slices.Clone(rules), func(r any) bool { return !within(r, known) })
	if len(kept) == len(rules) {
		return Stray{}, false
	}
	return added(headOf(k, o), "rules", kept, rules, "a role of Kubernetes' own that everybody has; somebody added to it"), true
}

// added is what somebody added to an object of the cluster itself, which is
// never removed as a whole.
func added(h head, field string, own, live []any, why string) Stray {
	s := stray(h, why)
	s.Differences = []finding.Difference{{Path: field, Want: finding.Text(own), Have: finding.Text(live)}}
	s.back = map[string]any{field: own}
	return s
}
