package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

const stranger1 = "410987654321"

// living are options of two orgs of which acme's account holds some things now.
func living(things []Thing, err error) Options {
	o := two().options()
	load := o.Load
	o.Load = func(ctx context.Context, name string) (Org, error) {
		org, failed := load(ctx, name)
		org.AccountID = map[string]string{"acme": acme, "globex": globex}[name]
		org.Layers[0].Scope.AccountID = org.AccountID
		org.Layers[0].Scope.ProvisionerARN = "arn:aws:iam::100000000001:role/freehold-provisioner"
		org.Layers[0].Scope.IdentityProvider.IssuerURL = "https://login.acme.example"
		org.Live = func(context.Context) ([]Thing, error) {
			if name == "globex" {
				return nil, nil
			}
			return things, err
		}
		return org, failed
	}
	return o
}

// farEnds are the edges, each in one line.
func farEnds(a finding.Audit) []string {
	var out []string
	for _, e := range a.Edges {
		to := e.To.Org + " " + e.To.Type
		if e.To.Org == "" {
			to = e.To.Type + " " + e.To.ID + e.To.Name
		}
		out = append(out, fmt.Sprintf("%s %s at %s to %s by %s", e.Kind, e.Rule, e.From.Path, to, e.Value))
	}
	slices.Sort(out)
	return out
}

func TestTheOtherEndIsNamedWhoeverItIs(t *testing.T) {
	const account = "aws:organizations/account:Account"
	allow := func(principal, condition string) string {
		return `{"Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"*"` + condition + `}]}`
	}
	for reason, tc := range map[string]struct {
		typ        string
		properties m
		want       []string
	}{
		"another org, by the policy of a topic": {awstype.SNSTopicPolicy, m{"policy": allow(`{"AWS":"`+globex+`"}`, "")}, []string{
			"policy FH305 at policy to globex " + account + " by " + globex,
		}},
		"an account of nobody's here": {awstype.SNSTopicPolicy, m{"policy": allow(`{"AWS":"arn:aws:iam::`+stranger1+`:role/x"}`, "")}, []string{
			"policy FH305 at policy to " + account + " " + stranger1 + " by arn:aws:iam::" + stranger1 + ":role/x",
		}},
		"anybody": {awstype.SQSQueuePolicy, m{"policy": allow(`"*"`, "")}, []string{"policy FH305 at policy to anybody anybody by *"}},
		"anybody, but a condition keeps them out": {
			awstype.SQSQueuePolicy, m{"policy": allow(`"*"`, `,"Condition":{"StringEquals":{"aws:SourceAccount":"`+acme+`"}}`)}, nil,
		},
		"the organization": {awstype.SecretPolicy, m{"policy": allow(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abc123"}}`)}, []string{
			"policy FH305 at policy to outside o-abc123 by o-abc123",
		}},
		"anybody, by a service": {awstype.SNSTopicPolicy, m{"policy": allow(`{"Service":"events.amazonaws.com"}`, "")}, []string{
			"policy FH305 at policy to anybody anybody, through events.amazonaws.com by *",
		}},
		"a function for another org": {awstype.LambdaPermission, m{"principal": globex}, []string{"grant FH309 at principal to globex " + account + " by " + globex}},
		"a function for the account's own rules": {
			awstype.LambdaPermission, m{"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-west-1:" + acme + ":rule/x"}, nil,
		},
		"a function for anybody's rules":  {awstype.LambdaPermission, m{"principal": "events.amazonaws.com"}, []string{"grant FH309 at principal to anybody anybody, through events.amazonaws.com by *"}},
		"a function at a public address":  {awstype.LambdaURL, m{"authorizationType": "NONE"}, []string{"grant FH309 at authorizationType to anybody anybody by *"}},
		"a function at a guarded address": {awstype.LambdaURL, m{"authorizationType": "AWS_IAM"}, nil},
		"a share with another org":        {awstype.RAMPrincipal, m{"principal": globex, "resourceShareArn": "arn:aws:ram:eu-west-1:" + acme + ":resource-share/1"}, []string{"grant FH401 at principal to globex " + account + " by " + globex}},
		"a share with the organization":   {awstype.RAMPrincipal, m{"principal": "arn:aws:organizations::100000000001:organization/o-1"}, []string{"grant FH401 at principal to " + account + " 100000000001 by arn:aws:organizations::100000000001:organization/o-1"}},
		"a share that was taken":          {awstype.RAMAccepter, m{"shareArn": "arn:aws:ram:eu-west-1:" + stranger1 + ":resource-share/1"}, []string{"grant FH401 at shareArn to " + account + " " + stranger1 + " by arn:aws:ram:eu-west-1:" + stranger1 + ":resource-share/1"}},
		"a snapshot for two others and all": {awstype.RDSSnapshot, m{"sharedAccounts": []any{acme, stranger1, "all"}}, []string{
			"grant FH308 at sharedAccounts[1] to " + account + " " + stranger1 + " by " + stranger1, "grant FH308 at sharedAccounts[2] to anybody anybody by *",
		}},
		"another org's key of a cluster":  {awstype.EKSAccessEntry, m{"principalArn": "arn:aws:iam::" + globex + ":role/node"}, []string{"grant FH802 at principalArn to globex aws:iam/role:Role by arn:aws:iam::" + globex + ":role/node"}},
		"people of the spec's own issuer": {awstype.EKSIdentityProviderConfig, m{"oidc": m{"issuerUrl": "https://login.acme.example"}}, nil},
		"a store of the organization's events": {awstype.EventDataStore, m{"organizationEnabled": true}, []string{
			"reference FH419 at organizationEnabled to outside organizationEnabled true by organizationEnabled true",
		}},
		"a store of the account's events": {awstype.EventDataStore, m{"organizationEnabled": false}, nil},
		"a workspace for the organization": {awstype.GrafanaWorkspace, m{"accountAccessType": "ORGANIZATION"}, []string{
			"reference FH419 at accountAccessType to outside accountAccessType ORGANIZATION by accountAccessType ORGANIZATION",
		}},
		"a workspace for the account":        {awstype.GrafanaWorkspace, m{"accountAccessType": "CURRENT_ACCOUNT"}, nil},
		"an aggregator of two accounts":      {awstype.ConfigAggregator, m{"accountAggregationSource": []any{m{"accountIds": []any{acme, globex}}}}, []string{"reference FH417 at accountAggregationSource[0].accountIds[1] to globex " + account + " by " + globex}},
		"people of another issuer":           {awstype.EKSIdentityProviderConfig, m{"oidc": m{"issuerUrl": "https://login.mallory.example"}}, []string{"trust FH803 at oidc.issuerUrl to outside https://login.mallory.example by https://login.mallory.example"}},
		"whoever signs in elsewhere":         {awstype.IAMOIDCProvider, m{"url": "https://token.example.com"}, []string{"trust FH306 at url to outside https://token.example.com by https://token.example.com"}},
		"copies in somebody's bucket":        {awstype.S3Replication, m{"rules": []any{m{"destination": m{"bucket": "arn:aws:s3:::mallorys"}}}}, []string{"reference FH414 at rules[0].destination.bucket to outside arn:aws:s3:::mallorys by arn:aws:s3:::mallorys"}},
		"copies in another org's bucket":     {awstype.S3Replication, m{"rules": []any{m{"destination": m{"bucket": "arn:aws:s3:::globex-logs"}}}}, []string{"reference FH414 at rules[0].destination.bucket to globex aws:s3/bucketV2:BucketV2 by arn:aws:s3:::globex-logs"}},
		"copies in a bucket of the account":  {awstype.S3Replication, m{"rules": []any{m{"destination": m{"bucket": "arn:aws:s3:::own"}}}}, nil},
		"images in another registry":         {awstype.ECRReplication, m{"replicationConfiguration": m{"rules": []any{m{"destinations": []any{m{"registryId": globex}}}}}}, []string{"reference FH416 at replicationConfiguration.rules[0].destinations[0].registryId to globex " + account + " by " + globex}},
		"the other end of a cable":           {awstype.EC2Endpoint, m{"serviceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"}, []string{"association FH406 at serviceName to outside com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0 by com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"}},
		"a cable to AWS":                     {awstype.EC2Endpoint, m{"serviceName": "com.amazonaws.eu-west-1.s3"}, nil},
		"a user who may become another's":    {awstype.IAMUserPolicy, m{"policy": `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::` + stranger1 + `:role/x"}]}`}, []string{"policy FH304 at policy to " + account + " " + stranger1 + " by arn:aws:iam::" + stranger1 + ":role/x"}},
		"the provisioner":                    {awstype.IAMRole, m{"assumeRolePolicy": allow(`{"AWS":"arn:aws:iam::100000000001:role/freehold-provisioner"}`, "")}, nil},
		"a network in a zone of the account": {awstype.Route53Zone, m{"vpcs": []any{m{"vpcId": "vpc-own"}, m{"vpcId": "vpc-theirs"}}}, []string{"association FH407 at vpcs[1].vpcId to outside vpc-theirs by vpc-theirs"}},
	} {
		t.Run(reason, func(t *testing.T) {
			things := []Thing{
				{Type: tc.typ, ID: "x", Name: "x", Properties: tc.properties},
				{Type: awstype.S3Bucket, ID: "own"}, {Type: awstype.EC2VPC, ID: "vpc-own"},
			}
			a := audited(t, living(things, nil))
			if d := cmp.Diff(tc.want, farEnds(a)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if len(a.Unread) > 0 || a.Violated() != (len(tc.want) > 0) {
				t.Errorf("violated %v, unread %+v", a.Violated(), a.Unread)
			}
			if len(tc.want) > 0 {
				// What AWS made itself only it can change.
				things[0].ByCloud = true
				for _, e := range audited(t, living(things, nil)).Edges {
					if e.To.Org == "" {
						t.Errorf("AWS's own: %+v", e)
					}
				}
			}
		})
	}
}

func TestADocumentThatCannotBeReadAndAListThatIsRefusedAreNotNothing(t *testing.T) {
	broken := []Thing{{Type: awstype.SNSTopicPolicy, ID: "arn:aws:sns:eu-west-1:" + acme + ":t", Properties: m{"policy": `{"Statement":`}}}
	a := audited(t, living(broken, errors.Join(errors.New("list of secrets: AccessDenied"), errors.New("list of queues: AccessDenied"))))
	if len(a.Unread) != 3 || a.Complete() {
		t.Errorf("unread: %+v", a.Unread)
	}
}

func TestAWayThatSomebodyAnswersForIsNotReportedTwice(t *testing.T) {
	o := living([]Thing{
		{Type: awstype.SQSQueuePolicy, ID: "q", Name: "q", Properties: m{"policy": document(stranger1)}},
		{Type: awstype.GuardDutyInvitation, ID: "g", Name: "g", Properties: m{"masterAccountId": stranger1}},
	}, nil)
	o.Rules = policies.All()
	load := o.Load
	excepted := func(e ...policies.Exception) finding.Audit {
		o.Load = func(ctx context.Context, name string) (Org, error) {
			org, err := load(ctx, name)
			org.Layers[0].Scope.Exceptions = e
			return org, err
		}
		return audited(t, o)
	}
	if a := excepted(); len(a.Edges) != 3 {
		t.Errorf("nobody answers for them: %+v", a.Edges)
	}
	partner := policies.Exception{Rule: "FH305", Resource: "q", Reason: "a partner", Approver: "ciso", Expires: "2099-01-01"}
	security := policies.Exception{Rule: "FH418", Resource: "g", Reason: "findings go to the security account", Approver: "ciso", Expires: "2099-01-01"}
	if a := excepted(security); len(a.Edges) != 2 || a.Orgs[0].Accepted != 1 {
		t.Errorf("the administrator is accepted, the partner is not: %+v, %+v", a.Edges, a.Orgs)
	}
	if a := excepted(partner, security); len(a.Edges) != 0 || a.Orgs[0].Accepted != 3 {
		t.Errorf("both are accepted: %+v, %+v", a.Edges, a.Orgs)
	}
}

func TestOnlyWhatLeadsOutOfAnAccountLeadsOut(t *testing.T) {
	scope := policies.Scope{Org: "acme", AccountID: acme}
	own := Thing{Type: awstype.SignerPermission, ID: "own", Properties: m{"principal": acme}}
	theirs := Thing{Type: awstype.SignerPermission, ID: "theirs", Properties: m{"principal": globex}}
	unread := Thing{Type: awstype.SQSQueuePolicy, ID: "unread", Properties: m{"policy": "{"}}
	byAWS := Thing{Type: awstype.SignerPermission, ID: "aws", Properties: m{"principal": globex}, ByCloud: true}
	all := []Thing{own, theirs, unread, byAWS}
	got, err := LeadOut(Options{Rules: policies.All(), Now: time.Now}, acme, scope, all, all)
	if err == nil || !strings.Contains(err.Error(), "unread") {
		t.Errorf("a document that cannot be read: %v", err)
	}
	if d := cmp.Diff([]Thing{theirs}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	member := Thing{Type: awstype.GuardDutyInvitation, ID: "security", Name: "security", Properties: m{"masterAccountId": globex}}
	for name, accepted := range map[string]bool{"security": true, "another": false} {
		scope.Exceptions = []policies.Exception{{Rule: "FH418", Resource: name, Reason: "the organization's security account", Expires: "2099-01-01"}}
		got, err := LeadOut(Options{Rules: policies.All(), Now: time.Now}, acme, scope, []Thing{member}, []Thing{member})
		if err != nil || (len(got) == 0) != accepted {
			t.Errorf("accepted by the name %s: %v, %v", name, got, err)
		}
	}
}
