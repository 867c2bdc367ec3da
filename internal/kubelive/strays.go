package kubelive

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"freehold.dev/freehold/internal/finding"
)

// Sought says whose the cluster is, and so what belongs there.
type Sought struct {
	// Objects are what the layer made.
	Objects []Object
	// Namespace is the layer's own: all that is in it is looked at.
	Namespace string
	// Administrators and Readers are the groups of the access entries that may do
	// everything, and that may see everything but Secrets.
	Administrators, Readers string
	// Pulled is true where the controller makes projects that the layer does not.
	Pulled bool
}

// Found is what somebody added to a cluster.
type Found struct {
	Strays []Stray
	Unread []Unread
}

// Stray is one object that no layer made and that nothing in the cluster makes
// by itself; or, with Differences, what was added to one that the cluster itself
// has.
type Stray struct {
	Type string `json:"type"` // as Pulumi would write it
	Name string `json:"name"`
	ID   string `json:"id"` // "namespace/name", or "name"
	// Why says what it does.
	Why         string               `json:"why"`
	Differences []finding.Difference `json:"differences,omitempty"`
	// Kept is true where removing it would take data of a project with it: that
	// is for people to do.
	Kept bool `json:"kept,omitempty"`
	// Live is the object, where it was read as a whole.
	Live map[string]any `json:"-"`

	head head
	// made are what Kubernetes made of it.
	made []head
	// back is what its own part of it is, by field; nil: all of it is a stray.
	back map[string]any
}

// Finding is the stray as drift lists it.
func (s Stray) Finding() finding.Finding {
	f := finding.Finding{Kind: finding.Unmanaged, Type: s.Type, Name: s.Name, ID: s.ID, Message: s.Why, Differences: s.Differences}
	if len(s.Differences) > 0 {
		f.Kind = finding.Changed
	}
	return f
}

// UID tells the stray from a later one of its name.
func (s Stray) UID() types.UID { return s.head.UID }

// Strays lists what somebody added to a cluster: anything in the layer's own
// namespace, fences beside the controller's in the namespaces of projects, and
// what gives rights or stands in the API server's way in the whole cluster. It
// only lists. What could not be listed is in Unread.
//
// Other objects of the cluster are its owner's own business: they give nothing
// to anybody by themselves.
func (c *Client) Strays(ctx context.Context, s Sought) (Found, error) {
	kinds, unread, err := c.served()
	if err != nil {
		return Found{}, err
	}
	l := look{client: c, sought: s, kinds: kinds, declared: map[string]bool{}}
	for _, o := range s.Objects {
		kind, err := o.kind()
		if err != nil {
			return Found{}, err
		}
		l.declared[keyOf(kind.GroupKind(), o.ID)] = true
	}
	strays := slices.Concat(l.inNamespace(ctx), l.inProjects(ctx), l.inCluster(ctx))
	if err := ctx.Err(); err != nil {
		return Found{}, err
	}
	slices.SortFunc(strays, func(a, b Stray) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	return Found{Strays: strays, Unread: append(unread, l.reading.unread()...)}, nil
}

// look is one look at a cluster.
type look struct {
	client   *Client
	sought   Sought
	kinds    []listed
	declared map[string]bool
	reading  reading
}

// kind returns a kind that the cluster has.
func (l *look) kind(group, kind string) (listed, bool) {
	i := slices.IndexFunc(l.kinds, func(k listed) bool { return k.kind.Group == group && k.kind.Kind == kind })
	if i < 0 {
		return listed{}, false
	}
	return l.kinds[i], true
}

func stray(h head, why string) Stray {
	if !h.DeletionTimestamp.IsZero() {
		why += "; it is being removed"
		if len(h.Finalizers) > 0 {
			why += ", and waits for the finalizers " + finding.Text(h.Finalizers)
		}
	}
	return Stray{Type: h.token(), Name: h.Name, ID: h.id(), Why: why, head: h}
}

func headOf(l listed, o *unstructured.Unstructured) head {
	h := head{listed: l}
	h.Name, h.Namespace, h.UID, h.ResourceVersion = o.GetName(), o.GetNamespace(), o.GetUID(), o.GetResourceVersion()
	h.DeletionTimestamp, h.Finalizers, h.Labels = o.GetDeletionTimestamp(), o.GetFinalizers(), o.GetLabels()
	return h
}
