package bootstrap

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
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
	wide, err := b.controllerClusterRole()
	if err != nil {
		return nil, err
	}
	narrow, err := b.controllerRole(namespace)
	if err != nil {
		return nil, err
	}
	project, err := b.projectRoles()
	if err != nil {
		return nil, err
	}
	return append(project, account, wide, narrow), nil
}

// controllerClusterRole lets the controller fence projects everywhere.
//
// Kubernetes lets nobody grant more than they hold. The controller holds less
// than a project's admin, and gets around that by "bind" on three roles by
// name, never by "escalate": it can hand out these three and write none.
func (b *builder) controllerClusterRole() (pulumi.Resource, error) {
	name := "freehold-" + controllerName
	role, err := rbacv1.NewClusterRole(b.ctx, b.child(controllerName), &rbacv1.ClusterRoleArgs{
		Metadata: b.clusterMeta(name),
		Rules: rules(
			rule(groups("freehold.dev"), []string{"projects"}, append([]string{"update", "patch"}, read...)),
			rule(groups("freehold.dev"), []string{"projects/status", "projects/finalizers"}, []string{"update", "patch"}),
			rule(groups(""), []string{"namespaces", "resourcequotas", "limitranges"}, all),
			rule(groups("networking.k8s.io"), []string{"networkpolicies"}, all),
			rule(groups(rbacGroup), []string{"rolebindings"}, all),
			named(rule(groups(rbacGroup), []string{"clusterroles"}, []string{"bind"}), projectRoleNames()...),
			rule(groups("", "events.k8s.io"), []string{"events"}, []string{"create", "patch"}),
		),
	}, b.parent)
	if err != nil {
		return nil, err
	}
	return rbacv1.NewClusterRoleBinding(b.ctx, b.child(controllerName), &rbacv1.ClusterRoleBindingArgs{
		Metadata: b.clusterMeta(name),
		RoleRef:  clusterRole(name),
		Subjects: rbacv1.SubjectArray{b.controllerSubject()},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{role}))
}

// controllerRole lets the controller's replicas choose a leader.
func (b *builder) controllerRole(namespace pulumi.Resource) (pulumi.Resource, error) {
	role, err := rbacv1.NewRole(b.ctx, b.child(controllerName), &rbacv1.RoleArgs{
		Metadata: b.meta(controllerName),
		Rules: rules(rule(groups("coordination.k8s.io"), []string{"leases"},
			[]string{"get", "list", "watch", "create", "update", "patch"})),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	if err != nil {
		return nil, err
	}
	return rbacv1.NewRoleBinding(b.ctx, b.child(controllerName), &rbacv1.RoleBindingArgs{
		Metadata: b.meta(controllerName),
		RoleRef: &rbacv1.RoleRefArgs{
			ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("Role"), Name: pulumi.String(controllerName),
		},
		Subjects: rbacv1.SubjectArray{b.controllerSubject()},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{role}))
}

// readers lets the drift schedule see what is made here, and what the
// controller makes of it; Secrets are not among it.
func (b *builder) readers() error {
	const name = "freehold-reader"
	role, err := rbacv1.NewClusterRole(b.ctx, b.child("reader"), &rbacv1.ClusterRoleArgs{
		Metadata: b.clusterMeta(name),
		Rules: rules(
			rule(groups(""), []string{"namespaces", "serviceaccounts", "resourcequotas", "limitranges"}, read),
			rule(groups("apps"), []string{"deployments", "replicasets"}, read),
			rule(groups("policy"), []string{"poddisruptionbudgets"}, read),
			rule(groups("networking.k8s.io"), []string{"networkpolicies"}, read),
			rule(groups(rbacGroup), []string{"roles", "rolebindings", "clusterroles", "clusterrolebindings"}, read),
			rule(groups("admissionregistration.k8s.io"),
				[]string{"validatingadmissionpolicies", "validatingadmissionpolicybindings"}, read),
			rule(groups("apiextensions.k8s.io"), []string{"customresourcedefinitions"}, read),
			rule(groups("storage.k8s.io"), []string{"storageclasses"}, read),
			rule(groups("freehold.dev"), []string{"projects"}, read),
		),
	}, b.parent)
	if err != nil {
		return err
	}
	_, err = rbacv1.NewClusterRoleBinding(b.ctx, b.child("reader"), &rbacv1.ClusterRoleBindingArgs{
		Metadata: b.clusterMeta(name),
		RoleRef:  clusterRole(name),
		Subjects: rbacv1.SubjectArray{&rbacv1.SubjectArgs{
			ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("Group"), Name: pulumi.String(b.args.Readers),
		}},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{role}))
	return err
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
