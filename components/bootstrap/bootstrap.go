// Package bootstrap makes what an org's cluster needs before its first project:
// the namespace controller with everything around it, and the projects that the
// controller is asked for.
package bootstrap

import (
	"fmt"
	"maps"
	"regexp"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// Args describe a Bootstrap.
type Args struct {
	Namespace string // required; where the controller runs
	// Image is the namespace controller's, by digest; required.
	Image string
	// Org is whose cluster it is; required.
	Org string
	// Registry is the beginning of the org's own images, which every project may
	// run: a host and a slash; required.
	Registry string
	// Labels are on every object; required.
	Labels map[string]string

	// Administrators are the Kubernetes groups that may touch what the
	// controller owns; bootstrap's own among them.
	Administrators []string
	// Readers is the Kubernetes group that may read what is made here.
	Readers string // required

	StorageClass string // required; the default class's name
	// VolumeKeyARN encrypts every volume; required.
	VolumeKeyARN string
	// VolumeTags are AWS tags on every volume of the class. Every change of them has
	// the class made anew.
	VolumeTags map[string]string

	// Projects are what the controller is asked for.
	Projects []v1alpha1.NamedProject
	// ProjectSource lists projects beside them; nil: nothing does, and the
	// controller may make none.
	ProjectSource *ProjectSource
}

// Bootstrap is everything of Freehold's that is in an org's cluster.
//
// It guarantees that
//   - the controller's image is the one of a digest, and its pods run without
//     root, privileges, a writable root file system or access to other pods;
//     nothing reaches them over the network but a Prometheus that is let in;
//   - the controller may do what its reconcilers need and no more: it binds
//     three fixed roles without holding "escalate", and admission refuses it
//     any namespace that is not its own, and anything in one that is no project's;
//   - what carries the controller's label, the namespaces of projects, and the
//     quotas, limits, network policies and role bindings in them are changed by
//     nobody else: not by members of a project, whatever their roles, nor by
//     other controllers; only administrators are excepted;
//   - outside of kube-system no pod has the node's files, network, processes,
//     ports or privileges, whoever starts it;
//   - in the namespaces of projects pods run images of the org's registry and
//     of those that the Project names, and services stay inside the cluster;
//   - they have volumes of the kinds that are listed, whatever the project's Pod
//     Security level, and take no priority, node or place of other projects' pods;
//   - a project is called by the hosts that the Project names, and never from the
//     internet; what its members make has no credential that does not expire, and
//     keeps neither a node nor the namespace from being emptied;
//   - rights in the whole cluster are given by administrators and by the cluster
//     itself, and by nobody to everybody;
//   - members can neither open their project's network, nor raise its quota,
//     nor let others in;
//   - who reads the cluster for drift sees no Secret but those that somebody puts
//     into the controller's namespace;
//   - volumes are encrypted with the org's key unless somebody names another
//     storage class, and carry its tags;
//   - with a ProjectSource, the controller makes, changes and removes the Projects
//     that it pulled and no others; without one, none;
//   - projects are asked for after the controller can answer, and removed
//     while it still can;
//   - every object carries the labels, and every field that is set here is
//     taken back from whoever else wrote it.
type Bootstrap struct {
	pulumi.ResourceState

	Namespace       pulumi.StringOutput
	ControllerImage pulumi.StringOutput
	Projects        pulumi.StringArrayOutput
}

// byDigest fits an image that is always the same one.
var byDigest = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)

var registryHost = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?/$`)

// New makes a Bootstrap.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Bootstrap, error) {
	if !byDigest.MatchString(args.Image) {
		return nil, fmt.Errorf("bootstrap %s: image %q is not given by digest", name, args.Image)
	}
	// Without the slash, the org's registry would be the beginning of another's.
	if !registryHost.MatchString(args.Registry) {
		return nil, fmt.Errorf("bootstrap %s: registry %q is not a host and a slash", name, args.Registry)
	}
	if args.ProjectSource != nil {
		if _, _, err := args.ProjectSource.way(); err != nil {
			return nil, fmt.Errorf("bootstrap %s: %w", name, err)
		}
	}
	c := &Bootstrap{}
	if err := ctx.RegisterComponentResource("freehold:index:Bootstrap", name, c, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(c)}

	namespace, err := b.namespace()
	if err != nil {
		return nil, err
	}
	definition, err := b.projectDefinition()
	if err != nil {
		return nil, err
	}
	permissions, err := b.permissions(namespace)
	if err != nil {
		return nil, err
	}
	bundle, err := b.sourceBundle(namespace)
	if err != nil {
		return nil, err
	}
	if err := b.readers(namespace); err != nil {
		return nil, err
	}
	fences, err := b.admission()
	if err != nil {
		return nil, err
	}
	if err := b.storage(); err != nil {
		return nil, err
	}
	controller, err := b.controller(namespace, append(append(permissions, definition), bundle...))
	if err != nil {
		return nil, err
	}
	names, err := b.projects(append(fences, controller, definition))
	if err != nil {
		return nil, err
	}

	c.Namespace = namespace.Metadata.Name().Elem()
	c.ControllerImage = pulumi.String(args.Image).ToStringOutput()
	c.Projects = names
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"namespace":       c.Namespace,
		"controllerImage": c.ControllerImage,
		"projects":        c.Projects,
	})
}

// builder carries what every part of one Bootstrap needs.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   Args
	parent pulumi.ResourceOption
}

// child returns the logical name of a part. It is a promise: renaming one
// replaces what is behind it.
func (b *builder) child(part string) string { return b.name + "-" + part }

// owned are the annotations by which the provider applies an object as its
// owner. Whoever writes a field with kubectl or by a controller becomes its
// manager, and without force every later apply of another value fails. A name of
// our own, in place of one that is made up for each object and kept in the state,
// stays the owner when a run is killed before its state is written: what a later
// program drops is then really removed.
// https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
var owned = map[string]string{
	"pulumi.com/patchForce":        "true",
	"pulumi.com/patchFieldManager": "freehold",
}

// clusterMeta is the metadata of an object without a namespace. Names are
// always given: a random suffix would change what others refer to.
func (b *builder) clusterMeta(name string) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(name), Labels: b.labels(nil), Annotations: annotations(nil)}
}

// annotations are an object's, with those that every object has.
func annotations(more map[string]string) pulumi.StringMap {
	all := maps.Clone(owned)
	maps.Copy(all, more)
	return stringMap(all)
}

// meta is the metadata of an object in the controller's namespace.
func (b *builder) meta(name string) *metav1.ObjectMetaArgs {
	m := b.clusterMeta(name)
	m.Namespace = pulumi.String(b.args.Namespace)
	return m
}

func (b *builder) labels(more map[string]string) pulumi.StringMap {
	all := maps.Clone(b.args.Labels)
	maps.Copy(all, more)
	return stringMap(all)
}

func stringMap(m map[string]string) pulumi.StringMap {
	s := make(pulumi.StringMap, len(m))
	for k, v := range m {
		s[k] = pulumi.String(v)
	}
	return s
}

func stringArray(ss ...string) pulumi.StringArray {
	a := make(pulumi.StringArray, len(ss))
	for i, s := range ss {
		a[i] = pulumi.String(s)
	}
	return a
}
