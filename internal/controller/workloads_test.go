package controller

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/sandbox/controlplane"
)

// mortal lets some writes of workloads through and fails every write after them,
// as if the controller had been killed there.
type mortal struct {
	http.RoundTripper
	mu    sync.Mutex
	left  int
	spent chan struct{}
}

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Method != http.MethodGet {
		if m.left == 0 {
			return nil, errors.New("it was killed")
		}
		if r.Method == http.MethodPatch && (strings.Contains(r.URL.Path, "/apis/batch/") || strings.Contains(r.URL.Path, "/apis/apps/") || strings.Contains(r.URL.Path, "/replicationcontrollers/")) {
			if m.left--; m.left == 0 {
				defer close(m.spent)
			}
		}
	}
	return m.RoundTripper.RoundTrip(r)
}

// diesUntil runs one controller after the other, each of which ends after a few
// writes of workloads, until something is so.
func (k *cluster) diesUntil(what string, done func() bool) {
	k.t.Helper()
	for i, end := 0, time.Now().Add(patience); !done(); i++ {
		if time.Now().After(end) {
			k.t.Fatalf("not within %s: %s", patience, what)
		}
		m := &mortal{left: 2 + i%3, spent: make(chan struct{})}
		r := run(k.t, k.rc, often, func(o *Options) {
			o.Config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
				m.RoundTripper = rt
				return m
			})
		})
		for wait := true; wait && !done() && time.Now().Before(end); {
			select {
			case <-m.spent:
				wait = false
			case <-time.After(50 * time.Millisecond):
			}
		}
		if err := r.end(); err != nil {
			k.t.Error(err)
		}
	}
}

// runs says of each workload of a project that nobody controls what its setting
// is, and what it was before the project slept.
func (k *cluster) runs(name string) map[string]string {
	k.t.Helper()
	all := map[string]string{}
	for _, w := range workloads {
		list := w.list.DeepCopyObject().(client.ObjectList)
		if err := k.List(k.t.Context(), list, client.InNamespace(name)); err != nil {
			k.t.Fatal(err)
		}
		if err := meta.EachListItem(list, func(item runtime.Object) error {
			o := item.(client.Object)
			if metav1.GetControllerOf(o) != nil {
				return nil
			}
			kind, err := k.GroupVersionKindFor(o)
			says := setting(o)
			if was, marked := o.GetAnnotations()[v1alpha1.AnnotationBeforeHibernation]; marked {
				says += " was " + was
			}
			all[kind.Kind+" "+o.GetName()] = says
			return err
		}); err != nil {
			k.t.Fatal(err)
		}
	}
	return all
}

// startJobs runs Kubernetes' own controllers of jobs, which the sandbox has not:
// it has nodes for no pod.
func (k *cluster) startJobs() {
	k.t.Helper()
	kube, err := controlplane.FindTool("freehold-kube")
	if err != nil {
		k.t.Fatal(err)
	}
	cmd := exec.Command(kube, "kube-controller-manager", "--kubeconfig="+k.kubeconfig(), "--controllers=cronjob-controller,job-controller",
		"--leader-elect=false", "--secure-port=0")
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func TestWorkloadsSleepWithTheirProjectAndWakeAsTheyWere(t *testing.T) {
	k := start(t, definitionFile)
	k.startJobs()
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "x"}}, Spec: pod("", "").Spec}
	once := *template.DeepCopy()
	once.Labels, once.Spec.RestartPolicy = nil, corev1.RestartPolicyNever
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: "drowsy"} }
	chosen := &metav1.LabelSelector{MatchLabels: template.Labels}
	// Once a year: what it missed is started at once, or not at all.
	cronJob := func(name string, suspended bool) *batchv1.CronJob {
		return &batchv1.CronJob{ObjectMeta: named(name), Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", Suspend: &suspended, JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: once}},
		}}
	}
	job := func(name string, suspended bool) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: named(name), Spec: batchv1.JobSpec{Suspend: &suspended, Template: once}}
	}
	deployment := func(name string, replicas int32) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: named(name), Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: chosen, Template: template}}
	}

	r := run(t, k.rc)
	r.ready(t)
	k.make(project("drowsy", func(s *v1alpha1.ProjectSpec) { s.Quota.Pods, s.Quota.Objects = 20, v1alpha1.ObjectCounts{} }))
	k.ready("drowsy")
	for _, o := range []client.Object{
		cronJob("tick", false), cronJob("paused", true), job("work", false), job("held", true), deployment("web", 2), deployment("off", 0),
		&appsv1.StatefulSet{ObjectMeta: named("db"), Spec: appsv1.StatefulSetSpec{Selector: chosen, Template: template, ServiceName: "db"}},
		&appsv1.ReplicaSet{ObjectMeta: named("set"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(1)), Selector: chosen, Template: template}},
		&corev1.ReplicationController{ObjectMeta: named("old"), Spec: corev1.ReplicationControllerSpec{Replicas: new(int32(1)), Selector: template.Labels, Template: &template}},
		&appsv1.DaemonSet{ObjectMeta: named("agent"), Spec: appsv1.DaemonSetSpec{Selector: chosen, Template: template}},
		pod("drowsy", "bare"),
	} {
		k.make(o)
	}
	var work batchv1.Job
	eventually(t, "the job has its pod", func() bool {
		return k.Get(t.Context(), client.ObjectKey{Namespace: "drowsy", Name: "work"}, &work) == nil && work.Status.Active == 1
	})
	awake := k.runs("drowsy")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}

	k.change("drowsy", func(p *v1alpha1.Project) { p.Spec.Hibernate = true })
	asleep := map[string]string{
		"CronJob tick": "true was false", "CronJob paused": "true", "Job work": "true was false", "Job held": "true",
		"Deployment web": "0 was 2", "Deployment off": "0", "StatefulSet db": "0 was 1", "ReplicaSet set": "0 was 1",
		"ReplicationController old": "0 was 1", "DaemonSet agent": " was ",
	}
	k.diesUntil("everything is stopped", func() bool { return cmp.Equal(asleep, k.runs("drowsy")) })
	// Without a look each second: what comes is seen to come.
	r = run(t, k.rc)
	k.until("drowsy", "it hibernates", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseHibernated })
	eventually(t, "its pods are gone", func() bool {
		var pods corev1.PodList
		return k.List(t.Context(), &pods, client.InNamespace("drowsy")) == nil && len(pods.Items) == 0
	})
	if err := k.Get(t.Context(), client.ObjectKeyFromObject(&work), &work); err != nil || work.Status.Failed > 0 {
		t.Errorf("sleep is a failure of the job: %+v, %v", work.Status, err)
	}

	patch := func(o client.Object, body string) {
		t.Helper()
		if err := k.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(body))); err != nil {
			t.Fatal(err)
		}
	}
	k.make(cronJob("late", false))
	k.make(job("late", false))
	k.make(deployment("late", 3))
	patch(cronJob("tick", false), `{"spec":{"suspend":false}}`)
	patch(deployment("web", 2), `{"spec":{"replicas":5}}`)
	asleep["CronJob late"], asleep["Job late"], asleep["Deployment late"], asleep["Deployment web"] = "true was false", "true was false", "0 was 3", "0 was 5"
	eventually(t, "what came and changed meanwhile is stopped", func() bool { return cmp.Equal(asleep, k.runs("drowsy")) })
	k.undisturbed(func() string {
		sent := r.writes.n.Load()
		time.Sleep(2 * time.Second)
		if n := r.writes.n.Load() - sent; n > 0 {
			return fmt.Sprintf("%d writes in a project that sleeps and has not changed", n)
		}
		return ""
	})
	tick := cronJob("tick", true)
	if err := k.Status().Patch(t.Context(), tick, client.RawPatch("application/merge-patch+json", []byte(`{"status":{"lastScheduleTime":"2020-01-01T00:00:00Z"}}`))); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}

	awake["CronJob late"], awake["Job late"], awake["Deployment late"], awake["Deployment web"] = "false", "false", "3", "5"
	k.change("drowsy", func(p *v1alpha1.Project) { p.Spec.Hibernate = false })
	k.diesUntil("everything runs again", func() bool { return cmp.Equal(awake, k.runs("drowsy")) })
	run(t, k.rc)
	k.ready("drowsy")
	eventually(t, "the job runs again", func() bool {
		return k.Get(t.Context(), client.ObjectKeyFromObject(&work), &work) == nil && work.Status.Active == 1
	})
	// Whoever applies the workload with another number has no conflict with us.
	eventually(t, "its workloads are their owners' alone", func() bool {
		var all appsv1.DeploymentList
		var jobs batchv1.CronJobList
		if err := errors.Join(k.List(t.Context(), &all, client.InNamespace("drowsy")), k.List(t.Context(), &jobs, client.InNamespace("drowsy"))); err != nil {
			return false
		}
		ours := func(m metav1.ManagedFieldsEntry) bool { return m.Manager == fieldManager }
		return !slices.ContainsFunc(all.Items, func(o appsv1.Deployment) bool { return slices.ContainsFunc(o.ManagedFields, ours) }) &&
			!slices.ContainsFunc(jobs.Items, func(o batchv1.CronJob) bool { return slices.ContainsFunc(o.ManagedFields, ours) })
	})
	// A job that was missed would have been started by now, with the one that runs again.
	var jobs batchv1.JobList
	if err := k.List(t.Context(), &jobs, client.InNamespace("drowsy")); err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs.Items {
		if owner := metav1.GetControllerOf(&j); owner != nil {
			t.Errorf("on waking, %s %s started %s at once for what it missed", owner.Kind, owner.Name, j.Name)
		}
	}
	if diff := cmp.Diff(awake, k.runs("drowsy")); diff != "" {
		t.Errorf("awake (-before +after):\n%s", diff)
	}
}

func TestAMarkThatSomebodyWroteStartsNothingThatCannotBe(t *testing.T) {
	replicas, suspend := workload{field: "replicas"}, workload{field: "suspend"}
	for mark, want := range map[string]bool{"3": true, "0": false, "-1": false, "many": false, "": false, "99999999999": false} {
		if got := replicas.restorable(mark); got != want {
			t.Errorf("replicas were %q: %v", mark, got)
		}
	}
	if !suspend.restorable("false") || suspend.restorable("3") {
		t.Error("suspend was false, and nothing else")
	}
}
