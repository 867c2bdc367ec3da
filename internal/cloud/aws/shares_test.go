package aws

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/conformance/lab"
)

// What the emulator can make is made by hand, untagged, and listed with whom it
// is shared.
func TestShares(t *testing.T) {
	l := lab.Start(t)
	l.Setenv()
	const account, externalID, partner = "210987654321", "freehold-0123456789", "310987654321"
	a := cloud.Account{ID: account, Region: lab.Region, RoleARN: l.Adopt(account, "customer-gave-this", externalID), ExternalID: externalID}
	c, err := Open(t.Context(), Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.base.HTTPClient = &http.Client{Transport: &http.Transport{Proxy: towards(l.Front.URL())}}
	items, err := c.Shares(t.Context(), a)
	if err != nil || slices.ContainsFunc(items, func(it cloud.Item) bool { return strings.Contains(text(t, it), partner) }) {
		t.Fatalf("an account that nobody used shares %+v, %v", items, err)
	}

	s, err := c.session(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	m, ctx := &maker{T: t, session: s}, t.Context()
	lets := aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + partner + `:root"},"Action":"*","Resource":"*"}]}`)
	topics, queues := sns.NewFromConfig(s.cfg), sqs.NewFromConfig(s.cfg)
	topic := must[sns.CreateTopicOutput](t)(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")}))
	_, err = topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: lets})
	m.ok(err)
	_, err = queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs"), Attributes: map[string]string{"Policy": *lets}})
	m.ok(err)
	secrets := secretsmanager.NewFromConfig(s.cfg)
	secret := must[secretsmanager.CreateSecretOutput](t)(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("lent"), SecretString: aws.String("x")}))
	_, err = secrets.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: secret.ARN, ResourcePolicy: lets})
	m.ok(err)
	_, err = eventbridge.NewFromConfig(s.cfg).PutPermission(ctx, &eventbridge.PutPermissionInput{Action: aws.String("events:PutEvents"), Principal: aws.String(partner), StatementId: aws.String("partner")})
	m.ok(err)
	_, err = s.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("mallory")})
	m.ok(err)
	_, err = s.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("mallory"), PolicyName: aws.String("elsewhere"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::` + partner + `:role/x"}]}`)})
	m.ok(err)
	_, err = s.ecr.PutReplicationConfiguration(ctx, &ecr.PutReplicationConfigurationInput{ReplicationConfiguration: &ecrtypes.ReplicationConfiguration{
		Rules: []ecrtypes.ReplicationRule{{Destinations: []ecrtypes.ReplicationDestination{{Region: aws.String("eu-west-1"), RegistryId: aws.String(partner)}}}},
	}})
	m.ok(err)
	_, err = ram.NewFromConfig(s.cfg).CreateResourceShare(ctx, &ram.CreateResourceShareInput{Name: aws.String("network"), Principals: []string{partner}, AllowExternalPrincipals: aws.Bool(true)})
	m.ok(err)

	items, err = c.Shares(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		if _, is := awstype.WayOf(it.Type); !is {
			t.Errorf("%s %s is no way of sharing", it.Type, it.ID)
		}
		if strings.Contains(text(t, it), partner) {
			got = append(got, it.Type)
		}
	}
	slices.Sort(got)
	want := []string{
		awstype.SNSTopicPolicy, awstype.SQSQueuePolicy, awstype.SecretPolicy, awstype.EventBusPolicy, awstype.IAMUserPolicy, awstype.ECRReplication, awstype.RAMPrincipal,
	}
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func text(t *testing.T, it cloud.Item) string {
	t.Helper()
	raw, err := json.Marshal(it.Properties)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAPolicyOfLambdaIsReadAsThePermissionsThatItIsOf(t *testing.T) {
	items, err := permissions(awstype.LambdaPermission, "nightly", `{"Version":"2012-10-17","Statement":[
		{"Sid":"rule","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:eu-west-1:210987654321:rule/x"}}},
		{"Sid":"bucket","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"AWS:SourceAccount":"210987654321"}}},
		{"Sid":"partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::310987654321:root"},"Action":"lambda:InvokeFunction"},
		{"Sid":"all","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}},
		{"Sid":"no","Effect":"Deny","Principal":"*","Action":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	for _, it := range items {
		got = append(got, it.Properties)
	}
	if diff := gocmp.Diff([]map[string]any{
		{"function": "nightly", "statementId": "rule", "principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-west-1:210987654321:rule/x"},
		{"function": "nightly", "statementId": "bucket", "principal": "s3.amazonaws.com", "sourceAccount": "210987654321"},
		{"function": "nightly", "statementId": "partner", "principal": "arn:aws:iam::310987654321:root"},
		{"function": "nightly", "statementId": "all", "principal": "*", "principalOrgId": "o-1", "organizationId": "o-1"},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := permissions(awstype.LambdaPermission, "nightly", "{"); err == nil {
		t.Error("what cannot be read has no permission")
	}
}
