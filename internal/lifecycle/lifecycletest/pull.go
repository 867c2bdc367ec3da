package lifecycletest

import (
	"encoding/json"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

// PullFrom lets the namespace controllers of this world's clusters pull the sets of
// their orgs: whenever somebody looks at the Projects of a cluster, its controller
// has just asked, if it has a source and the right to make Projects. After an error
// the cluster stays as it is.
func (w *World) PullFrom(set func(org string) (v1alpha1.ProjectSet, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.source = set
}

// pull is one round of the namespace controller of a cluster.
func (w *World) pull(cluster string) {
	w.mu.Lock()
	source, org := w.source, w.puller(cluster)
	w.mu.Unlock()
	if source == nil || org == "" {
		return
	}
	set, err := source(org) // it may ask a registry that this world counts the writes of
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.puller(cluster) == "" {
		return
	}
	listed := map[string]bool{}
	for _, p := range set.Projects {
		listed[p.Name] = true
		w.put(cluster, p)
	}
	for _, t := range slices.Clone(w.data.Things) {
		if t.Where == cluster && isPulled(t) && !listed[t.ID] && w.unapply(t) != nil {
			t.Going = true
		}
	}
}

// puller is the org whose set a cluster's controller pulls; empty: it pulls none.
// The caller holds w.mu.
func (w *World) puller(cluster string) string {
	controller := w.find(cluster, controllerType, "namespace-controller")
	if controller == nil || w.data.Crashing || w.find(cluster, bindingType, stacks.ProjectSourceBinding) == nil {
		return ""
	}
	if n, scaled := controller.Added["spec.replicas"].(int); scaled && n == 0 {
		return ""
	}
	i := slices.IndexFunc(w.data.Things, func(t *Thing) bool { return t.Type == clusterType && t.ARN == cluster })
	if i < 0 {
		return ""
	}
	tags, _ := w.data.Things[i].Inputs["tags"].(map[string]any)
	return text(tags, plan.TagOrg)
}

// put makes a Project of a set, or gives one that was pulled the set's spec. The
// caller holds w.mu.
func (w *World) put(cluster string, p v1alpha1.NamedProject) {
	t := w.find(cluster, projectType, p.Name)
	if t == nil {
		_, _ = w.apply(cluster, projectType, map[string]any{
			"metadata": map[string]any{"name": p.Name, "labels": map[string]any{v1alpha1.LabelSource: v1alpha1.SourceAPI}}, "spec": plain(p.Spec),
		})
		return
	}
	if isPulled(t) && !t.Going {
		t.Inputs["spec"] = plain(p.Spec)
	}
}

// isPulled reports whether a thing is a Project of a set.
func isPulled(t *Thing) bool {
	if t.Type != projectType {
		return false
	}
	meta, _ := t.Inputs["metadata"].(map[string]any)
	labels, _ := meta["labels"].(map[string]any)
	return text(labels, v1alpha1.LabelSource) == v1alpha1.SourceAPI
}

// plain is a value as an API server keeps it.
func plain(v any) (out map[string]any) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("write %T: %v", v, err)) // plain text, numbers and lists only
	}
	return out
}
