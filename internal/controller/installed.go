package controller

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"freehold.dev/freehold/internal/strays"
)

// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=list;watch
// +kubebuilder:rbac:groups=networking.k8s.aws,resources=applicationnetworkpolicies;policyendpoints,verbs=list;watch;delete
// +kubebuilder:rbac:groups=networking.k8s.aws,resources=clusternetworkpolicies,verbs=list;watch
// +kubebuilder:rbac:groups=policy.networking.k8s.io,resources=adminnetworkpolicies;clusternetworkpolicies,verbs=list;watch
// +kubebuilder:rbac:groups=cilium.io,resources=ciliumnetworkpolicies,verbs=list;watch;delete
// +kubebuilder:rbac:groups=cilium.io,resources=ciliumclusterwidenetworkpolicies,verbs=list;watch
// +kubebuilder:rbac:groups=crd.projectcalico.org;projectcalico.org,resources=networkpolicies,verbs=list;watch;delete
// +kubebuilder:rbac:groups=crd.projectcalico.org;projectcalico.org,resources=globalnetworkpolicies,verbs=list;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gateways;listenersets;httproutes;grpcroutes;tlsroutes;tcproutes;udproutes;referencegrants,verbs=list;watch;delete
// +kubebuilder:rbac:groups=gateway.networking.x-k8s.io,resources=xlistenersets,verbs=list;watch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gatewayclasses,verbs=list;watch
// +kubebuilder:rbac:groups=gateway.k8s.aws,resources=loadbalancerconfigurations,verbs=list;watch
// +kubebuilder:rbac:groups=elbv2.k8s.aws;eks.amazonaws.com,resources=ingressclassparams,verbs=list;watch

// definition is the kind by which others install kinds.
var definition = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// installed knows which of the kinds in strays.Installed the cluster has, and keeps
// their objects in the cache. Somebody may install one at any time, and take it
// away: neither stops the controller.
//
// It is a source of the projects' controller: a change of an object asks for the
// project that it is about, or for all.
type installed struct {
	cache  cache.Cache
	client client.Reader // of the cache
	kinds  discovery.DiscoveryInterface
	log    *slog.Logger
	every  func(context.Context, client.Object) []reconcile.Request

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request] // nil: nobody looks at projects yet
	has   map[string]*installedKind                               // by the name of its definition
}

// installedKind is a kind that the cluster has.
type installedKind struct {
	strays.Kind
	version  schema.GroupVersionKind
	informer cache.Informer
}

func (k *installedKind) list() *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{}
	l.SetGroupVersionKind(k.version.GroupVersion().WithKind(k.version.Kind + "List"))
	return l
}

func (k *installedKind) object() *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(k.version)
	return o
}

func newInstalled(m ctrl.Manager, log *slog.Logger, every func(context.Context, client.Object) []reconcile.Request) (*installed, error) {
	kinds, err := discovery.NewDiscoveryClientForConfigAndClient(m.GetConfig(), m.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("ask for the cluster's kinds: %w", err)
	}
	return &installed{cache: m.GetCache(), client: m.GetClient(), kinds: kinds, log: log, every: every, has: map[string]*installedKind{}}, nil
}

// Start is called when the controller of projects begins to look at them.
func (i *installed) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.queue = queue
	return nil
}

// ask has projects looked at. Before the controller begins there is nothing to
// ask for: it looks at every project then.
func (i *installed) ask(requests []reconcile.Request) {
	i.mu.Lock()
	queue := i.queue
	i.mu.Unlock()
	if queue == nil {
		return
	}
	for _, r := range requests {
		queue.Add(r)
	}
}

// setUp watches definitions. Every replica does, so that one which becomes the
// leader knows all kinds before it looks at a project.
func (i *installed) setUp(ctx context.Context, m ctrl.Manager) error {
	one := &metav1.PartialObjectMetadata{}
	one.SetGroupVersionKind(definition)
	// It waits for the first sync, however long the API server does not answer.
	if _, err := i.cache.GetInformer(ctx, one); err != nil {
		return fmt.Errorf("watch which kinds are installed: %w", err)
	}
	var all metav1.PartialObjectMetadataList
	all.SetGroupVersionKind(definition.GroupVersion().WithKind(definition.Kind + "List"))
	if err := i.client.List(ctx, &all); err != nil {
		return fmt.Errorf("list the kinds that are installed: %w", err)
	}
	for _, d := range all.Items {
		k, known := kindOf(d.Name)
		if !known {
			continue
		}
		if _, err := i.add(ctx, k); err != nil {
			i.log.Error("a kind that may open networks cannot be watched yet", "kind", d.Name, "error", err)
		}
	}
	ofInterest := predicate.NewPredicateFuncs(func(o client.Object) bool { _, known := kindOf(o.GetName()); return known })
	return ctrl.NewControllerManagedBy(m).Named("definition").For(one, builder.WithPredicates(ofInterest)).
		WithOptions(controller.Options{NeedLeaderElection: new(false)}).Complete(i)
}

func kindOf(definition string) (strays.Kind, bool) {
	at := slices.IndexFunc(strays.Installed, func(k strays.Kind) bool { return k.Definition() == definition })
	if at < 0 {
		return strays.Kind{}, false
	}
	return strays.Installed[at], true
}

// Reconcile begins to watch a kind that was installed, and ends it for one that
// was taken away.
func (i *installed) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	k, known := kindOf(req.Name)
	if !known {
		return ctrl.Result{}, nil
	}
	d := &metav1.PartialObjectMetadata{}
	d.SetGroupVersionKind(definition)
	if err := i.client.Get(ctx, req.NamespacedName, d); apierrors.IsNotFound(err) {
		return ctrl.Result{}, i.drop(ctx, k)
	} else if err != nil {
		return ctrl.Result{}, fmt.Errorf("read definition %s: %w", req.Name, err)
	}
	served, err := i.add(ctx, k)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("watch %s: %w", req.Name, err)
	}
	if !served { // the API server takes a moment
		return ctrl.Result{RequeueAfter: 500 * time.Millisecond}, nil
	}
	return ctrl.Result{}, nil
}

// add watches a kind, in the version that the cluster has; false: it serves none yet.
func (i *installed) add(ctx context.Context, k strays.Kind) (served bool, err error) {
	version, served, err := i.served(k)
	if err != nil || !served {
		return false, err
	}
	i.mu.Lock()
	was := i.has[k.Definition()]
	i.mu.Unlock()
	if was != nil && was.version == version {
		return true, nil
	}
	if was != nil {
		if err := i.drop(ctx, k); err != nil {
			return false, err
		}
	}
	is := &installedKind{Kind: k, version: version}
	if is.informer, err = i.cache.GetInformer(ctx, is.object(), cache.BlockUntilSynced(false)); err != nil {
		return false, err
	}
	about := func(o any) {
		if gone, is := o.(toolscache.DeletedFinalStateUnknown); is {
			o = gone.Obj
		}
		found, ok := o.(client.Object)
		if !ok {
			return
		}
		// What others refer to may be in any namespace.
		if k.Namespaced && k.Judges() {
			i.ask(request(found.GetNamespace()))
			return
		}
		i.ask(i.every(context.WithoutCancel(ctx), found))
	}
	if _, err := is.informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: about, UpdateFunc: func(_, o any) { about(o) }, DeleteFunc: about}); err != nil {
		return false, err
	}
	i.mu.Lock()
	i.has[k.Definition()] = is
	i.mu.Unlock()
	i.log.Info("watching a kind that may open networks", "kind", k.Definition(), "version", version.Version)
	return true, nil
}

// drop forgets a kind that the cluster has no more, or has in another version.
func (i *installed) drop(ctx context.Context, k strays.Kind) error {
	i.mu.Lock()
	was := i.has[k.Definition()]
	delete(i.has, k.Definition())
	i.mu.Unlock()
	if was == nil {
		return nil
	}
	if err := i.cache.RemoveInformer(ctx, was.object()); err != nil {
		return fmt.Errorf("stop watching %s: %w", k.Definition(), err)
	}
	i.ask(i.every(ctx, nil))
	return nil
}

// served asks the cluster for the version of a kind: the group's preferred one, or
// another that has the kind.
func (i *installed) served(k strays.Kind) (schema.GroupVersionKind, bool, error) {
	groups, err := i.kinds.ServerGroups()
	if err != nil {
		return schema.GroupVersionKind{}, false, fmt.Errorf("ask for the cluster's groups of kinds: %w", err)
	}
	at := slices.IndexFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == k.Group })
	if at < 0 {
		return schema.GroupVersionKind{}, false, nil
	}
	g := groups.Groups[at]
	for _, v := range append([]metav1.GroupVersionForDiscovery{g.PreferredVersion}, g.Versions...) {
		resources, err := i.kinds.ServerResourcesForGroupVersion(v.GroupVersion)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return schema.GroupVersionKind{}, false, fmt.Errorf("ask for the kinds of %s: %w", v.GroupVersion, err)
		}
		if slices.ContainsFunc(resources.APIResources, func(r metav1.APIResource) bool { return r.Name == k.Resource }) {
			return schema.GroupVersionKind{Group: k.Group, Version: v.Version, Kind: k.Kind}, true, nil
		}
	}
	return schema.GroupVersionKind{}, false, nil
}

// all are the kinds that the cluster has, in the order of strays.Installed.
func (i *installed) all() []*installedKind {
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []*installedKind
	for _, k := range strays.Installed {
		if is := i.has[k.Definition()]; is != nil {
			out = append(out, is)
		}
	}
	return out
}

// forgetRules leaves of an object that others installed what is judged here.
func forgetRules(o *unstructured.Unstructured) {
	o.SetManagedFields(nil)
	if o.GetKind() == "PolicyEndpoint" {
		delete(o.Object, "spec") // one for each policy, with every pod's address
	}
}
