package dataplane

import (
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// How says what becomes of what was made when a field of the spec changes.
type How string

// The ways in which a change of a field is carried out.
const (
	// Constant: the field has one value.
	Constant How = "constant"
	// Names: the field says which of several something is: another name is another one.
	Names How = "names"
	// InPlace: what was made is changed, and stays what it is.
	InPlace How = "in place"
	// Replaced: something is made anew that holds nothing of the customer's, or
	// hands it over first.
	Replaced How = "replaced"
	// Stepwise: some changes are carried out, and the others are refused.
	Stepwise How = "stepwise"
	// Refused: AWS refuses the change, or would make anew what the customer's
	// workload runs on. Package dataplane refuses it first.
	Refused How = "refused"
)

// Change says how a change of one field is carried out, and why so.
type Change struct {
	How How
	Why string
}

var (
	constant    = Change{Constant, "there is one version of the document"}
	object      = Change{InPlace, "an object in the cluster, which the API server changes"}
	rules       = Change{InPlace, "it is judged by, and nothing is made of it"}
	addon       = Change{InPlace, "EKS updates an add-on"}
	subnet      = Change{Refused, "a subnet has its range for ever, and nodes and load balancers are in it"}
	nodes       = Change{InPlace, "EKS updates a node group"}
	otherNodes  = Change{Replaced, "another node group takes the pods over"}
	otherIssuer = Change{Replaced, "an identity provider is associated anew, and holds nothing"}
	caller      = Change{InPlace, "it is recorded, and read at each call of the API"}
	source      = Change{InPlace, "an argument of the controller's, which is restarted"}
)

// Changes has a row for every field of the spec, by its path, with [] for any
// entry of a list or mapping.
var Changes = map[string]Change{
	"apiVersion": constant,
	"kind":       constant,
	"org":        {Names, "a document of another org"},
	"region":     {Refused, "everything is in its region"},

	"account.mode":               {Refused, "it is another account"},
	"account.email":              {Refused, "an account's address is its root user's"},
	"account.name":               {Refused, "Freehold names an account when it is made, and not again"},
	"account.organizationalUnit": {InPlace, "Organizations moves the account"},
	"account.roleArn":            {Refused, "it is another account, or another way into it"},
	"account.externalId":         {InPlace, "it is only said when the role is assumed"},
	"account.closeOnOffboarding": {InPlace, "it is a choice for the end"},

	"network.cidr":                 {Refused, "a VPC has its range for ever"},
	"network.zones[].name":         {Refused, "EKS keeps a control plane in the zones that it was created in"},
	"network.zones[].privateCidr":  subnet,
	"network.zones[].publicCidr":   subnet,
	"network.nat":                  {Replaced, "gateways come and go, with their addresses, and routes follow them; nothing runs in one"},
	"network.flowLogRetentionDays": {InPlace, "CloudWatch Logs changes a group"},

	"cluster.version":                           {Stepwise, "EKS upgrades one minor version at a time, and never back"},
	"cluster.endpoint.access":                   {InPlace, "EKS updates the cluster"},
	"cluster.endpoint.allow[]":                  {InPlace, "EKS updates the cluster"},
	"cluster.logRetentionDays":                  {InPlace, "CloudWatch Logs changes a group, and S3 a lifecycle"},
	"cluster.nodePools[].name":                  {Names, "another pool"},
	"cluster.nodePools[].instanceTypes[]":       otherNodes,
	"cluster.nodePools[].capacity":              otherNodes,
	"cluster.nodePools[].amiFamily":             otherNodes,
	"cluster.nodePools[].min":                   nodes,
	"cluster.nodePools[].max":                   nodes,
	"cluster.nodePools[].desired":               nodes,
	"cluster.nodePools[].diskGiB":               nodes,
	"cluster.nodePools[].labels[]":              nodes,
	"cluster.nodePools[].taints[].key":          nodes,
	"cluster.nodePools[].taints[].value":        nodes,
	"cluster.nodePools[].taints[].effect":       nodes,
	"cluster.identityProvider.issuerUrl":        otherIssuer,
	"cluster.identityProvider.clientId":         otherIssuer,
	"cluster.identityProvider.usernameClaim":    otherIssuer,
	"cluster.identityProvider.usernamePrefix":   otherIssuer,
	"cluster.identityProvider.groupsClaim":      otherIssuer,
	"cluster.identityProvider.groupsPrefix":     otherIssuer,
	"cluster.identityProvider.requiredClaims[]": otherIssuer,

	"projects[].name":                                     {Names, "another project; one that goes with its namespace is removed by name only"},
	"projects[].displayName":                              object,
	"projects[].quota.cpu":                                object,
	"projects[].quota.memory":                             object,
	"projects[].quota.storage":                            object,
	"projects[].quota.ephemeralStorage":                   object,
	"projects[].quota.resources[]":                        object,
	"projects[].quota.deviceClasses[]":                    object,
	"projects[].quota.pods":                               object,
	"projects[].quota.gpus":                               object,
	"projects[].quota.objects.configMaps":                 object,
	"projects[].quota.objects.secrets":                    object,
	"projects[].quota.objects.services":                   object,
	"projects[].quota.objects.loadBalancers":              object,
	"projects[].quota.objects.nodePorts":                  object,
	"projects[].quota.objects.persistentVolumeClaims":     object,
	"projects[].quota.objects.deployments":                object,
	"projects[].quota.objects.statefulSets":               object,
	"projects[].quota.objects.jobs":                       object,
	"projects[].quota.objects.cronJobs":                   object,
	"projects[].quota.objects.ingresses":                  object,
	"projects[].limits.defaultCpu":                        object,
	"projects[].limits.defaultMemory":                     object,
	"projects[].limits.defaultEphemeralStorage":           object,
	"projects[].limits.maxEphemeralStorage":               object,
	"projects[].limits.maxCpu":                            object,
	"projects[].limits.maxMemory":                         object,
	"projects[].limits.minCpu":                            object,
	"projects[].limits.minMemory":                         object,
	"projects[].members[].group":                          object,
	"projects[].members[].user":                           object,
	"projects[].members[].role":                           object,
	"projects[].egress[].cidr":                            object,
	"projects[].egress[].ports[]":                         object,
	"projects[].egress[].protocol":                        object,
	"projects[].ingress[].project":                        object,
	"projects[].ingress[].ports[]":                        object,
	"projects[].ingress[].protocol":                       object,
	"projects[].podSecurity":                              object,
	"projects[].registries[]":                             object,
	"projects[].hosts[]":                                  object,
	"projects[].priorityClasses[]":                        object,
	"projects[].storageClasses[]":                         object,
	"projects[].runtimeClasses[]":                         object,
	"projects[].hibernate":                                object,
	"projects[].ttl":                                      object,
	"projects[].deletionPolicy":                           object,
	"projects[].serviceAccounts[].name":                   {Names, "another service account"},
	"projects[].serviceAccounts[].podIdentity.policies[]": {InPlace, "IAM attaches policies to a role, and detaches them"},
	"projectSource.url":                                   source,
	"projectSource.caBundle":                              source,
	"projectSource.interval":                              source,

	"access.people.issuerUrl":        caller,
	"access.people.tokens":           caller,
	"access.people.usernameClaim":    caller,
	"access.people.groupsClaim":      caller,
	"access.people.roles[].role":     caller,
	"access.people.roles[].groups[]": caller,
	"access.pipelines[].name":        caller,
	"access.pipelines[].issuerUrl":   caller,
	"access.pipelines[].subject":     caller,
	"access.pipelines[].claims[]":    caller,
	"access.pipelines[].role":        caller,
	"access.aws.issuerUrl":           caller,
	"access.aws.roles[].roleArn":     caller,
	"access.aws.roles[].role":        caller,

	"tags[]":                    {InPlace, "every service changes tags; nodes are rolled for theirs"},
	"deletionProtection":        {InPlace, "it is a setting of the engine's and of EKS's"},
	"versions.vpcCni":           addon,
	"versions.coreDns":          addon,
	"versions.kubeProxy":        addon,
	"versions.ebsCsi":           addon,
	"versions.podIdentityAgent": addon,
	"versions.controllerDigest": {InPlace, "a Deployment is rolled"},
	"exceptions[].rule":         rules,
	"exceptions[].resource":     rules,
	"exceptions[].reason":       rules,
	"exceptions[].approver":     rules,
	"exceptions[].expires":      rules,
}

// anew is why most fields cannot change.
const anew = "the data plane would have to be made anew"

// pinned are the fields whose change is refused, but for the network's zones. A
// field binds from the moment that something was made with it: until then a
// mistake in it can be corrected.
var pinned = []struct {
	field string
	binds func(DataPlane) bool
	of    func(plan.Plan) string
	why   string
}{
	{"region", DataPlane.inAccount, func(p plan.Plan) string { return p.Region }, anew},
	{"account.mode", DataPlane.HasAccount, func(p plan.Plan) string {
		if p.Account.Vended {
			return string(spec.AccountVended)
		}
		return string(spec.AccountExisting)
	}, anew},
	{"account.email", DataPlane.HasAccount, func(p plan.Plan) string { return p.Account.Email }, anew},
	{"account.name", DataPlane.HasAccount, func(p plan.Plan) string {
		if p.Account.Vended {
			return p.Account.Name
		}
		return "" // it is the customer's to name
	}, "Freehold names an account when it is made, and not again"},
	{"account.roleArn", DataPlane.HasAccount, func(p plan.Plan) string { return p.Account.RoleARN }, anew},
	{"network.cidr", func(d DataPlane) bool { return d.has(plan.LayerCluster, awstype.EC2VPC) }, func(p plan.Plan) string { return p.Cluster.CIDR }, anew},
}

func (f Facts) fixed() []Refusal {
	if f.Recorded == nil {
		return nil
	}
	var out []Refusal
	for _, p := range pinned {
		was, is := p.of(*f.Recorded), p.of(f.DataPlane.Plan)
		if was == is || !p.binds(f.DataPlane) {
			continue
		}
		if p.field == "account.name" && f.Recorded.Account.Vended != f.DataPlane.Plan.Account.Vended {
			continue // account.mode says it
		}
		out = append(out, unchangeable(p.field, was, is, p.why))
	}
	return append(out, f.zones()...)
}

func unchangeable(field, was, is, why string) Refusal {
	return Refusal{
		Field:   field,
		Message: fmt.Sprintf("%s cannot change from %q to %q: %s", field, was, is, why),
		Next:    "set it back, or offboard the org and onboard it again",
	}
}

// zones refuses other zones from the moment that there is a control plane in
// them, and other ranges from the moment that there is a subnet of one. Ranges
// that the spec leaves out count as well: they follow from the others.
//
// https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
func (f Facts) zones() []Refusal {
	if f.Recorded.Region != f.DataPlane.Plan.Region {
		return nil // region says it
	}
	was, is := f.Recorded.Cluster.Zones, f.DataPlane.Plan.Cluster.Zones
	if before, after := zoneNames(was), zoneNames(is); before != after && f.DataPlane.has(plan.LayerCluster, awstype.EKSCluster) {
		return []Refusal{unchangeable("network.zones", before, after, Changes["network.zones[].name"].Why)}
	}
	if !f.DataPlane.has(plan.LayerCluster, awstype.EC2Subnet) || f.Recorded.Cluster.CIDR != f.DataPlane.Plan.Cluster.CIDR {
		return nil // nothing has a range yet, or network.cidr says it
	}
	var out []Refusal
	for i, now := range is {
		at := slices.IndexFunc(was, func(z plan.Zone) bool { return z.Name == now.Name })
		if at < 0 {
			continue
		}
		for _, r := range []struct{ field, was, is string }{
			{"privateCidr", was[at].PrivateCIDR, now.PrivateCIDR},
			{"publicCidr", was[at].PublicCIDR, now.PublicCIDR},
		} {
			if r.was == r.is || r.was == "" || r.is == "" { // without a way out there are no public subnets
				continue
			}
			refused := unchangeable(fmt.Sprintf("network.zones[%d].%s", i, r.field), r.was, r.is, subnet.Why)
			refused.Next = fmt.Sprintf("set %s of %s to %s", r.field, now.Name, r.was)
			out = append(out, refused)
		}
	}
	return out
}

// zoneNames are the names of zones; in which order they are makes no difference.
func zoneNames(zones []plan.Zone) string {
	names := make([]string, len(zones))
	for i, z := range zones {
		names[i] = z.Name
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
