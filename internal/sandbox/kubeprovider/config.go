package kubeprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// config is what a provider resource was given.
type config struct {
	kubeconfig            string
	namespace             string // of namespaced objects that name none
	deleteUnreachable     bool   // what cannot be reached is taken for deleted
	skipUpdateUnreachable bool   // what cannot be reached is left as it was
	configMapMutable      bool
	secretMutable         bool
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
		if _, found, err := currentCluster(values); err != nil {
			fail("kubeconfig", "%v", err)
		} else if !found {
			fail("kubeconfig", "the kubeconfig's current context names no cluster")
		}
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: failures}, nil
}

// DiffConfig replaces the provider, and with it all of its objects, when it
// leads to another cluster (provider/pkg/provider/provider.go, DiffConfig).
func (p *Provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := unmarshal("DiffConfig.olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal("DiffConfig.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, news = strip(olds), strip(news)
	diff := olds.Diff(news)
	if diff == nil {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	resp := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME}
	for _, k := range diff.ChangedKeys() {
		resp.Diffs = append(resp.Diffs, string(k))
	}
	if resp.Replaces, err = moved(olds, news, diff); err != nil {
		return nil, err
	}
	return resp, nil
}

// clusterSettings are what a provider finds its cluster by.
var clusterSettings = []resource.PropertyKey{"kubeconfig", "context", "cluster"}

// moved returns the settings by which a provider leads to another cluster. An
// identifier that both name decides alone; to give one, or to take it away,
// decides nothing. Else it is the kubeconfig's current cluster, and what is not
// known yet is taken for another one.
func moved(olds, news resource.PropertyMap, diff *resource.ObjectDiff) ([]string, error) {
	const identifier = "clusterIdentifier"
	var keys []string
	switch {
	case diff.Updated(identifier):
		keys = append(keys, identifier)
	case diff.Same(identifier) && news.HasValue(identifier):
		return nil, nil
	}
	for _, k := range clusterSettings {
		if news[k].ContainsUnknowns() {
			return append(keys, string(k)), nil
		}
	}
	was, before, err := currentCluster(plainMap(olds))
	if err != nil {
		return nil, err
	}
	is, now, err := currentCluster(plainMap(news))
	if err != nil {
		return nil, err
	}
	if before && now && !reflect.DeepEqual(was, is) {
		for _, k := range clusterSettings {
			if diff.Changed(k) {
				keys = append(keys, string(k))
			}
		}
	}
	return keys, nil
}

// currentCluster returns what identifies a provider's cluster: all that its
// kubeconfig says of it, but not the user or the namespace.
func currentCluster(settings map[string]any) (cluster clientcmdapi.Cluster, found bool, err error) {
	c, err := loadKubeconfig(settings["kubeconfig"])
	if err != nil {
		return cluster, false, err
	}
	name := c.CurrentContext
	if other := stringOf(settings["context"]); other != "" {
		name = other
	}
	current := c.Contexts[name]
	if current == nil {
		return cluster, false, nil
	}
	name = current.Cluster
	if other := stringOf(settings["cluster"]); other != "" {
		name = other
	}
	if c.Clusters[name] == nil {
		return cluster, false, nil
	}
	return *c.Clusters[name], true, nil
}

// loadKubeconfig reads a kubeconfig, which may be text or an object.
func loadKubeconfig(v any) (*clientcmdapi.Config, error) {
	var text []byte
	switch v := v.(type) {
	case nil:
		return clientcmdapi.NewConfig(), nil
	case string:
		text = []byte(v)
	case map[string]any:
		var err error
		if text, err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("failed to parse kubeconfig: %w", err)
		}
	default:
		return nil, fmt.Errorf("unexpected kubeconfig format, type: %T", v)
	}
	c, err := clientcmd.Load(text)
	if err != nil {
		return nil, fmt.Errorf("failed to parse kubeconfig: %w", err)
	}
	return c, nil
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
	} else if ns := namespaceOf(values); ns != "" {
		c.namespace = ns
	}
	c.deleteUnreachable = boolOf(values["deleteUnreachable"], false)
	c.configMapMutable = boolOf(values["enableConfigMapMutable"], false)
	c.skipUpdateUnreachable = boolOf(values["skipUpdateUnreachable"], false)
	c.secretMutable = boolOf(values["enableSecretMutable"], false)

	conn := p.of(ctx)
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.config, conn.cluster = c, nil
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets: true, SupportsPreview: true, AcceptResources: false, AcceptOutputs: false,
		SupportsAutonamingConfiguration: true,
	}, nil
}

// namespaceOf is the namespace that a kubeconfig's current context names.
func namespaceOf(settings map[string]any) string {
	c, err := loadKubeconfig(settings["kubeconfig"])
	if err != nil {
		return "" // the first operation says so
	}
	name := c.CurrentContext
	if other := stringOf(settings["context"]); other != "" {
		name = other
	}
	if current := c.Contexts[name]; current != nil {
		return current.Namespace
	}
	return ""
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
