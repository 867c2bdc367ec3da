package bootstrap

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// controllerName names the controller, its service account and its objects.
const controllerName = "namespace-controller"

// controllerNamespace is the controller's own in the manifests of its roles;
// Args.Namespace takes its place.
const controllerNamespace = "freehold-system"

// metricsPort answers /metrics.
const metricsPort = 8080

// probePort answers /healthz and /readyz.
const probePort = 8081

var selector = map[string]string{"app.kubernetes.io/name": controllerName}

// controller makes the namespace controller's Deployment, once everything that
// it needs exists.
func (b *builder) controller(namespace pulumi.Resource, needs []pulumi.Resource) (pulumi.Resource, error) {
	volumes, mounts, err := b.sourceVolumes()
	if err != nil {
		return nil, err
	}
	deployment, err := appsv1.NewDeployment(b.ctx, b.child(controllerName), &appsv1.DeploymentArgs{
		Metadata: b.meta(controllerName),
		Spec: &appsv1.DeploymentSpecArgs{
			// One leads; the other takes over when its node goes.
			Replicas: pulumi.Int(2),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: stringMap(selector)},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: b.podMeta(),
				Spec:     b.pod(volumes, mounts),
			},
		},
	}, b.parent, pulumi.DependsOn(append(needs, namespace)))
	if err != nil {
		return nil, err
	}
	_, err = policyv1.NewPodDisruptionBudget(b.ctx, b.child(controllerName), &policyv1.PodDisruptionBudgetArgs{
		Metadata: b.meta(controllerName),
		Spec: &policyv1.PodDisruptionBudgetSpecArgs{
			MinAvailable: pulumi.Int(1),
			Selector:     &metav1.LabelSelectorArgs{MatchLabels: stringMap(selector)},
		},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	return deployment, err
}

func (b *builder) pod(volumes corev1.VolumeArray, mounts corev1.VolumeMountArray) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		ServiceAccountName:           pulumi.String(controllerName),
		AutomountServiceAccountToken: pulumi.Bool(true),
		// Without it, no project is fenced: it comes before what it fences.
		PriorityClassName: pulumi.String("system-cluster-critical"),
		SecurityContext: &corev1.PodSecurityContextArgs{
			RunAsNonRoot:   pulumi.Bool(true),
			RunAsUser:      pulumi.Int(65532),
			RunAsGroup:     pulumi.Int(65532),
			SeccompProfile: &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		TopologySpreadConstraints: corev1.TopologySpreadConstraintArray{
			b.spread("topology.kubernetes.io/zone"),
			b.spread("kubernetes.io/hostname"),
		},
		Containers: corev1.ContainerArray{b.container(mounts)},
		Volumes:    volumes,
	}
}

// spread keeps the two replicas apart where that is possible.
func (b *builder) spread(key string) *corev1.TopologySpreadConstraintArgs {
	return &corev1.TopologySpreadConstraintArgs{
		MaxSkew:           pulumi.Int(1),
		TopologyKey:       pulumi.String(key),
		WhenUnsatisfiable: pulumi.String("ScheduleAnyway"),
		LabelSelector:     &metav1.LabelSelectorArgs{MatchLabels: stringMap(selector)},
	}
}

func (b *builder) container(mounts corev1.VolumeMountArray) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:  pulumi.String("controller"),
		Image: pulumi.String(b.args.Image),
		Args: stringArray(append([]string{"--leader-elect", "--health-probe-bind-address=:8081", "--metrics-bind-address=:8080",
			"--org=" + b.args.Org, "--org-registry=" + b.args.Registry}, b.sourceArgs()...)...),
		VolumeMounts: mounts,
		Env: corev1.EnvVarArray{&corev1.EnvVarArgs{
			Name: pulumi.String("POD_NAMESPACE"),
			ValueFrom: &corev1.EnvVarSourceArgs{
				FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String("metadata.namespace")},
			},
		}, &corev1.EnvVarArgs{
			// The collector works harder before the kernel ends the process.
			Name: pulumi.String("GOMEMLIMIT"), Value: pulumi.String("900MiB"),
		}},
		Ports: corev1.ContainerPortArray{
			&corev1.ContainerPortArgs{Name: pulumi.String("metrics"), ContainerPort: pulumi.Int(metricsPort), Protocol: pulumi.String("TCP")},
			&corev1.ContainerPortArgs{Name: pulumi.String("probes"), ContainerPort: pulumi.Int(probePort), Protocol: pulumi.String("TCP")},
		},
		LivenessProbe:  probe("/healthz", 20),
		ReadinessProbe: probe("/readyz", 5),
		Resources: &corev1.ResourceRequirementsArgs{
			Requests: stringMap(map[string]string{"cpu": "50m", "memory": "128Mi"}),
			// A thousand projects take some 220 MB at most, five thousand 810 ("make bench").
			Limits: stringMap(map[string]string{"memory": "1Gi"}),
		},
		SecurityContext: &corev1.SecurityContextArgs{
			AllowPrivilegeEscalation: pulumi.Bool(false),
			Capabilities:             &corev1.CapabilitiesArgs{Drop: stringArray("ALL")},
			Privileged:               pulumi.Bool(false),
			ReadOnlyRootFilesystem:   pulumi.Bool(true),
			RunAsNonRoot:             pulumi.Bool(true),
		},
	}
}

func probe(path string, seconds int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet:       &corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String("probes")},
		PeriodSeconds: pulumi.Int(seconds),
	}
}
