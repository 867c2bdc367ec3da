package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// Text writes the plan for people: aligned, without colour, and complete in
// what they decide on.
func Text(w io.Writer, p Plan) error {
	var b bytes.Buffer
	state := "protected from deletion"
	if !p.Protected {
		state = "not protected from deletion"
	}
	fmt.Fprintf(&b, "Data plane %s in %s, %s\n", p.Org, p.Region, state)
	fmt.Fprintf(&b, "Plan %s (hash version %d)\n", p.Hash, p.HashVersion)

	section := func(title string, rows func(row func(cells ...string))) {
		fmt.Fprintf(&b, "\n%s\n", title)
		t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		rows(func(cells ...string) { fmt.Fprintln(t, "  "+strings.Join(cells, "\t")) })
		_ = t.Flush() // a buffer takes everything
	}

	section("Layers", func(row func(...string)) {
		for _, s := range p.Stacks {
			row(string(s.Layer), s.Stack, "as "+s.As)
		}
	})
	section("Account", func(row func(...string)) { accountRows(p.Account, row) })
	section("Boundary", func(row func(...string)) {
		row("policy", p.Boundary.BoundaryName)
		row("roles", strings.Join([]string{p.Boundary.ProvisionRole, p.Boundary.ReadRole, p.Boundary.BootstrapRole, p.Boundary.OffboardRole}, " "))
		row("keys", p.Boundary.DataKeyAlias+" "+p.Boundary.LogKeyAlias)
		row("buckets", p.Boundary.DataBucket+" "+p.Boundary.LogBucket)
		row("trail", p.Boundary.TrailName)
		row("analyzer", p.Boundary.AnalyzerName)
		row("images", p.Boundary.ControllerRepository)
	})
	section("Network", func(row func(...string)) {
		row("range", p.Cluster.CIDR)
		row("NAT", p.Cluster.NAT)
		row("flow logs", fmt.Sprintf("%s, kept %d days", p.Cluster.FlowLogGroup, p.Cluster.FlowLogRetentionDays))
		for _, z := range p.Cluster.Zones {
			ranges := "private " + z.PrivateCIDR
			if z.PublicCIDR != "" {
				ranges += ", public " + z.PublicCIDR
			}
			row("zone "+z.Name, ranges)
		}
	})
	section("Cluster", func(row func(...string)) { clusterRows(p.Cluster, row) })
	section("Bootstrap", func(row func(...string)) { bootstrapRows(p.Bootstrap, row) })
	if len(p.Exceptions) > 0 {
		section("Exceptions from policies", func(row func(...string)) {
			for _, e := range p.Exceptions {
				row(e.Rule, e.Resource, "until "+e.Expires, "approved by "+e.Approver, e.Reason)
			}
		})
	}
	if p.Access != nil {
		section("Access to Freehold's API", func(row func(...string)) { accessRows(p.Access, row) })
	}
	section("Tags on every resource", func(row func(...string)) {
		for _, k := range slices.Sorted(maps.Keys(p.Account.Tags)) {
			if k != TagLayer {
				row(k, p.Account.Tags[k])
			}
		}
		row(TagLayer, "the layer's name")
	})
	if len(p.Notes) > 0 {
		b.WriteString("\nNotes\n")
		for _, n := range p.Notes {
			fmt.Fprintf(&b, "  - %s\n", n)
		}
	}
	_, err := w.Write(b.Bytes())
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

func accountRows(a Account, row func(...string)) {
	if !a.Vended {
		row("existing", a.Name)
		row("role", a.RoleARN)
		row("external id", a.ExternalID)
		return
	}
	parent := a.OrganizationalUnit
	if parent == "" {
		parent = "the organization's root"
	}
	offboarding := "kept"
	if a.CloseOnOffboard {
		offboarding = "closed"
	}
	row("vended", a.Name+" <"+a.Email+">")
	row("parent", parent)
	row("policies", a.ServicePolicyName+" "+a.ResourcePolicy)
	row("offboarding", "the account is "+offboarding)
}

func clusterRows(c Cluster, row func(...string)) {
	row("name", c.Name)
	row("version", "Kubernetes "+c.Version)
	endpoint := "private"
	if c.PublicEndpoint {
		endpoint = "public, for " + strings.Join(c.AllowCIDRs, " ")
	}
	row("endpoint", endpoint)
	if p := c.IdentityProvider; p != nil {
		row("identity provider", p.IssuerURL+", for "+p.ClientID)
		row("", "a user is "+p.UsernamePrefix+"<"+p.UsernameClaim+">")
		if p.GroupsClaim != "" {
			row("", "in groups "+p.GroupsPrefix+"<"+p.GroupsClaim+">")
		}
		for _, k := range slices.Sorted(maps.Keys(p.RequiredClaims)) {
			row("", "whose "+k+" is "+p.RequiredClaims[k])
		}
	}
	row("logs", fmt.Sprintf("kept %d days", c.LogRetentionDays))
	row("roles", strings.Join([]string{c.ClusterRole, c.NodeRole, c.EBSRole, c.FlowLogRole}, " "))
	for _, p := range c.NodePools {
		row("pool "+p.Pool, fmt.Sprintf("%s: %d to %d nodes (%d now), %s %s, %d GiB, %s",
			p.Name, p.Min, p.Max, p.Desired, p.CapacityType, strings.Join(p.InstanceTypes, " or "), p.DiskGiB, p.AMIType))
		for _, k := range slices.Sorted(maps.Keys(p.Labels)) {
			row("", "label "+k+"="+p.Labels[k])
		}
		for _, t := range p.Taints {
			row("", "taint "+t.Key+"="+t.Value+":"+t.Effect)
		}
	}
	for _, a := range c.Addons {
		row("add-on "+a.Name, a.Version)
	}
	for _, r := range c.ProjectRoles {
		row("pods of "+r.Account(), r.Role+" with "+strings.Join(r.Policies, " "))
	}
}

func bootstrapRows(b Bootstrap, row func(...string)) {
	row("namespace", b.Namespace)
	row("controller", b.ControllerDigest)
	row("storage class", b.StorageClass)
	if src := b.ProjectSource; src != nil {
		row("project source", src.URL+", asked every "+src.Interval)
		trusted := "an authority that Mozilla trusts"
		if src.CABundle != "" {
			trusted = "one of the spec's authorities: " + strings.Join(authorities(src.CABundle), ", ")
		}
		row("", "its certificate is of "+trusted)
	}
	for _, p := range b.Projects {
		gpus := ""
		if p.Quota.GPUs > 0 {
			gpus = fmt.Sprintf(", %d GPUs", p.Quota.GPUs)
		}
		row("project "+p.Name, fmt.Sprintf("%s CPU, %s memory, %s storage, %d pods%s",
			p.Quota.CPU, p.Quota.Memory, p.Quota.Storage, p.Quota.Pods, gpus))
		row("", fmt.Sprintf("a container has %s CPU and %s memory, at most %s and %s",
			p.Limits.DefaultCPU, p.Limits.DefaultMemory, p.Limits.MaxCPU, p.Limits.MaxMemory))
		for _, m := range p.Members {
			who := "group " + m.Group
			if m.User != "" {
				who = "user " + m.User
			}
			row("", string(m.Role)+": "+who)
		}
		for _, e := range p.Egress {
			row("", "egress: "+e.CIDR+" "+e.Protocol+" "+portsText(e.Ports))
		}
		for _, i := range p.Ingress {
			row("", "ingress: project "+i.Project+" "+i.Protocol+" "+portsText(i.Ports))
		}
		if p.Pulled {
			row("", "pulled from the project source")
		}
		for _, rest := range projectRest(p) {
			row("", rest)
		}
	}
}

// authorities names the certificates of a bundle by the beginning of their SHA-256.
func authorities(bundle string) []string {
	var names []string
	for block, rest := pem.Decode([]byte(bundle)); block != nil; block, rest = pem.Decode(rest) {
		names = append(names, fmt.Sprintf("SHA-256 %x", sha256.Sum256(block.Bytes)))
	}
	return names
}

func portsText(ports []int32) string {
	if len(ports) == 0 {
		return "all ports"
	}
	return strings.Trim(fmt.Sprint(ports), "[]")
}

// projectRest is what of a project differs from what most have.
func projectRest(p ProjectPlan) []string {
	var rest []string
	add := func(show bool, format string, args ...any) {
		if show {
			rest = append(rest, fmt.Sprintf(format, args...))
		}
	}
	add(p.DisplayName != "", "shown as %q", p.DisplayName)
	add(p.Limits.MinCPU.Text != "", "a container asks for %s CPU at least", p.Limits.MinCPU)
	add(p.Limits.MinMemory.Text != "", "a container asks for %s memory at least", p.Limits.MinMemory)
	add(p.Limits.DefaultEphemeralStorage.Text != "", "a container has %s of its node's disk", p.Limits.DefaultEphemeralStorage)
	add(p.Limits.MaxEphemeralStorage.Text != "", "a container has at most %s of its node's disk", p.Limits.MaxEphemeralStorage)
	add(p.Quota.EphemeralStorage.Text != "", "%s of the nodes' disks", p.Quota.EphemeralStorage)
	for _, name := range slices.Sorted(maps.Keys(p.Quota.Resources)) {
		add(true, "at most %s %s", p.Quota.Resources[name], name)
	}
	for _, class := range slices.Sorted(maps.Keys(p.Quota.DeviceClasses)) {
		add(true, "at most %d devices of class %s", p.Quota.DeviceClasses[class], class)
	}
	for _, o := range []struct {
		kind string
		most *int32
	}{
		{"config maps", p.Quota.Objects.ConfigMaps},
		{"secrets", p.Quota.Objects.Secrets},
		{"services", p.Quota.Objects.Services},
		{"load balancers", p.Quota.Objects.LoadBalancers},
		{"node ports", p.Quota.Objects.NodePorts},
		{"volume claims", p.Quota.Objects.PersistentVolumeClaims},
		{"deployments", p.Quota.Objects.Deployments},
		{"stateful sets", p.Quota.Objects.StatefulSets},
		{"jobs", p.Quota.Objects.Jobs},
		{"cron jobs", p.Quota.Objects.CronJobs},
		{"ingresses", p.Quota.Objects.Ingresses},
	} {
		if o.most != nil {
			add(true, "at most %d %s", *o.most, o.kind)
		}
	}
	add(p.PodSecurity != v1alpha1.PodSecurityRestricted, "pod security: %s", p.PodSecurity)
	add(len(p.ServiceAccounts) > 0, "service accounts: %s", strings.Join(p.ServiceAccounts, " "))
	add(len(p.Registries) > 0, "images also of %s", strings.Join(p.Registries, " "))
	add(len(p.Hosts) > 0, "is called as %s", strings.Join(p.Hosts, " "))
	add(len(p.PriorityClasses) > 0, "priority classes: %s", strings.Join(p.PriorityClasses, " "))
	add(len(p.StorageClasses) > 0, "storage classes: %s", strings.Join(p.StorageClasses, " "))
	add(len(p.RuntimeClasses) > 0, "runtime classes: %s", strings.Join(p.RuntimeClasses, " "))
	add(p.Hibernate, "hibernates")
	add(p.TTL != "", "hibernates %s after its creation", p.TTL)
	add(p.DeletionPolicy == v1alpha1.DeletionDelete, "its namespace goes with it, when that is confirmed")
	return rest
}
