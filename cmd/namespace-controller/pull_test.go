package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

// The real process, by its flags, killed with no chance to say goodbye while it
// makes what the API lists; the next one completes it.
func TestTheProcessIsKilledWhileItPulls(t *testing.T) {
	_, rc := controlplanetest.Start(t)
	c, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../components/bootstrap/project-crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd unstructured.Unstructured
	if err := yaml.Unmarshal(text, &crd.Object); err != nil {
		t.Fatal(err)
	}
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	if _, err := c.Resource(crds).Create(t.Context(), &crd, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	projects := c.Resource(v1alpha1.GroupVersion.WithResource("projects"))
	count := func() int {
		all, err := projects.List(t.Context(), metav1.ListOptions{LabelSelector: "freehold.dev/source=api"})
		if err != nil {
			return -1
		}
		return len(all.Items)
	}
	eventually(t, "projects are served", func() bool { return count() == 0 })

	const many = 100
	var listed atomic.Int64
	listed.Store(many)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(setOf(int(listed.Load())))
	}))
	defer s.Close()

	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := errors.Join(
		os.Symlink(self, in("namespace-controller")), writeKubeconfig(rc, in("kubeconfig")),
		os.WriteFile(in("token"), []byte("secret"), 0o600), os.WriteFile(in("ca.crt"), ca, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	begin := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), in("namespace-controller"), "--kubeconfig", in("kubeconfig"), "--org=acme",
			"--health-probe-bind-address=0", "--projects-url", s.URL+"/projects", "--projects-token-file", in("token"),
			"--projects-ca-file", in("ca.crt"), "--projects-interval=100ms")
		var log strings.Builder
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if t.Failed() {
				t.Logf("it said:\n%s", log.String())
			}
		})
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}

	first := begin()
	// Not eventually: it looks too seldom to come in the middle.
	for begun := time.Now(); count() < 3; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("it makes nothing")
		}
	}
	kill(first)
	half := count()
	if half >= many {
		t.Fatalf("it was killed too late: it had made %d", half)
	}
	t.Logf("killed with %d of %d made", half, many)
	second := begin()
	eventually(t, "all are made", func() bool { return count() == many })

	listed.Store(5)
	eventually(t, "it removes", func() bool { return count() < many })
	kill(second)
	t.Logf("killed with %d left", count())
	begin()
	eventually(t, "five are left", func() bool { return count() == 5 })
}

func setOf(n int) v1alpha1.ProjectSet {
	q := v1alpha1.MustQuantity
	set := v1alpha1.ProjectSet{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindProjectSet},
		Org:      "acme", Projects: []v1alpha1.NamedProject{},
	}
	for i := range n {
		set.Projects = append(set.Projects, v1alpha1.NamedProject{Name: fmt.Sprintf("p%d", i), Spec: v1alpha1.ProjectSpec{ProjectSettings: v1alpha1.ProjectSettings{
			Quota:  v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Storage: q("1Gi"), Pods: 5},
			Limits: v1alpha1.Limits{DefaultCPU: q("1"), DefaultMemory: q("1Gi"), MaxCPU: q("4"), MaxMemory: q("8Gi")},
		}}})
	}
	return set
}

func writeKubeconfig(rc *rest.Config, file string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: rc.Host, CertificateAuthorityData: rc.CAData, CertificateAuthority: rc.CAFile}
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{
		Token: rc.BearerToken, ClientCertificateData: rc.CertData, ClientKeyData: rc.KeyData,
		ClientCertificate: rc.CertFile, ClientKey: rc.KeyFile,
	}
	config.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	return clientcmd.WriteToFile(*config, file)
}
