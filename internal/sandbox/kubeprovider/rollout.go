package kubeprovider

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// revision is the annotation by which a Deployment names its current ReplicaSet.
const revision = "deployment.kubernetes.io/revision"

// judgeDeployment gathers what a rollout is judged by.
func judgeDeployment(ctx context.Context, c *cluster, a awaited) (progress, error) {
	sets, err := c.list(ctx, "apps", "replicasets", a.live.GetNamespace())
	if err != nil {
		return progress{}, err
	}
	var claims []unstructured.Unstructured
	if len(claimsOf(a.live)) > 0 {
		if claims, err = c.list(ctx, "", "persistentvolumeclaims", a.live.GetNamespace()); err != nil {
			return progress{}, err
		}
	}
	return rollout{a.live, sets, claims}.judge(), nil
}

// rollout is a Deployment with what belongs to it.
type rollout struct {
	live   *unstructured.Unstructured
	sets   []unstructured.Unstructured
	claims []unstructured.Unstructured
}

// judge says whether a rollout is complete: its controller has seen the
// Deployment, which is available; it has a ReplicaSet of the Deployment's
// revision with as many ready replicas as that wants; and from the second
// revision on the rollout has made the new ReplicaSet available. The
// Deployment's own counts of replicas do not matter, and a rollout that is late
// is still waited for (provider/pkg/await/deployment.go).
func (r rollout) judge() progress {
	if seen, found, _ := unstructured.NestedInt64(r.live.Object, "status", "observedGeneration"); !found || seen != r.live.GetGeneration() {
		return progress{waits: "Waiting for the Deployment to be observed", why: []string{"Minimum number of live Pods was not attained"}}
	}
	current := r.live.GetAnnotations()[revision]
	var available, rolled bool
	var why []string
	for _, c := range conditions(r.live) {
		good := c.status == "True"
		switch c.kind {
		case "Available":
			available = good
		case "Progressing":
			rolled = good && c.reason == "NewReplicaSetAvailable"
		default:
			continue
		}
		if !good && c.reason != "" {
			why = append(why, fmt.Sprintf("[%s] %s", c.reason, c.message))
		}
	}
	set := r.set(current)
	ready, want := int64(0), int64(1)
	if set != nil {
		if n, found, _ := unstructured.NestedInt64(set.Object, "spec", "replicas"); found {
			want = n
		}
		ready = count(set, "status", "readyReplicas")
	}
	updated := set != nil && ready >= want
	unbound := r.unbound()
	p := progress{ready: available && updated && (rolled || current == "1") && len(unbound) == 0, why: why}
	if p.ready {
		return progress{ready: true}
	}
	p.waits = fmt.Sprintf("Waiting for app ReplicaSet to be available (%d/%d Pods available)", ready, want)
	if len(unbound) > 0 {
		p.why = append(p.why, fmt.Sprintf("Failed to bind PersistentVolumeClaim(s): %q", unbound[0]))
	}
	switch {
	case !available:
		p.why = append(p.why, "Minimum number of live Pods was not attained")
	case current != "1" && !rolled, current == "1" && !updated:
		p.why = append(p.why, "Minimum number of Pods to consider the application live was not attained")
	case !updated:
		p.why = append(p.why, "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live")
	}
	return p
}

// set returns the Deployment's ReplicaSet of a revision.
func (r rollout) set(of string) *unstructured.Unstructured {
	for _, set := range r.sets {
		if set.GetAnnotations()[revision] != of {
			continue
		}
		for _, o := range set.GetOwnerReferences() {
			if o.UID == r.live.GetUID() {
				return &set
			}
		}
	}
	return nil
}

// unbound are the names of the claims in the Deployment's volumes that are there
// and have no volume.
func (r rollout) unbound() []string {
	wanted := claimsOf(r.live)
	var names []string
	for _, c := range r.claims {
		phase, _, _ := unstructured.NestedString(c.Object, "status", "phase")
		if wanted[c.GetName()] && phase != "" && phase != "Bound" {
			names = append(names, c.GetName())
		}
	}
	return names
}

func claimsOf(deployment *unstructured.Unstructured) map[string]bool {
	volumes, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "volumes")
	wanted := map[string]bool{}
	for _, v := range volumes {
		m, _ := v.(map[string]any)
		claim, _ := m["persistentVolumeClaim"].(map[string]any)
		if name := stringOf(claim["claimName"]); name != "" {
			wanted[name] = true
		}
	}
	return wanted
}
