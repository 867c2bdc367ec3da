package kinds

import (
	"maps"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/rule"
)

func kubernetesObject(name, api, kind string, more object) rule.Example {
	typ := "kubernetes:" + api + ":" + kind
	if api == "v1" {
		typ = "kubernetes:core/v1:" + kind
	}
	in := object{"apiVersion": api, "kind": kind, "metadata": object{"name": "thing", "labels": example.OrgTags()}}
	maps.Copy(in, more)
	e := example.In(rule.LayerBootstrap, name, typ, in)
	e.Resource.Provider = rule.Provider{Package: "kubernetes", Properties: object{"kubeconfig": example.Kubeconfig(example.Endpoint, nil, nil, nil)}}
	e.Scope.Owned = []string{example.Endpoint, "subnet-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"}
	return e
}

func badMakers() []rule.Example {
	hidden := kubernetesObject("an application that says that it is a map", "v1", "ConfigMap", object{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"})
	return []rule.Example{
		hidden,
		kubernetesObject("an application of Argo CD", "argoproj.io/v1alpha1", "Application", object{"spec": object{"source": object{"repoURL": "https://git.example.com/globex"}}}),
		kubernetesObject("applications of Argo CD, from a template", "argoproj.io/v1alpha1", "ApplicationSet", nil),
		kubernetesObject("a release of Flux", "helm.toolkit.fluxcd.io/v2", "HelmRelease", nil),
		kubernetesObject("a folder that Flux applies", "kustomize.toolkit.fluxcd.io/v1", "Kustomization", nil),
		kubernetesObject("a repository that Flux reads", "source.toolkit.fluxcd.io/v1", "GitRepository", nil),
		kubernetesObject("a bucket of ACK", "s3.services.k8s.aws/v1alpha1", "Bucket", nil),
		kubernetesObject("a role of ACK, changed", "iam.services.k8s.aws/v1alpha1", "RolePatch", nil),
		kubernetesObject("a composition of Crossplane", "apiextensions.crossplane.io/v1", "Composition", nil),
		kubernetesObject("a peering of Crossplane's provider", "ec2.aws.upbound.io/v1beta1", "VPCPeeringConnection", nil),
		kubernetesObject("a namespaced one of its second version", "ec2.aws.m.upbound.io/v1beta1", "VPC", nil),
		kubernetesObject("a workspace of Terraform", "app.terraform.io/v1alpha2", "Workspace", nil),
		kubernetesObject("a run of Terraform by Flux", "infra.contrib.fluxcd.io/v1alpha2", "Terraform", nil),
		kubernetesObject("a stack of Pulumi's operator", "pulumi.com/v1", "Stack", nil),
		kubernetesObject("a cluster of Cluster API", "cluster.x-k8s.io/v1beta1", "Cluster", nil),
		kubernetesObject("machines of Cluster API", "infrastructure.cluster.x-k8s.io/v1beta2", "AWSMachine", nil),
		kubernetesObject("a chart, as Rancher installs it", "helm.cattle.io/v1", "HelmChart", nil),
		example.In(rule.LayerBootstrap, "a Helm release", "kubernetes:helm.sh/v3:Release", object{"chart": "ingress-nginx"}),
	}
}

func goodMakers() []rule.Example {
	chart := example.In(rule.LayerBootstrap, "a chart whose objects the program makes", "kubernetes:helm.sh/v4:Chart", object{"chart": "ingress-nginx"})
	chart.Resource.Component = true
	return []rule.Example{
		chart,
		kubernetesObject("a map of that name", "v1", "ConfigMap", object{"data": object{"kind": "Application"}}),
		kubernetesObject("a pool of Karpenter's", "karpenter.sh/v1", "NodePool", nil),
		kubernetesObject("a certificate", "cert-manager.io/v1", "Certificate", nil),
	}
}

func badKinds() []rule.Example {
	return []rule.Example{
		kubernetesObject("a kind that nobody has looked at", "example.com/v1", "Widget", nil),
		kubernetesObject("a group that looks like Kubernetes' own", "apps.example.com/v1", "Deployment", nil),
		kubernetesObject("objects out of a backup", "velero.io/v1", "Restore", nil),
		kubernetesObject("a secret that is written elsewhere", "external-secrets.io/v1alpha1", "PushSecret", nil),
		kubernetesObject("jobs that are made when somebody writes to a queue", "keda.sh/v1alpha1", "ScaledJob", nil),
		kubernetesObject("a policy that makes objects", "kyverno.io/v1", "ClusterPolicy", object{"spec": object{"rules": list{object{"name": "copy", "generate": object{"kind": "Secret"}}}}}),
		kubernetesObject("a binding that says that it is a map", "v1", "ConfigMap", object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding"}),
		kubernetesObject("a secret that says that it is a map", "v1", "ConfigMap", object{"kind": "Secret"}),
		example.In(rule.LayerCluster, "nodes of a CloudFormation stack", "eks:index:NodeGroup", object{}),
		example.In(rule.LayerCluster, "a component of a later version", "eks:index:Everything", object{}),
	}
}

func goodKinds() []rule.Example {
	rendered := example.In(rule.LayerBootstrap, "manifests whose objects the program makes", "kubernetes:yaml/v2:ConfigGroup", object{})
	rendered.Resource.Component = true
	cluster := example.In(rule.LayerCluster, "the component of the cluster", "eks:index:Cluster", object{})
	cluster.Resource.Component = true
	return []rule.Example{
		rendered, cluster,
		kubernetesObject("a map", "v1", "ConfigMap", nil),
		kubernetesObject("a workload", "apps/v1", "Deployment", nil),
		kubernetesObject("a project", "freehold.dev/v1alpha1", "Project", nil),
		kubernetesObject("a class of Karpenter's nodes", "karpenter.k8s.aws/v1", "EC2NodeClass", nil),
		kubernetesObject("an issuer of certificates", "cert-manager.io/v1", "ClusterIssuer", nil),
		kubernetesObject("a secret from the account", "external-secrets.io/v1", "ExternalSecret", nil),
		kubernetesObject("a store in the account", "external-secrets.io/v1", "ClusterSecretStore", nil),
		kubernetesObject("secrets as files", "secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", nil),
		kubernetesObject("a monitor of Prometheus'", "monitoring.coreos.com/v1", "ServiceMonitor", nil),
		kubernetesObject("a route of the Gateway API", "gateway.networking.k8s.io/v1", "HTTPRoute", nil),
		kubernetesObject("a binding of a target group", "elbv2.k8s.aws/v1beta1", "TargetGroupBinding", nil),
		kubernetesObject("a class of snapshots", "snapshot.storage.k8s.io/v1", "VolumeSnapshotClass", nil),
		kubernetesObject("a scaler of pods", "autoscaling.k8s.io/v1", "VerticalPodAutoscaler", nil),
		kubernetesObject("a scaler by a queue's length", "keda.sh/v1alpha1", "ScaledObject", nil),
		kubernetesObject("a policy that only refuses", "kyverno.io/v1", "ClusterPolicy", object{"spec": object{"rules": list{object{"name": "labels", "validate": object{"message": "label it"}}}}}),
		kubernetesObject("a network of the CNI's for pods", "crd.k8s.amazonaws.com/v1alpha1", "ENIConfig", nil),
	}
}

func badSchemes() []rule.Example {
	annotated := func(name, api, kind, key, v string) rule.Example {
		return kubernetesObject(name, api, kind, object{"metadata": object{"name": "web", "annotations": object{key: v}}})
	}
	return []rule.Example{
		annotated("an ingress on the internet", "networking.k8s.io/v1", "Ingress", "alb.ingress.kubernetes.io/scheme", "internet-facing"),
		annotated("a service on the internet", "v1", "Service", "service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing"),
		annotated("a service that is not internal", "v1", "Service", "service.beta.kubernetes.io/aws-load-balancer-internal", "false"),
		annotated("a gateway on the internet", "gateway.networking.k8s.io/v1", "Gateway", "service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing"),
		kubernetesObject("a class for ingresses on the internet", "elbv2.k8s.aws/v1beta1", "IngressClassParams", object{"spec": object{"scheme": "internet-facing"}}),
		kubernetesObject("a gateway's load balancer on the internet", "gateway.k8s.aws/v1beta1", "LoadBalancerConfiguration", object{"spec": object{"scheme": "internet-facing"}}),
	}
}

func goodSchemes() []rule.Example {
	return []rule.Example{
		kubernetesObject("an ingress inside the network", "networking.k8s.io/v1", "Ingress", object{"metadata": object{"annotations": object{"alb.ingress.kubernetes.io/scheme": "internal"}}}),
		kubernetesObject("an ingress on the internet, with a reason", "networking.k8s.io/v1", "Ingress", object{
			"metadata": object{"annotations": object{"alb.ingress.kubernetes.io/scheme": "internet-facing", manifest.ExposureReason: "the shop's public web site, SEC-1234"}},
		}),
		kubernetesObject("a probe over HTTPS", "apps/v1", "Deployment", object{"spec": object{"template": object{"spec": object{"containers": list{object{"livenessProbe": object{"httpGet": object{"scheme": "HTTPS"}}}}}}}}),
	}
}

func badObjectIDs() []rule.Example {
	return []rule.Example{
		kubernetesObject("pods in a subnet that the org has not made", "crd.k8s.amazonaws.com/v1alpha1", "ENIConfig", object{"spec": object{"subnet": "subnet-0fedcba9876543210", "securityGroups": list{"sg-0a1b2c3d4e5f60718"}}}),
		kubernetesObject("pods behind a group that the org has not made", "vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy", object{"spec": object{"securityGroups": object{"groupIds": list{"sg-0fedcba9876543210"}}}}),
		kubernetesObject("nodes in a shared subnet", "karpenter.k8s.aws/v1", "EC2NodeClass", object{"spec": object{"subnetSelectorTerms": list{object{"id": "subnet-0fedcba9876543210"}}}}),
		kubernetesObject("nodes of an image that nobody knows", "karpenter.k8s.aws/v1", "EC2NodeClass", object{"spec": object{"amiSelectorTerms": list{object{"id": "ami-0fedcba9876543210"}}}}),
		kubernetesObject("a load balancer in another's subnets", "networking.k8s.io/v1", "Ingress", object{"metadata": object{"annotations": object{"alb.ingress.kubernetes.io/subnets": "subnet-0a1b2c3d4e5f60718, subnet-0fedcba9876543210"}}}),
		kubernetesObject("an address that the org has not made", "v1", "Service", object{"metadata": object{"annotations": object{"service.beta.kubernetes.io/aws-load-balancer-eip-allocations": "eipalloc-0fedcba9876543210"}}}),
	}
}

func goodObjectIDs() []rule.Example {
	return []rule.Example{
		kubernetesObject("pods in the org's subnet", "crd.k8s.amazonaws.com/v1alpha1", "ENIConfig", object{"spec": object{"subnet": "subnet-0a1b2c3d4e5f60718", "securityGroups": list{"sg-0a1b2c3d4e5f60718"}}}),
		kubernetesObject("nodes by tags, of AWS's image", "karpenter.k8s.aws/v1", "EC2NodeClass", object{"spec": object{
			"amiSelectorTerms": list{object{"alias": "al2023@latest"}}, "subnetSelectorTerms": list{object{"tags": object{rule.OrgTag: example.Org}}}, "role": "freehold-acme-node",
		}}),
		kubernetesObject("a definition that shows an id", "apiextensions.k8s.io/v1", "CustomResourceDefinition", object{"spec": object{"description": "such as subnet-0fedcba9876543210"}}),
	}
}

func badCalls() []rule.Example {
	outside := object{"url": "https://hooks.example.com/mutate"}
	return []rule.Example{
		kubernetesObject("a webhook outside that may change objects", "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", object{"webhooks": list{object{"name": "a.example.com", "clientConfig": outside}}}),
		kubernetesObject("the second of two that only looks", "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", object{"webhooks": list{
			object{"name": "a.example.com", "clientConfig": object{"service": object{"name": "a", "namespace": "a"}}}, object{"name": "b.example.com", "clientConfig": outside},
		}}),
		kubernetesObject("one that converts between versions", "apiextensions.k8s.io/v1", "CustomResourceDefinition", object{"spec": object{
			"group": "example.com", "conversion": object{"strategy": "Webhook", "webhook": object{"clientConfig": outside}},
		}}),
	}
}

func goodCalls() []rule.Example {
	return []rule.Example{
		kubernetesObject("a webhook of the cluster's", "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", object{
			"webhooks": list{object{"name": "a.example.com", "clientConfig": object{"service": object{"name": "a", "namespace": "a", "path": "/mutate"}}}},
		}),
		kubernetesObject("a definition without a webhook", "apiextensions.k8s.io/v1", "CustomResourceDefinition", object{"spec": object{"group": "example.com", "conversion": object{"strategy": "None"}}}),
	}
}
