package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	apischema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

func TestTheCommittedDefinitionIsFresh(t *testing.T) {
	want, err := definition()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../components/bootstrap/project-crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./internal/api/gen (-generated +committed):\n%s", diff)
	}
}

type mapping = map[string]any

func projectObject(name string, change func(spec mapping)) mapping {
	spec := mapping{
		"org": "acme",
		"quota": mapping{
			"cpu": "4", "memory": "8Gi", "storage": "50Gi", "pods": int64(50), "ephemeralStorage": "20Gi",
			"resources":     mapping{"aws.amazon.com/neuron": int64(2), "nvidia.com/mig-1g.10gb": "1", "hugepages-2Mi": "1Gi"},
			"deviceClasses": mapping{"gpu.nvidia.com": int64(2)},
		},
		"limits":          mapping{"defaultCpu": "250m", "defaultMemory": "256Mi", "maxCpu": int64(4), "maxMemory": "8Gi", "minCpu": "10m"},
		"members":         []any{mapping{"group": "team-a", "role": "admin"}},
		"egress":          []any{mapping{"cidr": "10.0.0.0/8", "ports": []any{int64(443)}, "protocol": "TCP"}, mapping{"cidr": "0.0.0.0/0"}, mapping{"cidr": "::/0"}},
		"displayName":     "Team A, die Ersten",
		"ingress":         []any{mapping{"project": "team-b", "ports": []any{int64(8080)}}},
		"serviceAccounts": []any{mapping{"name": "web", "podIdentityRole": "arn:aws:iam::123456789012:role/acme/web"}, mapping{"name": "job"}},
		"registries":      []any{"public.ecr.aws/docker/library", "registry.example.com:5000/base/", "quay.io/acme", "docker.io/library/postgres", "ghcr.io/acme/", "mcr.microsoft.com", "localhost:5000/"},
		"hosts":           []any{"shop.example.com", "*.shop.example.com"},
		"priorityClasses": []any{"batch"},
		"storageClasses":  []any{"efs", "io2.example"},
		"runtimeClasses":  []any{"nvidia"},
		"ttl":             "72h",
	}
	if change != nil {
		change(spec)
	}
	return mapping{"apiVersion": "freehold.dev/v1alpha1", "kind": "Project", "metadata": mapping{"name": name}, "spec": spec}
}

func TestTheAPIServerAcceptsWhatIsFitAndRefusesTheRest(t *testing.T) {
	_, rc := controlplanetest.Start(t)
	client, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	text, err := definition()
	if err != nil {
		t.Fatal(err)
	}
	var crd mapping
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	definitions := client.Resource(apischema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if _, err := definitions.Create(t.Context(), &unstructured.Unstructured{Object: crd}, metav1.CreateOptions{FieldValidation: "Strict"}); err != nil {
		t.Fatal(err)
	}
	projects := client.Resource(apischema.GroupVersionResource{Group: "freehold.dev", Version: "v1alpha1", Resource: "projects"})
	create := func(o mapping) error {
		_, err := projects.Create(t.Context(), &unstructured.Unstructured{Object: o}, metav1.CreateOptions{FieldValidation: "Strict"})
		return err
	}
	good := projectObject("team-a", nil)
	err = create(good)
	for range 100 {
		if !apierrors.IsNotFound(err) {
			break
		}
		time.Sleep(100 * time.Millisecond) // the kind is not served yet
		err = create(good)
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := projects.Get(t.Context(), "team-a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var defaults v1alpha1.Project
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(made.Object, &defaults, true); err != nil {
		t.Fatal(err)
	}
	if s := defaults.Spec; s.PodSecurity != v1alpha1.PodSecurityRestricted || s.DeletionPolicy != v1alpha1.DeletionRetain || s.Ingress[0].Protocol != "TCP" {
		t.Errorf("defaults: %+v", s)
	}
	if err := unstructured.SetNestedField(made.Object, "globex", "spec", "org"); err != nil {
		t.Fatal(err)
	}
	if _, err := projects.Update(t.Context(), made, metav1.UpdateOptions{}); err == nil || !strings.Contains(err.Error(), "org cannot change") {
		t.Errorf("another org: %v", err)
	}
	unstructured.RemoveNestedField(made.Object, "spec", "org")
	if _, err := projects.Update(t.Context(), made, metav1.UpdateOptions{}); err == nil || !strings.Contains(err.Error(), "org cannot change") {
		t.Errorf("no org any more: %v", err)
	}
	set := func(path string, v any) func(mapping) {
		return func(spec mapping) {
			at, keys := spec, strings.Split(path, ".")
			for _, k := range keys[:len(keys)-1] {
				at = at[k].(mapping)
			}
			at[keys[len(keys)-1]] = v
		}
	}
	for name, c := range map[string]struct {
		project mapping
		says    string
	}{
		"a reserved name":              {projectObject("kube-system", nil), "reserved"},
		"a name with a dot":            {projectObject("a.b", nil), "DNS label"},
		"a name that is too long":      {projectObject(strings.Repeat("a", 41), nil), "at most 40"},
		"no quota":                     {projectObject("x", func(s mapping) { delete(s, "quota") }), "spec.quota: Required"},
		"a quantity that is none":      {projectObject("x", set("quota.cpu", "four")), "spec.quota.cpu"},
		"pods as text":                 {projectObject("x", set("quota.pods", "50")), "spec.quota.pods"},
		"a negative number of pods":    {projectObject("x", set("quota.pods", int64(-1))), "spec.quota.pods"},
		"an unknown field":             {projectObject("x", set("quota.cpus", "4")), "spec.quota.cpus"},
		"a member that is both":        {projectObject("x", set("members", []any{mapping{"group": "g", "user": "u", "role": "admin"}})), "exactly one"},
		"a member that is neither":     {projectObject("x", set("members", []any{mapping{"role": "admin"}})), "exactly one"},
		"a role that is none":          {projectObject("x", set("members", []any{mapping{"user": "u", "role": "owner"}})), "role"},
		"everybody as a member":        {projectObject("x", set("members", []any{mapping{"group": "system:authenticated", "role": "admin"}})), "system:"},
		"a range that is none":         {projectObject("x", set("egress", []any{mapping{"cidr": "10.0.0.0"}})), "range of addresses"},
		"a port that is none":          {projectObject("x", set("egress", []any{mapping{"cidr": "10.0.0.0/8", "ports": []any{int64(70000)}}})), "ports"},
		"a negative quantity":          {projectObject("x", set("quota.cpu", "-4")), "not negative"},
		"a negative whole quantity":    {projectObject("x", set("quota.memory", int64(-4))), "not negative"},
		"a negative number of secrets": {projectObject("x", set("quota.objects", mapping{"secrets": int64(-1)})), "quota.objects.secrets"},
		"an unknown kind of objects":   {projectObject("x", set("quota.objects", mapping{"pods": int64(1)})), "quota.objects.pods"},
		"a default above the maximum":  {projectObject("x", set("limits.defaultCpu", "4001m")), "defaultCpu is more than maxCpu"},
		"a minimum above the default":  {projectObject("x", set("limits.minMemory", "1Gi")), "minMemory is more than defaultMemory"},
		"a default request of disk above the maximum": {projectObject("x", func(s mapping) {
			set("limits.defaultEphemeralStorage", "2Gi")(s)
			set("limits.maxEphemeralStorage", "1Gi")(s)
		}), "defaultEphemeralStorage is more than maxEphemeralStorage"},
		"a resource without a domain":              {projectObject("x", set("quota.resources", mapping{"gpu": "1"})), "a domain and a name"},
		"a resource of Kubernetes":                 {projectObject("x", set("quota.resources", mapping{"kubernetes.io/gpu": "1"})), "a domain and a name"},
		"CPU as an extended resource":              {projectObject("x", set("quota.resources", mapping{"cpu": "1"})), "a domain and a name"},
		"GPUs in two places":                       {projectObject("x", set("quota.resources", mapping{"nvidia.com/gpu": "1"})), "is gpus"},
		"half of a device":                         {projectObject("x", set("quota.resources", mapping{"nvidia.com/gpu.shared": "500m"})), "whole number"},
		"fewer than no devices":                    {projectObject("x", set("quota.resources", mapping{"nvidia.com/gpu.shared": "-1"})), "not negative"},
		"a device class that is none":              {projectObject("x", set("quota.deviceClasses", mapping{"GPU": int64(1)})), "a DNS name"},
		"a default account of its own":             {projectObject("x", set("serviceAccounts", []any{mapping{"name": "default"}})), "in every namespace"},
		"an account twice":                         {projectObject("x", set("serviceAccounts", []any{mapping{"name": "a"}, mapping{"name": "a"}})), "Duplicate"},
		"a role that is no ARN":                    {projectObject("x", set("serviceAccounts", []any{mapping{"name": "a", "podIdentityRole": "web"}})), "podIdentityRole"},
		"a registry with a comma":                  {projectObject("x", set("registries", []any{"a.example.com,b.example.com"})), "registries"},
		"a registry that is empty":                 {projectObject("x", set("registries", []any{""})), "registries"},
		"a user of Docker Hub as a registry":       {projectObject("x", set("registries", []any{"nginx"})), "dot or a port"},
		"the whole of Docker Hub":                  {projectObject("x", set("registries", []any{"docker.io"})), "anybody may push"},
		"the whole of Docker Hub with a slash":     {projectObject("x", set("registries", []any{"docker.io/"})), "anybody may push"},
		"the whole of Docker Hub by an older name": {projectObject("x", set("registries", []any{"index.docker.io/"})), "anybody may push"},
		"the whole of Docker Hub at its port":      {projectObject("x", set("registries", []any{"docker.io:443/"})), "anybody may push"},
		"the whole of Docker Hub by its registry":  {projectObject("x", set("registries", []any{"registry-1.docker.io"})), "anybody may push"},
		"the whole of GitHub's registry":           {projectObject("x", set("registries", []any{"ghcr.io/"})), "anybody may push"},
		"the whole of a registry of Google's":      {projectObject("x", set("registries", []any{"europe-docker.pkg.dev"})), "anybody may push"},
		"the registry of another account":          {projectObject("x", set("registries", []any{"210987654321.dkr.ecr.eu-central-1.amazonaws.com/team"})), "an AWS account"},
		"the same by its other name":               {projectObject("x", set("registries", []any{"210987654321.dkr-ecr.eu-central-1.on.aws/"})), "an AWS account"},
		"the same with FIPS":                       {projectObject("x", set("registries", []any{"210987654321.dkr.ecr-fips.us-east-1.amazonaws.com"})), "an AWS account"},
		"the same at its port":                     {projectObject("x", set("registries", []any{"210987654321.dkr.ecr.eu-central-1.amazonaws.com:443/"})), "an AWS account"},
		"the same in China":                        {projectObject("x", set("registries", []any{"210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/"})), "an AWS account"},
		"a host that is all":                       {projectObject("x", set("hosts", []any{"*"})), "hosts"},
		"a host in the middle":                     {projectObject("x", set("hosts", []any{"a.*.example.com"})), "hosts"},
		"an address as a host":                     {projectObject("x", set("hosts", []any{"203.0.113.7"})), "hosts"},
		"two hosts in one":                         {projectObject("x", set("hosts", []any{"a.example.com,b.example.com"})), "hosts"},
		"a priority of Kubernetes' own":            {projectObject("x", set("priorityClasses", []any{"system-node-critical"})), "Kubernetes' own"},
		"two storage classes in one":               {projectObject("x", set("storageClasses", []any{"a,b"})), "storageClasses"},
		"two runtime classes in one":               {projectObject("x", set("runtimeClasses", []any{"a,b"})), "runtimeClasses"},
		"a way out to a node's credentials":        {projectObject("x", set("egress", []any{mapping{"cidr": "169.254.169.254/32"}})), "the node itself"},
		"a way out to all of a node's own":         {projectObject("x", set("egress", []any{mapping{"cidr": "169.254.0.0/16"}})), "the node itself"},
		"a way out to them by IPv6":                {projectObject("x", set("egress", []any{mapping{"cidr": "fd00:ec2::254/128"}})), "the node itself"},
		"a way out to them in both forms":          {projectObject("x", set("egress", []any{mapping{"cidr": "::ffff:169.254.169.254/128"}})), "not a range"},
		"privileged pods":                          {projectObject("x", set("podSecurity", "privileged")), "podSecurity"},
		"a time to live that is none":              {projectObject("x", set("ttl", "0s")), "more than nothing"},
		"a time to live without a unit":            {projectObject("x", set("ttl", "72")), "spec.ttl"},
		"a deletion policy that is no":             {projectObject("x", set("deletionPolicy", "Orphan")), "deletionPolicy"},
		"a caller that is no project":              {projectObject("x", set("ingress", []any{mapping{"project": "A"}})), "ingress"},
		"a name of two lines":                      {projectObject("x", set("displayName", "a\nb")), "displayName"},
		"a protocol that is not served":            {projectObject("x", set("egress", []any{mapping{"cidr": "10.0.0.0/8", "protocol": "SCTP"}})), "protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := create(c.project); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the API server says %v, not %q", err, c.says)
			}
		})
	}
}
