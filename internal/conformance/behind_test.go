package conformance_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// behind is one change that somebody makes with the aws command in acme's
// account, and what a drift run must say of it: no less, and no more.
type behind struct {
	script string
	// central is true for what is changed in the management account.
	central bool
	// want are findings as "kind type name: paths".
	want []string
	// violates are the rules that it breaks, as "rule type name".
	violates []string
}

// The variables of the scripts: ACCOUNT, VPC, DATA_KEY, LOGS and DATA (buckets).
var behinds = map[string]behind{
	"a role's longest session": {
		script: `aws iam update-role --role-name freehold-acme-read --max-session-duration 7200 --description "$(aws iam get-role --role-name freehold-acme-read --query Role.Description --output text)"`,
		want:   []string{"changed aws:iam/role:Role read-role: maxSessionDuration"},
	},
	"whom a role trusts": {
		script:   `aws iam update-assume-role-policy --role-name freehold-acme-offboard --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'`,
		want:     []string{"changed aws:iam/role:Role offboard-role: assumeRolePolicy"},
		violates: []string{"FH301 aws:iam/role:Role offboard-role", "FH302 aws:iam/role:Role offboard-role"},
	},
	"a role's boundary": {
		script:   `aws iam delete-role-permissions-boundary --role-name freehold-acme-node`,
		want:     []string{"changed aws:iam/role:Role cluster-nodes: permissionsBoundary"},
		violates: []string{"FH501 aws:iam/role:Role cluster-nodes"},
	},
	"what a role may do": {
		script: `aws iam put-role-policy --role-name freehold-acme-bootstrap --policy-name bootstrap-role --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'`,
		want:   []string{"changed aws:iam/rolePolicy:RolePolicy bootstrap-role: policy"},
		violates: []string{
			"FH304 aws:iam/role:Role bootstrap-role", "FH304 aws:iam/rolePolicy:RolePolicy bootstrap-role",
			"FH503 aws:iam/role:Role bootstrap-role", "FH503 aws:iam/rolePolicy:RolePolicy bootstrap-role",
			"FH505 aws:iam/role:Role bootstrap-role", "FH505 aws:iam/rolePolicy:RolePolicy bootstrap-role",
		},
	},
	"a policy that is attached to a role": {
		script: `aws iam attach-role-policy --role-name freehold-acme-cluster --policy-arn arn:aws:iam::aws:policy/AdministratorAccess`,
		want:   []string{"unmanaged aws:iam/rolePolicyAttachment:RolePolicyAttachment AdministratorAccess"},
	},
	"a policy that is detached from a role": {
		script: `aws iam detach-role-policy --role-name freehold-acme-read --policy-arn arn:aws:iam::aws:policy/SecurityAudit`,
		want:   []string{"missing aws:iam/rolePolicyAttachment:RolePolicyAttachment read-role-security-audit"},
	},
	"another policy of a role": {
		script: `aws iam put-role-policy --role-name freehold-acme-ebs-csi --policy-name more --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'`,
		want:   []string{"unmanaged aws:iam/rolePolicy:RolePolicy more"},
	},
	"a role that somebody makes": {
		script: `aws iam create-role --role-name backdoor --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::777788889999:root"},"Action":"sts:AssumeRole"}]}'`,
		want:   []string{"unmanaged aws:iam/role:Role backdoor"},
	},
	"a user that somebody makes": {
		script: `aws iam create-user --user-name mallory`,
		want:   []string{"unmanaged aws:iam/user:User mallory"},
	},
	"the password policy": {
		script: `aws iam delete-account-password-policy`,
		want:   []string{"missing aws:iam/accountPasswordPolicy:AccountPasswordPolicy password-policy"},
	},
	"the account's public access block": {
		script:   `aws s3control put-public-access-block --account-id "$ACCOUNT" --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=true`,
		want:     []string{"changed aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock public-access-block: blockPublicPolicy"},
		violates: []string{"FH601 aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock public-access-block"},
	},
	"a bucket's versions": {
		script: `aws s3api put-bucket-versioning --bucket "$DATA" --versioning-configuration Status=Suspended`,
		want:   []string{"changed aws:s3/bucketVersioningV2:BucketVersioningV2 data-bucket: versioningConfiguration.status"},
	},
	"a bucket's public access block": {
		script: `aws s3api delete-public-access-block --bucket "$DATA"`,
		want:   []string{"missing aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock data-bucket"},
	},
	"a bucket's policy": {
		script:   `aws s3api put-bucket-policy --bucket "$DATA" --policy "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::$DATA/*\"}]}"`,
		want:     []string{"changed aws:s3/bucketPolicy:BucketPolicy data-bucket: policy"},
		violates: []string{"FH305 aws:s3/bucketPolicy:BucketPolicy data-bucket"},
	},
	"a repository's tags": {
		script: `aws ecr put-image-tag-mutability --repository-name freehold-acme/namespace-controller --image-tag-mutability MUTABLE`,
		want:   []string{"changed aws:ecr/repository:Repository controller-repository: imageTagMutability"},
	},
	"a key's rotation": {
		script:   `aws kms disable-key-rotation --key-id "$DATA_KEY"`,
		want:     []string{"changed aws:kms/key:Key data-key: enableKeyRotation"},
		violates: []string{"FH705 aws:kms/key:Key data-key"},
	},
	"the trail": {
		script:   `aws cloudtrail stop-logging --name freehold-acme-trail`,
		want:     []string{"changed aws:cloudtrail/trail:Trail trail: enableLogging"},
		violates: []string{"FH709 aws:cloudtrail/trail:Trail trail"},
	},
	"how long logs are kept": {
		script: `aws logs put-retention-policy --log-group-name /aws/eks/freehold-acme/cluster --retention-in-days 1`,
		want:   []string{"changed aws:cloudwatch/logGroup:LogGroup cluster-logs: retentionInDays"},
	},
	"the default security group": {
		script:   `aws ec2 authorize-security-group-ingress --group-id "$(aws ec2 describe-security-groups --filters Name=vpc-id,Values=$VPC Name=group-name,Values=default --query 'SecurityGroups[0].GroupId' --output text)" --protocol tcp --port 22 --cidr 0.0.0.0/0`,
		want:     []string{"changed aws:ec2/defaultSecurityGroup:DefaultSecurityGroup network-default: ingress"},
		violates: []string{"FH603 aws:ec2/defaultSecurityGroup:DefaultSecurityGroup network-default", "FH612 aws:ec2/defaultSecurityGroup:DefaultSecurityGroup network-default"},
	},
	"the cluster's own security group": {
		script: `aws ec2 authorize-security-group-ingress --group-id "$(aws eks describe-cluster --name freehold-acme --query cluster.resourcesVpcConfig.clusterSecurityGroupId --output text)" --protocol tcp --port 443 --cidr 0.0.0.0/0`,
		want:   []string{"unmanaged aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule GROUP"},
	},
	"the flow log": {
		script:   `aws ec2 delete-flow-logs --flow-log-ids $(aws ec2 describe-flow-logs --query 'FlowLogs[].FlowLogId' --output text)`,
		want:     []string{"missing aws:ec2/flowLog:FlowLog network-flows"},
		violates: []string{"FH710 aws:ec2/vpc:Vpc network"},
	},
	"a subnet's public addresses": {
		script:   `aws ec2 modify-subnet-attribute --subnet-id "$(aws ec2 describe-subnets --filters Name=vpc-id,Values=$VPC Name=tag:Name,Values=freehold-acme-private-eu-central-1a --query 'Subnets[0].SubnetId' --output text)" --map-public-ip-on-launch`,
		want:     []string{"changed aws:ec2/subnet:Subnet network-private-eu-central-1a: mapPublicIpOnLaunch"},
		violates: []string{"FH605 aws:ec2/subnet:Subnet network-private-eu-central-1a", "FH606 aws:ec2/subnet:Subnet network-private-eu-central-1a", "FH607 aws:eks/nodeGroup:NodeGroup cluster-pool-default"},
	},
	"a tag of the network": {
		script:   `aws ec2 create-tags --resources "$VPC" --tags Key=freehold.dev/org,Value=globex`,
		want:     []string{`changed aws:ec2/vpc:Vpc network: tags["freehold.dev/org"]`},
		violates: []string{"FH101 aws:ec2/vpc:Vpc network"},
	},
	"another network": {
		script: `aws ec2 create-tags --resources "$(aws ec2 create-vpc --cidr-block 10.99.0.0/16 --query Vpc.VpcId --output text)" --tags Key=Name,Value=side-door`,
		want:   []string{"unmanaged aws:ec2/vpc:Vpc side-door"},
	},
	"encryption of volumes": {
		script:   `aws ec2 disable-ebs-encryption-by-default`,
		want:     []string{"changed aws:ebs/encryptionByDefault:EncryptionByDefault ebs-encryption: enabled"},
		violates: []string{"FH711 aws:ebs/encryptionByDefault:EncryptionByDefault ebs-encryption"},
	},
	"how instances ask who they are": {
		script:   `aws ec2 modify-instance-metadata-defaults --http-tokens optional`,
		want:     []string{"changed aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults instance-metadata: httpTokens"},
		violates: []string{"FH610 aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults instance-metadata"},
	},
	"what the control plane logs": {
		script:   `aws eks update-cluster-config --name freehold-acme --logging '{"clusterLogging":[{"types":["audit"],"enabled":false}]}'`,
		want:     []string{"changed aws:eks/cluster:Cluster cluster-eksCluster: enabledClusterLogTypes"},
		violates: []string{"FH707 aws:eks/cluster:Cluster cluster-eksCluster"},
	},
	"who is an administrator of the cluster": {
		script: `aws eks disassociate-access-policy --cluster-name freehold-acme --principal-arn arn:aws:iam::$ACCOUNT:role/freehold-acme-offboard --policy-arn arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
		want:   []string{"missing aws:eks/accessPolicyAssociation:AccessPolicyAssociation cluster-offboard-cluster"},
	},
	"who gets into the cluster": {
		script: `aws eks create-access-entry --cluster-name freehold-acme --principal-arn arn:aws:iam::$ACCOUNT:role/freehold-acme-ebs-csi`,
		want:   []string{"unmanaged aws:eks/accessEntry:AccessEntry arn:aws:iam::ACCOUNT:role/freehold-acme-ebs-csi"},
	},
	"whose tokens the cluster believes": {
		script: `aws eks disassociate-identity-provider-config --cluster-name freehold-acme --identity-provider-config type=oidc,name=freehold-acme
			aws eks associate-identity-provider-config --cluster-name freehold-acme --oidc identityProviderConfigName=mallory,issuerUrl=https://login.mallory.example,clientId=kubernetes`,
		want: []string{
			"missing aws:eks/identityProviderConfig:IdentityProviderConfig cluster-identity-provider",
			"unmanaged aws:eks/identityProviderConfig:IdentityProviderConfig mallory",
		},
	},
	"how many nodes there are": {
		script: `aws eks update-nodegroup-config --cluster-name freehold-acme --nodegroup-name "$(aws eks list-nodegroups --cluster-name freehold-acme --query 'nodegroups[0]' --output text)" --scaling-config minSize=1,maxSize=9,desiredSize=7`,
		want:   []string{"changed aws:eks/nodeGroup:NodeGroup cluster-pool-default: scalingConfig.desiredSize, scalingConfig.maxSize, scalingConfig.minSize"},
	},
	"the service control policy": {
		script: `for p in $(aws organizations list-policies-for-target --target-id "$ACCOUNT" --filter SERVICE_CONTROL_POLICY --query "Policies[?starts_with(Name, 'freehold-')].Id" --output text); do
			aws organizations detach-policy --policy-id "$p" --target-id "$ACCOUNT"; done`,
		central: true,
		want: []string{
			"missing aws:organizations/policyAttachment:PolicyAttachment service-policy", "missing aws:organizations/policyAttachment:PolicyAttachment service-policy-2",
		},
	},
	"what the resource control policy says": {
		script: `for p in $(aws organizations list-policies --filter RESOURCE_CONTROL_POLICY --query "Policies[?Name=='freehold-acme-rcp'].Id" --output text); do
			aws organizations update-policy --policy-id "$p" --content '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"*"}]}'; done`,
		central: true,
		want:    []string{"changed aws:organizations/policy:Policy resource-policy: content"},
	},
}

// changedBehind makes every change of the table, compares all that a drift run
// finds with all that it should, and has the next onboard put it back.
func (c *customer) changedBehind(l *lab.Lab) {
	t := c.t
	t.Helper()
	d := c.made.DataPlane
	env := []string{
		"ACCOUNT=" + d.AccountID, "VPC=" + d.VPCID, "DATA_KEY=" + d.DataKeyARN,
		"DATA=freehold-acme-data-" + d.AccountID, "LOGS=freehold-acme-logs-" + d.AccountID,
		"KUBECTL=" + l.Tool("kubectl"), "KUBECONFIG=" + l.Administrator(d.ClusterName),
	}
	var want []string
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, 4)
	all := maps.Clone(behinds)
	maps.Copy(all, clusterBehinds)
	for name, b := range all {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			account := d.AccountID
			if b.central {
				account = lab.ManagementAccount
			}
			_, err := l.Shell(account, b.script, env...)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("change %s: %v", name, err)
			}
			want = append(want, b.want...)
			for _, v := range b.violates {
				want = append(want, "violated "+v)
			}
		})
	}
	wait.Wait()
	if len(behinds) < 20 {
		t.Errorf("%d changes; there should be twenty or more", len(behinds))
	}
	found := decode[event.Drift](t, c.want(2, "drift", c.org, "-o", "json"))
	var got []string
	for _, f := range found.Findings {
		got = append(got, numbers.ReplaceAllString(strings.ReplaceAll(asLine(f), d.AccountID, "ACCOUNT"), "GROUP"))
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("drift does not say: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("drift says, and nobody changed it: %s", line)
		}
	}

	// A state knows nothing of what somebody made; the account does.
	a := decode[finding.Audit](t, c.want(3, "audit", c.org, "-o", "json"))
	for name, rule := range map[string]string{"backdoor": "FH301", "mallory": "FH803"} {
		if !slices.ContainsFunc(a.Findings, func(f finding.Policy) bool { return f.Rule == rule && f.Resource.Name == name }) {
			t.Errorf("the audit does not say of %s that it violates %s: %+v", name, rule, a.Findings)
		}
	}

	c.want(0, "onboard", "-f", c.spec, "--prune", "--yes="+c.org)
	if r := c.run("drift", c.org); r.code != 0 {
		t.Errorf("after onboard --prune something still differs:\n%s", r.stdout)
	}
}

// numbers are the ids that AWS makes up.
var numbers = regexp.MustCompile(`\bsg-[0-9a-f]+\b`)

// asLine is a finding in one line.
func asLine(f finding.Finding) string {
	kind := string(f.Kind)
	if f.Policy != nil {
		kind += " " + f.Policy.Rule
	}
	line := strings.TrimSpace(fmt.Sprintf("%s %s %s", kind, f.Type, f.Name))
	var paths []string
	for _, d := range f.Differences {
		paths = append(paths, d.Path)
	}
	if len(paths) > 0 {
		line += ": " + strings.Join(paths, ", ")
	}
	return line
}
