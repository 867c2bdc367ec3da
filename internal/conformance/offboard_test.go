package conformance_test

import (
	"strings"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/event"
)

// offboarded takes a customer away and lists, with the aws command, every
// service that the layers touched.
func (c *customer) offboarded(l *lab.Lab) {
	t := c.t
	t.Helper()
	account := c.made.DataPlane.AccountID
	r := c.run("offboard", c.org, "--yes", c.org, "--close-account", "-o", "json")
	if r.code != 0 {
		t.Errorf("offboard %s: exit %d\n%s", c.org, r.code, r.stderr)
		return
	}
	left := decode[event.Offboarding](t, r)
	if diff := cmp.Diff(c.wayIn, left.WayIn); diff != "" {
		t.Errorf("%s: the way in that it says is left (-want +got):\n%s", c.org, diff)
	}
	for name, script := range listings {
		out, err := l.Shell(account, script)
		if err != nil {
			t.Errorf("%s: list %s: %v", c.org, name, err)
		}
		if out = strings.TrimSpace(strings.ReplaceAll(out, "None", "")); out != "" {
			t.Errorf("%s: %s left in account %s: %s", c.org, name, account, out)
		}
	}
	if c.wayIn != nil {
		stays(t, l, account, *c.wayIn)
	}
}

// listings print what is left of each service, without what an account has from
// its start and what only waits for its end.
var listings = map[string]string{
	"clusters":          `aws eks list-clusters --query 'clusters' --output text`,
	"VPCs":              `aws ec2 describe-vpcs --filters Name=is-default,Values=false --query 'Vpcs[].VpcId' --output text`,
	"subnets":           `aws ec2 describe-subnets --filters Name=default-for-az,Values=false --query 'Subnets[].SubnetId' --output text`,
	"internet gateways": `aws ec2 describe-internet-gateways --query 'InternetGateways[?Tags].InternetGatewayId' --output text`,
	"NAT gateways":      `aws ec2 describe-nat-gateways --filter Name=state,Values=pending,available --query 'NatGateways[].NatGatewayId' --output text`,
	"addresses":         `aws ec2 describe-addresses --query 'Addresses[].AllocationId' --output text`,
	"endpoints":         `aws ec2 describe-vpc-endpoints --query "VpcEndpoints[?State!='deleted'].VpcEndpointId" --output text`,
	"launch templates":  `aws ec2 describe-launch-templates --query 'LaunchTemplates[].LaunchTemplateId' --output text`,
	"flow logs":         `aws ec2 describe-flow-logs --query 'FlowLogs[].FlowLogId' --output text`,
	"instances":         `aws ec2 describe-instances --query 'Reservations[].Instances[].InstanceId' --output text`,
	"volumes":           `aws ec2 describe-volumes --query 'Volumes[].VolumeId' --output text`,
	"roles":             `aws iam list-roles --query "Roles[?starts_with(RoleName, 'freehold-') && RoleName!='freehold-access'].RoleName" --output text`,
	"policies":          `aws iam list-policies --scope Local --query "Policies[?!starts_with(PolicyName, 'onboarding-')].PolicyName" --output text`,
	"instance profiles": `aws iam list-instance-profiles --query 'InstanceProfiles[].InstanceProfileName' --output text`,
	"OIDC providers":    `aws iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn' --output text`,
	"password policy":   `aws iam get-account-password-policy --query PasswordPolicy.MinimumPasswordLength --output text 2>/dev/null || true`,
	"key aliases":       `aws kms list-aliases --query "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName" --output text`,
	"keys": `for k in $(aws kms list-keys --query 'Keys[].KeyId' --output text); do
		aws kms describe-key --key-id "$k" --query "KeyMetadata.[KeyManager,KeyState,KeyId]" --output text; done |
		grep '^CUSTOMER' | grep -v PendingDeletion || true`,
	"buckets":      `aws s3api list-buckets --query 'Buckets[].Name' --output text`,
	"repositories": `aws ecr describe-repositories --query 'repositories[].repositoryName' --output text`,
	"trails":       `aws cloudtrail describe-trails --query 'trailList[].Name' --output text`,
	"log groups":   `aws logs describe-log-groups --query 'logGroups[].logGroupName' --output text`,
	"analyzers":    `aws accessanalyzer list-analyzers --query 'analyzers[].name' --output text`,
	// The tagging service remembers for a while what is gone; those have listings of their own.
	"tagged": `aws resourcegroupstaggingapi get-resources --tag-filters Key=freehold.dev/org --query 'ResourceTagMappingList[].ResourceARN' --output text | tr '\t' '\n' | grep -v -e ':key/' -e ':natgateway/' -e ':vpc-endpoint/' || true`,
}
