package bootstrap

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// namespace makes the controller's namespace, in which Kubernetes refuses pods
// that are not restricted, and its fence.
func (b *builder) namespace() (*corev1.Namespace, error) {
	meta := b.clusterMeta(b.args.Namespace)
	meta.Labels = b.labels(map[string]string{
		"pod-security.kubernetes.io/enforce":         "restricted",
		"pod-security.kubernetes.io/enforce-version": "latest",
		"pod-security.kubernetes.io/audit":           "restricted",
		"pod-security.kubernetes.io/warn":            "restricted",
	})
	namespace, err := corev1.NewNamespace(b.ctx, b.child("namespace"), &corev1.NamespaceArgs{Metadata: meta}, b.parent)
	if err != nil {
		return nil, err
	}
	return namespace, b.fence(namespace)
}

// scraperLabel is on a namespace whose Prometheus may read the controller's metrics.
const scraperLabel = "freehold.dev/scrape-metrics"

// fence lets only a Prometheus for metrics into the namespace, and out of it
// only name lookups and TLS, which is how the Kubernetes API is reached. The API's addresses are
// network interfaces that EKS moves at will, so no range can name them. The
// node's probes do not pass the fence.
func (b *builder) fence(namespace pulumi.Resource) error {
	port := func(number int, protocol string) *networkingv1.NetworkPolicyPortArgs {
		return &networkingv1.NetworkPolicyPortArgs{Port: pulumi.Int(number), Protocol: pulumi.String(protocol)}
	}
	source, err := b.sourceEgress()
	if err != nil {
		return err
	}
	_, err = networkingv1.NewNetworkPolicy(b.ctx, b.child("fence"), &networkingv1.NetworkPolicyArgs{
		Metadata: b.meta("fence"),
		Spec: &networkingv1.NetworkPolicySpecArgs{
			PodSelector: &metav1.LabelSelectorArgs{},
			PolicyTypes: stringArray("Ingress", "Egress"),
			Ingress: networkingv1.NetworkPolicyIngressRuleArray{&networkingv1.NetworkPolicyIngressRuleArgs{
				Ports: networkingv1.NetworkPolicyPortArray{port(metricsPort, "TCP")},
				From: networkingv1.NetworkPolicyPeerArray{&networkingv1.NetworkPolicyPeerArgs{
					NamespaceSelector: &metav1.LabelSelectorArgs{MatchLabels: stringMap(map[string]string{scraperLabel: "true"})},
					PodSelector:       &metav1.LabelSelectorArgs{MatchLabels: stringMap(map[string]string{"app.kubernetes.io/name": "prometheus"})},
				}},
			}},
			Egress: append(networkingv1.NetworkPolicyEgressRuleArray{
				&networkingv1.NetworkPolicyEgressRuleArgs{
					Ports: networkingv1.NetworkPolicyPortArray{port(53, "UDP"), port(53, "TCP")},
					To: networkingv1.NetworkPolicyPeerArray{&networkingv1.NetworkPolicyPeerArgs{
						NamespaceSelector: &metav1.LabelSelectorArgs{
							MatchLabels: stringMap(map[string]string{"kubernetes.io/metadata.name": "kube-system"}),
						},
					}},
				},
				&networkingv1.NetworkPolicyEgressRuleArgs{
					Ports: networkingv1.NetworkPolicyPortArray{port(443, "TCP")},
				},
			}, source...),
		},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	return err
}
