package bootstrap_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/localhost"
)

func as(t *testing.T, config *rest.Config, user string, groups ...string) client.Client {
	t.Helper()
	c := rest.CopyConfig(config)
	c.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append([]string{"system:authenticated"}, groups...)}
	c.QPS = -1
	cl, err := client.New(c, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	patiently(t, 20*time.Second, what, try)
}

// patiently waits for what takes its time.
func patiently(t *testing.T, within time.Duration, what string, try func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("waiting for %s: %v", what, err)
}

// apiServer starts etcd and an API server for the time of the test, and
// returns how an administrator reaches it. The group in all is given every right.
func apiServer(t *testing.T) *rest.Config {
	t.Helper()
	kube := kubeBinary(t)
	dir := t.TempDir()
	tokens := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(tokens, []byte("secret,admin,admin,system:masters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	port, etcdPort, peerPort := freePort(t), freePort(t), freePort(t)
	etcd := fmt.Sprintf("http://127.0.0.1:%d", etcdPort)
	peer := fmt.Sprintf("http://127.0.0.1:%d", peerPort)
	start(t, kube, "etcd", "--data-dir="+filepath.Join(dir, "etcd"), "--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer, "--unsafe-no-fsync", "--log-level=error")
	key := filepath.Join(dir, "apiserver.key")
	start(t, kube, "kube-apiserver", "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port), "--cert-dir="+dir, "--token-auth-file="+tokens, "--authorization-mode=RBAC",
		"--service-account-issuer=https://acme.example", "--service-account-signing-key-file="+key, "--service-account-key-file="+key,
		"--service-cluster-ip-range=172.20.0.0/16", "--allow-privileged", "--endpoint-reconciler-type=none",
		"--runtime-config=resource.k8s.io/v1beta1=true")

	config := &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", port), BearerToken: "secret",
		TLSClientConfig: rest.TLSClientConfig{Insecure: true}, // made by the server for itself a second ago
	}
	admins := clusterObject("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "test-admins")
	admins["roleRef"] = map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
	admins["subjects"] = []any{
		map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": all[0]},
		// Access entries do this on EKS.
		map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "freehold:administrators"},
	}
	eventually(t, "the API server", func() error {
		c, err := client.New(config, client.Options{})
		if err != nil {
			return err
		}
		return c.Create(t.Context(), object(admins))
	})
	return config
}

// start runs one part of the control plane until the test ends.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // its data goes with the test
		_ = cmd.Wait()
		if t.Failed() {
			tail := output.Bytes()
			t.Logf("%s said:\n%s", args[0], tail[max(0, len(tail)-2000):])
		}
	})
}

func kubeBinary(t *testing.T) string {
	t.Helper()
	const name = "freehold-kube"
	for _, dir := range []string{os.Getenv("FREEHOLD_TOOLS"), filepath.Join("..", "..", "bin")} {
		if file, err := filepath.Abs(filepath.Join(dir, name)); err == nil && dir != "" {
			if _, err := os.Stat(file); err == nil {
				return file
			}
		}
	}
	file, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("freehold-kube is not built: make build")
	}
	return file
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := localhost.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
