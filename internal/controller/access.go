package controller

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"freehold.dev/freehold/internal/api/v1alpha1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// projectRolePrefix and a role name the ClusterRole that bootstrap makes for it.
const projectRolePrefix = "freehold-project-"

// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=rolebindings,verbs=get;list;watch;create;patch;update;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterroles,verbs=bind,resourceNames=freehold-project-admin;freehold-project-editor;freehold-project-viewer

// access makes the service accounts, and binds each role to its members and to
// nobody else. Where the namespace is not fenced, nobody is let in who was not
// in before; whoever is no member any more is out at once.
func (l *look) access(ctx context.Context) (answer, error) {
	failure := l.accounts(ctx)
	var bindings rbacv1.RoleBindingList
	if err := l.client.List(ctx, &bindings, client.InNamespace(l.p.Name)); err != nil {
		return answer{}, errors.Join(failure, err)
	}
	held, waiting := false, !l.fenced()
	var want []client.Object
	for _, role := range []v1alpha1.Role{v1alpha1.RoleAdmin, v1alpha1.RoleEditor, v1alpha1.RoleViewer} {
		b := l.binding(role)
		if waiting {
			all := len(b.Subjects)
			b.Subjects = alreadyIn(b, bindings.Items)
			held = held || len(b.Subjects) < all
		}
		if len(b.Subjects) > 0 {
			want = append(want, b)
			l.counts.Members += int32(len(b.Subjects))
		}
	}
	l.counts.RoleBindings = int32(len(want))
	if err := errors.Join(failure, l.keep(ctx, &rbacv1.RoleBindingList{}, want...)); err != nil {
		return answer{}, err
	}
	if held {
		return answer{reason: "WaitsForFences", message: "members who are new are let in when the quota and the network hold", ours: true, expected: true}, nil
	}
	return answer{}, nil
}

// binding gives a role to its members.
func (l *look) binding(role v1alpha1.Role) *rbacv1.RoleBinding {
	b := &rbacv1.RoleBinding{
		ObjectMeta: l.named("freehold-" + string(role)),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: projectRolePrefix + string(role)},
	}
	for _, m := range l.p.Spec.Members {
		if m.Role != role {
			continue
		}
		s := rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: m.Group}
		if m.User != "" {
			s.Kind, s.Name = rbacv1.UserKind, m.User
		}
		b.Subjects = append(b.Subjects, s)
	}
	// In what order members were added says nothing.
	slices.SortFunc(b.Subjects, func(x, y rbacv1.Subject) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name))
	})
	b.Subjects = slices.Compact(b.Subjects)
	return b
}

// alreadyIn are the subjects of a binding that the binding of that name has.
func alreadyIn(b *rbacv1.RoleBinding, found []rbacv1.RoleBinding) []rbacv1.Subject {
	i := slices.IndexFunc(found, func(o rbacv1.RoleBinding) bool { return o.Name == b.Name && o.RoleRef == b.RoleRef })
	if i < 0 {
		return nil
	}
	return slices.DeleteFunc(b.Subjects, func(s rbacv1.Subject) bool { return !slices.Contains(found[i].Subjects, s) })
}
