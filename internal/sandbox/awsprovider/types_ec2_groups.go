package awsprovider

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/sandbox/store"
)

const (
	groupRuleToken = "aws:ec2/securityGroupRule:SecurityGroupRule"
	ingressToken   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressToken    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

var (
	groupText    = regexp.MustCompile(`^[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*$`)
	ruleProtocol = match(regexp.MustCompile(`^(-1|all|tcp|udp|icmp|icmpv6|\d{1,3})$`))
)

// groupRuleFields are the rules for rules that a group holds itself.
var groupRuleFields = map[string][]Rule{
	"name":                         {length(1, 255), match(groupText), notPrefixed("sg-")},
	"description":                  {length(1, 255), match(groupText)},
	"ingress[*].protocol":          {ruleProtocol},
	"ingress[*].cidrBlocks[*]":     {cidr},
	"ingress[*].ipv6CidrBlocks[*]": {cidr},
	"ingress[*].description":       {length(0, 255), match(groupText)},
	"ingress[*].fromPort":          {between(-1, 65535)},
	"ingress[*].toPort":            {between(-1, 65535)},
	"egress[*].protocol":           {ruleProtocol},
	"egress[*].cidrBlocks[*]":      {cidr},
	"egress[*].ipv6CidrBlocks[*]":  {cidr},
	"egress[*].description":        {length(0, 255), match(groupText)},
	"egress[*].fromPort":           {between(-1, 65535)},
	"egress[*].toPort":             {between(-1, 65535)},
}

// ec2GroupTypes are security groups and their rules.
var ec2GroupTypes = []*Type{
	{
		Token:    groupToken,
		Source:   "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
		Args:     ec2.SecurityGroupArgs{},
		State:    ec2.SecurityGroup{},
		Noun:     "Security Group",
		Service:  "ec2",
		API:      API{Create: "CreateSecurityGroup", Read: "DescribeSecurityGroups", Update: "AuthorizeSecurityGroupIngress", Delete: "DeleteSecurityGroup", Updates: map[string]string{"tags": "CreateTags", "egress": "AuthorizeSecurityGroupEgress"}},
		ID:       "sg-{hex:17}",
		ARN:      "arn:aws:ec2:{region}:{account}:security-group/{id}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 255},
		Tags:     true,
		Defaults: map[string]any{"description": "Managed by Pulumi", "revokeRulesOnDelete": false},
		Outputs:  map[string]string{"ownerId": "{account}"},
		Computed: []string{"ingress", "egress"},
		Fields:   groupRuleFields,
		Unique: []Unique{{Scope: PerRegion, Key: "security-group/{vpcId}/{name}",
			Error: "InvalidGroup.Duplicate: The security group '{name}' already exists for VPC '{vpcId}'"}},
		Refs:    []Ref{vpcRef(), groupRef("ingress[*].securityGroups[*]"), groupRef("egress[*].securityGroups[*]")},
		Quota:   &Quota{Scope: PerRegion, Name: "ec2:security-groups", Limit: 2500, Error: "SecurityGroupLimitExceeded: The maximum number of security groups has been reached."},
		Replace: []string{"name", "namePrefix", "description", "vpcId"},
		Blocks: []Block{{Link: Link{Type: interfaceToken, Path: "securityGroups[*]", ByCloud: true},
			Error: "DependencyViolation: resource {id} has a dependent object"}},
		Owns: []Link{{Type: groupRuleToken, Path: "securityGroupId"}, {Type: ingressToken, Path: "securityGroupId"}, {Type: egressToken, Path: "securityGroupId"}},
		Check: func(c *Call) error {
			if c.Verb == Creating && c.String("vpcId") == "" {
				return errf("VPCIdNotSpecified", "No default VPC for this user")
			}
			return checkInlineRules(c)
		},
		Created: inlineRules,
		Updated: inlineRules,
		Refuse:  refuseReferenced,
	},
	{
		Token:    defaultGroupToken,
		Source:   "https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
		Args:     ec2.DefaultSecurityGroupArgs{},
		State:    ec2.DefaultSecurityGroup{},
		Noun:     "Default Security Group",
		Service:  "ec2",
		API:      API{Create: "RevokeSecurityGroupIngress", Read: "DescribeSecurityGroups", Update: "AuthorizeSecurityGroupIngress", Updates: map[string]string{"tags": "CreateTags", "egress": "AuthorizeSecurityGroupEgress"}},
		ID:       "{vpcId|group}",
		ARN:      "arn:aws:ec2:{region}:{account}:security-group/{id}",
		Tags:     true,
		Defaults: map[string]any{"name": "default", "description": "default VPC security group", "revokeRulesOnDelete": false, "ingress": []any{}, "egress": []any{}},
		Outputs:  map[string]string{"ownerId": "{account}"},
		Fields:   groupRuleFields,
		Refs:     []Ref{vpcRef(), groupRef("ingress[*].securityGroups[*]"), groupRef("egress[*].securityGroups[*]")},
		Replace:  []string{"vpcId"},
		Check:    checkInlineRules,
		Created:  adoptDefaultGroup,
		Deleted:  releaseDefaultGroup,
	},
	{
		Token:    groupRuleToken,
		Source:   "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
		Args:     ec2.SecurityGroupRuleArgs{},
		State:    ec2.SecurityGroupRule{},
		Noun:     "Security Group Rule",
		Service:  "ec2",
		API:      API{Create: "AuthorizeSecurityGroupIngress", Read: "DescribeSecurityGroups", Update: "UpdateSecurityGroupRuleDescriptionsIngress", Delete: "RevokeSecurityGroupIngress"},
		ID:       "sgrule-{digits:10}",
		Defaults: map[string]any{"self": false},
		Outputs:  map[string]string{"securityGroupRuleId": "sgr-{hex:17}"},
		Fields: map[string][]Rule{
			"type": {oneOf("ingress", "egress")}, "protocol": {ruleProtocol}, "description": {length(0, 255), match(groupText)},
			"cidrBlocks[*]": {cidr}, "ipv6CidrBlocks[*]": {cidr}, "fromPort": {between(-1, 65535)}, "toPort": {between(-1, 65535)},
		},
		Conflicts: [][]string{{"self", "sourceSecurityGroupId"}, {"cidrBlocks", "self"}, {"cidrBlocks", "sourceSecurityGroupId"}},
		Refs:      []Ref{ruleGroupRef("securityGroupId"), ruleGroupRef("sourceSecurityGroupId")},
		Replace:   []string{"cidrBlocks", "fromPort", "ipv6CidrBlocks", "prefixListIds", "protocol", "securityGroupId", "self", "sourceSecurityGroupId", "toPort", "type"},
		Check:     checkRule,
	},
	groupRule(ingressToken, "Ingress", vpc.SecurityGroupIngressRuleArgs{}, vpc.SecurityGroupIngressRule{}),
	groupRule(egressToken, "Egress", vpc.SecurityGroupEgressRuleArgs{}, vpc.SecurityGroupEgressRule{}),
}

func ruleGroupRef(path string) Ref {
	r := groupRef(path)
	r.Error = "InvalidGroup.NotFound: The security group '{value}' does not exist"
	return r
}

func notPrefixed(prefix string) Rule {
	return func(v any) string {
		if strings.HasPrefix(text(v), prefix) {
			return fmt.Sprintf("cannot begin with %s", prefix)
		}
		return ""
	}
}

// permission is one thing that a rule lets through: a rule with two ranges has two.
type permission struct {
	kind, protocol, from, to, peer string
}

// permissionsOf lists what a rule of any of the four forms lets through.
func permissionsOf(kind string, rule map[string]any, group string) []permission {
	p := permission{kind: kind, protocol: text(rule["protocol"]) + text(rule["ipProtocol"]), from: text(rule["fromPort"]), to: text(rule["toPort"])}
	if p.protocol == "all" {
		p.protocol = "-1"
	}
	if p.protocol == "-1" { // every port, whatever is written
		p.from, p.to = "", ""
	}
	var peers []string
	for _, key := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"} {
		for _, peer := range listAt(rule, key) {
			peers = append(peers, text(peer))
		}
	}
	for _, key := range []string{"sourceSecurityGroupId", "referencedSecurityGroupId", "cidrIpv4", "cidrIpv6", "prefixListId"} {
		if peer := text(rule[key]); peer != "" {
			peers = append(peers, peer)
		}
	}
	if rule["self"] == true {
		peers = append(peers, group)
	}
	var all []permission
	for _, peer := range peers {
		p.peer = peer
		all = append(all, p)
	}
	return all
}

// rulesOf lists the permissions of a group by the resource that gives them.
func rulesOf(c *Call, group string) (map[string][]permission, error) {
	all := map[string][]permission{}
	for token, kind := range map[string]string{groupRuleToken: "", ingressToken: "ingress", egressToken: "egress"} {
		rows, err := c.List(token)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if text(r.Outputs["securityGroupId"]) != group {
				continue
			}
			k := kind
			if k == "" {
				k = text(r.Outputs["type"])
			}
			all[r.ID] = permissionsOf(k, r.Outputs, group)
		}
	}
	for _, token := range []string{groupToken, defaultGroupToken} {
		row, err := c.Find(token, "id", group)
		if err != nil {
			return nil, err
		}
		if row == nil {
			continue
		}
		for _, kind := range []string{"ingress", "egress"} {
			for _, rule := range listAt(row.Outputs, kind) {
				rule, _ := rule.(map[string]any)
				all[group] = append(all[group], permissionsOf(kind, rule, group)...)
			}
		}
	}
	return all, nil
}

// checkRule refuses a rule without a peer, with its ports the wrong way round,
// or whose like the group has already.
func checkRule(c *Call) error {
	kind := map[string]string{ingressToken: "ingress", egressToken: "egress"}[c.Type.Token]
	if kind == "" {
		kind = c.String("type")
	}
	group := c.String("securityGroupId")
	mine := permissionsOf(kind, c.In, group)
	if err := checkPermissions(mine); err != nil {
		return err
	}
	others, err := rulesOf(c, group)
	if err != nil {
		return err
	}
	count := len(mine)
	for id, theirs := range others {
		if id == c.ID {
			continue
		}
		for _, p := range theirs {
			if slices.Contains(mine, p) {
				return errf("InvalidPermission.Duplicate", "the specified rule %q already exists", p)
			}
			if p.kind == kind {
				count++
			}
		}
	}
	if count > rulesPerGroup {
		return errf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	return nil
}

// rulesPerGroup is AWS's default, for each direction.
const rulesPerGroup = 60

func checkPermissions(all []permission) error {
	if len(all) == 0 {
		return errf("InvalidParameterValue", "One of ['cidr_blocks', 'ipv6_cidr_blocks', 'self', 'source_security_group_id', 'prefix_list_ids'] must be set to create an AWS Security Group Rule")
	}
	for _, p := range all {
		var from, to int
		_, _ = fmt.Sscan(p.from, &from)
		_, _ = fmt.Sscan(p.to, &to)
		if from > to && (p.protocol == "tcp" || p.protocol == "udp") {
			return errf("InvalidParameterValue", "Invalid port range: %s to %s", p.from, p.to)
		}
	}
	return nil
}

// String is the rule as AWS writes it.
func (p permission) String() string {
	protocol := strings.ToUpper(p.protocol)
	if protocol == "-1" {
		return fmt.Sprintf("peer: %s, ALL, ALLOW", p.peer)
	}
	return fmt.Sprintf("peer: %s, %s, from port: %s, to port: %s, ALLOW", p.peer, protocol, p.from, p.to)
}

// checkInlineRules refuses two equal rules in one group.
func checkInlineRules(c *Call) error {
	for _, kind := range []string{"ingress", "egress"} {
		var all []permission
		for _, rule := range listAt(c.In, kind) {
			rule, _ := rule.(map[string]any)
			mine := permissionsOf(kind, rule, c.ID)
			if err := checkPermissions(mine); err != nil {
				return err
			}
			for _, p := range mine {
				if slices.Contains(all, p) {
					return errf("InvalidPermission.Duplicate", "the specified rule %q already exists", p)
				}
				all = append(all, p)
			}
		}
		if len(all) > rulesPerGroup {
			return errf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
		}
	}
	return nil
}

// inlineRules fills in what was not given: the provider takes away the egress
// rule that AWS puts into a new group.
func inlineRules(c *Call) error {
	for _, kind := range []string{"ingress", "egress"} {
		if _, given := c.Out[kind]; !given {
			c.Out[kind] = []any{}
		}
	}
	return nil
}

// refuseReferenced keeps a group that another group's rules name.
func refuseReferenced(c *Call) error {
	if c.String("name") == "default" {
		return errf("CannotDelete", "the specified group: %q name: \"default\" cannot be deleted by a user", c.ID)
	}
	var groups []store.Row
	for _, token := range []string{groupToken, defaultGroupToken} {
		rows, err := c.List(token)
		if err != nil {
			return err
		}
		groups = append(groups, rows...)
	}
	for _, group := range groups {
		if group.ID == c.ID {
			continue
		}
		rules, err := rulesOf(c, group.ID)
		if err != nil {
			return err
		}
		for _, permissions := range rules {
			for _, p := range permissions {
				if p.peer == c.ID {
					return errf("DependencyViolation", "resource %s has a dependent object", c.ID)
				}
			}
		}
	}
	return nil
}

// adoptDefaultGroup takes the VPC's own group over: its row gives way to this one.
func adoptDefaultGroup(c *Call) error {
	if c.String("vpcId") == "" {
		return errf("VPCIdNotSpecified", "No default VPC for this user")
	}
	own, err := c.Find(groupToken, "id", c.ID)
	if err != nil {
		return err
	}
	if own == nil {
		return errf("InvalidGroup.NotFound", "The security group '%s' does not exist", c.ID)
	}
	return c.Tx.Delete(*own)
}

// releaseDefaultGroup leaves the group to AWS again, with the rules that it has.
func releaseDefaultGroup(c *Call) error {
	vpc, err := c.Find(vpcToken, "id", c.String("vpcId"))
	if err != nil || vpc == nil {
		return err
	}
	out := cloneMap(c.Out)
	delete(out, "tags")
	delete(out, "tagsAll")
	return c.Put(store.Row{Type: groupToken, ID: c.ID, ARN: c.ARN, ByCloud: true, Outputs: out})
}

// groupRule is a rule with one peer, in either direction.
func groupRule(token, direction string, args pulumi.Input, state any) *Type {
	return &Type{
		Token:   token,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRuleRequest.html",
		Args:    args,
		State:   state,
		Noun:    "VPC Security Group " + direction + " Rule",
		Service: "ec2",
		API: API{Create: "AuthorizeSecurityGroup" + direction, Read: "DescribeSecurityGroupRules", Update: "ModifySecurityGroupRules",
			Delete: "RevokeSecurityGroup" + direction, Updates: map[string]string{"tags": "CreateTags"}},
		ID:      "sgr-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:security-group-rule/{id}",
		Tags:    true,
		Outputs: map[string]string{"securityGroupRuleId": "{id}"},
		Fields: map[string][]Rule{
			"ipProtocol": {ruleProtocol}, "cidrIpv4": {cidr}, "cidrIpv6": {cidr}, "description": {length(0, 255), match(groupText)},
			"fromPort": {between(-1, 65535)}, "toPort": {between(-1, 65535)},
		},
		ExactlyOne: [][]string{{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"}},
		Refs:       []Ref{ruleGroupRef("securityGroupId"), ruleGroupRef("referencedSecurityGroupId")},
		Replace:    []string{"securityGroupId"},
		Check:      checkRule,
	}
}
