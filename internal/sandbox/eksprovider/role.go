package eksprovider

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// serviceRole describes a role that an AWS service assumes.
type serviceRole struct {
	service     string // "eks", without the partition's domain
	description pulumi.StringPtrInput
	policies    []string // names of AWS managed policies
	actions     []string
}

// makeServiceRole makes an eks:index:ServiceRole. It returns the role, and all
// that must be there before the role can be used.
func (c *cluster) makeServiceRole(name string, r serviceRole) (*iam.Role, []pulumi.Resource, error) {
	owner := &component{}
	if err := c.ctx.RegisterComponentResource("eks:index:ServiceRole", name, owner, pulumi.Parent(c.parent)); err != nil {
		return nil, nil, err
	}
	trust := c.partition.DnsSuffix().ApplyT(func(suffix string) (string, error) {
		return trustPolicy(r.service+"."+suffix, r.actions)
	}).(pulumi.StringOutput)
	role, err := iam.NewRole(c.ctx, name+"-role", &iam.RoleArgs{
		Description:      r.description,
		AssumeRolePolicy: trust,
		Tags:             c.in.Tags,
	}, pulumi.Parent(owner))
	if err != nil {
		return nil, nil, err
	}
	made := []pulumi.Resource{role}
	for _, policy := range r.policies {
		// The name holds a hash of the ARN in the public partition, whichever partition it is.
		attachment, err := iam.NewRolePolicyAttachment(c.ctx, name+"-"+shortHash("arn:aws:iam::aws:policy/"+policy), &iam.RolePolicyAttachmentArgs{
			PolicyArn: pulumi.Sprintf("arn:%s:iam::aws:policy/%s", c.partition.Partition(), policy),
			Role:      role.Name,
		}, pulumi.Parent(owner))
		if err != nil {
			return nil, nil, err
		}
		made = append(made, attachment)
	}
	return role, made, c.ctx.RegisterResourceOutputs(owner, pulumi.Map{"directRole": role, "resolvedRole": role})
}

// trustPolicy keeps the genuine component's order of keys: a policy that differs
// in text only would still show as a difference.
func trustPolicy(service string, actions []string) (string, error) {
	type statement struct {
		Action    []string
		Effect    string
		Principal map[string][]string
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{
		Version:   "2012-10-17",
		Statement: []statement{{Action: actions, Effect: "Allow", Principal: map[string][]string{"Service": {service}}}},
	})
	return string(text), err
}

func shortHash(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])[:8]
}
