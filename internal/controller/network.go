package controller

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// apiService is the name of the Service in front of the cluster's API, and of
// the label of its EndpointSlices.
const apiService = "kubernetes"

// podIdentityAgent is where pods get their role's credentials, on every node of
// EKS: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
const podIdentityAgent = "169.254.170.23/32"

// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=list;watch;create;patch;update;delete
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list;watch,namespace=default

// network fences the project's pods: nothing goes in or out but what is listed.
func (l *look) network(ctx context.Context) (answer, error) {
	api, err := l.apiAddresses(ctx)
	if err != nil {
		return answer{}, err
	}
	callees, err := l.callees(ctx)
	if err != nil {
		return answer{}, err
	}
	var want []client.Object
	for _, p := range l.policies(api, callees) {
		want = append(want, p)
	}
	l.counts.NetworkPolicies = int32(len(want))
	return answer{}, l.keep(ctx, &networkingv1.NetworkPolicyList{}, want...)
}

// policies are the network policies of the project. Kubernetes adds them up:
// the first lets nothing through, each of the others something.
func (l *look) policies(api []networkingv1.NetworkPolicyEgressRule, callees []v1alpha1.Project) []*networkingv1.NetworkPolicy {
	in, out := networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	policy := func(name string, types ...networkingv1.PolicyType) *networkingv1.NetworkPolicy {
		return &networkingv1.NetworkPolicy{ObjectMeta: l.named(name), Spec: networkingv1.NetworkPolicySpec{PolicyTypes: types}}
	}
	deny := policy("default-deny", in, out)

	dns := policy("allow-dns", out)
	dns.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{
		To: []networkingv1.NetworkPolicyPeer{{
			NamespaceSelector: matching(corev1.LabelMetadataName, metav1.NamespaceSystem),
			PodSelector:       matching("k8s-app", "kube-dns"),
		}},
		Ports: append(openPorts("UDP", 53), openPorts("TCP", 53)...),
	}}

	own := policy("allow-namespace", in, out)
	siblings := []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}
	own.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: siblings}}
	own.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{To: siblings}}

	all := []*networkingv1.NetworkPolicy{deny, dns, own}
	if len(api) > 0 {
		p := policy("allow-api", out)
		p.Spec.Egress = api
		all = append(all, p)
	}
	if rules := l.waysIn(); len(rules) > 0 {
		p := policy("ingress", in)
		p.Spec.Ingress = rules
		all = append(all, p)
	}
	if rules := l.waysOut(callees); len(rules) > 0 {
		p := policy("egress", out)
		p.Spec.Egress = rules
		all = append(all, p)
	}
	return all
}

func (l *look) waysIn() []networkingv1.NetworkPolicyIngressRule {
	var rules []networkingv1.NetworkPolicyIngressRule
	for _, from := range l.p.Spec.Ingress {
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{
			From:  []networkingv1.NetworkPolicyPeer{l.project(from.Project)},
			Ports: openPorts(from.Protocol, from.Ports...),
		})
	}
	return rules
}

func (l *look) waysOut(callees []v1alpha1.Project) []networkingv1.NetworkPolicyEgressRule {
	var rules []networkingv1.NetworkPolicyEgressRule
	for _, to := range l.p.Spec.Egress {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{
			To:    []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: to.CIDR, Except: to.Except()}}},
			Ports: openPorts(to.Protocol, to.Ports...),
		})
	}
	if slices.ContainsFunc(l.p.Spec.ServiceAccounts, func(a v1alpha1.ServiceAccount) bool { return a.PodIdentityRole != "" }) {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{
			To:    []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: podIdentityAgent}}},
			Ports: openPorts("TCP", 80),
		})
	}
	for i := range callees {
		for _, from := range callees[i].Spec.Ingress {
			if from.Project != l.p.Name {
				continue
			}
			rules = append(rules, networkingv1.NetworkPolicyEgressRule{
				To:    []networkingv1.NetworkPolicyPeer{l.project(callees[i].Name)},
				Ports: openPorts(from.Protocol, from.Ports...),
			})
		}
	}
	return rules
}

// project is every pod of a project. Its namespace must be ours, and the same
// org's: a namespace of that name that somebody else made is not meant.
func (l *look) project(name string) networkingv1.NetworkPolicyPeer {
	marks := l.labels()
	marks[v1alpha1.LabelProject] = name
	marks[corev1.LabelMetadataName] = name
	return networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{MatchLabels: marks}}
}

// calledBy is the cache's index of projects by those that may call them.
const calledBy = "calledBy"

func callers(o client.Object) []string {
	var names []string
	for _, from := range o.(*v1alpha1.Project).Spec.Ingress {
		names = append(names, from.Project)
	}
	return names
}

// callersOf asks for the projects that may call one that changed.
func callersOf(_ context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range callers(o) {
		requests = append(requests, request(name)...)
	}
	return requests
}

// callees are the projects that this one may call, by name.
func (l *look) callees(ctx context.Context) ([]v1alpha1.Project, error) {
	var found v1alpha1.ProjectList
	if err := l.client.List(ctx, &found, client.MatchingFields{calledBy: l.p.Name}); err != nil {
		return nil, fmt.Errorf("list the projects that it may call: %w", err)
	}
	same := slices.DeleteFunc(found.Items, func(p v1alpha1.Project) bool { return p.Spec.Org != l.p.Spec.Org })
	slices.SortFunc(same, func(a, b v1alpha1.Project) int { return cmp.Compare(a.Name, b.Name) })
	return same, nil
}

// apiAddresses are the ways to the cluster's API: the Service's address, and
// those behind it, since some networks look at a packet before, and some after,
// it got the second one.
func (l *look) apiAddresses(ctx context.Context) ([]networkingv1.NetworkPolicyEgressRule, error) {
	var rules []networkingv1.NetworkPolicyEgressRule
	var service corev1.Service
	err := l.client.Get(ctx, client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: apiService}, &service)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read the API's service: %w", err)
	}
	if !apierrors.IsNotFound(err) {
		var ports []networkingv1.NetworkPolicyPort
		for _, p := range service.Spec.Ports {
			ports = append(ports, openPort(p.Protocol, p.Port))
		}
		rules = append(rules, toAddresses(service.Spec.ClusterIPs, ports)...)
	}
	var slices discoveryv1.EndpointSliceList
	if err := l.client.List(ctx, &slices, client.InNamespace(metav1.NamespaceDefault)); err != nil {
		return nil, fmt.Errorf("list the API's endpoints: %w", err)
	}
	for i := range slices.Items {
		var addresses []string
		for _, e := range slices.Items[i].Endpoints {
			addresses = append(addresses, e.Addresses...)
		}
		var ports []networkingv1.NetworkPolicyPort
		for _, p := range slices.Items[i].Ports {
			if p.Port == nil {
				continue // it would mean all
			}
			protocol := corev1.ProtocolTCP
			if p.Protocol != nil {
				protocol = *p.Protocol
			}
			ports = append(ports, openPort(protocol, *p.Port))
		}
		rules = append(rules, toAddresses(addresses, ports)...)
	}
	return rules, nil
}

// toAddresses allows ports of single addresses, in an order of its own. Without
// a port it allows nothing: Kubernetes would read it as every port.
func toAddresses(addresses []string, ports []networkingv1.NetworkPolicyPort) []networkingv1.NetworkPolicyEgressRule {
	var peers []networkingv1.NetworkPolicyPeer
	slices.Sort(addresses)
	for _, text := range slices.Compact(addresses) {
		a, err := netip.ParseAddr(text)
		if err != nil {
			continue // "None", of a service without an address
		}
		peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: netip.PrefixFrom(a, a.BitLen()).String()}})
	}
	if len(peers) == 0 || len(ports) == 0 {
		return nil
	}
	return []networkingv1.NetworkPolicyEgressRule{{To: peers, Ports: ports}}
}

func matching(label, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{label: value}}
}

// openPorts are ports as a policy says them; none: all of every protocol, so a
// rule for all of one says so by a range.
func openPorts(protocol string, ports ...int32) []networkingv1.NetworkPolicyPort {
	of := corev1.ProtocolTCP
	if protocol != "" {
		of = corev1.Protocol(protocol)
	}
	if len(ports) == 0 {
		first := openPort(of, 1)
		first.EndPort = new(int32(65535))
		return []networkingv1.NetworkPolicyPort{first}
	}
	var open []networkingv1.NetworkPolicyPort
	for _, p := range ports {
		open = append(open, openPort(of, p))
	}
	return open
}

func openPort(protocol corev1.Protocol, port int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt32(port))}
}
