package kubelive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// listed is a kind that can be listed.
type listed struct {
	resource   schema.GroupVersionResource
	kind       schema.GroupVersionKind
	namespaced bool
}

// token is the kind as Pulumi's types write it.
func (l listed) token() string {
	group := l.kind.Group
	if group == "" {
		group = "core"
	}
	return typePrefix + group + "/" + l.kind.Version + ":" + l.kind.Kind
}

// served are the kinds that the cluster can list, each in the version that it
// prefers. A group whose server does not answer is in unread: what there is of
// it nobody can tell.
func (c *Client) served() (all []listed, unread []Unread, err error) {
	groups, err := c.kinds.ServerPreferredResources()
	if failed, ok := errors.AsType[*discovery.ErrGroupDiscoveryFailed](err); ok {
		for gv, why := range failed.Groups {
			unread = append(unread, Unread{What: "the kinds of " + gv.String(), Why: why.Error()})
		}
		slices.SortFunc(unread, func(a, b Unread) int { return strings.Compare(a.What, b.What) })
		err = nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the cluster's kinds: %w", err)
	}
	for _, g := range groups {
		gv, err := schema.ParseGroupVersion(g.GroupVersion)
		if err != nil {
			return nil, nil, fmt.Errorf("list the cluster's kinds: %w", err)
		}
		for _, r := range g.APIResources {
			if !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list") {
				all = append(all, listed{gv.WithResource(r.Name), gv.WithKind(r.Kind), r.Namespaced})
			}
		}
	}
	return all, unread, nil
}

// Unread is something that could not be looked at; it is never the same as
// nothing found.
type Unread struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// reading collects what lists of many kinds could not say.
type reading struct {
	mu     sync.Mutex
	failed map[string]map[string]error // by place, by kind
}

// failure notes that a kind could not be listed in a place. A kind that is not
// there any more has no objects.
func (r *reading) failure(place string, l listed, err error) {
	if apierrors.IsNotFound(err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = map[string]map[string]error{}
	}
	if r.failed[place] == nil {
		r.failed[place] = map[string]error{}
	}
	r.failed[place][l.resource.GroupResource().String()] = err
}

// unread is one line for each place: a role that may list nothing may not list
// forty kinds.
func (r *reading) unread() []Unread {
	var out []Unread
	for _, place := range slices.Sorted(maps.Keys(r.failed)) {
		kinds := slices.Sorted(maps.Keys(r.failed[place]))
		out = append(out, Unread{What: strings.Join(kinds, ", ") + " " + place, Why: r.failed[place][kinds[0]].Error()})
	}
	return out
}

// together runs some reads side by side, but not all at once.
func together[T any](of []T, read func(T)) {
	const most = 8
	slots := make(chan struct{}, most)
	var wait sync.WaitGroup
	for _, one := range of {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			read(one)
		})
	}
	wait.Wait()
}

// heads lists the metadata of objects, and not what is in them: of a Secret
// that is nobody's business here. An empty namespace stands for all.
func (c *Client) heads(ctx context.Context, l listed, namespace, selector string) ([]head, error) {
	const page = 500
	var out []head
	opts := metav1.ListOptions{Limit: page, LabelSelector: selector}
	for {
		list, err := c.names.Resource(l.resource).Namespace(namespace).List(ctx, opts)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			// What has no uid is stored nowhere: an aggregated API made it up, as
			// metrics.k8s.io does, and APIServices are looked at by themselves.
			if list.Items[i].UID != "" {
				out = append(out, head{listed: l, ObjectMeta: list.Items[i].ObjectMeta})
			}
		}
		if list.Continue == "" {
			return out, nil
		}
		opts.Continue = list.Continue
	}
}

// head is an object without its contents.
type head struct {
	listed
	metav1.ObjectMeta
}

func (h head) id() string {
	if h.Namespace == "" {
		return h.Name
	}
	return h.Namespace + "/" + h.Name
}

// key finds an object whatever version somebody knows it in.
func (h head) key() string { return keyOf(h.kind.GroupKind(), h.id()) }

func keyOf(kind schema.GroupKind, id string) string { return kind.String() + " " + id }
