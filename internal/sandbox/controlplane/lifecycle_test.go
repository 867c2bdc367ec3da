package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func core(t *testing.T, m *Manager, i Identity) *coreclient.CoreV1Client {
	t.Helper()
	config, err := m.RESTConfig(acme, i)
	if err != nil {
		t.Fatal(err)
	}
	client, err := coreclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var admin = Identity{User: "freehold:bootstrap", Groups: []string{Administrators}}

// supervisorOf returns the recorded status of acme's cluster.
func supervisorOf(t *testing.T, m *Manager) status {
	t.Helper()
	s, err := readJSON[status](m.files(acme).status())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2400 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within two minutes: %s", what)
}

func TestAClusterStartsStopsAndIsFoundAgainWithItsData(t *testing.T) {
	withTools(t)
	root := t.TempDir()
	m := newManager(t, root, time.Minute)
	made, err := m.Create(t.Context(), Spec{Cluster: acme})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("first start: %s", time.Since(begin).Round(time.Millisecond))
	begin = time.Now()
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 500*time.Millisecond {
		t.Errorf("Ensure of a running cluster took %s", took)
	}
	logMemory(t, supervisorOf(t, m))
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a"}}
	if _, err := core(t, m, admin).Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	children := supervisorOf(t, m).Children
	begin = time.Now()
	if err := m.Stop(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	t.Logf("stop: %s", time.Since(begin).Round(time.Millisecond))
	for _, p := range children {
		if p.alive() {
			t.Errorf("%s, process %d, is still there after Stop", p.Name, p.PID)
		}
	}

	again := newManager(t, root, time.Minute)
	found, err := again.Create(t.Context(), Spec{Cluster: acme})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, found); diff != "" {
		t.Errorf("the endpoint changed (-first +again):\n%s", diff)
	}
	begin = time.Now()
	if err := again.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("second start: %s", time.Since(begin).Round(time.Millisecond))
	if _, err := core(t, again, admin).Namespaces().Get(t.Context(), "team-a", metav1.GetOptions{}); err != nil {
		t.Errorf("the namespace is lost: %v", err)
	}

	if err := again.Delete(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if err := again.Delete(t.Context(), acme); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	if err := again.Ensure(t.Context(), acme, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("Ensure of a deleted cluster says %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, "*", "*", "*")); len(left) != 0 {
		t.Errorf("left after Delete: %v", left)
	}
}

func logMemory(t *testing.T, s status) {
	for _, p := range append(s.Children, s.process) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
		if err != nil {
			continue // not on Linux
		}
		for line := range strings.Lines(string(b)) {
			if size, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				t.Logf("memory of %s: %s", p.Name, strings.TrimSpace(size))
			}
		}
	}
}

func TestManagersAtTheSameTimeStartOneSupervisor(t *testing.T) {
	withTools(t)
	root := t.TempDir()
	var wait sync.WaitGroup
	pids := make([]int, 4)
	for i := range pids {
		m := newManager(t, root, time.Minute)
		wait.Go(func() {
			if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
				t.Error(err)
			}
			if err := m.Ensure(t.Context(), acme, nil); err != nil {
				t.Error(err)
				return
			}
			s, err := readJSON[status](m.files(acme).status())
			if err != nil {
				t.Error(err)
			}
			pids[i] = s.PID
		})
	}
	wait.Wait()
	if diff := cmp.Diff([]int{pids[0], pids[0], pids[0], pids[0]}, pids); diff != "" || pids[0] == 0 {
		t.Errorf("supervisors (-one +seen): %s", diff)
	}
	log, err := os.ReadFile(files{filepath.Join(root, acme.Account, acme.Region, acme.Name)}.log())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "msg=ready"); n != 1 {
		t.Errorf("%d supervisors became ready:\n%s", n, log)
	}
}

func TestAKilledSupervisorLeavesDataAndNoProcesses(t *testing.T) {
	withTools(t)
	m := started(t)
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}, Data: map[string]string{"n": "1"}}
	if _, err := core(t, m, admin).ConfigMaps("default").Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	old := supervisorOf(t, m)
	if err := syscall.Kill(old.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range old.Children {
		if p.alive() {
			t.Errorf("%s, process %d, survived", p.Name, p.PID)
		}
	}
	got, err := core(t, m, admin).ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cm.Data, got.Data); diff != "" {
		t.Errorf("data (-written +read):\n%s", diff)
	}
}

// A supervisor is killed at each step of its start, as its status tells them:
// before it has a status, and as each of its children runs.
func TestAStartThatIsKilledIsDoneAgain(t *testing.T) {
	withTools(t)
	m := newManager(t, t.TempDir(), time.Minute)
	if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
		t.Fatal(err)
	}
	for _, moment := range []struct {
		reached  string
		children int // fewer than none: it may not even have a status
	}{
		{"it is spawned", -1}, {"it has a status", 0}, {"etcd runs", 1}, {"kube-apiserver runs", 2}, {"kube-controller-manager runs", 3},
	} {
		pid, ended, err := m.spawn(m.files(acme))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, moment.reached, func() bool {
			s, err := readJSON[status](m.files(acme).status())
			return moment.children < 0 || err == nil && s.PID == pid && len(s.Children) >= moment.children
		})
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		err = <-ended
		if exit, is := errors.AsType[*exec.ExitError](err); !is || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("killed when %s, it ended with %v", moment.reached, err)
		}
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if n := len(supervisorOf(t, m).Children); n != 3 {
		t.Errorf("%d children", n)
	}
}

func TestLeftoversAreEndedAndStrangersAreNot(t *testing.T) {
	run := func() (*exec.Cmd, process) {
		cmd := exec.Command("sleep", "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		p, err := newProcess("sleep", cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		return cmd, p
	}
	_, ours := run()
	_, stranger := run()
	recorded := stranger
	recorded.Start += "0" // the id is the same, the process is not
	f := files{t.TempDir()}
	if err := writeJSON(f.status(), status{Phase: phaseReady, Children: []process{ours, recorded}}); err != nil {
		t.Fatal(err)
	}
	if err := endLeftovers(t.Context(), f, time.Now); err != nil {
		t.Fatal(err)
	}
	if ours.alive() {
		t.Error("the leftover lives")
	}
	if !stranger.alive() {
		t.Error("the stranger was killed")
	}
}

func TestAnIdleClusterStopsAndWakesUp(t *testing.T) {
	withTools(t)
	m := newManager(t, t.TempDir(), 2*time.Second)
	if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	first := supervisorOf(t, m)
	// An open watch is use.
	config, err := m.RESTConfig(acme, admin)
	if err != nil {
		t.Fatal(err)
	}
	connections, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	client, err := coreclient.NewForConfigAndClient(config, connections)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := client.Namespaces().Watch(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)
	if !first.alive() {
		t.Fatal("the cluster stopped while it was watched")
	}
	w.Stop()
	cancel()
	connections.CloseIdleConnections()
	eventually(t, "the idle cluster stops", func() bool { return !first.alive() })
	if running, err := m.Running(acme); err != nil || running {
		t.Errorf("running %v, %v", running, err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if next := supervisorOf(t, m); next.process == first.process {
		t.Error("it is the same supervisor")
	}
}

func TestADeadChildIsStartedAgain(t *testing.T) {
	withTools(t)
	m := started(t)
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		find := func() process {
			for _, p := range supervisorOf(t, m).Children {
				if p.Name == name {
					return p
				}
			}
			return process{}
		}
		old := find()
		if err := syscall.Kill(old.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" runs again", func() bool { p := find(); return p.PID != 0 && p != old })
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the API answers", func() bool {
		_, err := core(t, m, admin).Namespaces().List(t.Context(), metav1.ListOptions{})
		return err == nil
	})
	leavesWhatFollows(t, m)
}

// leavesWhatFollows removes the folder of a cluster that runs, and makes one of
// the same name: the first ends, and touches nothing of the second.
func leavesWhatFollows(t *testing.T, m *Manager) {
	t.Helper()
	first, f := supervisorOf(t, m), m.files(acme)
	if err := os.Rename(f.dir, filepath.Join(t.TempDir(), "removed")); err != nil {
		t.Fatal(err)
	}
	second := status{process: process{Name: "supervisor", PID: os.Getpid(), Start: "another"}, Phase: phaseReady}
	if err := errors.Join(writeFile(f.lock(), nil), writeJSON(f.status(), second)); err != nil {
		t.Fatal(err)
	}
	for _, p := range append(first.Children, first.process) {
		eventually(t, p.Name+" of the removed cluster ends", func() bool { return !p.alive() })
	}
	if diff := cmp.Diff(second, supervisorOf(t, m), cmp.AllowUnexported(status{}, process{})); diff != "" {
		t.Errorf("the status of the cluster that followed changed (-want +got):\n%s", diff)
	}
}

func TestAPartThatCannotRunFailsTheStartAndSaysWhy(t *testing.T) {
	dir := t.TempDir()
	broken := "#!/bin/sh\necho 'no such luck' >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(dir, kubeBinary), []byte(broken), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv(ToolsVariable, dir)
	m := newManager(t, t.TempDir(), time.Minute)
	if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
		t.Fatal(err)
	}
	err := m.Ensure(t.Context(), acme, nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("Ensure says %v", err)
	}
	if running, err := m.Running(acme); err != nil || running {
		t.Errorf("running %v, %v", running, err)
	}
}

func TestAPortThatAnotherProcessTookIsNamed(t *testing.T) {
	withTools(t)
	m := newManager(t, t.TempDir(), time.Minute)
	if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
		t.Fatal(err)
	}
	_, r, err := m.record(acme)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", r.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = m.Ensure(t.Context(), acme, nil)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("127.0.0.1:%d", r.Port)) {
		t.Errorf("Ensure says %v", err)
	}
}

func TestClustersDifferInEveryIdentity(t *testing.T) {
	m := newManager(t, t.TempDir(), time.Minute)
	globex := Cluster{Account: "210987654321", Region: acme.Region, Name: "freehold-globex"}
	a, err := m.Create(t.Context(), Spec{Cluster: acme})
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Create(t.Context(), Spec{Cluster: globex})
	if err != nil {
		t.Fatal(err)
	}
	if a.URL == b.URL || string(a.CA) == string(b.CA) || a.Issuer == b.Issuer {
		t.Errorf("shared: %+v %+v", a, b)
	}
	for _, c := range []Cluster{acme, globex} {
		kubeconfig, err := m.Kubeconfig(c, Plugin{Executable: "freehold", Args: []string{"sandbox", "token"}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := m.Find(string(kubeconfig))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, found); diff != "" {
			t.Errorf("Find (-want +got):\n%s", diff)
		}
		if strings.Contains(string(kubeconfig), "token:") || strings.Contains(string(kubeconfig), "client-key-data") {
			t.Errorf("the kubeconfig holds a secret:\n%s", kubeconfig)
		}
	}
	mixed, err := execKubeconfig("mixed", a.URL, b.CA, Plugin{Executable: "freehold"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Find(string(mixed)); !errors.Is(err, ErrNotFound) {
		t.Errorf("acme's endpoint with globex's authority: %v", err)
	}
}

func TestACredentialWorksAsAPluginsAnswerAndOnlyForItsOwnCluster(t *testing.T) {
	withTools(t)
	m := started(t)
	cred, err := m.Credential(acme, Identity{User: "freehold:drift", Groups: []string{Readers}})
	if err != nil {
		t.Fatal(err)
	}
	if life := time.Until(cred.Expiry); life > 16*time.Minute || life < 14*time.Minute {
		t.Errorf("the credential lives %s", life)
	}
	answer, err := cred.Exec()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "answer.json")
	if err := os.WriteFile(file, answer, 0o600); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := m.Kubeconfig(acme, Plugin{Executable: "cat", Args: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := coreclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ConfigMaps("kube-system").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("a reader reads: %v", err)
	}
	if _, err := client.Secrets("kube-system").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a reader reads secrets: %v", err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "nope"}}
	if _, err := client.Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a reader writes: %v", err)
	}

	for path, want := range map[string]int{"/readyz": http.StatusOK, "/api/v1/namespaces": http.StatusUnauthorized, "/version": http.StatusUnauthorized} {
		c, err := probeClient(m.files(acme))
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Get(acme)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Get(e.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("without a name, %s answers %s", path, resp.Status)
		}
	}
	if _, err := m.Credential(acme, Identity{User: "x", Groups: []string{"system:masters"}}); err == nil {
		t.Error("a credential of system:masters was given")
	}
}

func TestQuotasCountAndNamespacesEnd(t *testing.T) {
	withTools(t)
	m := started(t)
	client := core(t, m, admin)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a"}}
	if _, err := client.Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "q"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1")}},
	}
	if _, err := client.ResourceQuotas("team-a").Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the quota's status is filled in", func() bool {
		q, err := client.ResourceQuotas("team-a").Get(t.Context(), "q", metav1.GetOptions{})
		return err == nil && len(q.Status.Hard) > 0
	})
	eventually(t, "the default service account is there", func() bool {
		_, err := client.ServiceAccounts("team-a").Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	pod := func(name string) error {
		_, err := client.Pods("team-a").Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.com/c"}}},
		}, metav1.CreateOptions{})
		return err
	}
	if err := pod("one"); err != nil {
		t.Fatal(err)
	}
	if err := pod("two"); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("a pod over the quota: %v", err)
	}
	if err := client.Namespaces().Delete(t.Context(), "team-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace is gone", func() bool {
		_, err := client.Namespaces().Get(t.Context(), "team-a", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func TestAnEarlierVersionIsEmulated(t *testing.T) {
	withTools(t)
	m := newManager(t, t.TempDir(), time.Minute)
	if _, err := m.Create(t.Context(), Spec{Cluster: acme, Version: "1.34"}); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	config, err := m.RESTConfig(acme, admin)
	if err != nil {
		t.Fatal(err)
	}
	client, err := coreclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	b, err := client.RESTClient().Get().AbsPath("/version").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"emulationMinor": "34"`) {
		t.Errorf("version: %s", b)
	}
	if err := m.Upgrade(t.Context(), acme, "1.33"); err == nil {
		t.Error("it went back to 1.33")
	}
	if err := m.Upgrade(t.Context(), acme, "1.35"); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if b, err = client.RESTClient().Get().AbsPath("/version").DoRaw(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"minor": "35"`) || strings.Contains(string(b), `"emulationMinor": "34"`) {
		t.Errorf("after the upgrade, version: %s", b)
	}
	for v, want := range map[string]bool{"1.35": true, "1.32": true, "1.36": false, "1.31": false, "35": false, "1.x": false} {
		if got := CheckVersion(v) == nil; got != want {
			t.Errorf("version %s accepted: %v", v, got)
		}
	}
}
