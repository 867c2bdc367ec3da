package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
)

func touch(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// replicasOf returns the processes that stand for the Deployment's pods.
func replicasOf(t *testing.T, m *Manager) []process {
	t.Helper()
	return slices.DeleteFunc(supervisorOf(t, m).Children, func(p process) bool { return !strings.HasPrefix(p.Name, workloadName) })
}

// available tells the condition's message; empty when it is true.
func available(d *appsv1.Deployment) string {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentAvailable && c.Status != corev1.ConditionTrue {
			return c.Message
		}
	}
	return ""
}

// rolledOut holds the Deployment and its ReplicaSets to what whoever waits for a
// rollout looks at, newest first: "revision: replicas, ready".
func rolledOut(t *testing.T, client appsclient.AppsV1Interface, d *appsv1.Deployment, want ...string) {
	t.Helper()
	list, err := client.ReplicaSets(d.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + workloadName})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b appsv1.ReplicaSet) int { return int(revisionOf(&b) - revisionOf(&a)) })
	var got []string
	for _, set := range list.Items {
		got = append(got, fmt.Sprintf("%d: %d, %d ready", revisionOf(&set), *set.Spec.Replicas, set.Status.ReadyReplicas))
		hash := set.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		if hash == "" || set.Name != d.Name+"-"+hash || set.Spec.Selector.MatchLabels[appsv1.DefaultDeploymentUniqueLabelKey] != hash ||
			set.Spec.Template.Labels[appsv1.DefaultDeploymentUniqueLabelKey] != hash || !metav1.IsControlledBy(&set, d) || set.Status.ObservedGeneration != set.Generation {
			t.Errorf("this is no replica set of the deployment's: %+v", set)
		}
		for _, f := range set.ManagedFields {
			if f.Manager != "kube-controller-manager" {
				t.Errorf("%s writes replica set %s", f.Manager, set.Name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replica sets (-want +got):\n%s", diff)
	}
	if revision, _, _ := strings.Cut(want[0], ":"); d.Annotations[revisionAnnotation] != revision {
		t.Errorf("the deployment is of revision %q, want %s", d.Annotations[revisionAnnotation], revision)
	}
}

func TestADeploymentsStatusIsWhatItsProcessesAnswer(t *testing.T) {
	withController(t)
	m := started(t)
	readyFile, dieFile := filepath.Join(t.TempDir(), "ready"), filepath.Join(t.TempDir(), "die")
	config, err := m.RESTConfig(acme, admin)
	if err != nil {
		t.Fatal(err)
	}
	client, err := appsclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	deployments := client.Deployments(workloadNamespace)
	get := func() *appsv1.Deployment {
		d, err := deployments.Get(t.Context(), workloadName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: workloadNamespace}}
	if _, err := core(t, m, admin).Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"app": workloadName}
	_, err = deployments.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: workloadName},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					ServiceAccountName: "controller",
					Containers: []corev1.Container{{
						Name: "c", Image: "example.com/c",
						Env: []corev1.EnvVar{{Name: "READY_FILE", Value: readyFile}, {Name: "DIE_FILE", Value: dieFile}},
					}},
				},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	eventually(t, "the missing service account is named", func() bool { return strings.Contains(available(get()), `"controller" not found`) })
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "controller"}}
	if _, err := core(t, m, admin).ServiceAccounts(workloadNamespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process's own words are reported", func() bool { return strings.Contains(available(get()), "waiting for the first list") })
	if s := get().Status; s.AvailableReplicas != 0 || s.UnavailableReplicas != 1 || s.ObservedGeneration != 1 {
		t.Errorf("before it is ready, the status is %+v", s)
	}
	rolledOut(t, client, get(), "1: 1, 0 ready")

	touch(t, readyFile)
	eventually(t, "it is available", func() bool { return get().Status.AvailableReplicas == 1 && available(get()) == "" })
	rolledOut(t, client, get(), "1: 1, 1 ready")
	remove(t, readyFile)
	eventually(t, "it is not any more", func() bool { return get().Status.AvailableReplicas == 0 })
	touch(t, readyFile)
	eventually(t, "it is again", func() bool { return get().Status.AvailableReplicas == 1 })

	old := replicasOf(t, m)
	touch(t, dieFile)
	eventually(t, "its death is reported with its last words", func() bool { return strings.Contains(available(get()), "dying as asked") })
	remove(t, dieFile)
	// The next one may have died of the file as well, before it was removed.
	eventually(t, "another process is available", func() bool {
		now := replicasOf(t, m)
		return get().Status.AvailableReplicas == 1 && len(now) == 1 && now[0] != old[0]
	})

	remove(t, readyFile)
	d := get()
	d.Spec.Replicas = new(int32)
	*d.Spec.Replicas = 2
	d.Spec.Template.Spec.Containers[0].Image = "example.com/c:2"
	if _, err := deployments.Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two new processes are started", func() bool { return len(replicasOf(t, m)) == 2 })
	eventually(t, "the new generation is observed", func() bool { return get().Status.ObservedGeneration == 2 })
	if s := get().Status; s.AvailableReplicas != 0 {
		t.Errorf("the new generation is available before its processes are: %+v", s)
	}
	touch(t, readyFile)
	eventually(t, "both are available", func() bool { return get().Status.AvailableReplicas == 2 })
	rolledOut(t, client, get(), "2: 2, 2 ready", "1: 0, 0 ready")
	d = get()
	d.Spec.Template.Spec.Containers[0].Image = "example.com/c"
	if _, err := deployments.Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both of the first template are available", func() bool {
		return get().Status.ObservedGeneration == 3 && get().Status.AvailableReplicas == 2
	})
	rolledOut(t, client, get(), "3: 2, 2 ready", "2: 0, 0 ready")

	// What was true when the cluster stopped is not taken for true when it starts.
	remove(t, readyFile)
	if err := m.Stop(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if s := get().Status; s.AvailableReplicas != 0 {
		t.Errorf("right after a start, the status is %+v", s)
	}
	touch(t, readyFile)
	eventually(t, "both are available again", func() bool { return get().Status.AvailableReplicas == 2 })

	// And nobody sees that what is still ready was started again.
	if err := m.Stop(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if d := get(); d.Status.AvailableReplicas != 2 || available(d) != "" {
		t.Errorf("right after a start of what runs well, the status is %+v", d.Status)
	}

	// A process gets the files of its pod, and is not started without them.
	d = get()
	d.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	if _, err := deployments.Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a volume that it cannot have is named", func() bool { return strings.Contains(available(get()), "volume scratch: the sandbox mounts") })
	d = get()
	d.Spec.Template.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "scratch"},
	}}
	d.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}}
	if _, err := deployments.Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the missing config map is named", func() bool { return strings.Contains(available(get()), `configmaps "scratch" not found`) })
	scratch := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "scratch"}, Data: map[string]string{"a": "b"}}
	if _, err := core(t, m, admin).ConfigMaps(workloadNamespace).Create(t.Context(), scratch, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are available with it", func() bool { return get().Status.AvailableReplicas == 2 })

	foreground := metav1.DeletePropagationForeground
	running := replicasOf(t, m)
	if err := deployments.Delete(t.Context(), workloadName, metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the processes end with the deployment", func() bool {
		return !slices.ContainsFunc(running, process.alive) && len(replicasOf(t, m)) == 0
	})
}

func TestARolloutThatIsLateSaysSo(t *testing.T) {
	begin := time.Unix(1000, 0)
	now := begin
	s := &supervisor{options: ServeOptions{Now: func() time.Time { return now }}}
	w := &workload{supervisor: s, since: begin}
	seconds := int32(60)
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{ProgressDeadlineSeconds: &seconds}}
	progressing := func() string {
		for _, c := range w.status(d, 1).Conditions {
			if c.Type == appsv1.DeploymentProgressing {
				return string(c.Status) + " " + c.Reason
			}
		}
		return ""
	}
	if got := progressing(); got != "True ReplicaSetUpdated" {
		t.Errorf("at the start it is %s", got)
	}
	now = begin.Add(61 * time.Second)
	if got := progressing(); got != "False ProgressDeadlineExceeded" {
		t.Errorf("after the deadline it is %s", got)
	}
}
