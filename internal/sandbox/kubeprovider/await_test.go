package kubeprovider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestARolloutIsCompleteWhenItsReplicaSetIsReady(t *testing.T) {
	condition := func(kind, status, reason string) any {
		return object{"type": kind, "status": status, "reason": reason, "message": "it says so"}
	}
	available, unavailable := condition("Available", "True", "MinimumReplicasAvailable"), condition("Available", "False", "MinimumReplicasUnavailable")
	rolled, rolling := condition("Progressing", "True", "NewReplicaSetAvailable"), condition("Progressing", "True", "ReplicaSetUpdated")
	late := condition("Progressing", "False", "ProgressDeadlineExceeded")
	deployment := func(rev string, seen int64, conditions ...any) object {
		return object{
			"metadata": object{"name": "web", "uid": "d", "generation": int64(2), "annotations": object{revision: rev}},
			"spec":     object{"template": object{"spec": object{"volumes": []any{object{"persistentVolumeClaim": object{"claimName": "data"}}}}}},
			"status":   object{"observedGeneration": seen, "conditions": conditions},
		}
	}
	set := func(owner, rev string, want, ready int64) unstructured.Unstructured {
		return unstructured.Unstructured{Object: object{
			"metadata": object{"name": "web-" + rev, "annotations": object{revision: rev}, "ownerReferences": []any{object{"uid": owner}}},
			"spec":     object{"replicas": want}, "status": object{"readyReplicas": ready},
		}}
	}
	claim := func(phase string) []unstructured.Unstructured {
		return []unstructured.Unstructured{{Object: object{"metadata": object{"name": "data"}, "status": object{"phase": phase}}}}
	}
	const (
		minimum   = "Minimum number of live Pods was not attained"
		notLive   = "Minimum number of Pods to consider the application live was not attained"
		forward   = "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"
		deadline  = "[ProgressDeadlineExceeded] it says so"
		noMinimum = "[MinimumReplicasUnavailable] it says so"
	)
	waits := func(ready, want string) string {
		return "Waiting for app ReplicaSet to be available (" + ready + "/" + want + " Pods available)"
	}
	for name, c := range map[string]struct {
		live   object
		sets   []unstructured.Unstructured
		claims []unstructured.Unstructured
		want   progress
	}{
		"complete":                 {deployment("2", 2, available, rolled), []unstructured.Unstructured{set("d", "1", 0, 0), set("d", "2", 2, 2)}, claim("Bound"), progress{ready: true}},
		"the first needs no roll":  {deployment("1", 2, available, rolling), []unstructured.Unstructured{set("d", "1", 2, 2)}, nil, progress{ready: true}},
		"nobody has seen it":       {deployment("2", 1, available, rolled), []unstructured.Unstructured{set("d", "2", 2, 2)}, nil, progress{waits: "Waiting for the Deployment to be observed", why: []string{minimum}}},
		"no ReplicaSet":            {deployment("2", 2, available, rolled), nil, nil, progress{waits: waits("0", "1"), why: []string{forward}}},
		"another one's ReplicaSet": {deployment("2", 2, available, rolled), []unstructured.Unstructured{set("other", "2", 2, 2)}, nil, progress{waits: waits("0", "1"), why: []string{forward}}},
		"an old one's ReplicaSet":  {deployment("2", 2, available, rolled), []unstructured.Unstructured{set("d", "1", 2, 2)}, nil, progress{waits: waits("0", "1"), why: []string{forward}}},
		"no revision":              {deployment("", 2, available, rolled), nil, nil, progress{waits: waits("0", "1"), why: []string{forward}}},
		"not all are ready":        {deployment("2", 2, available, rolled), []unstructured.Unstructured{set("d", "2", 2, 1)}, nil, progress{waits: waits("1", "2"), why: []string{forward}}},
		"it still rolls":           {deployment("2", 2, available, rolling), []unstructured.Unstructured{set("d", "2", 2, 2)}, nil, progress{waits: waits("2", "2"), why: []string{notLive}}},
		"not available":            {deployment("1", 2, unavailable), []unstructured.Unstructured{set("d", "1", 2, 1)}, nil, progress{waits: waits("1", "2"), why: []string{noMinimum, minimum}}},
		"late is not failed":       {deployment("2", 2, available, late), []unstructured.Unstructured{set("d", "2", 2, 1)}, nil, progress{waits: waits("1", "2"), why: []string{deadline, notLive}}},
		"a claim without a volume": {deployment("2", 2, available, rolled), []unstructured.Unstructured{set("d", "2", 2, 2)}, claim("Pending"), progress{waits: waits("2", "2"), why: []string{`Failed to bind PersistentVolumeClaim(s): "data"`}}},
		"a set scaled to none":     {deployment("2", 2, available, rolled), []unstructured.Unstructured{set("d", "2", 0, 0)}, nil, progress{ready: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got := rollout{&unstructured.Unstructured{Object: c.live}, c.sets, c.claims}.judge()
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(progress{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsWaitedForIsReadyWhenItsStatusSaysSo(t *testing.T) {
	kinds := map[string]func(*unstructured.Unstructured) progress{
		"StatefulSet": statefulSet, "DaemonSet": daemonSet, "Job": job, "Pod": pod, "Ingress": ingress, "Quota": resourceQuota, "Token": tokenSecret,
	}
	for name, c := range map[string]struct {
		kind         string
		spec, status object
		ready        bool
	}{
		"a set of one revision":            {"StatefulSet", object{"replicas": int64(2)}, object{"observedGeneration": int64(2), "replicas": int64(2), "readyReplicas": int64(2), "currentReplicas": int64(2), "currentRevision": "a", "updateRevision": "a"}, true},
		"a set between two":                {"StatefulSet", object{"replicas": int64(2)}, object{"observedGeneration": int64(2), "replicas": int64(2), "readyReplicas": int64(2), "currentReplicas": int64(2), "currentRevision": "a", "updateRevision": "b"}, false},
		"a set that waits for its deletes": {"StatefulSet", object{"replicas": int64(2), "updateStrategy": object{"type": "OnDelete"}}, object{"observedGeneration": int64(2), "replicas": int64(2), "readyReplicas": int64(2), "currentRevision": "a", "updateRevision": "b"}, true},
		"a set that nobody has seen":       {"StatefulSet", object{"replicas": int64(2)}, object{"observedGeneration": int64(1), "replicas": int64(2), "readyReplicas": int64(2), "currentReplicas": int64(2), "currentRevision": "a", "updateRevision": "a"}, false},
		"a daemon on all nodes":            {"DaemonSet", nil, object{"observedGeneration": int64(2), "desiredNumberScheduled": int64(1), "currentNumberScheduled": int64(1), "updatedNumberScheduled": int64(1), "numberAvailable": int64(1), "numberReady": int64(1)}, true},
		"a daemon that is not everywhere":  {"DaemonSet", nil, object{"observedGeneration": int64(2), "desiredNumberScheduled": int64(2), "currentNumberScheduled": int64(2), "updatedNumberScheduled": int64(1), "numberAvailable": int64(2), "numberReady": int64(2)}, false},
		"a job that has succeeded":         {"Job", nil, object{"startTime": "now", "conditions": []any{object{"type": "Complete", "status": "True"}}}, true},
		"a job that runs":                  {"Job", nil, object{"startTime": "now", "active": int64(1)}, false},
		"a pod that is ready":              {"Pod", nil, object{"phase": "Running", "conditions": []any{object{"type": "Ready", "status": "True"}}}, true},
		"a pod that nobody schedules":      {"Pod", nil, object{"phase": "Pending", "conditions": []any{object{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no nodes"}}}, false},
		"an address":                       {"Ingress", nil, object{"loadBalancer": object{"ingress": []any{object{"hostname": "x"}}}}, true},
		"no address":                       {"Ingress", nil, object{"loadBalancer": object{}}, false},
		"a quota that is enforced":         {"Quota", object{"hard": object{"pods": "5"}}, object{"hard": object{"pods": "5"}}, true},
		"a quota that nobody enforces":     {"Quota", object{"hard": object{"pods": "5"}}, object{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			live := &unstructured.Unstructured{Object: object{"metadata": object{"name": "x", "generation": int64(2)}, "spec": c.spec, "status": c.status}}
			if got := kinds[c.kind](live); got.ready != c.ready {
				t.Errorf("it is %+v", got)
			}
		})
	}
	failed := job(&unstructured.Unstructured{Object: object{"metadata": object{"name": "x"}, "status": object{
		"startTime": "now", "conditions": []any{object{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}},
	}}})
	if diff := cmp.Diff(progress{failed: true, why: []string{"[BackoffLimitExceeded] too often"}}, failed, cmp.AllowUnexported(progress{})); diff != "" {
		t.Errorf("a job that has failed (-want +got):\n%s", diff)
	}
}

func TestWhatAProgramWaitsForIsWhatItsAnnotationSays(t *testing.T) {
	live := &unstructured.Unstructured{Object: object{
		"metadata": object{"generation": int64(2)},
		"status": object{"phase": "Running", "observedGeneration": int64(2), "conditions": []any{
			object{"type": "Synced", "status": "True"}, object{"type": "Ready", "status": "False"},
		}},
	}}
	for text, want := range map[string]struct {
		ready bool
		err   string
	}{
		"condition=Synced":                                 {true, ""},
		"condition=synced=true":                            {true, ""},
		"condition=Ready":                                  {false, ""},
		"condition=Ready=False":                            {true, ""},
		"condition=Other":                                  {false, ""},
		"jsonpath={.status.phase}":                         {true, ""},
		"jsonpath={.status.phase}=Running":                 {true, ""},
		"jsonpath={.status.phase}=Gone":                    {false, ""},
		"jsonpath={.status.other}":                         {false, ""},
		`["condition=Synced", "jsonpath={.status.phase}"]`: {true, ""},
		`["condition=Ready", "jsonpath={.status.phase}"]`:  {false, ""},
		"[]":                         {false, "at least one condition must be specified"},
		"Ready":                      {false, `expected a "jsonpath=" or "condition=" prefix, got "Ready"`},
		"jsonpath=.status.phase":     {false, "should be wrapped in brackets"},
		"jsonpath='{.status.phase}'": {false, "should omit shell quotes"},
		"jsonpath={.status.phase}=":  {false, "requires a value"},
	} {
		t.Run(text, func(t *testing.T) {
			look, err := conditionsOf(text)
			said(t, "the annotation", err, want.err)
			if err != nil {
				return
			}
			p, err := look(t.Context(), nil, awaited{live: live})
			if err != nil || p.ready != want.ready {
				t.Errorf("it is %+v: %v", p, err)
			}
		})
	}
}
