package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// yard is a real API server with the controller that computes what a
// PodDisruptionBudget allows. The test is its nodes, its scheduler and its kubelets.
type yard struct {
	*testing.T
	kubernetes.Interface
}

func newYard(t *testing.T) *yard {
	t.Helper()
	tools := os.Getenv("FREEHOLD_TOOLS")
	if tools == "" {
		tools = filepath.Join("..", "..", "bin")
	}
	kube := filepath.Join(tools, "freehold-kube")
	if _, err := os.Stat(kube); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED against a real API server: %v", err)
	}
	dir := t.TempDir()
	tokens, config := filepath.Join(dir, "tokens.csv"), filepath.Join(dir, "kubeconfig")
	port, etcd := freePort(t), "http://127.0.0.1:"+freePort(t)
	peer := "http://127.0.0.1:" + freePort(t)
	server := "https://127.0.0.1:" + port
	for file, text := range map[string]string{
		tokens: "secret,admin,admin,system:masters\n",
		config: "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n" +
			"clusters: [{name: a, cluster: {server: " + server + ", insecure-skip-tls-verify: true}}]\nusers: [{name: a, user: {token: secret}}]\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	background(t, kube, "etcd", "--data-dir="+filepath.Join(dir, "etcd"), "--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer, "--unsafe-no-fsync", "--log-level=error")
	key := filepath.Join(dir, "apiserver.key")
	background(t, kube, "kube-apiserver", "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--secure-port="+port, "--cert-dir="+dir, "--token-auth-file="+tokens, "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
		"--service-account-issuer=https://acme.example", "--service-account-signing-key-file="+key, "--service-account-key-file="+key,
		"--service-cluster-ip-range=172.20.0.0/16", "--endpoint-reconciler-type=none", "--enable-priority-and-fairness=false")
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: server, BearerToken: "secret", QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true}, // made by the server for itself a second ago
	})
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{t, client}
	y.until("the API server", func() error {
		_, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, metav1.CreateOptions{})
		return err
	})
	background(t, kube, "kube-controller-manager", "--kubeconfig="+config, "--controllers=disruption-controller", "--leader-elect=false", "--secure-port=0")
	return y
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := localhost.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// background runs a program until the test ends.
func background(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
}

func (y *yard) until(what string, try func() error) {
	y.Helper()
	err := errors.New("it was not tried")
	for range 300 {
		if err = try(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	y.Fatalf("waiting for %s: %v", what, err)
}

func (y *yard) ok(err error) {
	y.Helper()
	if err != nil {
		y.Fatal(err)
	}
}

func (y *yard) node(name, group string, ready bool, change ...func(*corev1.Node)) {
	y.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{nodeGroupLabel: group}, Annotations: map[string]string{}}}
	for _, c := range change {
		c(n)
	}
	made, err := y.CoreV1().Nodes().Create(y.Context(), n, metav1.CreateOptions{})
	y.ok(err)
	made.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: map[bool]corev1.ConditionStatus{true: "True", false: "False"}[ready]}}
	_, err = y.CoreV1().Nodes().UpdateStatus(y.Context(), made, metav1.UpdateOptions{})
	y.ok(err)
}

// pod runs a pod on a node, as what a controller of a kind has made.
func (y *yard) pod(name, node, app, controller string, phase corev1.PodPhase) {
	y.Helper()
	y.ok(y.run(name, node, app, controller, phase))
}

func (y *yard) run(name, node, app, controller string, phase corev1.PodPhase) error {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "a", Image: "a"}}},
	}
	if controller != "" {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: controller, Name: app, UID: "u", Controller: new(true)}}
	}
	made, err := y.CoreV1().Pods("shop").Create(y.Context(), p, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.Phase = phase
	made.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	_, err = y.CoreV1().Pods("shop").UpdateStatus(y.Context(), made, metav1.UpdateOptions{})
	return err
}

// budget is a PodDisruptionBudget whose status is computed.
func (y *yard) budget(name, app string, atLeast int) {
	y.Helper()
	at := intstr.FromInt(atLeast)
	b := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &at, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}},
	}
	all := y.PolicyV1().PodDisruptionBudgets("shop")
	made, err := all.Create(y.Context(), b, metav1.CreateOptions{})
	if err != nil {
		made, err = all.Get(y.Context(), name, metav1.GetOptions{})
		y.ok(err)
		made.Spec.MinAvailable = &at
		made, err = all.Update(y.Context(), made, metav1.UpdateOptions{})
	}
	y.ok(err)
	y.until("the status of budget "+name, func() error {
		now, err := all.Get(y.Context(), name, metav1.GetOptions{})
		if err == nil && (now.Status.ObservedGeneration != made.Generation || now.Status.CurrentHealthy == 0) {
			err = fmt.Errorf("%+v", now.Status)
		}
		return err
	})
}

// live ends the pods that were asked to go, as kubelets do, and runs others of
// the same application on a node, until the test ends.
func (y *yard) live(node string) {
	ctx := y.Context()
	go func() {
		for n := 0; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			pods, err := y.CoreV1().Pods("shop").List(ctx, metav1.ListOptions{})
			if err != nil {
				continue
			}
			for _, p := range pods.Items {
				if p.DeletionTimestamp == nil {
					continue
				}
				_ = y.CoreV1().Pods("shop").Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
				n++
				_ = y.run(fmt.Sprintf("%s-again-%d", p.Labels["app"], n), node, p.Labels["app"], "ReplicaSet", corev1.PodRunning)
			}
		}
	}()
}

// running are the pods on nodes, "node/pod".
func (y *yard) running() []string {
	y.Helper()
	pods, err := y.CoreV1().Pods("shop").List(y.Context(), metav1.ListOptions{})
	y.ok(err)
	var out []string
	for _, p := range pods.Items {
		out = append(out, p.Spec.NodeName+"/"+p.Labels["app"])
	}
	return out
}

func (y *yard) mover(from, to string) *mover {
	return &mover{
		client: y.Interface, now: time.Now, every: 30 * time.Millisecond, within: 700 * time.Millisecond,
		in: moveIn{
			DataPlane: dataplane.DataPlane{Plan: plan.Plan{Org: "acme"}}, From: []string{from}, To: []string{to},
		},
	}
}

// One API server for all: its start is what costs.
func TestPodsMoveWithinTheirBudgetsOrItIsSaidWhichBudgetKeepsThem(t *testing.T) {
	y := newYard(t)
	var said []string

	t.Run("a group without nodes has nothing to move", func(t *testing.T) {
		if err := y.mover("old", "new").move(hearing(t, &said)); err != nil || said != nil {
			t.Errorf("%v, having said %q", err, said)
		}
	})

	y.node("old-1", "old", true)
	y.node("old-2", "old", true)
	y.node("other-1", "other", true)
	y.pod("web-1", "old-1", "web", "ReplicaSet", corev1.PodRunning)
	y.pod("web-2", "old-2", "web", "ReplicaSet", corev1.PodRunning)
	y.pod("bare", "old-2", "bare", "", corev1.PodRunning)
	y.pod("agent", "old-1", "agent", "DaemonSet", corev1.PodRunning)
	y.pod("done", "old-1", "job", "Job", corev1.PodSucceeded)
	y.pod("elsewhere", "other-1", "db", "StatefulSet", corev1.PodRunning)
	y.budget("web", "web", 2)

	stuck := func(t *testing.T, says ...string) {
		t.Helper()
		err := y.mover("old", "new").move(hearing(t, &said))
		e, ok := errors.AsType[*Error](err)
		if !ok || !errors.Is(err, wait.ErrDeadline) || e.Org != "acme" || e.Layer != "cluster" || e.Next == "" {
			t.Fatalf("got %v", err)
		}
		for _, want := range says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\ndoes not say %q", err, want)
			}
		}
	}
	t.Run("nothing is asked to go before there is a node to go to", func(t *testing.T) {
		stuck(t, "there is no node that takes pods")
		y.node("new-1", "new", false)
		stuck(t, "node new-1 is not ready")
		for _, name := range []string{"old-1", "old-2"} {
			n, err := y.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
			y.ok(err)
			if n.Spec.Unschedulable {
				t.Errorf("%s takes no more pods", name)
			}
		}
		y.ok(y.CoreV1().Nodes().Delete(t.Context(), "new-1", metav1.DeleteOptions{}))
	})

	// A node that an earlier move had closed, and one that an operator keeps.
	closed := func(n *corev1.Node) { n.Spec.Unschedulable = true }
	y.node("new-2", "new", true, closed, func(n *corev1.Node) { n.Annotations[drainedBy] = "true" })
	y.node("new-3", "new", true, closed)
	y.live("new-2")

	t.Run("a budget that allows nothing is named, with what it needs", func(t *testing.T) {
		stuck(t, "pod shop/web-1 on node old-1 is kept by PodDisruptionBudget shop/web (2 healthy, at least 2 needed, 0 may go)", "pod shop/web-2 on node old-2")
		if last := said[len(said)-1]; !strings.Contains(last, "PodDisruptionBudget shop/web") {
			t.Errorf("the last event says %q", last)
		}
		if d := cmp.Diff([]string{"old-1/agent", "new-2/bare", "old-1/job", "other-1/db", "old-1/web", "old-2/web"}, y.running(), cmp.Transformer("sorted", sorted)); d != "" {
			t.Errorf("pods (-want +got):\n%s", d)
		}
	})
	t.Run("of all budgets those are named by which no pod may go", func(t *testing.T) {
		tight, err := tightBudgets(t.Context(), y)
		y.ok(err)
		if d := cmp.Diff([]string{"PodDisruptionBudget shop/web (2 healthy, at least 2 needed, 0 may go)"}, tight); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
	t.Run("of two budgets for one pod both are named", func(t *testing.T) {
		y.budget("all", "web", 1)
		stuck(t, "PodDisruptionBudget shop/all (2 healthy, at least 1 needed, 1 may go) and PodDisruptionBudget shop/web")
		y.ok(y.PolicyV1().PodDisruptionBudgets("shop").Delete(t.Context(), "all", metav1.DeleteOptions{}))
	})
	t.Run("with room, everything moves but what belongs to the nodes", func(t *testing.T) {
		y.budget("web", "web", 1)
		m := y.mover("old", "new")
		m.within = 20 * time.Second
		y.ok(m.move(hearing(t, &said)))
		if d := cmp.Diff([]string{"old-1/agent", "new-2/bare", "old-1/job", "other-1/db", "new-2/web", "new-2/web"}, y.running(), cmp.Transformer("sorted", sorted)); d != "" {
			t.Errorf("pods (-want +got):\n%s", d)
		}
		for name, want := range map[string]bool{"old-1": true, "old-2": true, "new-2": false, "new-3": true, "other-1": false} {
			n, err := y.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
			y.ok(err)
			if n.Spec.Unschedulable != want {
				t.Errorf("%s unschedulable: %t, want %t", name, n.Spec.Unschedulable, want)
			}
		}
	})
	t.Run("a project's budget that never lets a pod go is waited for, and not for ever", func(t *testing.T) {
		y.node("tight-1", "tight", true)
		y.pod("cache", "tight-1", "cache", "ReplicaSet", corev1.PodRunning)
		y.budget("cache", "cache", 1)
		y.budget("more", "cache", 1) // two for one pod are refused for ever, whatever they say
		m := y.mover("tight", "new")
		m.patience = 300 * time.Millisecond
		if err := m.move(hearing(t, &said)); err == nil || !strings.Contains(err.Error(), "pod shop/cache on node tight-1 is kept by PodDisruptionBudget shop/cache") {
			t.Errorf("outside of projects, where budgets are the platform's: %v", err)
		}
		_, err := y.CoreV1().Namespaces().Patch(t.Context(), "shop", types.MergePatchType, []byte(`{"metadata":{"labels":{"freehold.dev/managed-by":"namespace-controller"}}}`), metav1.PatchOptions{})
		y.ok(err)
		said = nil
		m = y.mover("tight", "new")
		m.patience, m.within = 300*time.Millisecond, 20*time.Second
		y.ok(m.move(hearing(t, &said)))
		if slices.ContainsFunc(y.running(), func(p string) bool { return strings.HasPrefix(p, "tight-1/") }) {
			t.Errorf("pods: %q", y.running())
		}
		if first := said[0]; !strings.Contains(first, "is kept by PodDisruptionBudget shop/cache") {
			t.Errorf("the budget is not respected for a while: %q", said)
		}
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "was deleted, after PodDisruptionBudget shop/cache") }) {
			t.Errorf("it is not said whose budget was passed: %q", said)
		}
	})
	t.Run("once more, there is nothing to do", func(t *testing.T) {
		said = nil
		if err := y.mover("old", "new").move(hearing(t, &said)); err != nil || said != nil {
			t.Errorf("%v, having said %q", err, said)
		}
	})
	t.Run("a node whose pods all belong to it waits for no other", func(t *testing.T) {
		y.node("idle-1", "idle", true)
		y.pod("agent-idle", "idle-1", "agent", "DaemonSet", corev1.PodRunning)
		if err := y.mover("idle", "none").move(hearing(t, &said)); err != nil || said != nil {
			t.Errorf("%v, having said %q", err, said)
		}
	})
	t.Run("pods do not wait for nodes of a group that is to have none", func(t *testing.T) {
		y.node("busy-1", "busy", true)
		y.pod("api", "busy-1", "api", "ReplicaSet", corev1.PodRunning)
		m := y.mover("busy", "none")
		m.empty, m.within = true, 20*time.Second
		y.ok(m.move(hearing(t, &said)))
		if slices.ContainsFunc(y.running(), func(p string) bool { return strings.HasPrefix(p, "busy-1/") }) {
			t.Errorf("pods: %q", y.running())
		}
	})
}

// hearing is a context whose waits are kept.
func hearing(t *testing.T, said *[]string) context.Context {
	t.Helper()
	return wait.Heard(t.Context(), func(r wait.Report) { *said = append(*said, r.String()) })
}

func sorted(in []string) map[string]int {
	out := map[string]int{}
	for _, s := range in {
		out[s]++
	}
	return out
}
