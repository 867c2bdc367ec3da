package kubeprovider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/client-go/tools/clientcmd"
)

// config is what a provider resource was given.
type config struct {
	kubeconfig        string
	namespace         string // of namespaced objects that name none
	deleteUnreachable bool
	configMapMutable  bool
	secretMutable     bool
}

func defaultConfig() config { return config{namespace: "default"} }

// known are the provider's inputs; true for those that change nothing here.
var known = map[string]bool{
	"kubeconfig": true, "namespace": true, "deleteUnreachable": true,
	"enableConfigMapMutable": true, "enableSecretMutable": true,
	"enableServerSideApply": true, "context": true, "cluster": true,
	"clusterIdentifier": true, "skipUpdateUnreachable": true,
	"suppressDeprecationWarnings": true, "suppressHelmHookWarnings": true,
	"kubeClientSettings": true, "helmReleaseSettings": true,
	"strictMode": true, "alwaysRender": true,
	"version": true, "pluginDownloadURL": true,
}

// CheckConfig refuses settings that would not be followed.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := unmarshal("CheckConfig.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	var failures []*pulumirpc.CheckFailure
	fail := func(property, format string, args ...any) {
		failures = append(failures, &pulumirpc.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
	}
	for _, k := range slices.Sorted(maps.Keys(news)) {
		if name := string(k); !known[name] && !strings.HasPrefix(name, "__") {
			fail(name, "the sandbox's kubernetes provider has no setting %q", name)
		}
	}
	values := plainMap(news)
	if !boolOf(values["enableServerSideApply"], true) {
		fail("enableServerSideApply", "objects are always applied server-side")
	}
	switch kubeconfig, set := values["kubeconfig"].(string); {
	case news["kubeconfig"].ContainsUnknowns():
	case !set || kubeconfig == "":
		fail("kubeconfig", "a kubeconfig is required: there is no ambient cluster")
	default:
		if _, err := endpointOf(kubeconfig); err != nil {
			fail("kubeconfig", "%v", err)
		}
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: failures}, nil
}

// DiffConfig replaces the provider, and with it all of its objects, when it
// leads to another cluster.
func (p *Provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := unmarshal("DiffConfig.olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal("DiffConfig.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	diff := strip(olds).Diff(strip(news))
	if diff == nil {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	resp := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME}
	for _, k := range diff.ChangedKeys() {
		resp.Diffs = append(resp.Diffs, string(k))
	}
	if key := moved(olds, news); key != "" {
		resp.Replaces = []string{key}
	}
	return resp, nil
}

// moved returns the setting by which a provider leads to another cluster: the
// identifier where both name one, which then decides alone; else the kubeconfig.
func moved(olds, news resource.PropertyMap) string {
	if news["kubeconfig"].ContainsUnknowns() || news["clusterIdentifier"].ContainsUnknowns() {
		return ""
	}
	was, is := plainMap(olds), plainMap(news)
	if a, b := stringOf(was["clusterIdentifier"]), stringOf(is["clusterIdentifier"]); a != "" && b != "" {
		if a != b {
			return "clusterIdentifier"
		}
		return ""
	}
	a, oldErr := endpointOf(stringOf(was["kubeconfig"]))
	b, newErr := endpointOf(stringOf(is["kubeconfig"]))
	if oldErr == nil && newErr == nil && a != b {
		return "kubeconfig"
	}
	return ""
}

// endpointOf returns what identifies a kubeconfig's cluster: its server and authority.
func endpointOf(kubeconfig string) (string, error) {
	c, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		return "", fmt.Errorf("the kubeconfig cannot be read: %w", err)
	}
	current, ok := c.Contexts[c.CurrentContext]
	if !ok || c.Clusters[current.Cluster] == nil {
		return "", fmt.Errorf("the kubeconfig's current context %q names no cluster", c.CurrentContext)
	}
	k := c.Clusters[current.Cluster]
	return k.Server + "\n" + string(k.CertificateAuthorityData), nil
}

// Configure keeps the configuration of the connection. Nothing is reached yet:
// an operation that needs no cluster wakes none.
func (p *Provider) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := unmarshal("Configure.args", req.GetArgs())
	if err != nil {
		return nil, err
	}
	values := plainMap(args)
	c := defaultConfig()
	c.kubeconfig = stringOf(values["kubeconfig"])
	if ns := stringOf(values["namespace"]); ns != "" {
		c.namespace = ns
	}
	c.deleteUnreachable = boolOf(values["deleteUnreachable"], false)
	c.configMapMutable = boolOf(values["enableConfigMapMutable"], false)
	c.secretMutable = boolOf(values["enableSecretMutable"], false)

	conn := p.of(ctx)
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.config, conn.cluster = c, nil
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets: true, SupportsPreview: true, AcceptResources: false, AcceptOutputs: false,
	}, nil
}

// settings returns the connection's configuration.
func (c *connection) settings() config {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

// boolOf reads a boolean, which the engine may pass as a string.
func boolOf(v any, otherwise bool) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return otherwise
}
