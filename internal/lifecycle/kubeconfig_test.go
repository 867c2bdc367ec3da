package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Two machines with freehold in different folders, and with different homes,
// must not change each other's stacks.
func TestAStacksKubeconfigIsTheSameOnEveryMachine(t *testing.T) {
	on := func(executable, home string) string {
		t.Helper()
		config := api.NewConfig()
		config.Clusters["c"] = &api.Cluster{Server: "https://acme.eks.example", CertificateAuthorityData: []byte("ca")}
		config.AuthInfos["c"] = &api.AuthInfo{Exec: &api.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", Command: executable, Args: []string{"eks-token", "--cluster", "c"},
			Env: []api.ExecEnvVar{{Name: "FREEHOLD_HOME", Value: home}}, InteractiveMode: api.NeverExecInteractiveMode,
		}}
		config.Contexts["c"] = &api.Context{Cluster: "c", AuthInfo: "c"}
		config.CurrentContext = "c"
		text, err := clientcmd.Write(*config)
		if err != nil {
			t.Fatal(err)
		}
		got, err := portable(text)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	a := on("/usr/local/bin/freehold", "/home/a")
	if d := cmp.Diff(a, on("/opt/freehold/bin/freehold", "/home/b")); d != "" {
		t.Errorf("two machines differ (-a +b):\n%s", d)
	}
	config, err := clientcmd.Load([]byte(a))
	if err != nil {
		t.Fatal(err)
	}
	want := &api.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: "freehold", Args: []string{"eks-token", "--cluster", "c"},
		InteractiveMode: api.NeverExecInteractiveMode,
	}
	if d := cmp.Diff(want, config.AuthInfos["c"].Exec); d != "" {
		t.Errorf("the plugin (-want +got):\n%s", d)
	}
}
