package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listTopics lists the policies of topics and who is subscribed: to them, by
// whichever account, and of this account to others'.
func listTopics(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := sns.NewFromConfig(s.cfg)
	topics, err := every(ctx, sns.NewListTopicsPaginator(c, &sns.ListTopicsInput{}), func(p *sns.ListTopicsOutput) []snstypes.Topic { return p.Topics })
	if err != nil {
		return nil, err
	}
	items, err := eachOf(ctx, topics, func(ctx context.Context, t snstypes.Topic) ([]cloud.Item, error) {
		out, err := c.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: t.TopicArn})
		if err != nil {
			return nil, err
		}
		arn := aws.ToString(t.TopicArn)
		items := policyItem(awstype.SNSTopicPolicy, arn, "policy", out.Attributes["Policy"])
		all, err := every(ctx, sns.NewListSubscriptionsByTopicPaginator(c, &sns.ListSubscriptionsByTopicInput{TopicArn: t.TopicArn}),
			func(p *sns.ListSubscriptionsByTopicOutput) []snstypes.Subscription { return p.Subscriptions })
		return append(items, subscriptions(all)...), err
	})
	if err != nil {
		return items, err
	}
	all, err := every(ctx, sns.NewListSubscriptionsPaginator(c, &sns.ListSubscriptionsInput{}), func(p *sns.ListSubscriptionsOutput) []snstypes.Subscription {
		return p.Subscriptions
	})
	// Those to the account's own topics are there already.
	return append(items, slices.DeleteFunc(subscriptions(all), func(it cloud.Item) bool {
		return slices.ContainsFunc(items, func(o cloud.Item) bool { return o.Type == it.Type && o.ID == it.ID })
	})...), err
}

func subscriptions(all []snstypes.Subscription) []cloud.Item {
	var items []cloud.Item
	for _, b := range all {
		id := aws.ToString(b.SubscriptionArn)
		if !strings.HasPrefix(id, "arn:") { // it waits for a confirmation, and is called so
			id = aws.ToString(b.TopicArn) + ":" + aws.ToString(b.Endpoint)
		}
		items = append(items, shared(awstype.SNSSubscription, id, map[string]any{
			"topic": aws.ToString(b.TopicArn), "endpoint": aws.ToString(b.Endpoint), "protocol": aws.ToString(b.Protocol), "owner": aws.ToString(b.Owner),
		}))
	}
	return items
}

func listQueues(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := sqs.NewFromConfig(s.cfg)
	urls, err := every(ctx, sqs.NewListQueuesPaginator(c, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)}), func(p *sqs.ListQueuesOutput) []string { return p.QueueUrls })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, urls, func(ctx context.Context, url string) ([]cloud.Item, error) {
		out, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}})
		if isCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.SQSQueuePolicy, url, "policy", out.Attributes["Policy"]), nil
	})
}

// listEvents lists the policies of buses, and the targets of each bus's rules.
func listEvents(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := eventbridge.NewFromConfig(s.cfg)
	buses, err := pages(func(token *string) ([]eventtypes.EventBus, *string, error) {
		out, err := c.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.EventBuses, out.NextToken, nil
	})
	var items []cloud.Item
	for _, b := range buses {
		items = append(items, policyItem(awstype.EventBusPolicy, aws.ToString(b.Name), "policy", aws.ToString(b.Policy))...)
	}
	if err != nil {
		return items, err
	}
	targets, err := eachOf(ctx, buses, func(ctx context.Context, b eventtypes.EventBus) ([]cloud.Item, error) {
		rules, err := pages(func(token *string) ([]eventtypes.Rule, *string, error) {
			out, err := c.ListRules(ctx, &eventbridge.ListRulesInput{EventBusName: b.Name, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.Rules, out.NextToken, nil
		})
		if err != nil {
			return nil, err
		}
		var items []cloud.Item
		for _, r := range rules {
			all, err := pages(func(token *string) ([]eventtypes.Target, *string, error) {
				out, err := c.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: r.Name, EventBusName: b.Name, NextToken: token})
				if err != nil {
					return nil, nil, err
				}
				return out.Targets, out.NextToken, nil
			})
			if err != nil {
				return items, err
			}
			for _, t := range all {
				properties := map[string]any{"rule": aws.ToString(r.Name), "arn": aws.ToString(t.Arn), "roleArn": aws.ToString(t.RoleArn)}
				if t.DeadLetterConfig != nil {
					properties["deadLetterConfig"] = map[string]any{"arn": aws.ToString(t.DeadLetterConfig.Arn)}
				}
				it := shared(awstype.EventTarget, aws.ToString(r.Name)+"-"+aws.ToString(t.Id), properties)
				it.ByCloud = aws.ToString(r.ManagedBy) != ""
				items = append(items, it)
			}
		}
		return items, nil
	})
	return append(items, targets...), err
}

// listLogs lists who may send logs to the account, and where its own logs go.
func listLogs(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, logDestinations, logPolicies, logDeliveries, logSubscriptions)
}

func logDestinations(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, cloudwatchlogs.NewDescribeDestinationsPaginator(s.logs, &cloudwatchlogs.DescribeDestinationsInput{}),
		func(p *cloudwatchlogs.DescribeDestinationsOutput) []logstypes.Destination { return p.Destinations })
	var items []cloud.Item
	for _, d := range all {
		name := aws.ToString(d.DestinationName)
		it := shared(awstype.LogDestination, name, map[string]any{"targetArn": aws.ToString(d.TargetArn), "roleArn": aws.ToString(d.RoleArn)})
		it.ARN = aws.ToString(d.Arn)
		items = append(append(items, it), policyItem(awstype.LogDestinationPolicy, name, "accessPolicy", aws.ToString(d.AccessPolicy))...)
	}
	return items, err
}

func logPolicies(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := pages(func(token *string) ([]logstypes.ResourcePolicy, *string, error) {
		out, err := s.logs.DescribeResourcePolicies(ctx, &cloudwatchlogs.DescribeResourcePoliciesInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.ResourcePolicies, out.NextToken, nil
	})
	var items []cloud.Item
	for _, p := range all {
		items = append(items, policyItem(awstype.LogResourcePolicy, aws.ToString(p.PolicyName), "policyDocument", aws.ToString(p.PolicyDocument))...)
	}
	return items, err
}

func logDeliveries(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, cloudwatchlogs.NewDescribeDeliveryDestinationsPaginator(s.logs, &cloudwatchlogs.DescribeDeliveryDestinationsInput{}),
		func(p *cloudwatchlogs.DescribeDeliveryDestinationsOutput) []logstypes.DeliveryDestination {
			return p.DeliveryDestinations
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d logstypes.DeliveryDestination) ([]cloud.Item, error) {
		out, err := s.logs.GetDeliveryDestinationPolicy(ctx, &cloudwatchlogs.GetDeliveryDestinationPolicyInput{DeliveryDestinationName: d.Name})
		if err != nil || out.Policy == nil {
			return nil, err
		}
		return policyItem(awstype.LogDeliveryPolicy, aws.ToString(d.Name), "deliveryDestinationPolicy", aws.ToString(out.Policy.DeliveryDestinationPolicy)), nil
	})
}

func logSubscriptions(ctx context.Context, s *session) ([]cloud.Item, error) {
	groups, err := every(ctx, cloudwatchlogs.NewDescribeLogGroupsPaginator(s.logs, &cloudwatchlogs.DescribeLogGroupsInput{}),
		func(p *cloudwatchlogs.DescribeLogGroupsOutput) []logstypes.LogGroup { return p.LogGroups })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, groups, func(ctx context.Context, g logstypes.LogGroup) ([]cloud.Item, error) {
		all, err := every(ctx, cloudwatchlogs.NewDescribeSubscriptionFiltersPaginator(s.logs, &cloudwatchlogs.DescribeSubscriptionFiltersInput{LogGroupName: g.LogGroupName}),
			func(p *cloudwatchlogs.DescribeSubscriptionFiltersOutput) []logstypes.SubscriptionFilter {
				return p.SubscriptionFilters
			})
		var items []cloud.Item
		for _, f := range all {
			items = append(items, shared(awstype.LogSubscription, aws.ToString(g.LogGroupName)+":"+aws.ToString(f.FilterName), map[string]any{
				"destinationArn": aws.ToString(f.DestinationArn), "roleArn": aws.ToString(f.RoleArn),
			}))
		}
		return items, err
	})
}

func listStreams(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := kinesis.NewFromConfig(s.cfg)
	all, err := every(ctx, kinesis.NewListStreamsPaginator(c, &kinesis.ListStreamsInput{}), func(p *kinesis.ListStreamsOutput) []kinesistypes.StreamSummary { return p.StreamSummaries })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, t kinesistypes.StreamSummary) ([]cloud.Item, error) {
		out, err := c.GetResourcePolicy(ctx, &kinesis.GetResourcePolicyInput{ResourceARN: t.StreamARN})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.KinesisPolicy, aws.ToString(t.StreamARN), "policy", emptyIfNone(aws.ToString(out.Policy))), nil
	})
}

// emptyIfNone is a policy, and "" for one that says nothing at all.
func emptyIfNone(policy string) string {
	if strings.TrimSpace(policy) == "{}" {
		return ""
	}
	return policy
}

// listFunctions lists who may call functions and use layers, what functions
// read, and where their results go.
func listFunctions(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, functionAccess, layerAccess, eventSources)
}

func functionAccess(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := lambda.NewFromConfig(s.cfg)
	all, err := every(ctx, lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{}),
		func(p *lambda.ListFunctionsOutput) []lambdatypes.FunctionConfiguration { return p.Functions })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, f lambdatypes.FunctionConfiguration) ([]cloud.Item, error) {
		name := aws.ToString(f.FunctionName)
		var items []cloud.Item
		policy, err := c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: f.FunctionName})
		switch {
		case err == nil:
			if items, err = permissions(awstype.LambdaPermission, name, aws.ToString(policy.Policy)); err != nil {
				return nil, err
			}
		case !gone(err):
			return nil, err
		}
		urls, err := every(ctx, lambda.NewListFunctionUrlConfigsPaginator(c, &lambda.ListFunctionUrlConfigsInput{FunctionName: f.FunctionName}),
			func(p *lambda.ListFunctionUrlConfigsOutput) []lambdatypes.FunctionUrlConfig {
				return p.FunctionUrlConfigs
			})
		if err != nil {
			return items, err
		}
		for _, u := range urls {
			items = append(items, shared(awstype.LambdaURL, name, map[string]any{"functionName": name, "authorizationType": string(u.AuthType)}))
		}
		invokes, err := every(ctx, lambda.NewListFunctionEventInvokeConfigsPaginator(c, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: f.FunctionName}),
			func(p *lambda.ListFunctionEventInvokeConfigsOutput) []lambdatypes.FunctionEventInvokeConfig {
				return p.FunctionEventInvokeConfigs
			})
		for _, i := range invokes {
			if i.DestinationConfig != nil {
				items = append(items, shared(awstype.LambdaDestination, aws.ToString(i.FunctionArn), map[string]any{"functionName": name, "destinationConfig": destinations(i.DestinationConfig, "destination")}))
			}
		}
		return items, err
	})
}

func destinations(d *lambdatypes.DestinationConfig, property string) map[string]any {
	out := map[string]any{}
	if d.OnFailure != nil {
		out["onFailure"] = map[string]any{property: aws.ToString(d.OnFailure.Destination)}
	}
	if d.OnSuccess != nil {
		out["onSuccess"] = map[string]any{property: aws.ToString(d.OnSuccess.Destination)}
	}
	return out
}

func layerAccess(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := lambda.NewFromConfig(s.cfg)
	layers, err := every(ctx, lambda.NewListLayersPaginator(c, &lambda.ListLayersInput{}), func(p *lambda.ListLayersOutput) []lambdatypes.LayersListItem { return p.Layers })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, layers, func(ctx context.Context, l lambdatypes.LayersListItem) ([]cloud.Item, error) {
		name := aws.ToString(l.LayerName)
		versions, err := every(ctx, lambda.NewListLayerVersionsPaginator(c, &lambda.ListLayerVersionsInput{LayerName: l.LayerName}),
			func(p *lambda.ListLayerVersionsOutput) []lambdatypes.LayerVersionsListItem { return p.LayerVersions })
		var items []cloud.Item
		for _, v := range versions {
			out, err := c.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: l.LayerName, VersionNumber: aws.Int64(v.Version)})
			if gone(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			some, err := permissions(awstype.LambdaLayer, name+","+number(v.Version), aws.ToString(out.Policy))
			if err != nil {
				return items, err
			}
			items = append(items, some...)
		}
		return items, err
	})
}

func eventSources(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := lambda.NewFromConfig(s.cfg)
	all, err := every(ctx, lambda.NewListEventSourceMappingsPaginator(c, &lambda.ListEventSourceMappingsInput{}),
		func(p *lambda.ListEventSourceMappingsOutput) []lambdatypes.EventSourceMappingConfiguration {
			return p.EventSourceMappings
		})
	var items []cloud.Item
	for _, m := range all {
		properties := map[string]any{"eventSourceArn": aws.ToString(m.EventSourceArn), "functionName": aws.ToString(m.FunctionArn)}
		if m.DestinationConfig != nil {
			properties["destinationConfig"] = destinations(m.DestinationConfig, "destinationArn")
		}
		items = append(items, shared(awstype.LambdaSource, aws.ToString(m.UUID), properties))
	}
	return items, err
}

// permissions reads a policy of Lambda's as the permissions that it was put
// together from, each a resource of the provider: AddPermission writes no other
// conditions than these.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
func permissions(typ, of, policy string) ([]cloud.Item, error) {
	var doc struct {
		Statement []struct {
			Sid, Effect string
			Principal   any
			Condition   map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(policy), &doc); err != nil {
		return nil, fmt.Errorf("the policy of %s: %w", of, err)
	}
	var items []cloud.Item
	for _, st := range doc.Statement {
		if st.Effect != "Allow" {
			continue
		}
		properties := map[string]any{"function": of, "statementId": st.Sid, "principal": principalOf(st.Principal)}
		for _, compared := range st.Condition {
			for key, value := range compared {
				text, _ := value.(string)
				switch strings.ToLower(key) {
				case "aws:sourcearn":
					properties["sourceArn"] = text
				case "aws:sourceaccount":
					properties["sourceAccount"] = text
				case "aws:principalorgid":
					properties["principalOrgId"], properties["organizationId"] = text, text
				default: // what a URL's callers sign with, or a token of Alexa's: nobody is kept out for his account
				}
			}
		}
		items = append(items, shared(typ, of+"/"+st.Sid, properties))
	}
	return items, nil
}

// principalOf is the one principal that Lambda writes into a statement.
func principalOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, kind := range []string{"AWS", "Service", "Federated"} {
			if text, is := v[kind].(string); is {
				return text
			}
		}
	}
	return "*" // whatever it is, it is not known to be of the account
}

func listAPIs(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, apigateway.NewGetRestApisPaginator(apigateway.NewFromConfig(s.cfg), &apigateway.GetRestApisInput{}),
		func(p *apigateway.GetRestApisOutput) []apitypes.RestApi { return p.Items })
	var items []cloud.Item
	for _, a := range all {
		// The service writes the quotes of the document with a backslash.
		policy := strings.ReplaceAll(aws.ToString(a.Policy), `\"`, `"`)
		for _, it := range policyItem(awstype.RESTAPI, aws.ToString(a.Id), "policy", policy) {
			it.Name = aws.ToString(a.Name)
			items = append(items, it)
		}
	}
	return items, err
}
