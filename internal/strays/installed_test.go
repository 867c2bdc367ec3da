package strays

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// read reads an object, of a project's namespace unless it is another's.
func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return o
}

func TestWhatOthersInstallCountsWhereItOpensTheNetwork(t *testing.T) {
	in := Space{Name: "shop", Labels: map[string]string{"freehold.dev/org": "acme"}, Hosts: []string{"shop.example.com", "*.shop.example.com"}}
	const (
		aws, policy    = "apiVersion: networking.k8s.aws/v1alpha1\n", "apiVersion: policy.networking.k8s.io/v1alpha1\n"
		ciliumV2       = "apiVersion: cilium.io/v2\n"
		calicoV1       = "apiVersion: crd.projectcalico.org/v1\n"
		calicoV3       = "apiVersion: projectcalico.org/v3\n"
		gatewayV1      = "apiVersion: gateway.networking.k8s.io/v1\n"
		here           = "metadata: {name: x, namespace: shop}\n"
		everywhere     = "metadata: {name: x}\n"
		past           = lets + ", past the network policies of namespaces"
		other, anyHost = "is called billing.example.com, which hosts of the Project does not list", "takes the requests for every host"
		ofEKS          = "metadata: {name: x, namespace: shop, ownerReferences: [{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, name: n, uid: u, controller: true}]}\n"
		ofSomebody     = "metadata: {name: x, namespace: shop, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: n, uid: u, controller: true}]}\n"
		notController  = "metadata: {name: x, namespace: shop, ownerReferences: [{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, name: n, uid: u}]}\n"
	)
	for _, c := range []struct{ what, object, want string }{
		{"AWS's policy with a way out", aws + "kind: ApplicationNetworkPolicy\n" + here + "spec: {egress: [{to: [{domainNames: [mallory.example]}]}]}", lets},
		{"AWS's policy with a way in", aws + "kind: ApplicationNetworkPolicy\n" + here + "spec: {ingress: [{}]}", lets},
		{"AWS's policy that denies", aws + "kind: ApplicationNetworkPolicy\n" + here + "spec: {podSelector: {}, policyTypes: [Egress]}", ""},
		{"AWS's policy in another version", "apiVersion: networking.k8s.aws/v9\nkind: ApplicationNetworkPolicy\n" + here + "spec: {ingress: [{}]}", lets},
		{"AWS's policy whose rules are of another shape", aws + "kind: ApplicationNetworkPolicy\n" + here + "spec: {ingress: all}", lets},
		{"endpoints that EKS made of a policy", aws + "kind: PolicyEndpoint\n" + ofEKS, ""},
		{"endpoints by hand", aws + "kind: PolicyEndpoint\n" + here + "spec: {ingress: [{cidr: 0.0.0.0/0}]}", lets + ", and EKS made it of no policy"},
		{"endpoints of something else", aws + "kind: PolicyEndpoint\n" + ofSomebody, lets + ", and EKS made it of no policy"},
		{"endpoints that only name a policy", aws + "kind: PolicyEndpoint\n" + notController, lets + ", and EKS made it of no policy"},

		{"AWS's policy for the cluster that accepts", aws + "kind: ClusterNetworkPolicy\n" + everywhere + "spec: {tier: Admin, subject: {namespaces: {}}, egress: [{action: Accept}]}", past},
		{"AWS's policy for the cluster that denies", aws + "kind: ClusterNetworkPolicy\n" + everywhere + "spec: {tier: Admin, subject: {namespaces: {}}, egress: [{action: Deny}]}", ""},
		{"a cluster's policy that accepts in the baseline", policy + "kind: ClusterNetworkPolicy\n" + everywhere + "spec: {tier: Baseline, subject: {namespaces: {}}, ingress: [{action: Accept}]}", ""},
		{"a cluster's policy that accepts", policy + "kind: ClusterNetworkPolicy\n" + everywhere + "spec: {tier: Admin, subject: {pods: {namespaceSelector: {}, podSelector: {}}}, ingress: [{action: Accept}]}", past},
		{"an admin's policy that allows", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {}}, ingress: [{action: Allow}]}", past},
		{"an admin's policy that allows for the org", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {matchLabels: {freehold.dev/org: acme}}}, egress: [{action: Allow}]}", past},
		{"an admin's policy that allows by the namespace's name", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}, egress: [{action: Allow}]}", past},
		{"an admin's policy about another namespace", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}, egress: [{action: Allow}]}", ""},
		{"an admin's policy about pods of another namespace", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {pods: {namespaceSelector: {matchLabels: {a: b}}}}, egress: [{action: Allow}]}", ""},
		{"an admin's policy whose selector cannot be read", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {matchExpressions: [{key: a, operator: Resembles}]}}, egress: [{action: Allow}]}", past},
		{"an admin's policy that passes on", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {}}, egress: [{action: Pass}, {action: Deny}]}", ""},
		{"an admin's policy that does what nobody knows", policy + "kind: AdminNetworkPolicy\n" + everywhere + "spec: {subject: {namespaces: {}}, egress: [{action: Tunnel}]}", past},

		{"Cilium's policy that allows", ciliumV2 + "kind: CiliumNetworkPolicy\n" + here + "spec: {endpointSelector: {}, egress: [{toEntities: [world]}]}", lets},
		{"Cilium's policy that allows, of several", ciliumV2 + "kind: CiliumNetworkPolicy\n" + here + "specs: [{endpointSelector: {}}, {endpointSelector: {}, ingress: [{fromEntities: [all]}]}]", lets},
		{"Cilium's policy that denies the rest", ciliumV2 + "kind: CiliumNetworkPolicy\n" + here + "spec: {endpointSelector: {}, ingress: [{}], egress: [{}]}", ""},
		{"Cilium's policy that denies", ciliumV2 + "kind: CiliumNetworkPolicy\n" + here + "spec: {endpointSelector: {}, egressDeny: [{toEntities: [world]}]}", ""},
		{"Cilium's policy for the cluster", ciliumV2 + "kind: CiliumClusterwideNetworkPolicy\n" + everywhere + "spec: {endpointSelector: {}, egress: [{toEntities: [world]}]}", lets},
		{"Cilium's policy for another namespace", ciliumV2 + "kind: CiliumClusterwideNetworkPolicy\n" + everywhere + "spec: {endpointSelector: {matchLabels: {\"k8s:io.kubernetes.pod.namespace\": kube-system}}, egress: [{toEntities: [world]}]}", ""},
		{"Cilium's policy for this namespace", ciliumV2 + "kind: CiliumClusterwideNetworkPolicy\n" + everywhere + "spec: {endpointSelector: {matchLabels: {\"k8s:io.kubernetes.pod.namespace\": shop}}, egress: [{toEntities: [world]}]}", lets},
		{"Cilium's policy for nodes", ciliumV2 + "kind: CiliumClusterwideNetworkPolicy\n" + everywhere + "spec: {nodeSelector: {}, ingress: [{fromEntities: [all]}]}", ""},

		{"Calico's policy that allows", calicoV1 + "kind: NetworkPolicy\n" + here + "spec: {egress: [{action: Deny}, {action: Allow}]}", lets},
		{"Calico's policy that allows, in its newer group", calicoV3 + "kind: NetworkPolicy\n" + here + "spec: {ingress: [{action: Allow}]}", lets},
		{"Calico's policy that denies", calicoV1 + "kind: NetworkPolicy\n" + here + "spec: {egress: [{action: Log}, {action: Deny}]}", ""},
		{"Calico's policy for the cluster", calicoV1 + "kind: GlobalNetworkPolicy\n" + everywhere + "spec: {ingress: [{action: Allow}]}", lets},
		{"Calico's policy for another namespace", calicoV3 + "kind: GlobalNetworkPolicy\n" + everywhere + "spec: {namespaceSelector: projectcalico.org/name == \"kube-system\", ingress: [{action: Allow}]}", ""},
		{"Calico's policy for namespaces by what is not judged", calicoV3 + "kind: GlobalNetworkPolicy\n" + everywhere + "spec: {namespaceSelector: has(team), ingress: [{action: Allow}]}", lets},

		{"a route of its own host", gatewayV1 + "kind: HTTPRoute\n" + here + "spec: {hostnames: [shop.example.com, a.shop.example.com]}", ""},
		{"a route of another's host", gatewayV1 + "kind: HTTPRoute\n" + here + "spec: {hostnames: [shop.example.com, billing.example.com]}", other},
		{"a route of every host", gatewayV1 + "kind: GRPCRoute\n" + here + "spec: {}", anyHost},
		{"a route of whatever comes", gatewayV1 + "kind: UDPRoute\n" + here + "spec: {}", anyHost},
		{"a gateway of its own host", gatewayV1 + "kind: Gateway\n" + here + "spec: {gatewayClassName: c, listeners: [{hostname: shop.example.com, allowedRoutes: {namespaces: {from: Same}}}]}", ""},
		{"a gateway of another's host", gatewayV1 + "kind: Gateway\n" + here + "spec: {listeners: [{hostname: billing.example.com}]}", other},
		{"a gateway of every host", gatewayV1 + "kind: Gateway\n" + here + "spec: {listeners: [{port: 80}]}", anyHost},
		{"a gateway for every namespace's routes", gatewayV1 + "kind: Gateway\n" + here + "spec: {listeners: [{hostname: shop.example.com, allowedRoutes: {namespaces: {from: All}}}]}", "takes the routes of other namespaces"},
		{"a gateway at an address", gatewayV1 + "kind: Gateway\n" + here + "spec: {addresses: [{value: 203.0.113.7}]}", "is at an address of its own choice"},
		{"a gateway whose balancer is told to face the internet", gatewayV1 + "kind: Gateway\n" + here + "spec: {infrastructure: {annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing}}}", "says service.beta.kubernetes.io/aws-load-balancer-scheme to the controller that serves it"},
		{"listeners of another's host", "apiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XListenerSet\n" + here + "spec: {listeners: [{hostname: billing.example.com}]}", other},
		{"a grant of references", "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n" + here, "lets other namespaces use the project's objects"},
		{"a kind that nobody looks at", "apiVersion: acme.example/v1\nkind: Gateway\n" + here + "spec: {listeners: [{}]}", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := Why(read(t, c.object), in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnIngressCountsWhereItTakesANameOrFacesTheInternet(t *testing.T) {
	in := Space{Name: "shop", Hosts: []string{"shop.example.com"}, Public: map[string]string{"IngressClass/public": "its scheme says so"}}
	of := func(host string, notes map[string]string) *networkingv1.Ingress {
		o := &networkingv1.Ingress{Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: host}}}}
		o.Annotations = notes
		return o
	}
	with := func(key, value string) *networkingv1.Ingress {
		return of("shop.example.com", map[string]string{key: value})
	}
	classed := of("shop.example.com", nil)
	classed.Spec.IngressClassName = new("public")
	inner := of("shop.example.com", nil)
	inner.Spec.IngressClassName = new("internal")
	certified := of("shop.example.com", nil)
	certified.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"billing.example.com"}}}
	fallback := of("shop.example.com", nil)
	fallback.Spec.DefaultBackend = &networkingv1.IngressBackend{}
	const says = " to the controller that serves it"
	for _, c := range []struct {
		what string
		o    *networkingv1.Ingress
		want string
	}{
		{"its own host", of("shop.example.com", nil), ""},
		{"another's host", of("billing.example.com", nil), "is called billing.example.com, which hosts of the Project does not list"},
		{"a host that ends as its own", of("evilshop.example.com", nil), "is called evilshop.example.com, which hosts of the Project does not list"},
		{"every host", of("", nil), "takes the requests for every host"},
		{"what nobody else takes", fallback, "takes the requests for every host"},
		{"another's certificate", certified, "is called billing.example.com, which hosts of the Project does not list"},
		{"a scheme that faces the internet", with(alb+"scheme", "internet-facing"), "faces the internet: its annotation alb.ingress.kubernetes.io/scheme is internet-facing"},
		{"a scheme that does not", with(alb+"scheme", "internal"), ""},
		{"a class that faces the internet", classed, "faces the internet: its scheme says so"},
		{"the same class in the older way", with("kubernetes.io/ingress.class", "public"), "faces the internet: its scheme says so"},
		{"another class", inner, ""},
		{"a snippet", with("nginx.ingress.kubernetes.io/server-snippet", "return 200;"), "says nginx.ingress.kubernetes.io/server-snippet" + says},
		{"a path that ends a block", with("nginx.ingress.kubernetes.io/rewrite-target", "/;} location / {"), "says nginx.ingress.kubernetes.io/rewrite-target" + says},
		{"a path", with("nginx.ingress.kubernetes.io/rewrite-target", "/$2"), ""},
		{"another project's balancer", with(alb+"group.name", "billing"), "says " + alb + "group.name" + says},
		{"its own balancer", with(alb+"group.name", "shop.public"), ""},
		{"another's target group", with(alb+"actions.a", `{"targetGroupARN":"a"}`), "says " + alb + "actions.a" + says},
		{"a balancer's logs to a bucket", with(alb+"load-balancer-attributes", "access_logs.s3.enabled=true"), "says " + alb + "load-balancer-attributes" + says},
		{"another's users", with("nginx.ingress.kubernetes.io/auth-secret", "billing/users"), "says nginx.ingress.kubernetes.io/auth-secret" + says},
		{"a record of another's name", with("external-dns.alpha.kubernetes.io/hostname", "shop.example.com., Billing.example.com."), "is called billing.example.com, which hosts of the Project does not list"},
		{"a certificate's issuer", with("cert-manager.io/cluster-issuer", "letsencrypt"), ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := Why(c.o, in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAClassFacesTheInternetByItsParameters(t *testing.T) {
	class := func(name, group, kind, parameters string) *networkingv1.IngressClass {
		c := &networkingv1.IngressClass{}
		c.Name = name
		if parameters != "" {
			c.Spec.Parameters = &networkingv1.IngressClassParametersReference{APIGroup: &group, Kind: kind, Name: parameters}
		}
		return c
	}
	got := Public([]*networkingv1.IngressClass{
		class("alb", "elbv2.k8s.aws", "IngressClassParams", "open"), class("auto", "eks.amazonaws.com", "IngressClassParams", "open"),
		class("internal", "elbv2.k8s.aws", "IngressClassParams", "closed"), class("unsaid", "elbv2.k8s.aws", "IngressClassParams", "unsaid"),
		class("nginx", "", "", ""), class("gone", "elbv2.k8s.aws", "IngressClassParams", "gone"),
	}, []*unstructured.Unstructured{
		read(t, "{apiVersion: elbv2.k8s.aws/v1beta1, kind: IngressClassParams, metadata: {name: open}, spec: {scheme: internet-facing}}"),
		read(t, "{apiVersion: eks.amazonaws.com/v1, kind: IngressClassParams, metadata: {name: open}, spec: {scheme: internal}}"),
		read(t, "{apiVersion: elbv2.k8s.aws/v1beta1, kind: IngressClassParams, metadata: {name: closed}, spec: {scheme: internal}}"),
		read(t, "{apiVersion: elbv2.k8s.aws/v1beta1, kind: IngressClassParams, metadata: {name: unsaid}, spec: {}}"),
		read(t, "{apiVersion: gateway.k8s.aws/v1beta1, kind: LoadBalancerConfiguration, metadata: {name: lb, namespace: infra}, spec: {scheme: internet-facing}}"),
		read(t, "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: edge}, spec: {parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: lb, namespace: infra}}}"),
		read(t, "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: plain}, spec: {controllerName: gateway.k8s.aws/alb}}"),
	})
	want := map[string]string{
		"IngressClass/alb":                   "the scheme of IngressClassParams open is internet-facing, which IngressClass alb has",
		"GatewayClass/edge":                  "the scheme of LoadBalancerConfiguration lb is internet-facing, which GatewayClass edge has",
		"LoadBalancerConfiguration/infra/lb": "the scheme of LoadBalancerConfiguration lb is internet-facing",
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for name, why := range want {
		if got[name] != why {
			t.Errorf("%s: got %q, want %q", name, got[name], why)
		}
	}
	own := Space{Name: "infra", Hosts: []string{"a.example.com"}, Public: got}
	for _, spec := range []string{"gatewayClassName: edge", "infrastructure: {parametersRef: {name: lb}}"} {
		o := read(t, "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g, namespace: infra}, spec: {"+spec+", listeners: [{hostname: a.example.com}]}}")
		if why := Why(o, own); why == "" {
			t.Errorf("a gateway with %s is not named", spec)
		}
	}
}

func TestEveryInstalledKindIsNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Installed {
		if seen[k.Definition()] || k.Kind == "" || k.Group == "" {
			t.Errorf("%+v", k)
		}
		seen[k.Definition()] = true
	}
}
