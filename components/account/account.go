// Package account holds the component of an org's AWS account.
package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/organizations"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/iam"
)

// Args describe an account. All fields that are not marked optional are
// required in their mode.
type Args struct {
	// Vended asks for a new account in the organization; otherwise the
	// customer brings one, RoleARN and ExternalID reach it, and the rest of
	// the fields mean nothing.
	Vended bool

	Name  string
	Email string
	// ParentID is the organizational unit; empty: the organization's root.
	ParentID string
	// AccessRoleName is the role that AWS makes in the new account, which
	// trusts the management account.
	AccessRoleName string
	// Region is the one region that the account may use.
	Region string
	// BoundaryName is the permissions boundary that every role of the account must have.
	BoundaryName string
	// ProvisionerARN is the one outside principal that may assume the account's roles.
	ProvisionerARN string
	// ServicePolicyName is the first service control policy's; the others have it with
	// a number at the end.
	ServicePolicyName  string
	ResourcePolicyName string
	// CloseOnDeletion closes the account when the component is destroyed.
	CloseOnDeletion bool
	// Protected refuses every deletion.
	Protected bool
	Tags      map[string]string

	RoleARN    string
	ExternalID string // optional
}

// Account is an AWS account for one org. It guarantees that:
//   - a vended account is under the parent that was asked for, and destroying
//     the component never closes it unless CloseOnDeletion says so;
//   - nothing that changes in Args makes a second account;
//   - from the moment it has resources of ours, a vended account is fenced by
//     the ServicePolicies and, where the organization has resource control
//     policies, by the ResourcePolicy;
//   - while Protected, neither the account nor a fence can be deleted;
//   - for an account that the customer brings, nothing is made at all.
type Account struct {
	pulumi.ResourceState

	AccountID     pulumi.StringOutput
	AccessRoleARN pulumi.StringOutput
	ExternalID    pulumi.StringOutput // empty for a vended account
}

// New makes the account. It asks the organization for its root and its policy
// types by the component's provider, which must be the management account's.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Account, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("account %s: %w", name, err)
	}
	a := &Account{}
	if err := ctx.RegisterComponentResource("freehold:index:Account", name, a, opts...); err != nil {
		return nil, err
	}
	if args.Vended {
		if err := a.vend(ctx, args); err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
	} else if err := a.adopt(args); err != nil {
		return nil, fmt.Errorf("account %s: %w", name, err)
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{
		"accountId": a.AccountID, "accessRoleArn": a.AccessRoleARN, "externalId": a.ExternalID,
	})
}

func (args Args) validate() error {
	required := map[string]string{"RoleARN": args.RoleARN}
	if args.Vended {
		required = map[string]string{
			"Name": args.Name, "Email": args.Email, "AccessRoleName": args.AccessRoleName, "Region": args.Region,
			"BoundaryName": args.BoundaryName, "ProvisionerARN": args.ProvisionerARN,
			"ServicePolicyName": args.ServicePolicyName, "ResourcePolicyName": args.ResourcePolicyName,
		}
	}
	var missing []string
	for field, value := range required {
		if value == "" {
			missing = append(missing, field)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%s must be given", strings.Join(missing, ", "))
	}
	return nil
}

// adopt reads the account that the customer brings out of its role's ARN.
func (a *Account) adopt(args Args) error {
	role, err := iam.ParseARN(args.RoleARN)
	if err != nil || role.Role() == "" || !iam.IsAccount(role.Account) {
		return fmt.Errorf("%q is not the ARN of a role", args.RoleARN)
	}
	a.AccountID = pulumi.String(role.Account).ToStringOutput()
	a.AccessRoleARN = pulumi.String(args.RoleARN).ToStringOutput()
	a.ExternalID = pulumi.String(args.ExternalID).ToStringOutput()
	return nil
}

// vend makes the account and its fences.
func (a *Account) vend(ctx *pulumi.Context, args Args) error {
	org, err := organization(ctx, a)
	if err != nil {
		return err
	}
	parent := args.ParentID
	if parent == "" {
		parent = org.root
	}
	account, err := organizations.NewAccount(ctx, "account", &organizations.AccountArgs{
		Name:     pulumi.String(args.Name),
		Email:    pulumi.String(args.Email),
		ParentId: pulumi.String(parent),
		RoleName: pulumi.String(args.AccessRoleName),
		// Bills are the management account's business; nobody in the org's
		// account needs to read them.
		IamUserAccessToBilling: pulumi.String("DENY"),
		CloseOnDeletion:        pulumi.Bool(args.CloseOnDeletion),
		Tags:                   pulumi.ToStringMap(args.Tags),
	}, append(a.accountOptions(args), pulumi.Parent(a))...)
	if err != nil {
		return err
	}
	a.AccountID = account.ID().ToStringOutput()
	a.AccessRoleARN = pulumi.Sprintf("arn:aws:iam::%s:role/%s", account.ID(), args.AccessRoleName)
	a.ExternalID = pulumi.String("").ToStringOutput()

	for i, doc := range ServicePolicies(args.Region, args.AccessRoleName, args.BoundaryName) {
		ending := ""
		if i > 0 {
			ending = fmt.Sprintf("-%d", i+1)
		}
		err := a.fence(ctx, "service-policy"+ending, account.ID(), args, &organizations.PolicyArgs{
			Name:        pulumi.String(args.ServicePolicyName + ending),
			Description: pulumi.String("What nobody may do in this account, whatever its own policies say"),
			Type:        pulumi.String(serviceControl),
			Content:     pulumi.String(doc.String()),
		})
		if err != nil {
			return err
		}
	}
	if !org.resourceControl {
		return nil
	}
	return a.fence(ctx, "resource-policy", account.ID(), args, &organizations.PolicyArgs{
		Name:        pulumi.String(args.ResourcePolicyName),
		Description: pulumi.String("Who of other accounts may reach what is in this account: nobody"),
		Type:        pulumi.String(resourceControl),
		Content:     pulumi.String(ResourcePolicy(args.ProvisionerARN).String()),
	})
}

// accountOptions are the engine's rules for the account itself.
func (a *Account) accountOptions(args Args) []pulumi.ResourceOption {
	opts := []pulumi.ResourceOption{
		pulumi.Protect(args.Protected),
		// A change of any of these would make the provider replace the
		// account: vend a second one and drop the first, with the customer in
		// it. AWS does not return the last two, so they would also look
		// changed after an import.
		pulumi.IgnoreChanges([]string{"name", "email", "roleName", "iamUserAccessToBilling"}),
		// Closing takes longer than the provider's 10 minutes at times
		// (hashicorp/terraform-provider-aws#46284).
		pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "30m"}),
	}
	if !args.CloseOnDeletion {
		// Without closeOnDeletion the provider would take the account out of
		// the organization, and so out of every policy and bill of ours, or
		// fail because it has no payment method. Retain: the account stays
		// where it is, empty, and only our state forgets it.
		opts = append(opts, pulumi.RetainOnDelete(true))
	}
	return opts
}

// fence makes a policy and attaches it to the account: to the account and not
// to its unit, which may hold other customers. Neither is retained when the
// component goes, because a policy that no state describes is one that nobody
// maintains, and organizations run out of them; protect keeps both until the
// org is let go on purpose.
func (a *Account) fence(ctx *pulumi.Context, name string, target pulumi.IDOutput, args Args, policy *organizations.PolicyArgs) error {
	policy.Tags = pulumi.ToStringMap(args.Tags)
	p, err := organizations.NewPolicy(ctx, name, policy, pulumi.Parent(a), pulumi.Protect(args.Protected))
	if err != nil {
		return err
	}
	_, err = organizations.NewPolicyAttachment(ctx, name, &organizations.PolicyAttachmentArgs{
		PolicyId: p.ID(),
		TargetId: target,
	}, pulumi.Parent(a), pulumi.Protect(args.Protected))
	return err
}

// The policy types of AWS Organizations that we use.
const (
	serviceControl  = "SERVICE_CONTROL_POLICY"
	resourceControl = "RESOURCE_CONTROL_POLICY"
)

type organizationFacts struct {
	root            string
	resourceControl bool // resource control policies are enabled
}

// organization reads what the account's place depends on. The function also
// lists every account of the organization, which costs a large one seconds;
// the provider has no cheaper way to the root and its policy types.
func organization(ctx *pulumi.Context, parent pulumi.Resource) (organizationFacts, error) {
	org, err := organizations.LookupOrganization(ctx, pulumi.Parent(parent))
	if err != nil {
		return organizationFacts{}, fmt.Errorf("reading the organization: %w", err)
	}
	if len(org.Roots) == 0 {
		return organizationFacts{}, errors.New("the organization has no root that these credentials can see: use the management account's")
	}
	root := org.Roots[0].Id
	if !slices.Contains(org.EnabledPolicyTypes, serviceControl) {
		return organizationFacts{}, fmt.Errorf("service control policies are not enabled: run aws organizations enable-policy-type --root-id %s --policy-type %s", root, serviceControl)
	}
	return organizationFacts{root: root, resourceControl: slices.Contains(org.EnabledPolicyTypes, resourceControl)}, nil
}
