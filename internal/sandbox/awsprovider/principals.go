package awsprovider

import (
	"encoding/json"

	"freehold.dev/freehold/internal/sandbox/store"
)

// deadPrincipal is the output of an access entry's row that holds the unique id
// of the role that it was made for, once that role is gone.
const deadPrincipal = "__deadPrincipal"

// ended does what the end of a resource means for others.
func (c *Call) ended(r store.Row) error {
	if err := c.countCluster(r); err != nil {
		return err
	}
	return c.forgetPrincipal(r)
}

// forgetPrincipal does what the end of a role does to all that names it. AWS
// keeps the unique id of a principal, and not its ARN, where it stores a policy:
// when the principal is deleted, the document shows the id, and a role that is
// made anew under the same name is another principal, which nothing names.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
//
// An access entry shows the ARN as before, and lets nobody in: it has to be
// deleted and created again.
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
func (c *Call) forgetPrincipal(role store.Row) error {
	id := text(role.Outputs["uniqueId"])
	if role.Type != roleToken || id == "" {
		return nil
	}
	for _, t := range all {
		for path, g := range t.Policies {
			if g.exists {
				if err := c.showID(t, path, role.ARN, id); err != nil {
					return err
				}
			}
		}
	}
	entries, err := c.Tx.List(store.Filter{Type: accessEntryToken})
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Outputs["principalArn"] != role.ARN || e.Outputs[deadPrincipal] != nil {
			continue
		}
		e.Outputs[deadPrincipal] = id
		if err := rewrite(c.Tx, e); err != nil {
			return err
		}
	}
	return nil
}

// showID puts the unique id of a principal in the place of its ARN in the
// policies of a type, in every account.
func (c *Call) showID(t *Type, path, arn, id string) error {
	rows, err := c.Tx.List(store.Filter{Type: t.Token})
	if err != nil {
		return err
	}
	for _, r := range rows {
		changed := false
		for _, properties := range []map[string]any{r.Inputs, r.Outputs} {
			if v, ok := withoutPrincipal(properties[path], arn, id); ok {
				properties[path], changed = v, true
			}
		}
		if !changed {
			continue
		}
		if err := rewrite(c.Tx, r); err != nil {
			return err
		}
	}
	return nil
}

// withoutPrincipal is a document in which a principal is named by its unique id;
// ok is false if it does not name the principal.
func withoutPrincipal(document any, arn, id string) (_ any, ok bool) {
	object, _, err := written(document)
	if err != nil {
		return nil, false
	}
	object = cloneMap(object)
	for _, s := range list(object["Statement"]) {
		statement, _ := s.(map[string]any)
		for _, element := range []string{"Principal", "NotPrincipal"} {
			principal, _ := statement[element].(map[string]any)
			named := list(principal["AWS"])
			for i, p := range named {
				if p == arn {
					named[i], ok = id, true
				}
			}
			if ok && len(named) == 1 {
				principal["AWS"] = named[0]
			}
		}
	}
	if _, isText := document.(string); !isText || !ok {
		return object, ok
	}
	b, err := json.Marshal(object)
	return string(b), ok && err == nil
}

// LetsIn reports whether an access entry's role is the one that it was made for.
func LetsIn(entry store.Row) bool { return entry.Outputs[deadPrincipal] == nil }
