package bootstrap

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/strays"
)

const rbacGroup = "rbac.authorization.k8s.io"

var (
	read  = []string{"get", "list", "watch"}
	write = []string{"create", "update", "patch", "delete"}
	all   = append(append([]string{}, read...), write...)
)

// permissions makes the controller's service account with its roles, and
// returns what must exist before the controller can work.
func (b *builder) permissions(namespace pulumi.Resource) ([]pulumi.Resource, error) {
	account, err := corev1.NewServiceAccount(b.ctx, b.child(controllerName), &corev1.ServiceAccountArgs{
		Metadata: b.meta(controllerName),
		// Only pods that ask for the token get it.
		AutomountServiceAccountToken: pulumi.Bool(false),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	if err != nil {
		return nil, err
	}
	manifests := [][]byte{controllerRoleManifests}
	if b.args.ProjectSource != nil {
		manifests = append(manifests, sourceRoleManifests)
	}
	var granted []pulumi.Resource
	for _, m := range manifests {
		bindings, err := b.controllerRoles(m, namespace)
		if err != nil {
			return nil, err
		}
		granted = append(granted, bindings...)
	}
	project, err := b.projectRoles()
	if err != nil {
		return nil, err
	}
	return append(append(project, account), granted...), nil
}

// controllerRoleManifests are generated from what internal/controller says beside
// the code that needs it, and nothing else is granted.
//
// Kubernetes lets nobody grant more than they hold. The controller holds less
// than a project's admin, and gets around that by "bind" on three roles by
// name, never by "escalate": it can hand out these three and write none.
//
//go:generate go tool controller-gen rbac:roleName=namespace-controller,fileName=controller-role.yaml paths=../../internal/controller output:rbac:dir=.
//go:embed controller-role.yaml
var controllerRoleManifests []byte

// sourceRoleManifests are what internal/controller/source needs beside it, and
// the controller of an org with a ProjectSource alone gets.
//
//go:generate go tool controller-gen rbac:roleName=namespace-controller-projects,fileName=controller-projects-role.yaml paths=../../internal/controller/source output:rbac:dir=.
//go:embed controller-projects-role.yaml
var sourceRoleManifests []byte

// manifestRole is one document of the manifests.
type manifestRole struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Rules []struct {
		APIGroups     []string `yaml:"apiGroups"`
		Resources     []string `yaml:"resources"`
		ResourceNames []string `yaml:"resourceNames"`
		Verbs         []string `yaml:"verbs"`
	} `yaml:"rules"`
}

func (m manifestRole) rules() rbacv1.PolicyRuleArray {
	var all rbacv1.PolicyRuleArray
	for _, r := range m.Rules {
		one := rule(r.APIGroups, r.Resources, r.Verbs)
		if len(r.ResourceNames) > 0 {
			one = named(one, r.ResourceNames...)
		}
		all = append(all, one)
	}
	return all
}

// controllerRoles gives the controller its roles: one for the cluster, and one
// for each namespace in which it needs something that it needs nowhere else.
func (b *builder) controllerRoles(manifests []byte, namespace pulumi.Resource) ([]pulumi.Resource, error) {
	var made []pulumi.Resource
	documents := yaml.NewDecoder(bytes.NewReader(manifests))
	for {
		var m manifestRole
		err := documents.Decode(&m)
		if errors.Is(err, io.EOF) {
			return made, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the controller's roles: %w", err)
		}
		binding, err := b.controllerRole(m, namespace)
		if err != nil {
			return nil, err
		}
		made = append(made, binding)
	}
}

func (b *builder) controllerRole(m manifestRole, namespace pulumi.Resource) (pulumi.Resource, error) {
	part, clusterName := m.Metadata.Name, "freehold-"+m.Metadata.Name
	if m.Kind == "ClusterRole" {
		role, err := rbacv1.NewClusterRole(b.ctx, b.child(part), &rbacv1.ClusterRoleArgs{
			Metadata: b.clusterMeta(clusterName), Rules: m.rules(),
		}, b.parent)
		if err != nil {
			return nil, err
		}
		return rbacv1.NewClusterRoleBinding(b.ctx, b.child(part), &rbacv1.ClusterRoleBindingArgs{
			Metadata: b.clusterMeta(clusterName),
			RoleRef:  clusterRole(clusterName),
			Subjects: rbacv1.SubjectArray{b.controllerSubject()},
		}, b.parent, pulumi.DependsOn([]pulumi.Resource{role}))
	}
	// What is not the controller's own namespace is one of Kubernetes'.
	meta := b.clusterMeta(clusterName)
	meta.Namespace = pulumi.String(m.Metadata.Namespace)
	if m.Metadata.Namespace == controllerNamespace {
		meta = b.meta(m.Metadata.Name)
	} else {
		part += "-" + m.Metadata.Namespace
	}
	role, err := rbacv1.NewRole(b.ctx, b.child(part), &rbacv1.RoleArgs{
		Metadata: meta, Rules: m.rules(),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	if err != nil {
		return nil, err
	}
	return rbacv1.NewRoleBinding(b.ctx, b.child(part), &rbacv1.RoleBindingArgs{
		Metadata: meta,
		RoleRef:  &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("Role"), Name: meta.Name.(pulumi.StringInput)},
		Subjects: rbacv1.SubjectArray{b.controllerSubject()},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{role}))
}

// readers lets the drift schedule see what is made here, what the controller
// makes of it, and what somebody adds to either. Secrets are not among it, but
// for those in the controller's own namespace, where nothing of Freehold's is
// one: that one is there at all has to be seen.
func (b *builder) readers(namespace pulumi.Resource) error {
	const name, inOwn = "freehold-reader", "reader"
	more := rules()
	if s := b.args.ProjectSource; s != nil && s.CABundle != "" {
		more = rules(named(rule(groups(""), []string{"configmaps"}, []string{"get"}), sourceName))
	}
	resources := strays.Resources()
	for _, group := range slices.Sorted(maps.Keys(resources)) {
		more = append(more, rule(groups(group), resources[group], read))
	}
	role, err := rbacv1.NewClusterRole(b.ctx, b.child("reader"), &rbacv1.ClusterRoleArgs{
		Metadata: b.clusterMeta(name),
		Rules: append(rules(
			rule(groups(""), []string{"namespaces", "serviceaccounts", "resourcequotas", "limitranges", "services"}, read),
			rule(groups("apps"), []string{"deployments", "replicasets"}, read),
			rule(groups("policy"), []string{"poddisruptionbudgets"}, read),
			rule(groups("networking.k8s.io"), []string{"networkpolicies", "ingresses", "ingressclasses"}, read),
			rule(groups(rbacGroup), []string{"roles", "rolebindings", "clusterroles", "clusterrolebindings"}, read),
			rule(groups("admissionregistration.k8s.io"), []string{
				"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
				"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
			}, read),
			rule(groups("apiregistration.k8s.io"), []string{"apiservices"}, read),
			rule(groups("apiextensions.k8s.io"), []string{"customresourcedefinitions"}, read),
			rule(groups("storage.k8s.io"), []string{"storageclasses"}, read),
			rule(groups("freehold.dev"), []string{"projects"}, read),
		), more...),
	}, b.parent)
	if err != nil {
		return err
	}
	_, err = rbacv1.NewClusterRoleBinding(b.ctx, b.child("reader"), &rbacv1.ClusterRoleBindingArgs{
		Metadata: b.clusterMeta(name),
		RoleRef:  clusterRole(name),
		Subjects: rbacv1.SubjectArray{b.readersSubject()},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{role}))
	if err != nil {
		return err
	}
	// Every kind that the cluster has, those of tomorrow among them.
	every, err := rbacv1.NewRole(b.ctx, b.child("reader"), &rbacv1.RoleArgs{
		Metadata: b.meta(inOwn),
		Rules:    rules(rule(groups("*"), []string{"*"}, []string{"list"})),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	if err != nil {
		return err
	}
	_, err = rbacv1.NewRoleBinding(b.ctx, b.child("reader"), &rbacv1.RoleBindingArgs{
		Metadata: b.meta(inOwn),
		RoleRef:  &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("Role"), Name: pulumi.String(inOwn)},
		Subjects: rbacv1.SubjectArray{b.readersSubject()},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{every}))
	return err
}

func (b *builder) readersSubject() *rbacv1.SubjectArgs {
	return &rbacv1.SubjectArgs{ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("Group"), Name: pulumi.String(b.args.Readers)}
}

func (b *builder) controllerSubject() *rbacv1.SubjectArgs {
	return &rbacv1.SubjectArgs{
		Kind: pulumi.String("ServiceAccount"), Name: pulumi.String(controllerName), Namespace: pulumi.String(b.args.Namespace),
	}
}

func clusterRole(name string) *rbacv1.RoleRefArgs {
	return &rbacv1.RoleRefArgs{
		ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("ClusterRole"), Name: pulumi.String(name),
	}
}

func groups(names ...string) []string { return names }

func rule(groups, resources, verbs []string) *rbacv1.PolicyRuleArgs {
	return &rbacv1.PolicyRuleArgs{
		ApiGroups: stringArray(groups...), Resources: stringArray(resources...), Verbs: stringArray(verbs...),
	}
}

// named narrows a rule to objects of these names.
func named(r *rbacv1.PolicyRuleArgs, names ...string) *rbacv1.PolicyRuleArgs {
	r.ResourceNames = stringArray(names...)
	return r
}

func rules(rs ...*rbacv1.PolicyRuleArgs) rbacv1.PolicyRuleArray {
	a := make(rbacv1.PolicyRuleArray, len(rs))
	for i, r := range rs {
		a[i] = r
	}
	return a
}
