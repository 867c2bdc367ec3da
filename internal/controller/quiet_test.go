package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// writes are how many the API server has answered, by verb and kind, of those
// that are about projects: its own count, whoever wrote.
func (k *cluster) writes() map[string]int {
	k.t.Helper()
	text, err := k.raw.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(text)) {
		labels, ok := strings.CutPrefix(line, "apiserver_request_total{")
		if !ok {
			continue
		}
		labels, value, _ := strings.Cut(labels, "} ")
		has := func(label string) func(string) bool {
			return func(v string) bool { return strings.Contains(labels, label+`="`+v+`"`) }
		}
		verbs := []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"}
		kinds := []string{"projects", "namespaces", "resourcequotas", "limitranges", "networkpolicies", "serviceaccounts", "rolebindings", "pods"}
		verb, kind := slices.IndexFunc(verbs, has("verb")), slices.IndexFunc(kinds, has("resource"))
		if verb < 0 || kind < 0 {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			k.t.Fatal(err)
		}
		counts[verbs[verb]+" "+kinds[kind]] += int(n)
	}
	return counts
}

// seen is how many writes the API server has answered.
func (k *cluster) seen() int {
	k.t.Helper()
	sum := 0
	for _, n := range k.writes() {
		sum += n
	}
	return sum
}

// uncounted names something that Kubernetes has yet to do or to count in a project's
// namespace, or a count that the project's status does not show yet. It is empty when
// nothing is left. Until then, more writes are due.
func (k *cluster) uncounted() string {
	k.t.Helper()
	var quotas corev1.ResourceQuotaList
	var files corev1.ConfigMapList
	var projects v1alpha1.ProjectList
	if err := errors.Join(
		k.List(k.t.Context(), &quotas, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}),
		k.List(k.t.Context(), &files),
		k.List(k.t.Context(), &projects),
	); err != nil {
		k.t.Fatal(err)
	}
	authority, said := map[string]bool{}, map[string]map[string]v1alpha1.Usage{}
	for _, f := range files.Items {
		authority[f.Namespace] = authority[f.Namespace] || f.Name == "kube-root-ca.crt"
	}
	for _, p := range projects.Items {
		said[p.Name] = p.Status.Quota
	}
	there := k.counts()
	for _, q := range quotas.Items {
		switch {
		case q.DeletionTimestamp != nil:
		case !authority[q.Namespace]:
			return q.Namespace + " has no kube-root-ca.crt"
		case !equality.Semantic.DeepEqual(q.Status.Hard, q.Spec.Hard):
			return q.Namespace + "'s quota has not been counted"
		}
		for name, n := range there {
			bound, used := q.Status.Hard[name], q.Status.Used[name]
			if !bound.IsZero() && used.Value() != n[q.Namespace] {
				return fmt.Sprintf("%s has %d %s, and %d are counted", q.Namespace, n[q.Namespace], name, used.Value())
			}
		}
		for name, u := range said[q.Namespace] {
			if used := q.Status.Used[corev1.ResourceName(name)]; used.Cmp(u.Used) != 0 {
				return fmt.Sprintf("%s uses %s %s, and its status says %s", q.Namespace, &used, name, &u.Used)
			}
		}
	}
	return ""
}

// counts are how many there are in each namespace of what a quota counts, by its names:
// a deletion is counted some time after it.
func (k *cluster) counts() map[corev1.ResourceName]map[string]int64 {
	k.t.Helper()
	counts := map[corev1.ResourceName]map[string]int64{}
	for name := range (v1alpha1.Quota{}).Counts() {
		resource, counted := strings.CutPrefix(name, "count/")
		if !counted && strings.Contains(resource, ".") {
			continue // some of a kind, such as services of one type
		}
		kind, err := k.RESTMapper().KindFor(schema.ParseGroupResource(resource).WithVersion(""))
		if err != nil {
			k.t.Fatal(err)
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind)
		if err := k.List(k.t.Context(), list); err != nil {
			k.t.Fatal(err)
		}
		n := map[string]int64{}
		for _, o := range list.Items {
			n[o.Namespace]++
		}
		counts[corev1.ResourceName(name)] = n
	}
	return counts
}

// settle waits until nobody has anything to write, nor has written for a while. It
// looks at least four times: after a machine has stood still, one look proves nothing.
func (k *cluster) settle(during time.Duration) map[string]int {
	k.t.Helper()
	last, since, looks, end := k.writes(), time.Now(), 0, time.Now().Add(patience)
	for time.Since(since) < during || looks < 4 {
		if time.Now().After(end) {
			k.t.Fatalf("somebody keeps writing, or has not: %s", k.uncounted())
		}
		time.Sleep(250 * time.Millisecond)
		looks++
		if now := k.writes(); !maps.Equal(now, last) || k.uncounted() != "" {
			last, since, looks = now, time.Now(), 0
		}
	}
	return last
}

// undisturbed waits until nobody has anything to write, then runs do and fails with
// the fault that do returns. Kubernetes recounts its quotas when it likes, and a new
// count is followed by a write of the project's status. A fault during a recount proves
// nothing, so do runs again.
func (k *cluster) undisturbed(do func() string) {
	k.t.Helper()
	const counts = "PUT resourcequotas" // nobody else replaces quotas
	for end := time.Now().Add(patience); ; {
		before := k.settle(settled)[counts]
		fault := do()
		if fault == "" {
			return
		}
		if k.writes()[counts] == before || time.Now().After(end) {
			k.t.Error(fault)
			return
		}
	}
}

// quiet waits until nobody has anything to write, and then fails if somebody
// writes for a while.
func (k *cluster) quiet(during time.Duration) {
	k.t.Helper()
	k.undisturbed(func() string {
		before, were := k.writes(), k.stored()
		time.Sleep(during)
		now := k.writes()
		if maps.Equal(now, before) {
			return ""
		}
		return fmt.Sprintf("somebody wrote what has not changed (-before +after):\n%s%s", cmp.Diff(before, now), cmp.Diff(were, k.stored()))
	})
}

// stored are the projects and their quotas as YAML, by kind and name.
func (k *cluster) stored() map[string]string {
	k.t.Helper()
	all := map[string]string{}
	for kind, list := range map[string]client.ObjectList{"project": &v1alpha1.ProjectList{}, "quota of": &corev1.ResourceQuotaList{}} {
		if err := k.List(k.t.Context(), list); err != nil {
			k.t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, o := range items {
			item := o.(client.Object)
			text, err := yaml.Marshal(item)
			if err != nil {
				k.t.Fatal(err)
			}
			all[kind+" "+item.GetNamespace()+item.GetName()] = string(text)
		}
	}
	return all
}
