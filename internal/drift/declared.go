package drift

import "freehold.dev/freehold/internal/awstype"

// Declared are the ids of what the layers declare, by type.
type Declared map[string]map[string]bool

// Add notes a resource by its id in the state and by what else it is known by.
func (d Declared) Add(typ, id string, inputs map[string]any) {
	d.add(typ, id)
	switch typ {
	case awstype.IAMRoleAttachment:
		// The state's id is one that the provider made up.
		role, _ := inputs["role"].(string)
		policy, _ := inputs["policyArn"].(string)
		d.add(typ, role+"/"+policy)
	case awstype.EC2SecurityGroup, awstype.EC2DefaultSecurityGroup:
		// Rules that are given with their group have no resource of their own,
		// and the group's own comparison tells what was added to them.
		if _, given := inputs["ingress"]; given {
			d.add(awstype.EC2IngressRule, partsOf(id))
		}
		if _, given := inputs["egress"]; given {
			d.add(awstype.EC2EgressRule, partsOf(id))
		}
	}
}

func (d Declared) add(typ, id string) {
	if d[typ] == nil {
		d[typ] = map[string]bool{}
	}
	d[typ][id] = true
}

// Has reports whether a layer declares the item, by itself or with what it is a
// part of.
func (d Declared) Has(it Item) bool {
	return d[it.Type][it.ID] || it.Of != "" && d[it.Type][partsOf(it.Of)]
}

// partsOf stands for all parts of a thing. No id has a space in it.
func partsOf(id string) string { return "all of " + id }

// Merge adds all that another has.
func (d Declared) Merge(other Declared) {
	for typ, ids := range other {
		for id := range ids {
			d.add(typ, id)
		}
	}
}
