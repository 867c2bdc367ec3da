package controller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

// kubeconfig writes how a cluster is reached, for another process.
func (k *cluster) kubeconfig() string {
	k.t.Helper()
	file := filepath.Join(k.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: k.rc.Host, CertificateAuthorityData: k.rc.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {ClientCertificateData: k.rc.CertData, ClientKeyData: k.rc.KeyData}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	}, file); err != nil {
		k.t.Fatal(err)
	}
	return file
}

// child is a controller in a process of its own.
type child struct {
	*exec.Cmd
	done chan struct{} // closed when it has ended
}

// kill ends it with -9 unless it has ended, and returns when it has.
func (c child) kill() {
	_ = c.Process.Kill() // it may have ended
	<-c.done
}

// spawn starts a controller in a process of its own, which ends with the test.
func (k *cluster) spawn(p process) child {
	k.t.Helper()
	if p.Health == "" {
		p.Health = freeAddress(k.t)
	}
	text, err := json.Marshal(p)
	if err != nil {
		k.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), processVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	c := child{cmd, make(chan struct{})}
	go func() {
		defer close(c.done)
		_ = cmd.Wait() // how it ended is in its state
	}()
	k.t.Cleanup(func() {
		c.kill()
		if k.t.Failed() {
			text := log.Bytes()
			k.t.Logf("process %d said:\n%s", cmd.Process.Pid, text[max(0, len(text)-3000):])
		}
	})
	return c
}

// asIfCalm fails unless every one of some projects is what the same project is
// that nothing happened to.
func (k *cluster) asIfCalm(spec func(*v1alpha1.ProjectSpec), names ...string) {
	k.t.Helper()
	const calm = "calm"
	if err := k.Create(k.t.Context(), project(calm, spec)); err != nil {
		k.t.Fatal(err)
	}
	k.ready(calm)
	k.ready(names...)
	k.quiet(2 * time.Second)
	want := k.dump(calm)
	for _, name := range names {
		if diff := cmp.Diff(want, strings.ReplaceAll(k.dump(name), name, calm)); diff != "" {
			k.t.Errorf("project %s (-calm +got):\n%s", name, diff)
		}
	}
}

func nothing(*v1alpha1.ProjectSpec) {}

func TestWhenTheLeaderIsKilledTheOtherTakesOver(t *testing.T) {
	k := start(t, definitionFile)
	k.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "freehold-system"}})
	p := process{Kubeconfig: k.kubeconfig(), Namespace: "freehold-system"}
	leader := k.spawn(p)
	k.make(project("before-a"))
	k.make(project("before-b"))
	k.ready("before-a", "before-b")
	p.Health = freeAddress(t)
	k.spawn(p)
	other := &running{health: p.Health}
	eventually(t, "the other stands by", func() bool { return strings.HasPrefix(other.answers("/healthz"), "200") })
	// In the middle of its work.
	for _, name := range []string{"amid-a", "amid-b", "amid-c"} {
		k.make(project(name))
	}
	eventually(t, "the leader has begun", func() bool {
		return k.Get(t.Context(), client.ObjectKey{Name: "amid-a"}, &corev1.Namespace{}) == nil
	})
	leader.kill()
	killed := time.Now()
	if died := leader.ProcessState.Sys().(syscall.WaitStatus); died.Signal() != syscall.SIGKILL {
		t.Fatalf("the leader had ended by itself: %s", leader.ProcessState)
	}
	k.make(project("after"))
	for _, o := range k.objects("before-b")[1:] {
		if err := k.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	k.ready("after")
	t.Logf("the other took over %s after the kill", time.Since(killed).Round(100*time.Millisecond))
	k.asIfCalm(nothing, "before-a", "before-b", "amid-a", "amid-b", "amid-c", "after")
}

// A new project costs some twenty writes. Before and after each of them a
// controller is killed, and the next one finishes what it finds.
func TestAKillAtAnyWriteIsFinishedByTheNextProcess(t *testing.T) {
	k := start(t, definitionFile)
	kubeconfig := k.kubeconfig()
	// killed runs a controller until it has killed itself, or had nothing left to
	// do for a while.
	killed := func(p process, idle func() bool) bool {
		c := k.spawn(p)
		since, end := time.Now(), time.Now().Add(time.Minute)
		for time.Since(since) < 4*usageEvery {
			select {
			case <-c.done:
				return c.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
			case <-time.After(50 * time.Millisecond):
			}
			if !idle() {
				since = time.Now()
			}
			if time.Now().After(end) {
				t.Fatalf("the controller is not done with project %s within a minute", p.Project)
			}
		}
		c.kill()
		return false
	}
	ready := func(name string) func() bool {
		return func() bool {
			return condition(k.read(name), v1alpha1.ConditionReady).Status == metav1.ConditionTrue && k.uncounted() == ""
		}
	}
	var names []string
	writes := 0
	for n := int64(1); ; n++ {
		name := fmt.Sprintf("made-%d-x", n)
		names = append(names, name)
		k.make(project(name))
		if !killed(process{Kubeconfig: kubeconfig, Project: name, Die: n, After: n%2 == 0}, ready(name)) {
			writes = int(n - 1)
			break
		}
		if n%2 == 0 {
			continue
		}
		// The same write, after its answer, where the outcome is not the same.
		name = fmt.Sprintf("made-%d-y", n)
		names = append(names, name)
		k.make(project(name))
		killed(process{Kubeconfig: kubeconfig, Project: name, Die: n, After: true}, ready(name))
	}
	t.Logf("a new project costs %d writes", writes)
	if writes < 15 {
		t.Errorf("only %d writes were interrupted", writes)
	}
	r := run(t, k.rc, often)
	k.asIfCalm(nothing, names...)

	confirmed := func(p *v1alpha1.Project) {
		p.Spec.DeletionPolicy = v1alpha1.DeletionDelete
		p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: p.Name}
	}
	for i, name := range names {
		if i%2 == 0 {
			k.change(name, confirmed)
			k.make(pod(name, "p"))
		}
	}
	k.settle(settled)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for i, name := range names[:16] {
		if err := k.Delete(t.Context(), project(name)); err != nil {
			t.Fatal(err)
		}
		gone := func() bool {
			return apierrors.IsNotFound(k.Get(t.Context(), client.ObjectKey{Name: name}, &v1alpha1.Project{}))
		}
		if killed(process{Kubeconfig: kubeconfig, Project: name, Die: int64(1 + i/2), After: i%4 < 2}, gone) {
			steps++
		}
	}
	t.Logf("%d deletions were interrupted", steps)
	if steps < 5 {
		t.Errorf("only %d deletions were interrupted", steps)
	}
	run(t, k.rc, often)
	for _, name := range names[:16] {
		k.gone(name)
	}
	for i, name := range names[:16] {
		got := k.dump(name)
		if i%2 == 0 && !strings.HasPrefix(got, "no namespace") {
			t.Errorf("project %s was not deleted whole:\n%s", name, got)
		}
		if i%2 == 1 && (!strings.Contains(got, v1alpha1.AnnotationRetained) || !strings.Contains(got, "default-deny")) {
			t.Errorf("project %s was not retained whole:\n%s", name, got)
		}
	}
	k.quiet(2 * time.Second)
}

// unreliable refuses and delays some of what is sent.
type unreliable struct {
	http.RoundTripper
	mu   sync.Mutex
	rand *rand.Rand
}

func (u *unreliable) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	n, pause := u.rand.IntN(10), time.Duration(u.rand.IntN(300))*time.Millisecond
	u.mu.Unlock()
	if r.URL.Query().Get("watch") == "true" {
		n = 9
	}
	switch n {
	case 0:
		return nil, errors.New("connection reset by a bad day")
	case 1:
		return answerOf(r, http.StatusTooManyRequests), nil
	case 2:
		return answerOf(r, http.StatusServiceUnavailable), nil
	case 3:
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(pause):
		}
	case 4: // it arrives, and the answer does not
		if resp, err := u.RoundTripper.RoundTrip(r); err == nil {
			resp.Body.Close()
		}
		return nil, errors.New("connection reset after it was sent")
	}
	return u.RoundTripper.RoundTrip(r)
}

func answerOf(r *http.Request, code int) *http.Response {
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d}`, code)
	return &http.Response{
		StatusCode: code, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}}, Body: readCloser{strings.NewReader(body)},
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestAnAPIServerThatRestartsThrottlesAndFailsIsSurvived(t *testing.T) {
	k := start(t, definitionFile)
	rc := rest.CopyConfig(k.rc)
	r := run(t, rc, func(o *Options) {
		o.Config = rest.CopyConfig(o.Config)
		o.Config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
			return &unreliable{RoundTripper: rt, rand: rand.New(rand.NewPCG(1, 2))}
		})
	})
	r.ready(t)
	var names []string
	for i := range 40 {
		name := fmt.Sprintf("busy-%d-x", i)
		names = append(names, name)
		eventually(t, "the API server takes a project", func() bool {
			return client.IgnoreAlreadyExists(k.Create(t.Context(), project(name))) == nil
		})
		if i%15 == 10 {
			controlplanetest.Crash(t, k.manager, "kube-apiserver")
		}
	}
	eventually(t, "the API server is there", func() bool { return k.List(t.Context(), &v1alpha1.ProjectList{}) == nil })
	for i, name := range names {
		if i%2 == 0 {
			k.change(name, func(p *v1alpha1.Project) { p.Spec.Quota.Pods = 9 })
		} else {
			k.change(name, func(p *v1alpha1.Project) { p.Spec.Quota.Pods = 9; p.Spec.Members = nil })
		}
	}
	eventually(t, "all are ready", func() bool {
		var all v1alpha1.ProjectList
		if err := k.List(t.Context(), &all); err != nil {
			return false
		}
		for _, p := range all.Items {
			if c := condition(&p, v1alpha1.ConditionReady); c.Status != metav1.ConditionTrue || c.ObservedGeneration != p.Generation {
				return false
			}
		}
		return true
	})
	if err := r.end(); err != nil {
		t.Error(err)
	}
	run(t, k.rc, often)
	var even []string
	for i, name := range names {
		if i%2 == 0 {
			even = append(even, name)
		}
	}
	k.asIfCalm(func(s *v1alpha1.ProjectSpec) { s.Quota.Pods = 9 }, even...)
}

func TestProjectsOfTheFirstDefinitionAreTakenOver(t *testing.T) {
	k := start(t, "testdata/project-crd-be1c729.yaml")
	old := func(name string, change func(*v1alpha1.ProjectSpec)) {
		p := project(name, change)
		k.make(p)
		p.Status = v1alpha1.ProjectStatus{Phase: v1alpha1.PhasePending, ObservedGeneration: 1, Conditions: []metav1.Condition{{
			Type: "Accepted", Status: "True", ObservedGeneration: 1, Reason: "Observed", LastTransitionTime: metav1.Now(), Message: "read",
		}}}
		if err := k.Status().Update(t.Context(), p, client.FieldOwner("namespace-controller")); err != nil {
			t.Fatal(err)
		}
	}
	asBefore := func(s *v1alpha1.ProjectSpec) {
		*s = v1alpha1.ProjectSpec{Org: s.Org, ProjectSettings: v1alpha1.ProjectSettings{
			Quota: s.Quota, Limits: s.Limits, Members: s.Members, Egress: s.Egress,
		}}
		s.Quota.Objects, s.Limits.MinCPU = v1alpha1.ObjectCounts{}, v1alpha1.Quantity{}
	}
	old("older", asBefore)
	// Nothing refused it then.
	old("misfit", func(s *v1alpha1.ProjectSpec) {
		asBefore(s)
		s.Limits.DefaultCPU = v1alpha1.MustQuantity("3")
	})
	k.define(definitionFile)
	run(t, k.rc, often)
	k.until("misfit", "it says what is wrong with it", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionQuotaApplied)
		return c.Status == metav1.ConditionFalse && c.Reason == "Refused" && strings.Contains(c.Message, "cpu") &&
			condition(p, v1alpha1.ConditionDegraded).Reason == "Refused" && p.Status.Phase == v1alpha1.PhaseFailed &&
			condition(p, v1alpha1.ConditionNetworkFenced).Status == metav1.ConditionTrue &&
			condition(p, v1alpha1.ConditionAccessApplied).Reason == "WaitsForFences"
	})
	var bindings rbacv1.RoleBindingList
	if err := k.List(t.Context(), &bindings, client.InNamespace("misfit")); err != nil || len(bindings.Items) > 0 {
		t.Errorf("members were let into what is not fenced: %+v, %v", bindings.Items, err)
	}
	k.change("misfit", func(p *v1alpha1.Project) { p.Spec.Limits.DefaultCPU = project("misfit").Spec.Limits.DefaultCPU })
	k.asIfCalm(asBefore, "older", "misfit")
}
