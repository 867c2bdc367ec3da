package dataplane

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

const versionField = "cluster.version"

// RunsSomewhere reports whether a cluster may be there to be asked what it
// runs, and the account that it would be in.
func (d DataPlane) RunsSomewhere() (cloud.Account, bool, error) {
	if !d.Made(plan.LayerCluster) || d.Outputs(plan.LayerAccount) == nil {
		return cloud.Account{}, false, nil
	}
	a, err := d.Account()
	return a, err == nil, err
}

// Running is the data plane with what its cluster runs now: nodes that are not
// at the plan's version are changed after everything else of the cluster. nil:
// nothing, or it was not asked.
func (d DataPlane) Running(now *cloud.Running) DataPlane {
	d.Upgrade = false
	if now == nil {
		return d
	}
	for _, version := range now.NodeGroups {
		d.Upgrade = d.Upgrade || version != d.Plan.Cluster.Version
	}
	return d
}

// CheckVersion refuses to run the cluster layer with the plan's version of
// Kubernetes where EKS would refuse it: see Facts for what is told of the cluster.
func CheckVersion(d DataPlane, recorded *plan.Plan, running *cloud.Running) []Refusal {
	return Facts{DataPlane: d, Recorded: recorded, Running: running}.version()
}

// version refuses a Kubernetes version that EKS would not take the cluster to
// in one step: a control plane goes up by one minor version at a time, and
// never back, and not while its node groups are behind it.
//
// What the cluster runs counts, and not what it was asked to run: AWS upgrades
// a control plane by itself at the end of support. Where the cluster was not
// asked, what was asked for last stands for it.
//
// https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
func (f Facts) version() []Refusal {
	asked, recorded := f.DataPlane.Plan.Cluster.Version, ""
	if f.Recorded != nil {
		recorded = f.Recorded.Cluster.Version
	}
	is := recorded
	switch {
	case f.Running != nil:
		is = f.Running.Kubernetes
	case !f.DataPlane.has(plan.LayerCluster, awstype.EKSCluster):
		is = ""
	}
	if is == "" {
		return nil // there is no cluster, and the first can have any version
	}
	from, known := spec.Minor(is)
	to, _ := spec.Minor(asked)
	refuse := func(message, next string) []Refusal {
		return []Refusal{{Field: versionField, Message: message, Next: next}}
	}
	switch {
	case !known:
		return refuse(fmt.Sprintf("the cluster runs Kubernetes %s, which this Freehold does not know", is), "use a Freehold that knows it")
	case to < from:
		message := fmt.Sprintf("%s cannot go from %q back to %q: EKS never downgrades a control plane", versionField, is, asked)
		if recorded != "" && recorded != is {
			message += fmt.Sprintf("; the org was onboarded with %s, and AWS or somebody else has upgraded the cluster since", recorded)
		}
		return refuse(message, stepTo(is))
	case to > from+1:
		return refuse(
			fmt.Sprintf("%s cannot go from %q to %q: EKS upgrades one minor version at a time", versionField, is, asked),
			stepTo(fmt.Sprintf("1.%d", from+1))+", one minor version after the other")
	case to == from+1:
		return f.behind(is)
	}
	return nil
}

// stepTo says how the cluster gets to a version, or stays at it.
func stepTo(version string) string {
	if _, known := spec.ReleaseOf(version); known {
		return fmt.Sprintf("set %s: %q and onboard the org", versionField, version)
	}
	return fmt.Sprintf("a spec cannot have version %s: use a Freehold that runs it, or upgrade the cluster past it with aws eks update-cluster-version", version)
}

// behind refuses to upgrade the control plane while managed nodes are older
// than it is now: EKS wants them at the control plane's version first. Freehold
// brings its own pools there when it is asked for that version; a node group of
// somebody else's it does not touch.
//
// https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html
func (f Facts) behind(is string) []Refusal {
	if f.Running == nil {
		return nil
	}
	var ours, others []string
	for _, name := range slices.Sorted(maps.Keys(f.Running.NodeGroups)) {
		if f.Running.NodeGroups[name] == is {
			continue
		}
		mine := slices.ContainsFunc(f.pools(), func(p plan.NodePool) bool { return p.Name == name })
		if mine {
			ours = append(ours, name)
		} else {
			others = append(others, name)
		}
	}
	var out []Refusal
	refuse := func(names []string, next string) {
		if len(names) > 0 {
			out = append(out, Refusal{
				Field: versionField,
				Message: fmt.Sprintf("%s cannot go from %q to %q: EKS upgrades a control plane only when its node groups have the version that it has now, and %s does not",
					versionField, is, f.DataPlane.Plan.Cluster.Version, strings.Join(names, ", ")),
				Next: next,
			})
		}
	}
	refuse(ours, stepTo(is)+" first: it upgrades the nodes")
	refuse(others, "upgrade or delete what is not Freehold's first: aws eks update-nodegroup-version --cluster-name "+f.DataPlane.Plan.Cluster.Name)
	return out
}

// pools are the pools of the plan, and of the one before it.
func (f Facts) pools() []plan.NodePool {
	pools := f.DataPlane.Plan.Cluster.NodePools
	if f.Recorded != nil {
		pools = slices.Concat(pools, f.Recorded.Cluster.NodePools)
	}
	return pools
}
