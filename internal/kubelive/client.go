package kubelive

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Client reaches one cluster.
type Client struct {
	objects dynamic.Interface
	names   metadata.Interface
	kinds   discovery.DiscoveryInterface
}

// answersWithin bounds one request: a cluster that is gone may never refuse, and one
// of the sandbox that sleeps answers once it is awake, for which it has 90 seconds.
const answersWithin = 2 * time.Minute

// New returns a client that reaches the cluster of a kubeconfig. It connects to
// nothing yet.
func New(kubeconfig []byte) (*Client, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.Timeout = answersWithin
	return Over(config)
}

// Over returns a client that reaches a cluster in a way that is known already.
func Over(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // a few dozen requests, once
	// Every kind is listed, deprecated ones too: that is no news to anybody.
	config.WarningHandler = rest.NoWarnings{}
	over, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	objects, err := dynamic.NewForConfigAndClient(config, over)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	names, err := metadata.NewForConfigAndClient(metadata.ConfigFor(config), over)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfigAndClient(config, over)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	return &Client{objects, names, kinds}, nil
}

// Compare reads the objects and returns those that differ from what was
// applied. It only gets and lists. An object that is not there is left out: what
// is missing, a refresh says.
func (c *Client) Compare(ctx context.Context, objects []Object) ([]Result, error) {
	live, err := c.read(ctx, objects)
	if err != nil {
		return nil, err
	}
	var out []Result
	for i, o := range objects {
		if live[i] == nil {
			continue
		}
		if r := Compare(o, live[i]); len(r.Differences) > 0 {
			if r.Live, err = plain(live[i].Object); err != nil {
				return nil, fmt.Errorf("%s: %w", o.ID, err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// shelf is where objects are listed together.
type shelf struct {
	resource  schema.GroupVersionResource
	namespace string
}

// read returns the objects as they are live, nil for one that is not there.
func (c *Client) read(ctx context.Context, objects []Object) ([]*unstructured.Unstructured, error) {
	out := make([]*unstructured.Unstructured, len(objects))
	shelves := map[shelf][]int{}
	for i, o := range objects {
		kind, err := o.kind()
		if err != nil {
			return nil, err
		}
		namespace, _ := o.place()
		s := shelf{resourceOf(kind), namespace}
		shelves[s] = append(shelves[s], i)
	}
	for s, on := range shelves {
		if err := c.readShelf(ctx, s, objects, on, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Client) readShelf(ctx context.Context, s shelf, objects []Object, on []int, out []*unstructured.Unstructured) error {
	in := c.in(s)
	if len(on) == 1 {
		_, name := objects[on[0]].place()
		live, err := in.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("read %s %s: %w", s.resource.Resource, objects[on[0]].ID, err)
		default:
			out[on[0]] = live
		}
		return nil
	}
	list, err := in.List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil // not even the kind is there
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", s.resource.Resource, err)
	}
	byName := map[string]*unstructured.Unstructured{}
	for i := range list.Items {
		byName[list.Items[i].GetName()] = &list.Items[i]
	}
	for _, i := range on {
		_, name := objects[i].place()
		out[i] = byName[name]
	}
	return nil
}

func (c *Client) in(s shelf) dynamic.ResourceInterface {
	if s.namespace == "" {
		return c.objects.Resource(s.resource)
	}
	return c.objects.Resource(s.resource).Namespace(s.namespace)
}

// resourceOf is a kind's name in a URL. All that bootstrap makes are regular
// English plurals, so nothing has to be asked for.
func resourceOf(kind schema.GroupVersionKind) schema.GroupVersionResource {
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	return plural
}
