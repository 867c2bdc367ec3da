package oracle_test

import (
	"math/rand/v2"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/conformance/oracle"
	"freehold.dev/freehold/internal/iam"
)

// draw draws questions. What it draws from is small, so that patterns, principals
// and values meet what they are compared with about every second time.
type draw struct{ *rand.Rand }

const (
	own     = "111111111111"
	foreign = "222222222222"
	orgID   = "o-a1b2c3d4e5"
)

func (d draw) chance(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d draw, from ...T) T { return from[d.IntN(len(from))] }

// some draws between one and n of these, each once.
func some[T any](d draw, n int, from ...T) []T {
	shuffled := slices.Clone(from)
	d.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return shuffled[:min(1+d.IntN(n), len(shuffled))]
}

// target is an action on a resource, with patterns that fit it and keys that it has.
type target struct {
	action   string
	resource string
	actions  []string // patterns
	patterns []string
	keys     []key
}

// key is a condition key: what the request may carry, and what policies compare it
// with, by the kind of its operators.
type key struct {
	name   string
	kind   string // a key of operators
	list   bool   // it holds many values
	values []string
	wants  []string
}

// operators are all of AWS's, by what they compare.
var operators = map[string][]string{
	"text":    {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
	"number":  {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
	"date":    {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
	"truth":   {"Bool"},
	"bytes":   {"BinaryEquals"},
	"address": {"IpAddress", "NotIpAddress"},
	"ARN":     {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
}

var principals = []string{
	"arn:aws:iam::" + own + ":role/app", "arn:aws:iam::" + own + ":role/ops/admin", "arn:aws:iam::" + own + ":user/jo",
	"arn:aws:iam::" + foreign + ":role/app", "arn:aws:iam::" + own + ":root",
}

// everywhere are keys that every request may carry. Those of the caller are not
// drawn: the request says who calls.
var everywhere = []key{
	{name: "aws:SourceIp", kind: "address", values: []string{"203.0.113.7", "198.51.100.1", "2001:db8::7"}, wants: []string{"203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "0.0.0.0/0"}},
	{name: "aws:CurrentTime", kind: "date", values: []string{"2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z"}, wants: []string{"2026-01-01T00:00:00Z", "2026-03-01", "2026-01-01T01:00:00+01:00"}},
	{name: "aws:TokenIssueTime", kind: "date", values: []string{"2026-01-01T00:00:00Z"}, wants: []string{"2025-12-31T23:59:59Z", "2026-01-01"}},
	{name: "aws:MultiFactorAuthAge", kind: "number", values: []string{"0", "60", "3600"}, wants: []string{"60", "60.0", "3599"}},
	{name: "aws:MultiFactorAuthPresent", kind: "truth", values: []string{"true", "false"}, wants: []string{"true", "false", "True"}},
	{name: "aws:SecureTransport", kind: "truth", values: []string{"true", "false"}, wants: []string{"true", "false"}},
	{name: "aws:ViaAWSService", kind: "truth", values: []string{"true", "false"}, wants: []string{"true", "false"}},
	{name: "aws:UserAgent", kind: "text", values: []string{"cli/2", "CLI/2", "a*c", "$x"}, wants: []string{"cli/2", "cli/*", "a${*}c", "a?c", "${$}x", "${aws:UserAgent}"}},
	{name: "aws:UserAgent", kind: "bytes", values: []string{"AQI=", "AQM="}, wants: []string{"AQI=", "AQM="}},
	{name: "aws:PrincipalOrgID", kind: "text", values: []string{orgID, "o-another123"}, wants: []string{orgID, "o-*", "O-A1B2C3D4E5"}},
	{name: "aws:PrincipalTag/team", kind: "text", values: []string{"red", "blue", "*"}, wants: []string{"red", "r*", "${aws:ResourceTag/team}", "${aws:RequestTag/team, 'red'}", "${aws:PrincipalTag/Team}", "*"}},
	{name: "aws:ResourceAccount", kind: "text", values: []string{own, foreign}, wants: []string{own, "${aws:PrincipalAccount}", foreign}},
	{name: "aws:RequestedRegion", kind: "text", values: []string{"eu-central-1", "us-east-1"}, wants: []string{"eu-central-1", "eu-*"}},
	{name: "aws:SourceArn", kind: "ARN", values: []string{"arn:aws:sns:eu-central-1:" + own + ":topic", "arn:aws:s3:::bucket"}, wants: []string{"arn:aws:sns:*:" + own + ":*", "arn:aws:s3:::bucket", "arn:aws:sns:eu-central-1:${aws:PrincipalAccount}:t?pic", "arn:*:sns:*:*:topic"}},
	{name: "aws:SourceVpc", kind: "text", values: []string{"vpc-1"}, wants: []string{"vpc-1", "vpc-2"}},
	{name: "aws:PrincipalArn", kind: "ARN", wants: []string{principals[0], "arn:aws:iam::" + own + ":role/*", "arn:aws:iam::*:role/ops/*"}},
	{name: "aws:PrincipalAccount", kind: "text", wants: []string{own, foreign, "${aws:ResourceAccount}"}},
	{name: "aws:PrincipalIsAWSService", kind: "truth", wants: []string{"true", "false"}},
	{name: "aws:PrincipalOrgPaths", kind: "text", list: true, values: []string{orgID + "/r-ab12/ou-1/", orgID + "/r-ab12/ou-2/"}, wants: []string{orgID + "/*", orgID + "/r-ab12/ou-1/"}},
	{name: "aws:CalledVia", kind: "text", list: true, values: []string{"athena.amazonaws.com", "glue.amazonaws.com"}, wants: []string{"athena.amazonaws.com", "*.amazonaws.com"}},
}

var targets = []target{
	{
		action: "s3:GetObject", resource: "arn:aws:s3:::bucket/red/x", actions: []string{"s3:GetObject", "s3:Get*", "S3:getobject", "s3:*Object", "s3:G?tObject"},
		patterns: []string{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/red/x", "arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*", "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'red'}/?", "arn:aws:s3:::b*", "arn:aws:s3:::bucket/${*}/x"},
		keys:     []key{{name: "s3:ExistingObjectTag/team", kind: "text", values: []string{"red"}, wants: []string{"red", "${aws:PrincipalTag/team}"}}},
	},
	{
		action: "s3:ListBucket", resource: "arn:aws:s3:::bucket", actions: []string{"s3:ListBucket", "s3:List*"},
		patterns: []string{"arn:aws:s3:::bucket", "arn:aws:s3:::bucket*", "arn:aws:s3:::bucke?", "arn:aws:s3:::bucket/*"},
		keys: []key{
			{name: "s3:prefix", kind: "text", values: []string{"red/", "a*"}, wants: []string{"red/*", "", "${aws:PrincipalTag/team}/", "a${*}"}},
			{name: "s3:max-keys", kind: "number", values: []string{"10", "1000"}, wants: []string{"10", "9", "100.5", "-1"}},
		},
	},
	{
		action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-central-1:" + own + ":queue", actions: []string{"sqs:SendMessage", "sqs:*", "SQS:Send*"},
		patterns: []string{"arn:aws:sqs:eu-central-1:" + own + ":queue", "arn:aws:sqs:*:" + own + ":*", "arn:aws:sqs:*:*:q?eue"},
	},
	{
		action: "dynamodb:GetItem", resource: "arn:aws:dynamodb:eu-central-1:" + own + ":table/t", actions: []string{"dynamodb:GetItem", "dynamodb:*Item", "dynamodb:*"},
		patterns: []string{"arn:aws:dynamodb:*:" + own + ":table/t", "arn:aws:dynamodb:*:*:table/*", "arn:aws:dynamodb:*:" + own + ":table/${aws:PrincipalTag/team}"},
		keys: []key{
			{name: "dynamodb:LeadingKeys", kind: "text", list: true, values: []string{"red", "blue"}, wants: []string{"red", "${aws:PrincipalTag/team}", "b*"}},
			{name: "dynamodb:Attributes", kind: "text", list: true, values: []string{"a", "b"}, wants: []string{"a", "b"}},
		},
	},
	{
		action: "ec2:CreateTags", resource: "arn:aws:ec2:eu-central-1:" + own + ":instance/i-1", actions: []string{"ec2:CreateTags", "ec2:*Tags", "ec2:*"},
		patterns: []string{"arn:aws:ec2:*:" + own + ":instance/*", "arn:aws:ec2:eu-central-1:" + own + ":instance/i-1"},
		keys: []key{
			{name: "aws:TagKeys", kind: "text", list: true, values: []string{"team", "Team", "env"}, wants: []string{"team", "env", "t*"}},
			{name: "aws:RequestTag/team", kind: "text", values: []string{"red", "blue"}, wants: []string{"red", "${aws:PrincipalTag/team}"}},
			{name: "aws:ResourceTag/team", kind: "text", values: []string{"red"}, wants: []string{"red", "R*", "${aws:RequestTag/team}"}},
		},
	},
	{
		action: "ec2:DescribeInstances", resource: "*", actions: []string{"ec2:DescribeInstances", "ec2:Describe*"},
		patterns: []string{"arn:aws:ec2:*:" + own + ":instance/*"},
	},
	{
		action: "secretsmanager:GetSecretValue", resource: "arn:aws:secretsmanager:eu-central-1:" + own + ":secret:db-a1b2c3", actions: []string{"secretsmanager:GetSecretValue", "secretsmanager:*Value"},
		patterns: []string{"arn:aws:secretsmanager:*:" + own + ":secret:db-??????", "arn:aws:secretsmanager:eu-central-1:" + own + ":secret:*"},
		keys:     []key{{name: "secretsmanager:VersionStage", kind: "text", values: []string{"AWSCURRENT"}, wants: []string{"AWSCURRENT", "AWS*"}}},
	},
	{
		action: "iam:CreateRole", resource: "arn:aws:iam::" + own + ":role/app", actions: []string{"iam:CreateRole", "iam:Create*", "iam:*"},
		patterns: []string{"arn:aws:iam::" + own + ":role/*", "arn:aws:iam::" + own + ":role/app", "arn:aws:iam::*:role/${aws:PrincipalTag/team}"},
		keys:     []key{{name: "iam:PermissionsBoundary", kind: "ARN", values: []string{"arn:aws:iam::" + own + ":policy/b"}, wants: []string{"arn:aws:iam::" + own + ":policy/b", "arn:aws:iam::" + own + ":policy/*", "arn:aws:iam::aws:policy/x"}}},
	},
	{
		action: "iam:PassRole", resource: "arn:aws:iam::" + own + ":role/app", actions: []string{"iam:PassRole", "iam:Pass*"},
		patterns: []string{"arn:aws:iam::" + own + ":role/a*"},
		keys:     []key{{name: "iam:PassedToService", kind: "text", values: []string{"ec2.amazonaws.com"}, wants: []string{"ec2.amazonaws.com", "*.amazonaws.com", "EC2.amazonaws.com"}}},
	},
}

// question draws a request and the policies that have a say in it.
func (d draw) question() oracle.Question {
	t := pick(d, targets...)
	q := oracle.Question{Owner: own}
	q.Action, q.Resource = t.action, t.resource
	q.Principal = pick(d, principals[0], principals[0], principals[1], principals[2], principals[3])
	keys := slices.Concat(everywhere, t.keys)
	d.context(&q, keys)
	for range 1 + d.IntN(2) {
		q.Identity = append(q.Identity, d.document(t, keys, false))
	}
	if d.chance(35) {
		doc := d.document(t, keys, false)
		q.Boundary = &doc
	}
	full := iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}})
	if d.chance(35) {
		q.ServiceControl = [][]iam.Document{{full}, {full, d.denials(t, keys, false)}}
	}
	if d.chance(30) && controlled(t.action) {
		q.ResourceControl = [][]iam.Document{{d.denials(t, keys, true)}}
	}
	if _, has := attachable[service(t.action)]; has && (d.chance(60) || iam.AccountIn(q.Principal) != own) {
		doc := d.document(t, keys, true)
		q.Resources = &doc
	}
	return q
}

// attachable are the services whose resources have policies.
var attachable = map[string]bool{"s3": true, "sqs": true, "secretsmanager": true, "dynamodb": true}

// controlled reports whether resource control policies hold for an action's service.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func controlled(action string) bool {
	return slices.Contains([]string{"s3", "sqs", "secretsmanager", "dynamodb"}, service(action))
}

func service(action string) string {
	s, _, _ := strings.Cut(action, ":")
	return s
}

func (d draw) context(q *oracle.Question, keys []key) {
	q.Context, q.Lists = map[string]string{}, map[string]iam.Values{}
	for _, k := range keys {
		if len(k.values) == 0 || d.chance(45) {
			continue
		}
		if k.list {
			q.Lists[k.name] = some(d, 2, k.values...)
		} else if _, there := q.Context[k.name]; !there {
			q.Context[k.name] = pick(d, k.values...)
		}
	}
}

// document draws a policy, of a resource or of an identity. Most of them allow
// much, or all would be denied.
func (d draw) document(t target, keys []key, resource bool) iam.Document {
	doc := iam.Document{Version: "2012-10-17"}
	if d.chance(10) {
		doc.Version = "2008-10-17" // which has no variables
	}
	for range 1 + d.IntN(2) {
		doc.Statement = append(doc.Statement, d.statement(t, keys, iam.Allow, resource))
	}
	if d.chance(50) {
		doc.Statement = append(doc.Statement, d.statement(t, keys, iam.Deny, resource))
	}
	return doc
}

// denials draws a policy of the organization.
func (d draw) denials(t target, keys []key, resource bool) iam.Document {
	doc := iam.New()
	for range 1 + d.IntN(2) {
		s := d.statement(t, keys, iam.Deny, false)
		if resource {
			s.Principal = iam.Anyone()
			if s.NotAction != nil { // neither of these is an element of an RCP
				s.NotAction, s.Action = nil, iam.Values{service(t.action) + ":*"}
			}
			if slices.Contains(s.Action, "*") {
				s.Action = iam.Values{service(t.action) + ":*"}
			}
		}
		doc.Statement = append(doc.Statement, s)
	}
	return doc
}

func (d draw) statement(t target, keys []key, effect iam.Effect, resource bool) iam.Statement {
	s := iam.Statement{Effect: effect}
	if d.chance(15) {
		s.NotAction = some(d, 2, append([]string{"cloudtrail:*", "s3:DeleteBucket", "kms:Decrypt"}, t.actions...)...)
	} else {
		s.Action = some(d, 2, append([]string{"*", "cloudtrail:LookupEvents"}, t.actions...)...)
	}
	if d.chance(15) {
		s.NotResource = some(d, 2, append([]string{"arn:aws:s3:::another/*"}, t.patterns...)...)
	} else {
		s.Resource = some(d, 2, append([]string{"*", "arn:aws:s3:::another"}, t.patterns...)...)
	}
	if resource {
		who := d.principal()
		if effect == iam.Deny && d.chance(20) {
			s.NotPrincipal = who
		} else {
			s.Principal = who
		}
	}
	lines := pick(d, 0, 0, 1, 1, 2, 3)
	if effect == iam.Deny {
		lines = pick(d, 1, 1, 2, 3)
	}
	for range lines {
		if s.Condition == nil {
			s.Condition = iam.Condition{}
		}
		d.line(s.Condition, keys)
	}
	return s
}

func (d draw) principal() *iam.Principal {
	if d.chance(35) {
		return iam.Anyone()
	}
	p := iam.Principals(some(d, 2, append([]string{own, foreign}, principals...)...)...)
	if d.chance(10) {
		p.Service = iam.Values{"logs.amazonaws.com"}
	}
	return p
}

// line adds a line to a condition, unless it has one for the key.
func (d draw) line(c iam.Condition, keys []key) {
	k := pick(d, keys...)
	operator := pick(d, operators[k.kind]...)
	if d.chance(10) {
		operator = "Null"
	}
	wants := some(d, 2, k.wants...)
	switch {
	case operator == "Null":
		wants = []string{pick(d, "true", "false")}
	case k.list && d.chance(90), d.chance(5):
		operator = pick(d, "ForAllValues:", "ForAnyValue:") + operator
	}
	if operator != "Null" && d.chance(20) {
		operator += "IfExists"
	}
	name := k.name
	switch d.IntN(6) { // AWS's keys have no case
	case 0:
		name = strings.ToLower(name)
	case 1:
		name = strings.ToUpper(name)
	}
	if c[operator] == nil {
		c[operator] = map[string]iam.Values{}
	}
	for before := range c[operator] {
		if strings.EqualFold(before, name) {
			return
		}
	}
	c[operator][name] = wants
}
