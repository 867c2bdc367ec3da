package kubeprovider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestARolloutIsCompleteWhenEveryNewReplicaIsAvailable(t *testing.T) {
	status := func(observed, replicas, updated, available int64, conditions ...any) object {
		return object{
			"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available, "conditions": conditions,
		}
	}
	unavailable := object{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": "it says no"}
	late := object{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "it says no"}
	for name, c := range map[string]struct {
		status object
		want   progress
	}{
		"complete":                     {status(2, 2, 2, 2), progress{done: true}},
		"the old generation's status":  {status(1, 2, 2, 2), progress{waits: "the rollout to be observed"}},
		"an old failure is not ours":   {status(1, 2, 2, 2, late), progress{waits: "the rollout to be observed"}},
		"not all are updated":          {status(2, 2, 1, 2), progress{waits: "the rollout: 1 of 2 replicas are updated"}},
		"old ones are still there":     {status(2, 3, 2, 2), progress{waits: "the rollout: old replicas are ending"}},
		"not all are available":        {status(2, 2, 2, 1, unavailable), progress{waits: "the rollout: 1 of 2 replicas are available: it says no"}},
		"the deadline has passed":      {status(2, 2, 2, 1, unavailable, late), progress{failed: true, waits: "the rollout exceeded its progress deadline: it says no"}},
		"no status is not a good sign": {nil, progress{waits: "the rollout to be observed"}},
	} {
		t.Run(name, func(t *testing.T) {
			live := &unstructured.Unstructured{Object: object{"metadata": object{"generation": int64(2)}, "spec": object{"replicas": int64(2)}, "status": c.status}}
			if diff := cmp.Diff(c.want, deployment(live), cmp.AllowUnexported(progress{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
