package controller

import (
	"testing"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhoseANamespaceIs(t *testing.T) {
	ours := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelProject: "web", v1alpha1.LabelOrg: "acme"}
	with := func(key, value string) map[string]string { return merged(ours, map[string]string{key: value}) }
	written := []metav1.ManagedFieldsEntry{{Manager: "kubectl"}, {Manager: fieldManager}}
	for name, c := range map[string]struct {
		labels map[string]string
		fields []metav1.ManagedFieldsEntry
		had    bool // the project has had it
		owns   bool
	}{
		"one that is marked is ours":                                       {ours, nil, false, true},
		"one without a mark is not":                                        {nil, nil, false, false},
		"one whose mark was taken off is still ours":                       {nil, written, true, true},
		"one that another tool manages is not":                             {with(v1alpha1.LabelManagedBy, "helm"), nil, false, false},
		"one that another org's project left is not had by its name":       {with(v1alpha1.LabelOrg, "globex"), written, false, false},
		"one that was given to another org by hand is still the project's": {with(v1alpha1.LabelOrg, "globex"), written, true, true},
	} {
		l := &look{projects: &projects{}, p: project("web")}
		if c.had {
			l.p.Status.Namespace = "web"
		}
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: c.labels, ManagedFields: c.fields}}
		if got := l.owns(ns); got != c.owns {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAddressesAreOpenedOneByOneAndOnlyWithPorts(t *testing.T) {
	https := []networkingv1.NetworkPolicyPort{openPort(corev1.ProtocolTCP, 443)}
	rule := func(cidrs ...string) []networkingv1.NetworkPolicyEgressRule {
		r := networkingv1.NetworkPolicyEgressRule{Ports: https}
		for _, c := range cidrs {
			r.To = append(r.To, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: c}})
		}
		return []networkingv1.NetworkPolicyEgressRule{r}
	}
	for name, c := range map[string]struct {
		addresses []string
		ports     []networkingv1.NetworkPolicyPort
		want      []networkingv1.NetworkPolicyEgressRule
	}{
		"sorted, each once":                   {[]string{"10.0.0.2", "10.0.0.1", "10.0.0.2"}, https, rule("10.0.0.1/32", "10.0.0.2/32")},
		"IPv6":                                {[]string{"fd00::1"}, https, rule("fd00::1/128")},
		"a service without an address":        {[]string{"None"}, https, nil},
		"no port, which would mean all ports": {[]string{"10.0.0.1"}, nil, nil},
		"nothing, which would mean the world": {nil, https, nil},
	} {
		if diff := cmp.Diff(c.want, toAddresses(c.addresses, c.ports)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhereItIsNotFencedNobodyNewIsLetIn(t *testing.T) {
	user := func(name string) rbacv1.Subject {
		return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}
	}
	binding := func(role string, subjects ...rbacv1.Subject) rbacv1.RoleBinding {
		return rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b"}, RoleRef: rbacv1.RoleRef{Name: role}, Subjects: subjects}
	}
	want := binding("editor", user("ada"), user("bo"))
	for name, c := range map[string]struct {
		live []rbacv1.RoleBinding
		in   []rbacv1.Subject
	}{
		"nobody was in":                            {nil, nil},
		"one was in, and one who goes":             {[]rbacv1.RoleBinding{binding("editor", user("bo"), user("eve"))}, []rbacv1.Subject{user("bo")}},
		"somebody bound another role to that name": {[]rbacv1.RoleBinding{binding("cluster-admin", user("bo"))}, nil},
	} {
		if diff := cmp.Diff(c.in, alreadyIn(want.DeepCopy(), c.live)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhoWroteLast(t *testing.T) {
	at := func(manager string, seconds int64) metav1.ManagedFieldsEntry {
		now := metav1.Unix(seconds, 0)
		return metav1.ManagedFieldsEntry{Manager: manager, Time: &now}
	}
	status := at("kube-controller-manager", 9)
	status.Subresource = "status"
	for who, entries := range map[string][]metav1.ManagedFieldsEntry{
		"":             {at(fieldManager, 8), status},
		"kubectl-edit": {at("helm", 1), at("kubectl-edit", 5), at(fieldManager, 8), status},
		"helm":         {{Manager: "unknown"}, at("helm", 1)},
	} {
		if got := lastOther(entries); got != who {
			t.Errorf("%q, not %q", got, who)
		}
	}
}
