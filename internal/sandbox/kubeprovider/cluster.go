package kubeprovider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"freehold.dev/freehold/internal/sandbox/hold"
	"freehold.dev/freehold/internal/wait"
)

// kindTimeout is how long a kind may take to be served after its definition was
// made; without one, it is how long a typing error takes to be reported.
const kindTimeout = 10 * time.Second

// discoveryTimeout is what client-go gives a client of its own.
const discoveryTimeout = 32 * time.Second

// patience says when to wait for a kind that is not served.
type patience int

const (
	// impatient is a preview: what is not there yet is made by the same program.
	impatient patience = iota
	// ifDefined is a read or a delete: only a kind without a definition is not
	// there. A server that has just started serves custom kinds a little late,
	// and their objects must not be taken for gone.
	ifDefined
	// patient is a write: the definition may come any moment.
	patient
)

// cluster is one API server, with what it serves.
type cluster struct {
	over      *http.Client
	objects   dynamic.Interface
	discovery discovery.CachedDiscoveryInterface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	version   *version.Info // of the server
	now       func() time.Time
}

func newCluster(rc *rest.Config, now func() time.Time) (*cluster, error) {
	rc = rest.CopyConfig(rc)
	rc.UserAgent = "freehold"
	// The API server shares itself out among its callers. A pace of our own would
	// make calls fail whose deadline comes before their turn.
	rc.QPS = -1
	rc.Wrap(hold.Transport)
	over, err := rest.HTTPClientFor(rc)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	objects, err := dynamic.NewForConfigAndClient(rc, over)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	asking := *over
	asking.Timeout = discoveryTimeout
	disco, err := discovery.NewDiscoveryClientForConfigAndClient(rc, &asking)
	if err != nil {
		return nil, fmt.Errorf("make a discovery client: %w", err)
	}
	served, err := disco.ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("%w: unable to load schema information from the API server: %w", errUnreachable, err)
	}
	cached := memory.NewMemCacheClient(disco)
	return &cluster{over: over, objects: objects, version: served, discovery: cached, mapper: restmapper.NewDeferredDiscoveryRESTMapper(cached), now: now}, nil
}

// leave ends the connections that no request needs. They would otherwise stay for
// a minute and a half, and look to the cluster as if it were in use.
func (c *cluster) leave() {
	utilnet.CloseIdleConnectionsFor(c.over.Transport) // the client itself does not see through what it is wrapped in
}

// resource returns where objects of a kind are, and whether in a namespace. The
// error for a kind that is not there matches meta.IsNoMatchError.
func (c *cluster) resource(ctx context.Context, gvk schema.GroupVersionKind, p patience) (dynamic.NamespaceableResourceInterface, bool, error) {
	var m *meta.RESTMapping
	var missing error
	err := wait.Until(ctx, wait.For{
		What: fmt.Sprintf("the cluster to serve %s, kind %s", gvk.GroupVersion(), gvk.Kind), Every: 200 * time.Millisecond, Within: kindTimeout, Now: c.now,
	}, func(ctx context.Context) (bool, error) {
		if missing != nil {
			c.mapper.Reset()
		}
		var err error
		m, err = c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil && !meta.IsNoMatchError(err) {
			return false, fmt.Errorf("look up %s: %w", gvk, err)
		}
		if err == nil {
			return true, nil
		}
		missing = fmt.Errorf("the cluster does not serve %s, kind %s: %w", gvk.GroupVersion(), gvk.Kind, err)
		if p == impatient {
			return false, missing
		}
		if p == ifDefined {
			if defined, err := c.defines(ctx, gvk); err != nil {
				return false, err
			} else if !defined {
				return false, missing
			}
		}
		return false, nil
	})
	switch {
	case err == nil:
		return c.objects.Resource(m.Resource), m.Scope.Name() == meta.RESTScopeNameNamespace, nil
	case !errors.Is(err, wait.ErrDeadline):
		return nil, false, err
	case p == ifDefined:
		return nil, false, fmt.Errorf("%s is defined, but the cluster does not serve it", gvk)
	default:
		return nil, false, missing
	}
}

// defines reports whether there is a definition for a custom kind.
func (c *cluster) defines(ctx context.Context, gvk schema.GroupVersionKind) (bool, error) {
	r := c.objects.Resource(schema.GroupVersionResource{Group: definitionKind.Group, Version: "v1", Resource: "customresourcedefinitions"})
	list, err := r.List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, fmt.Errorf("look for a definition of %s: %w", gvk, err)
	}
	for _, d := range list.Items {
		group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		if group == gvk.Group && kind == gvk.Kind {
			return true, nil
		}
	}
	return false, nil
}

// at returns the client for one object's place, which it completes with the
// namespace that a namespaced object is in when it names none.
func (c *cluster) at(ctx context.Context, gvk schema.GroupVersionKind, k *key, namespace string, p patience) (dynamic.ResourceInterface, error) {
	r, namespaced, err := c.resource(ctx, gvk, p)
	if err != nil {
		return nil, err
	}
	if !namespaced {
		k.namespace = ""
		return r, nil
	}
	if k.namespace == "" {
		k.namespace = namespace
	}
	return r.Namespace(k.namespace), nil
}
