package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The groups that every cluster knows, as EKS knows its access policies.
const (
	// Administrators may do everything: AmazonEKSClusterAdminPolicy.
	Administrators = "freehold:administrators"
	// Readers may read what is in namespaces, Secrets excepted: AmazonEKSViewPolicy.
	// What else they may read is for those who install it to say.
	Readers = "freehold:readers"
)

const (
	// credentialLife is that of a credential that leaves the process.
	credentialLife = 15 * time.Minute
	// inProcessLife is that of one that never does.
	inProcessLife = 12 * time.Hour
)

// Identity is who a client is to a cluster.
type Identity struct {
	User   string
	Groups []string
}

func (i Identity) validate() error {
	if i.User == "" {
		return fmt.Errorf("an identity without a user name")
	}
	for _, name := range append([]string{i.User}, i.Groups...) {
		// As EKS: names of Kubernetes itself are not to be had.
		if strings.HasPrefix(name, "system:") {
			return fmt.Errorf("identity %s: the name %q is reserved", i.User, name)
		}
	}
	return nil
}

// Credential proves an identity for a short time.
type Credential struct {
	Certificate, Key []byte // PEM
	Expiry           time.Time
}

// Exec returns the credential as the answer of a client-go credential plugin.
func (c Credential) Exec() ([]byte, error) {
	expiry := metav1.NewTime(c.Expiry)
	b, err := json.Marshal(clientauthv1.ExecCredential{
		TypeMeta: metav1.TypeMeta{APIVersion: clientauthv1.SchemeGroupVersion.String(), Kind: "ExecCredential"},
		Status: &clientauthv1.ExecCredentialStatus{
			ExpirationTimestamp:   &expiry,
			ClientCertificateData: string(c.Certificate),
			ClientKeyData:         string(c.Key),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode the credential: %w", err)
	}
	return b, nil
}

// stranger is a token that no API server believes.
const stranger = "k8s-aws-v1.of-nobody"

// Stranger is the answer of a credential plugin for whom the cluster does not
// know: each request is answered with 401.
func Stranger() []byte {
	return []byte(`{"apiVersion":"` + clientauthv1.SchemeGroupVersion.String() + `","kind":"ExecCredential","status":{"token":"` + stranger + `"}}`)
}

// AsStranger reaches the same API server as whom it does not know.
func AsStranger(config *rest.Config) *rest.Config {
	out := rest.AnonymousClientConfig(config)
	out.BearerToken, out.QPS, out.Burst = stranger, config.QPS, config.Burst
	return out
}

// restConfig reaches an endpoint with a client certificate.
func restConfig(url string, ca []byte, p pair) *rest.Config {
	return &rest.Config{
		Host:  url,
		QPS:   100,
		Burst: 200,
		TLSClientConfig: rest.TLSClientConfig{
			CAData: ca, CertData: p.cert, KeyData: p.key,
		},
	}
}

// webhookKubeconfig says to kube-apiserver where a webhook is.
func webhookKubeconfig(url string) ([]byte, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["webhook"] = &clientcmdapi.Cluster{Server: url}
	config.AuthInfos["kube-apiserver"] = &clientcmdapi.AuthInfo{}
	config.Contexts["webhook"] = &clientcmdapi.Context{Cluster: "webhook", AuthInfo: "kube-apiserver"}
	config.CurrentContext = "webhook"
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("write the kubeconfig of the webhook %s: %w", url, err)
	}
	return text, nil
}

// certificateKubeconfig holds a key: it is for children only, and never leaves the cluster's directory.
func certificateKubeconfig(url string, ca []byte, p pair) ([]byte, error) {
	return clientcmd.Write(kubeconfig("sandbox", url, ca, &clientcmdapi.AuthInfo{
		ClientCertificateData: p.cert,
		ClientKeyData:         p.key,
	}))
}

// execKubeconfig holds no secret: each use asks the plugin, which also wakes the cluster.
func execKubeconfig(name, url string, ca []byte, p Plugin) ([]byte, error) {
	var env []clientcmdapi.ExecEnvVar
	for _, variable := range slices.Sorted(maps.Keys(p.Env)) {
		env = append(env, clientcmdapi.ExecEnvVar{Name: variable, Value: p.Env[variable]})
	}
	return clientcmd.Write(kubeconfig(name, url, ca, &clientcmdapi.AuthInfo{
		Exec: &clientcmdapi.ExecConfig{
			APIVersion:      clientauthv1.SchemeGroupVersion.String(),
			Command:         p.Executable,
			Args:            p.Args,
			Env:             env,
			InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
			InstallHint:     "this kubeconfig runs freehold, which serves the sandbox's clusters",
		},
	}))
}

func kubeconfig(name, url string, ca []byte, user *clientcmdapi.AuthInfo) clientcmdapi.Config {
	return clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: url, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: user},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}
}

// probe asks an API server once whether it is ready.
func probe(ctx context.Context, client *http.Client, url string) (said string, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err.Error(), false
	}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error(), false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err.Error(), false
	}
	return fmt.Sprintf("%s: %s", resp.Status, body), resp.StatusCode == http.StatusOK
}
