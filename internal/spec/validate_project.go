package spec

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

func (d *decoder) validateProject(p Project, path string) {
	name := path + ".name"
	if d.given(name) && d.ok(name) &&
		(p.Name == "default" || strings.HasPrefix(p.Name, "kube-") || strings.HasPrefix(p.Name, "freehold-")) {
		d.complain(name, quote(p.Name)+" is reserved", `a name other than default and not starting with kube- or freehold-`)
	}
	d.validateLimits(p, path)
	d.validateResources(p.Quota, path+".quota")
	d.validateMembers(p.Members, path+".members")
	d.validateAccounts(p.ServiceAccounts, path+".serviceAccounts")
	d.unique(path+".registries", len(p.Registries), "", func(i int) string { return p.Registries[i] })
	d.unique(path+".hosts", len(p.Hosts), "", func(i int) string { return p.Hosts[i] })
	d.unique(path+".priorityClasses", len(p.PriorityClasses), "", func(i int) string { return p.PriorityClasses[i] })
	d.unique(path+".storageClasses", len(p.StorageClasses), "", func(i int) string { return p.StorageClasses[i] })
	d.unique(path+".runtimeClasses", len(p.RuntimeClasses), "", func(i int) string { return p.RuntimeClasses[i] })
	for i, e := range p.Egress {
		ports := fmt.Sprintf("%s.egress[%d].ports", path, i)
		d.unique(ports, len(e.Ports), "", func(j int) string { return fmt.Sprint(e.Ports[j]) })
	}
}

// validateCallers wants callers that are other projects of the same document:
// no namespace of anybody else can be named.
func (d *decoder) validateCallers(p Project, others []string, path string) {
	for j, in := range p.Ingress {
		at := fmt.Sprintf("%s.ingress[%d]", path, j)
		d.unique(at+".ports", len(in.Ports), "", func(k int) string { return fmt.Sprint(in.Ports[k]) })
		field := at + ".project"
		switch {
		case !d.given(field) || !d.ok(field):
		case in.Project == p.Name:
			d.complain(field, quote(in.Project)+" is the project itself, which may always call itself", "another project")
		case !slices.Contains(others, in.Project):
			problem := quote(in.Project) + " is no project of the org"
			if meant := suggest(in.Project, others); meant != "" {
				problem += " (did you mean " + meant + "?)"
			}
			d.complain(field, problem, "the name of another project")
		}
	}
}

func (d *decoder) validateAccounts(accounts []ServiceAccount, path string) {
	d.unique(path, len(accounts), ".name", func(i int) string { return accounts[i].Name })
	for i, a := range accounts {
		if field := fmt.Sprintf("%s[%d].name", path, i); d.ok(field) && a.Name == "default" {
			d.complain(field, `"default" is in every namespace, and gets no token`, "another name")
		}
		policies := a.PodIdentity.Policies
		d.unique(fmt.Sprintf("%s[%d].podIdentity.policies", path, i), len(policies), "", func(j int) string { return policies[j] })
	}
}

// validateLimits wants min <= default <= max <= quota: the LimitRange would
// refuse the first two, and no pod could ever use the third.
func (d *decoder) validateLimits(p Project, path string) {
	type sized struct {
		field string
		value v1alpha1.Quantity
	}
	for _, chain := range [][]sized{
		{
			{path + ".limits.minCpu", p.Limits.MinCPU},
			{path + ".limits.defaultCpu", p.Limits.DefaultCPU},
			{path + ".limits.maxCpu", p.Limits.MaxCPU},
			{path + ".quota.cpu", p.Quota.CPU},
		},
		{
			{path + ".limits.minMemory", p.Limits.MinMemory},
			{path + ".limits.defaultMemory", p.Limits.DefaultMemory},
			{path + ".limits.maxMemory", p.Limits.MaxMemory},
			{path + ".quota.memory", p.Quota.Memory},
		},
		{
			{path + ".limits.defaultEphemeralStorage", p.Limits.DefaultEphemeralStorage},
			{path + ".limits.maxEphemeralStorage", p.Limits.MaxEphemeralStorage},
			{path + ".quota.ephemeralStorage", d.ephemeral(p.Quota, path+".quota")},
		},
		{
			{path + ".limits.defaultEphemeralStorage", p.Limits.DefaultEphemeralStorage},
			{path + ".quota.ephemeralStorage", d.ephemeral(p.Quota, path+".quota")},
		},
	} {
		for i := range len(chain) - 1 {
			low, high := chain[i], chain[i+1]
			if !d.ok(path, path+".limits", path+".quota", low.field, high.field) || low.value.Text == "" || high.value.Text == "" {
				continue // empty: the default of a quota that was refused
			}
			l, h := low.value.Value(), high.value.Value()
			if l.Cmp(h) <= 0 {
				continue
			}
			d.complain(low.field, fmt.Sprintf("%s is more than %s, %s", quote(low.value.Text), high.field[len(path)+1:], quote(high.value.Text)),
				"min <= default <= max <= quota", high.field, path)
			break
		}
	}
}

// ephemeral is the quota of ephemeral storage, which follows from the pods where
// the document does not say it; none where those are wrong.
func (d *decoder) ephemeral(q v1alpha1.Quota, path string) v1alpha1.Quantity {
	if d.given(path+".ephemeralStorage") || !d.ok(path+".pods") {
		return q.EphemeralStorage
	}
	sum := q.Ephemeral()
	return v1alpha1.Quantity{Text: sum.String()}
}

// The names of what a container may ask for beside CPU, memory and ephemeral
// storage, and those of device classes.
// https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
var (
	extendedResource = regexp.MustCompile(`^(hugepages-[0-9]+(Ki|Mi|Gi)|[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$`)
	deviceClass      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
)

// validateResources wants names that a quota can bound.
func (d *decoder) validateResources(q v1alpha1.Quota, path string) {
	const most = 128
	for _, name := range slices.Sorted(maps.Keys(q.Resources)) {
		field := join(path+".resources", name)
		switch {
		case name == "nvidia.com/gpu":
			d.complain(field, "is the quota's gpus", "gpus")
		case !extendedResource.MatchString(name) || len(name) > most || strings.Contains(name, "kubernetes.io/") || strings.HasPrefix(name, "requests."):
			d.complain(field, quote(name)+" is not the name of an extended resource",
				"a domain and a name, such as nvidia.com/mig-1g.10gb, or huge pages of a size, such as hugepages-2Mi")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.DeviceClasses)) {
		if !deviceClass.MatchString(name) || len(name) > most {
			d.complain(join(path+".deviceClasses", name), quote(name)+" is not the name of a device class", "a DNS name, such as gpu.nvidia.com")
		}
	}
}

func (d *decoder) validateMembers(members []v1alpha1.Member, path string) {
	first := map[string]int{}
	for i, m := range members {
		at := fmt.Sprintf("%s[%d]", path, i)
		group, user := d.given(at+".group"), d.given(at+".user")
		switch {
		case !d.ok(at):
			continue
		case group == user:
			problem := "has neither group nor user"
			if group {
				problem = "has both group and user"
			}
			d.complain(at, problem, "exactly one of them")
			continue
		}
		field, name := at+".group", m.Group
		if user {
			field, name = at+".user", m.User
		}
		if !d.ok(field) {
			continue
		}
		// system:masters and its like are not for projects to give away.
		// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
		if strings.HasPrefix(name, "system:") {
			d.complain(field, quote(name)+" is reserved to Kubernetes", "a name without the prefix system:")
			continue
		}
		id := fmt.Sprint(user, name)
		if j, again := first[id]; again {
			d.complain(field, fmt.Sprintf("%s is also members[%d]", quote(name), j), "each once, with the widest role")
			continue
		}
		first[id] = i
	}
}

// validateNames wants members whom the identity provider can know: nobody else
// would ever be let into the project, and nobody would notice.
func (d *decoder) validateNames(p Project, by IdentityProvider, path string) {
	const provider = "cluster.identityProvider"
	if !d.given(provider) || !d.ok("cluster", provider) {
		return
	}
	for i, m := range p.Members {
		at := fmt.Sprintf("%s.members[%d]", path, i)
		field, name, kind, prefix := at+".group", m.Group, "groupsPrefix", by.GroupsPrefix
		if d.given(at + ".user") {
			field, name, kind, prefix = at+".user", m.User, "usernamePrefix", by.UsernamePrefix
		}
		switch {
		case !d.ok(at, field, provider+"."+kind, provider+".groupsClaim") || name == "" || strings.HasPrefix(name, "system:"):
		case by.LetsIn(m):
		case prefix == "":
			d.complain(field, "is a group, and "+provider+" tells of none", "a user, or a groupsClaim in "+provider)
		default:
			d.complain(field, quote(name)+" is nobody whom "+provider+" lets in", "a name behind its "+kind+", such as "+prefix+cmp.Or(strings.TrimPrefix(name, prefix), "shop"))
		}
	}
}

// LetsIn reports whether somebody whom the provider knows can be this member.
func (p IdentityProvider) LetsIn(m v1alpha1.Member) bool {
	name, prefix := m.Group, p.GroupsPrefix
	if m.User != "" {
		name, prefix = m.User, p.UsernamePrefix
	}
	return prefix != "" && strings.HasPrefix(name, prefix) && name != prefix
}
