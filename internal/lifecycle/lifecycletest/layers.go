package lifecycletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

// resource is one resource that a layer declares.
type resource struct {
	typ, name string
	where     string // the account, or the cluster's ARN
	protect   bool
	// retain leaves the thing in the cloud when the resource goes.
	retain bool
	// inputs may hold a ref to a resource before it.
	inputs map[string]any
}

// ref stands for the id or an output of another resource of the layer.
type ref struct{ of, output string }

// program is what a layer declares, in the order in which it is made.
type program struct {
	provider  string // the type of the provider
	cluster   string // the ARN of the cluster that it works in; empty: none
	resources []resource
	// reach is the account that the layer works in, and as whom.
	reach func(w *World) error
	// outputs are the layer's Out, of what was made by name.
	outputs func(made map[string]*Thing) any
}

// programOf reads what a stack is to run, from its configuration.
func programOf(layer string, config map[string]string) (program, error) {
	raw, ok := config[stacks.ConfigKey]
	if !ok {
		return program{}, fmt.Errorf("stack configuration %s is not set", stacks.ConfigKey)
	}
	switch plan.Layer(layer) {
	case plan.LayerAccount:
		return read(raw, accountLayer)
	case plan.LayerBoundary:
		return read(raw, boundaryLayer)
	case plan.LayerCluster:
		return read(raw, clusterLayer)
	case plan.LayerBootstrap:
		return read(raw, bootstrapLayer)
	default:
		return program{}, fmt.Errorf("unknown layer %q", layer)
	}
}

func read[In any](raw string, of func(In) program) (program, error) {
	var in In
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return program{}, fmt.Errorf("stack configuration %s: %w", stacks.ConfigKey, err)
	}
	return of(in), nil
}

// tagged are the inputs of a resource with Freehold's tags.
func tagged(c plan.Common, name string, in map[string]any) map[string]any {
	tags := map[string]any{"Name": name}
	for k, v := range c.Tags {
		tags[k] = v
	}
	in["tags"], in["region"] = tags, c.Region
	return in
}

func accountLayer(in stacks.AccountIn) program {
	p := program{provider: "pulumi:providers:aws", reach: func(*World) error { return nil }}
	if !in.Plan.Vended {
		p.outputs = func(map[string]*Thing) any {
			return stacks.AccountOut{
				AccountID: strings.Split(in.Plan.RoleARN, ":")[4], AccessRoleARN: in.Plan.RoleARN, ExternalID: in.Plan.ExternalID,
			}
		}
		return p
	}
	p.resources = []resource{
		{
			typ: orgPolicyType, name: "service-policy", where: ManagementAccount, protect: in.Plan.Protected,
			inputs: tagged(in.Plan.Common, in.Plan.ServicePolicyName, map[string]any{"name": in.Plan.ServicePolicyName, "type": "SERVICE_CONTROL_POLICY"}),
		},
		{
			typ: accountType, name: "account", where: ManagementAccount, protect: in.Plan.Protected, retain: !in.Plan.CloseOnOffboard,
			inputs: tagged(in.Plan.Common, in.Plan.Name, map[string]any{
				"email": in.Plan.Email, "name": in.Plan.Name, "roleName": in.Plan.AccessRoleName,
			}),
		},
		{
			typ: attachmentType, name: "service-policy", where: ManagementAccount, protect: in.Plan.Protected,
			inputs: map[string]any{"policyId": ref{"service-policy", ""}, "targetId": ref{"account", ""}},
		},
	}
	p.outputs = func(made map[string]*Thing) any {
		id := made["account"].ID
		return stacks.AccountOut{AccountID: id, AccessRoleARN: "arn:aws:iam::" + id + ":role/" + in.Plan.AccessRoleName}
	}
	return p
}

func boundaryLayer(in stacks.BoundaryIn) program {
	b, id := in.Plan, in.Account.AccountID
	p := program{provider: "pulumi:providers:aws", reach: reachAs(id, in.Account.AccessRoleARN, in.Account.ExternalID)}
	add := func(typ, name string, inputs map[string]any, protect bool) {
		p.resources = append(p.resources, resource{typ: typ, name: name, where: id, inputs: inputs, protect: protect})
	}
	add(policyType, "boundary", tagged(b.Common, b.BoundaryName, map[string]any{"name": b.BoundaryName}), false)
	for _, role := range []struct{ name, as string }{
		{b.ProvisionRole, "provision-role"}, {b.ReadRole, "read-role"}, {b.BootstrapRole, "bootstrap-role"}, {b.OffboardRole, "offboard-role"},
	} {
		add(roleType, role.as, tagged(b.Common, role.name, map[string]any{
			"name": role.name, "assumeRolePolicy": trustOf(b.ExternalID), "permissionsBoundary": ref{"boundary", "arn"},
		}), false)
	}
	add(keyType, "data-key", tagged(b.Common, b.DataKeyAlias, map[string]any{}), b.Protected)
	add(keyType, "log-key", tagged(b.Common, b.LogKeyAlias, map[string]any{}), b.Protected)
	for _, bucket := range []struct{ pattern, as string }{{b.LogBucket, "log-bucket"}, {b.DataBucket, "data-bucket"}} {
		name := plan.BucketName(bucket.pattern, id)
		add(bucketType, bucket.as, tagged(b.Common, name, map[string]any{"bucket": name}), b.Protected)
	}
	add(trailType, "trail", tagged(b.Common, b.TrailName, map[string]any{"name": b.TrailName, "s3BucketName": ref{"log-bucket", ""}}), false)
	add(analyzerType, "analyzer", tagged(b.Common, b.AnalyzerName, map[string]any{"analyzerName": b.AnalyzerName}), false)
	add(repositoryType, "controller-repository", tagged(b.Common, b.ControllerRepository, map[string]any{"name": b.ControllerRepository}), false)
	p.outputs = func(made map[string]*Thing) any {
		return stacks.BoundaryOut{
			BoundaryARN: made["boundary"].ARN, ProvisionRoleARN: made["provision-role"].ARN, ReadRoleARN: made["read-role"].ARN,
			BootstrapRoleARN: made["bootstrap-role"].ARN, OffboardRoleARN: made["offboard-role"].ARN,
			DataKeyARN: made["data-key"].ARN, LogKeyARN: made["log-key"].ARN,
			LogBucketARN: made["log-bucket"].ARN, DataBucketARN: made["data-bucket"].ARN,
			TrailARN: made["trail"].ARN, AnalyzerARN: made["analyzer"].ARN,
			ControllerRepository: text(made["controller-repository"].Outputs, "repositoryUrl"),
		}
	}
	return p
}

func clusterLayer(in stacks.ClusterIn) program {
	c, id := in.Plan, in.Account.AccountID
	p := program{provider: "pulumi:providers:aws", reach: reachAs(id, in.Boundary.ProvisionRoleARN, in.ExternalID)}
	add := func(typ, name string, inputs map[string]any, protect bool) {
		p.resources = append(p.resources, resource{typ: typ, name: name, where: id, inputs: inputs, protect: protect})
	}
	role := func(name, as string) {
		add(roleType, as, tagged(c.Common, name, map[string]any{"name": name, "permissionsBoundary": in.Boundary.BoundaryARN}), false)
	}
	add(vpcType, "network", tagged(c.Common, c.Name, map[string]any{"cidrBlock": c.CIDR}), false)
	for _, z := range c.Zones {
		add(subnetType, "network-private-"+z.Name, tagged(c.Common, c.Name+"-private-"+z.Name, map[string]any{
			"vpcId": ref{"network", ""}, "cidrBlock": z.PrivateCIDR, "availabilityZone": z.Name,
		}), false)
	}
	for _, z := range gatewayZones(c) {
		as, name := "network-nat-"+z.Name, c.Name+"-nat-"+z.Name
		add(addressType, as, tagged(c.Common, name, map[string]any{"domain": "vpc"}), false)
		add(gatewayType, as+"-gateway", tagged(c.Common, name, map[string]any{
			"allocationId": ref{as, ""}, "subnetId": ref{"network-private-" + z.Name, ""},
		}), false)
	}
	role(c.ClusterRole, "cluster-control-plane")
	role(c.NodeRole, "cluster-nodes")
	add(clusterType, "cluster", tagged(c.Common, c.Name, map[string]any{
		"name": c.Name, "version": c.Version, "roleArn": ref{"cluster-control-plane", "arn"}, "vpcId": ref{"network", ""},
	}), c.Protected)
	for _, pool := range c.NodePools {
		state := in.Pools[pool.Pool]
		size := pool.Desired
		if state.Size != nil {
			size = *state.Size
		}
		add(nodeGroupType, "cluster-pool-"+pool.Part(state.Generation), tagged(c.Common, pool.GroupName(state.Generation), map[string]any{
			"clusterName": ref{"cluster", ""}, "nodeGroupName": pool.GroupName(state.Generation), "instanceTypes": copied(any(pool.InstanceTypes)),
			"capacityType": pool.CapacityType, "amiType": pool.AMIType,
			"scalingConfig": map[string]any{"minSize": pool.Min, "maxSize": pool.Max, "desiredSize": size},
		}), false)
	}
	if idp := c.IdentityProvider; idp != nil {
		add(providerType, "cluster-identity-provider", tagged(c.Common, c.Name, map[string]any{
			"clusterName": ref{"cluster", ""},
			"oidc":        map[string]any{"identityProviderConfigName": c.Name, "issuerUrl": idp.IssuerURL, "clientId": idp.ClientID},
		}), false)
	}
	for _, r := range c.ProjectRoles {
		as := "cluster-pod-" + r.Project + "." + r.ServiceAccount
		role(r.Role, as)
		add(associationType, as+"-association", tagged(c.Common, r.Role, map[string]any{
			"clusterName": ref{"cluster", ""}, "namespace": r.Project, "serviceAccount": r.ServiceAccount, "roleArn": ref{as, "arn"},
		}), false)
	}
	p.outputs = func(made map[string]*Thing) any {
		cluster := made["cluster"]
		out := stacks.ClusterOut{
			Name: cluster.ID, ARN: cluster.ARN, Endpoint: text(cluster.Outputs, "endpoint"), CertificateAuthority: "Q0E=",
			OIDCIssuer: issuerOf(cluster), VPCID: made["network"].ID, NodeRoleARN: made["cluster-nodes"].ARN,
			ProjectRoleARNs: map[string]string{},
		}
		for _, z := range c.Zones {
			out.PrivateSubnetIDs = append(out.PrivateSubnetIDs, made["network-private-"+z.Name].ID)
		}
		for _, r := range c.ProjectRoles {
			out.ProjectRoleARNs[r.Account()] = made["cluster-pod-"+r.Project+"."+r.ServiceAccount].ARN
		}
		return out
	}
	return p
}

// gatewayZones are the zones with a NAT gateway.
func gatewayZones(c plan.Cluster) []plan.Zone {
	switch c.NAT {
	case "none":
		return nil
	case "one":
		return c.Zones[:1]
	default:
		return c.Zones
	}
}

func issuerOf(cluster *Thing) string {
	var at struct {
		Identities []struct {
			OIDCs []struct {
				Issuer string `json:"issuer"`
			} `json:"oidcs"`
		} `json:"identities"`
	}
	raw, err := json.Marshal(cluster.Outputs)
	if err == nil {
		err = json.Unmarshal(raw, &at)
	}
	if err != nil || len(at.Identities) == 0 || len(at.Identities[0].OIDCs) == 0 {
		return ""
	}
	return at.Identities[0].OIDCs[0].Issuer
}

func bootstrapLayer(in stacks.BootstrapIn) program {
	b, cluster := in.Plan, in.Cluster.ARN
	p := program{provider: "pulumi:providers:kubernetes", cluster: cluster}
	p.reach = func(w *World) error {
		if err := reachAs(in.Account.AccountID, in.Boundary.BootstrapRoleARN, "")(w); err != nil && !strings.Contains(err.Error(), "external id") {
			return err
		}
		if !slices.ContainsFunc(w.data.Things, func(t *Thing) bool { return t.Type == clusterType && t.ARN == cluster }) {
			return errors.New("the cluster does not answer: no such host")
		}
		return nil
	}
	add := func(typ, as, name string, spec any) {
		p.resources = append(p.resources, resource{typ: typ, name: as, where: cluster, inputs: map[string]any{
			"metadata": map[string]any{"name": name}, "spec": spec,
		}})
	}
	image := in.Boundary.ControllerRepository + "@" + b.ControllerDigest
	add(namespaceType, "bootstrap-namespace", b.Namespace, nil)
	add(definitionType, "bootstrap-project-definition", "projects.freehold.dev", nil)
	add(bindingType, "bootstrap-namespace-controller", "freehold-namespace-controller", nil)
	controller := map[string]any{"image": image}
	if b.ProjectSource != nil {
		controller["source"] = b.ProjectSource.URL
		add(bindingType, "bootstrap-project-source", stacks.ProjectSourceBinding, nil)
	}
	add(controllerType, "bootstrap-namespace-controller", "namespace-controller", controller)
	p.resources = append(p.resources, resource{typ: classType, name: "bootstrap-storage", where: cluster, inputs: map[string]any{
		"metadata": map[string]any{"name": b.StorageClass}, "parameters": copied(any(plan.TagsOfVolumes(b.Tags).Class)),
	}})
	names := []string{}
	for _, project := range b.Projects {
		add(projectType, "bootstrap-project-"+project.Name, project.Name, copied(any(project)))
		names = append(names, project.Name)
	}
	p.outputs = func(map[string]*Thing) any {
		return stacks.BootstrapOut{Namespace: b.Namespace, ControllerImage: image, Projects: names}
	}
	return p
}

// reachAs checks that a layer gets into its account.
func reachAs(id, roleARN, externalID string) func(*World) error {
	return func(w *World) error {
		if len(w.data.Probes) > 0 && !w.data.Probes[0] {
			return fmt.Errorf("account %s: OptInRequired: you are not subscribed to this service", id)
		}
		_, err := w.enter(cloudAccount(id, roleARN, externalID))
		return err
	}
}
