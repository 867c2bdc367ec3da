package lab

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	authenticationv1 "k8s.io/api/authentication/v1"
	clientauthv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/sandbox"
	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
	"freehold.dev/freehold/internal/sandbox/kubeprovider"
)

// planes are the control planes that stand behind the emulator's clusters.
type planes struct {
	manager *controlplane.Manager
	at      map[string]controlplane.Cluster // by cluster name
}

func (l *Lab) endpointsFile() string { return l.Dir("eks-endpoints.json") }

// Clusters starts a control plane for each name: what the emulator calls a
// cluster of that name has its endpoint. It serves the providers eks and
// kubernetes where there is no official plugin for them.
func (l *Lab) Clusters(names ...string) {
	l.t.Helper()
	root := l.Dir("clusters")
	p := &planes{
		manager: controlplane.NewManager(controlplane.Options{Root: root, Now: time.Now}),
		at:      map[string]controlplane.Cluster{},
	}
	l.planes = p
	reviews := httptest.NewServer(http.HandlerFunc(l.review))
	l.t.Cleanup(reviews.Close)
	type answer struct {
		Endpoint string `json:"endpoint"`
		CA       string `json:"ca"`
	}
	endpoints := map[string]answer{}
	for _, name := range names {
		c := controlplane.Cluster{Account: ManagementAccount, Region: Region, Name: name}
		e, err := p.manager.Create(l.t.Context(), controlplane.Spec{Cluster: c})
		if err != nil {
			l.t.Fatalf("lab: control plane %s: %v", name, err)
		}
		if err := l.Front.reaches(e.URL); err != nil {
			l.t.Fatal(err)
		}
		p.at[name] = c
		endpoints[name] = answer{e.URL, e.CABase64()}
		controlplanetest.Serve(l.t, p.manager, root, c, controlplane.ServeOptions{TokenReview: reviews.URL + "/" + c.Name})
	}
	text, err := json.Marshal(endpoints)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(l.endpointsFile(), text, 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.serveProviders()
}

// serveProviders attaches the sandbox's providers for what is on no PATH.
func (l *Lab) serveProviders() {
	l.t.Helper()
	var missing []sandbox.Provider
	for _, p := range []sandbox.Provider{sandbox.EKS(), sandbox.Kubernetes(kubeprovider.New(l.reach, time.Now))} {
		if path, err := exec.LookPath("pulumi-resource-" + p.Name); err == nil {
			l.t.Logf("lab: the provider %s is the official plugin %s", p.Name, path)
			continue
		}
		missing = append(missing, p)
	}
	attached, err := sandbox.Attach(l.t.Context(), nil, missing...)
	if err != nil {
		l.t.Fatal(err)
	}
	if attached != "" {
		l.env["PULUMI_DEBUG_PROVIDERS"] = attached
	}
}

// Endpoint is the address of a cluster's API server.
func (l *Lab) Endpoint(cluster string) string {
	l.t.Helper()
	e, err := l.planes.manager.Get(l.planes.at[cluster])
	if err != nil {
		l.t.Fatal(err)
	}
	return e.URL
}

// Administrator returns a kubeconfig of somebody who may do everything in a
// cluster, with a certificate for a quarter of an hour: what kubectl does with
// it is behind Freehold's back.
func (l *Lab) Administrator(cluster string) (file string) {
	l.t.Helper()
	at := l.planes.at[cluster]
	e, err := l.planes.manager.Get(at)
	if err != nil {
		l.t.Fatal(err)
	}
	c, err := l.planes.manager.Credential(at, controlplane.Identity{User: "mallory", Groups: []string{controlplane.Administrators}})
	if err != nil {
		l.t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: e.URL, CertificateAuthorityData: e.CA}
	config.AuthInfos["mallory"] = &clientcmdapi.AuthInfo{ClientCertificateData: c.Certificate, ClientKeyData: c.Key}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: "mallory"}
	config.CurrentContext = cluster
	file = l.Dir(cluster + ".administrator")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		l.t.Fatal(err)
	}
	return file
}

// reach speaks to a cluster as its kubeconfig says, by the credential plugin,
// which finds the lab's environment.
func (l *Lab) reach(_ context.Context, kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
	if err != nil {
		return nil, err
	}
	if config.ExecProvider == nil {
		return nil, errors.New("the kubeconfig has no credential plugin")
	}
	config.QPS, config.Burst = 100, 200
	// Freehold puts its own folder on the PATH of the official plugin; this one
	// is served from the test's process.
	if plugin := config.ExecProvider.Command; plugin == filepath.Base(plugin) {
		config.ExecProvider.Command = l.Tool(plugin)
	}
	for k, v := range l.env {
		config.ExecProvider.Env = append(config.ExecProvider.Env, clientcmdapi.ExecEnvVar{Name: k, Value: v})
	}
	return config, nil
}

// review is EKS's authentication: it asks STS whose the token is, and lets in
// whom the cluster's access entries name, with their groups.
func (l *Lab) review(w http.ResponseWriter, r *http.Request) {
	var asked authenticationv1.TokenReview
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cluster := strings.TrimPrefix(r.URL.Path, "/")
	who, err := l.Whose(r.Context(), asked.Spec.Token, cluster)
	if err == nil {
		asked.Status.User.Groups, err = l.groups(r.Context(), who, cluster)
	}
	if err == nil {
		asked.Status.Authenticated, asked.Status.User.Username = true, who
	} else {
		asked.Status.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	// What cannot be sent has a client that is gone.
	_ = json.NewEncoder(w).Encode(asked)
}

// Token runs the credential plugin of a kubeconfig.
func (l *Lab) Token(ctx context.Context, kubeconfig string) (string, error) {
	config, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		return "", err
	}
	current := config.Contexts[config.CurrentContext]
	if current == nil || config.AuthInfos[current.AuthInfo] == nil || config.AuthInfos[current.AuthInfo].Exec == nil {
		return "", errors.New("the kubeconfig has no credential plugin")
	}
	plugin := config.AuthInfos[current.AuthInfo].Exec
	cmd := l.Command(ctx, plugin.Command, plugin.Args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", plugin.Command, strings.Join(plugin.Args, " "), err, said.String())
	}
	var credential clientauthv1.ExecCredential
	if err := json.Unmarshal(out, &credential); err != nil || credential.Status == nil {
		return "", fmt.Errorf("the credential plugin answered %q: %w", out, err)
	}
	return credential.Status.Token, nil
}

// Whose asks STS who signed a token, as EKS does: the token is a presigned
// request, and the cluster's name is one of the signed headers.
func (l *Lab) Whose(ctx context.Context, token, cluster string) (roleARN string, err error) {
	encoded, ok := strings.CutPrefix(token, "k8s-aws-v1.")
	if !ok {
		return "", fmt.Errorf("%.20q… is no token for EKS", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("decode the token: %w", err)
	}
	signed, err := url.Parse(string(raw))
	if err != nil {
		return "", fmt.Errorf("decode the token: %w", err)
	}
	q := signed.Query()
	if q.Get("Action") != "GetCallerIdentity" || q.Get("X-Amz-Expires") != "60" ||
		!strings.Contains(q.Get("X-Amz-SignedHeaders"), "x-k8s-aws-id") {
		return "", fmt.Errorf("EKS takes no such token: %s", signed.RawQuery)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, string(raw), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("x-k8s-aws-id", cluster)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var answer struct {
		ARN string `xml:"GetCallerIdentityResult>Arn"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("STS does not know the token: %s: %s", resp.Status, body)
	}
	caller, err := iam.ParseARN(answer.ARN)
	if err != nil {
		return "", fmt.Errorf("sts:GetCallerIdentity answered: %w", err)
	}
	role, _ := caller.AssumedRole()
	if role == "" {
		return "", fmt.Errorf("%s is not a role's session", answer.ARN)
	}
	return "arn:aws:iam::" + caller.Account + ":role/" + role, nil
}

// groups are the Kubernetes groups of a role's access entry.
func (l *Lab) groups(ctx context.Context, roleARN, cluster string) ([]string, error) {
	out, err := eks.NewFromConfig(l.In(iam.AccountIn(roleARN))).DescribeAccessEntry(ctx, &eks.DescribeAccessEntryInput{
		ClusterName: aws.String(cluster), PrincipalArn: aws.String(roleARN),
	})
	if err != nil {
		return nil, fmt.Errorf("the server has asked for the client to provide credentials: %s has no access entry of cluster %s: %w", roleARN, cluster, err)
	}
	return out.AccessEntry.KubernetesGroups, nil
}
