package awsprovider

import (
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2transitgateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
)

const (
	topicToken       = "aws:sns/topic:Topic"
	queueToken       = "aws:sqs/queue:Queue"
	functionToken    = "aws:lambda/function:Function"
	layerToken       = "aws:lambda/layerVersion:LayerVersion"
	busToken         = "aws:cloudwatch/eventBus:EventBus"
	ruleToken        = "aws:cloudwatch/eventRule:EventRule"
	targetToken      = "aws:cloudwatch/eventTarget:EventTarget"
	destinationToken = "aws:cloudwatch/logDestination:LogDestination"
	gatewayToken     = "aws:ec2transitgateway/transitGateway:TransitGateway"
	attachedToken    = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
	zoneToken        = "aws:route53/zone:Zone"
	resolverToken    = "aws:route53/resolverRule:ResolverRule"
)

// shareServiceTypes are what sends, receives, runs and resolves, and by which it
// is open to others.
var shareServiceTypes = []*Type{
	{
		Token: topicToken, Source: "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
		Args: sns.TopicArgs{}, State: sns.Topic{}, Noun: "SNS Topic", Service: "sns",
		API: API{Create: "CreateTopic", Read: "GetTopicAttributes", Update: "SetTopicAttributes", Delete: "DeleteTopic", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "arn:aws:sns:{region}:{account}:{name}", ARN: "arn:aws:sns:{region}:{account}:{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 256}, Tags: true,
		Outputs: map[string]string{"owner": "{account}"}, Fields: map[string][]Rule{"name": {match(regexp.MustCompile(`^[\w-]{1,256}(\.fifo)?$`))}},
		Policies: map[string]Grammar{"policy": topicGrammar}, Replace: []string{"name", "namePrefix", "fifoTopic"}, Upsert: true,
		Created: func(c *Call) error {
			if c.In["policy"] == nil {
				c.Out["policy"] = `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},` +
					`"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],` +
					`"Resource":"` + c.ARN + `","Condition":{"StringEquals":{"AWS:SourceOwner":"` + c.Account + `"}}}]}`
			}
			return nil
		},
		Computed: []string{"policy"},
		Owns:     []Link{{Type: "aws:sns/topicPolicy:TopicPolicy", Path: "arn", Value: "{arn}"}},
	},
	policyOf(Type{
		Token: "aws:sns/topicPolicy:TopicPolicy", Source: "https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html",
		Args: sns.TopicPolicyArgs{}, State: sns.TopicPolicy{}, Noun: "SNS Topic Policy", Service: "sns",
		API: API{Create: "SetTopicAttributes", Read: "GetTopicAttributes", Update: "SetTopicAttributes", Delete: "SetTopicAttributes"},
		// The genuine provider's ARN of it is its topic's.
		ID: "{arn}", Outputs: map[string]string{"owner": "{account}", "arn": "{arn}"}, Policies: map[string]Grammar{"policy": topicGrammar}, Replace: []string{"arn"},
		Refs: []Ref{{Path: "arn", To: []string{topicToken}, By: []string{"arn"}, Error: "NotFound: Topic does not exist"}},
	}),
	{
		Token: "aws:sns/topicSubscription:TopicSubscription", Source: "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
		Args: sns.TopicSubscriptionArgs{}, State: sns.TopicSubscription{}, Noun: "SNS Topic Subscription", Service: "sns",
		API: API{Create: "Subscribe", Read: "GetSubscriptionAttributes", Update: "SetSubscriptionAttributes", Delete: "Unsubscribe"},
		ID:  "{topic}:{uuid}", ARN: "{id}", Outputs: map[string]string{"ownerId": "{account}"}, Replace: []string{"topic", "protocol", "endpoint"},
		Fields: map[string][]Rule{"protocol": {oneOf("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")}, "topic": {isARN("sns")}},
		Refs:   []Ref{{Path: "topic", To: []string{topicToken}, By: []string{"arn"}, AnyAccount: true, Error: "NotFound: Topic does not exist"}},
	},
	{
		Token: queueToken, Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
		Args: sqs.QueueArgs{}, State: sqs.Queue{}, Noun: "SQS Queue", Service: "sqs",
		API: API{Create: "CreateQueue", Read: "GetQueueAttributes", Update: "SetQueueAttributes", Delete: "DeleteQueue", Updates: map[string]string{"tags": "TagQueue"}},
		ID:  "https://sqs.{region}.amazonaws.com/{account}/{name}", ARN: "arn:aws:sqs:{region}:{account}:{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 80}, Tags: true,
		Outputs: map[string]string{"url": "{id}"}, Fields: map[string][]Rule{"name": {match(regexp.MustCompile(`^[\w-]{1,80}(\.fifo)?$`))}},
		Policies: map[string]Grammar{"policy": queueGrammar}, Replace: []string{"name", "namePrefix", "fifoQueue"},
		Unique: []Unique{{Key: "queue/{name}", Error: "QueueAlreadyExists: A queue already exists with the same name and a different value for an attribute."}},
		Owns:   []Link{{Type: "aws:sqs/queuePolicy:QueuePolicy", Path: "queueUrl"}},
	},
	policyOf(Type{
		Token: "aws:sqs/queuePolicy:QueuePolicy", Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
		Args: sqs.QueuePolicyArgs{}, State: sqs.QueuePolicy{}, Noun: "SQS Queue Policy", Service: "sqs",
		API: API{Create: "SetQueueAttributes", Read: "GetQueueAttributes", Update: "SetQueueAttributes", Delete: "SetQueueAttributes"},
		ID:  "{queueUrl}", Policies: map[string]Grammar{"policy": queueGrammar}, Replace: []string{"queueUrl"},
		Refs: []Ref{{Path: "queueUrl", To: []string{queueToken}, By: []string{"id"}, Error: "AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist."}},
	}),
	{
		Token: functionToken, Source: "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
		Args: lambda.FunctionArgs{}, State: lambda.Function{}, Noun: "Lambda Function", Service: "lambda",
		API: API{Create: "CreateFunction", Read: "GetFunction", Update: "UpdateFunctionConfiguration", Delete: "DeleteFunction", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:lambda:{region}:{account}:function:{name}", Name: Name{Property: "name", Max: 64}, Tags: true,
		Defaults: map[string]any{"packageType": "Zip", "memorySize": 128.0, "timeout": 3.0}, Outputs: map[string]string{"version": "$LATEST"},
		Fields: map[string][]Rule{"name": {match(regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`))}, "role": {isARN("iam")}, "memorySize": {between(128, 10240)}, "timeout": {between(1, 900)}},
		Refs:   []Ref{{Path: "role", To: []string{roleToken}, By: []string{"arn"}, Error: "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda."}},
		Unique: []Unique{{Key: "function/{name}", Error: "ResourceConflictException: Function already exist: {name}"}}, Replace: []string{"name", "packageType"},
		ExactlyOne: [][]string{{"code", "imageUri", "s3Bucket"}},
		Owns:       []Link{{Type: "aws:lambda/permission:Permission", Path: "function"}, {Type: "aws:lambda/functionUrl:FunctionUrl", Path: "functionName"}},
	},
	{
		Token: "aws:lambda/permission:Permission", Source: "https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html",
		Args: lambda.PermissionArgs{}, State: lambda.Permission{}, Noun: "Lambda Permission", Service: "lambda",
		API: API{Create: "AddPermission", Read: "GetPolicy", Delete: "RemovePermission"},
		ID:  "{statementId}", Name: Name{Property: "statementId", Prefix: "statementIdPrefix", Max: 100}, Replace: []string{"*"},
		Fields: map[string][]Rule{"action": {match(regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`))}, "sourceAccount": {match(accountPattern)}},
		Unique: []Unique{{Key: "permission/{function}/{statementId}", Error: "ResourceConflictException: The statement id ({statementId}) provided already exists."}},
		Refs:   []Ref{noFunction("function")},
		Check: func(c *Call) error {
			if strings.HasSuffix(c.String("principal"), ".amazonaws.com") {
				return nil
			}
			return c.exists("principal", "InvalidParameterValueException")
		},
	},
	{
		Token: "aws:lambda/functionUrl:FunctionUrl", Source: "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html",
		Args: lambda.FunctionUrlArgs{}, State: lambda.FunctionUrl{}, Noun: "Lambda Function URL", Service: "lambda",
		API: API{Create: "CreateFunctionUrlConfig", Read: "GetFunctionUrlConfig", Update: "UpdateFunctionUrlConfig", Delete: "DeleteFunctionUrlConfig"},
		ID:  "{functionName}", Outputs: map[string]string{"urlId": "{hex:32}"}, Fields: map[string][]Rule{"authorizationType": {oneOf("AWS_IAM", "NONE")}},
		Unique: []Unique{{Key: "url/{functionName}", Error: "ResourceConflictException: Failed to create function url config for {functionName}: it exists"}},
		Refs:   []Ref{noFunction("functionName")}, Replace: []string{"functionName", "qualifier"},
	},
	{
		Token: layerToken, Source: "https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html",
		Args: lambda.LayerVersionArgs{}, State: lambda.LayerVersion{}, Noun: "Lambda Layer Version", Service: "lambda",
		API: API{Create: "PublishLayerVersion", Read: "GetLayerVersion", Delete: "DeleteLayerVersion"},
		ID:  "arn:aws:lambda:{region}:{account}:layer:{layerName}:1", ARN: "arn:aws:lambda:{region}:{account}:layer:{layerName}:1", Name: Name{Property: "layerName", Max: 140}, Replace: []string{"*"},
		Outputs: map[string]string{"layerArn": "arn:aws:lambda:{region}:{account}:layer:{layerName}", "version": "1"}, ExactlyOne: [][]string{{"code", "s3Bucket"}},
	},
	{
		Token: "aws:lambda/layerVersionPermission:LayerVersionPermission", Source: "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
		Args: lambda.LayerVersionPermissionArgs{}, State: lambda.LayerVersionPermission{}, Noun: "Lambda Layer Version Permission", Service: "lambda",
		API: API{Create: "AddLayerVersionPermission", Read: "GetLayerVersionPolicy", Delete: "RemoveLayerVersionPermission"},
		ID:  "{layerName},{versionNumber}", Replace: []string{"*"}, Fields: map[string][]Rule{"action": {oneOf("lambda:GetLayerVersion")}, "principal": {either(oneOf("*"), either(match(accountPattern), isARN("iam")))}},
		Refs: []Ref{{Path: "layerName", To: []string{layerToken}, By: []string{"layerName", "layerArn"}, Error: "ResourceNotFoundException: Layer version {value} does not exist."}},
	},
	{
		Token: busToken, Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html",
		Args: cloudwatch.EventBusArgs{}, State: cloudwatch.EventBus{}, Noun: "EventBridge Event Bus", Service: "events",
		API: API{Create: "CreateEventBus", Read: "DescribeEventBus", Update: "UpdateEventBus", Delete: "DeleteEventBus", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:events:{region}:{account}:event-bus/{name}", Name: Name{Property: "name", Max: 256}, Tags: true,
		Unique: []Unique{{Key: "bus/{name}", Error: "ResourceAlreadyExistsException: Event bus {name} already exists."}}, Replace: []string{"name", "eventSourceName"},
	},
	policyOf(Type{
		Token: "aws:cloudwatch/eventBusPolicy:EventBusPolicy", Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html",
		Args: cloudwatch.EventBusPolicyArgs{}, State: cloudwatch.EventBusPolicy{}, Noun: "EventBridge Event Bus Policy", Service: "events",
		API: API{Create: "PutPermission", Read: "DescribeEventBus", Update: "PutPermission", Delete: "RemovePermission"},
		ID:  "{eventBusName}", Defaults: map[string]any{"eventBusName": "default"}, Replace: []string{"eventBusName"}, Refs: []Ref{noBus},
		Policies: map[string]Grammar{"policy": granting("event bus policy", 10240, "ValidationException", "PolicyLengthExceededException")},
	}),
	policyOf(Type{
		Token: "aws:cloudwatch/eventPermission:EventPermission", Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html",
		Args: cloudwatch.EventPermissionArgs{}, State: cloudwatch.EventPermission{}, Noun: "EventBridge Permission", Service: "events",
		API: API{Create: "PutPermission", Read: "DescribeEventBus", Update: "PutPermission", Delete: "RemovePermission"},
		ID:  "{eventBusName}/{statementId}", Defaults: map[string]any{"action": "events:PutEvents", "eventBusName": "default"}, Replace: []string{"statementId", "eventBusName"}, Refs: []Ref{noBus},
		Fields: map[string][]Rule{"principal": {either(oneOf("*"), match(accountPattern))}, "statementId": {length(1, 64)}},
	}),
	{
		Token: ruleToken, Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
		Args: cloudwatch.EventRuleArgs{}, State: cloudwatch.EventRule{}, Noun: "EventBridge Rule", Service: "events",
		API: API{Create: "PutRule", Read: "DescribeRule", Update: "PutRule", Delete: "DeleteRule", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:events:{region}:{account}:rule/{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 64}, Tags: true, Upsert: true,
		Defaults: map[string]any{"eventBusName": "default", "forceDestroy": false}, Refs: []Ref{noBus}, Replace: []string{"name", "namePrefix", "eventBusName"},
		Check: func(c *Call) error {
			if c.String("eventPattern") == "" && c.String("scheduleExpression") == "" {
				return errf("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
			}
			return nil
		},
		Blocks: []Block{{Link: Link{Type: targetToken, Path: "rule"}, Unless: "forceDestroy", Error: "ValidationException: Rule can't be deleted since it has targets."}},
	},
	policyOf(Type{
		Token: targetToken, Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html",
		Args: cloudwatch.EventTargetArgs{}, State: cloudwatch.EventTarget{}, Noun: "EventBridge Target", Service: "events",
		API: API{Create: "PutTargets", Read: "ListTargetsByRule", Update: "PutTargets", Delete: "RemoveTargets"},
		ID:  "{rule}-{targetId}", Name: Name{Property: "targetId", Max: 64}, Defaults: map[string]any{"eventBusName": "default"}, Outputs: map[string]string{"arn": "{arn}"},
		Fields: map[string][]Rule{"arn": {isARN("")}}, Replace: []string{"rule", "targetId", "eventBusName"},
		Refs: []Ref{{Path: "rule", To: []string{ruleToken}, By: []string{"id"}, Error: "ResourceNotFoundException: Rule {value} does not exist on EventBus default."}},
	}),
	{
		Token: destinationToken, Source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDestination.html",
		Args: cloudwatch.LogDestinationArgs{}, State: cloudwatch.LogDestination{}, Noun: "CloudWatch Logs Destination", Service: "logs",
		API: API{Create: "PutDestination", Read: "DescribeDestinations", Update: "PutDestination", Delete: "DeleteDestination", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:logs:{region}:{account}:destination:{name}", Name: Name{Property: "name", Max: 512}, Tags: true, Upsert: true, Replace: []string{"name"},
		Fields: map[string][]Rule{"roleArn": {isARN("iam")}, "targetArn": {isARN("")}},
		Refs:   []Ref{{Path: "roleArn", To: []string{roleToken}, By: []string{"arn"}, Error: "InvalidParameterException: Could not deliver test message to specified destination. Check if the destination is valid."}},
		Owns:   []Link{{Type: "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy", Path: "destinationName"}},
	},
	policyOf(Type{
		Token: "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy", Source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDestinationPolicy.html",
		Args: cloudwatch.LogDestinationPolicyArgs{}, State: cloudwatch.LogDestinationPolicy{}, Noun: "CloudWatch Logs Destination Policy", Service: "logs",
		API: API{Create: "PutDestinationPolicy", Read: "DescribeDestinations", Update: "PutDestinationPolicy", Delete: "PutDestinationPolicy"},
		ID:  "{destinationName}", Replace: []string{"destinationName"}, Policies: map[string]Grammar{"accessPolicy": granting("destination policy", 5120, "InvalidParameterException", "InvalidParameterException")},
		Refs: []Ref{{Path: "destinationName", To: []string{destinationToken}, By: []string{"id"}, Error: "ResourceNotFoundException: The specified destination does not exist."}},
	}),
	{
		Token: "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", Source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html",
		Args: cloudwatch.LogResourcePolicyArgs{}, State: cloudwatch.LogResourcePolicy{}, Noun: "CloudWatch Logs Resource Policy", Service: "logs",
		API: API{Create: "PutResourcePolicy", Read: "DescribeResourcePolicies", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{policyName}", Name: Name{Property: "policyName", Max: 512}, Upsert: true, Replace: []string{"policyName"},
		Policies: map[string]Grammar{"policyDocument": granting("resource policy", 5120, "InvalidParameterException", "LimitExceededException")},
		Quota:    &Quota{Scope: PerRegion, Name: "logs:resource-policies", Limit: 10, Error: "LimitExceededException: Resource limit exceeded."},
	},
	{
		Token: "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", Source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html",
		Args: cloudwatch.LogSubscriptionFilterArgs{}, State: cloudwatch.LogSubscriptionFilter{}, Noun: "CloudWatch Logs Subscription Filter", Service: "logs",
		API: API{Create: "PutSubscriptionFilter", Read: "DescribeSubscriptionFilters", Update: "PutSubscriptionFilter", Delete: "DeleteSubscriptionFilter"},
		ID:  "cwlsf-{digits:10}", Name: Name{Property: "name", Max: 512}, Replace: []string{"name", "logGroup", "destinationArn"}, Defaults: map[string]any{"distribution": "ByLogStream"},
		Fields: map[string][]Rule{"destinationArn": {isARN("")}},
		Refs:   []Ref{{Path: "logGroup", To: []string{logGroupToken}, By: []string{"id"}, Error: "ResourceNotFoundException: The specified log group does not exist."}},
	},
	{
		Token: gatewayToken, Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGateway.html",
		Args: ec2transitgateway.TransitGatewayArgs{}, State: ec2transitgateway.TransitGateway{}, Noun: "EC2 Transit Gateway", Service: "ec2",
		API: API{Create: "CreateTransitGateway", Read: "DescribeTransitGateways", Update: "ModifyTransitGateway", Delete: "DeleteTransitGateway", Updates: map[string]string{"tags": "CreateTags"}},
		ID:  "tgw-{hex:17}", ARN: "arn:aws:ec2:{region}:{account}:transit-gateway/{id}", Tags: true, Outputs: map[string]string{"ownerId": "{account}"},
		Defaults: map[string]any{"autoAcceptSharedAttachments": "disable"},
		Blocks:   []Block{{Link: Link{Type: attachedToken, Path: "transitGatewayId"}, Error: "IncorrectState: {id} has non-deleted VPC Attachments: {other}."}},
	},
	{
		Token: attachedToken, Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayVpcAttachment.html",
		Args: ec2transitgateway.VpcAttachmentArgs{}, State: ec2transitgateway.VpcAttachment{}, Noun: "EC2 Transit Gateway VPC Attachment", Service: "ec2",
		API: API{Create: "CreateTransitGatewayVpcAttachment", Read: "DescribeTransitGatewayVpcAttachments", Update: "ModifyTransitGatewayVpcAttachment", Delete: "DeleteTransitGatewayVpcAttachment",
			Updates: map[string]string{"tags": "CreateTags"}},
		ID: "tgw-attach-{hex:17}", ARN: "arn:aws:ec2:{region}:{account}:transit-gateway-attachment/{id}", Tags: true, Outputs: map[string]string{"vpcOwnerId": "{account}"},
		Refs: []Ref{vpcRef(), subnetRef("subnetIds[*]"), {Path: "transitGatewayId", To: []string{gatewayToken}, By: []string{"id"}, AnyAccount: true,
			Error: "InvalidTransitGatewayID.NotFound: Transit Gateway {value} was deleted or does not exist."}},
		Required: []string{"subnetIds"}, Replace: []string{"vpcId", "transitGatewayId"},
	},
	{
		Token: zoneToken, Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html",
		Args: route53.ZoneArgs{}, State: route53.Zone{}, Noun: "Route53 Hosted Zone", Service: "route53",
		API:    API{Create: "CreateHostedZone", Read: "GetHostedZone", Update: "UpdateHostedZoneComment", Delete: "DeleteHostedZone", Updates: map[string]string{"tags": "ChangeTagsForResource", "vpcs": "AssociateVPCWithHostedZone"}},
		Global: true, ID: "Z{upper:20}", ARN: "arn:aws:route53:::hostedzone/{id}", Name: Name{Property: "name", Max: 1024}, Tags: true,
		Outputs: map[string]string{"zoneId": "{id}"}, Defaults: map[string]any{"comment": "Managed by Pulumi", "forceDestroy": false}, Replace: []string{"name", "delegationSetId"},
		Refs: []Ref{{Path: "vpcs[*].vpcId", To: []string{vpcToken}, By: []string{"id"}, AnyAccount: true, Error: "InvalidVPCId: The VPC: {value} in region does not exist."}},
	},
	policyOf(Type{
		Token: "aws:route53/zoneAssociation:ZoneAssociation", Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_AssociateVPCWithHostedZone.html",
		Args: route53.ZoneAssociationArgs{}, State: route53.ZoneAssociation{}, Noun: "Route53 Hosted Zone Association", Service: "route53",
		API:    API{Create: "AssociateVPCWithHostedZone", Read: "ListHostedZonesByVPC", Delete: "DisassociateVPCFromHostedZone"},
		Global: true, ID: "{zoneId}:{vpcId}", Replace: []string{"*"},
		Refs: []Ref{
			{Path: "zoneId", To: []string{zoneToken}, By: []string{"id"}, AnyAccount: true, Error: "NoSuchHostedZone: No hosted zone found with ID: {value}"},
			{Path: "vpcId", To: []string{vpcToken}, By: []string{"id"}, AnyAccount: true, Error: "InvalidVPCId: The VPC: {value} does not exist."},
		},
		Created: func(c *Call) error {
			rows, err := c.search(zoneToken, "id", c.String("zoneId"), true)
			if err == nil && len(rows) > 0 {
				c.Out["owningAccount"] = rows[0].Account
			}
			return err
		},
	}),
	policyOf(Type{
		Token: "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization", Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateVPCAssociationAuthorization.html",
		Args: route53.VpcAssociationAuthorizationArgs{}, State: route53.VpcAssociationAuthorization{}, Noun: "Route53 VPC Association Authorization", Service: "route53",
		API:    API{Create: "CreateVPCAssociationAuthorization", Read: "ListVPCAssociationAuthorizations", Delete: "DeleteVPCAssociationAuthorization"},
		Global: true, ID: "{zoneId}:{vpcId}", Replace: []string{"*"},
		Refs: []Ref{{Path: "zoneId", To: []string{zoneToken}, By: []string{"id"}, Error: "NoSuchHostedZone: No hosted zone found with ID: {value}"}},
	}),
	{
		Token: resolverToken, Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverRule.html",
		Args: route53.ResolverRuleArgs{}, State: route53.ResolverRule{}, Noun: "Route53 Resolver Rule", Service: "route53resolver",
		API: API{Create: "CreateResolverRule", Read: "GetResolverRule", Update: "UpdateResolverRule", Delete: "DeleteResolverRule", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "rslvr-rr-{hex:17}", ARN: "arn:aws:route53resolver:{region}:{account}:resolver-rule/{id}", Name: Name{Property: "name", Max: 64}, Tags: true,
		Outputs: map[string]string{"ownerId": "{account}"}, Defaults: map[string]any{"shareStatus": "NOT_SHARED"}, Replace: []string{"domainName", "ruleType"},
		Fields: map[string][]Rule{"ruleType": {oneOf("FORWARD", "SYSTEM", "RECURSIVE")}},
	},
	{
		Token: "aws:route53/resolverRuleAssociation:ResolverRuleAssociation", Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_AssociateResolverRule.html",
		Args: route53.ResolverRuleAssociationArgs{}, State: route53.ResolverRuleAssociation{}, Noun: "Route53 Resolver Rule Association", Service: "route53resolver",
		API: API{Create: "AssociateResolverRule", Read: "GetResolverRuleAssociation", Delete: "DisassociateResolverRule"},
		ID:  "rslvr-rrassoc-{hex:17}", Name: Name{Property: "name", Max: 64}, Replace: []string{"*"},
		Refs: []Ref{vpcRef(), {Path: "resolverRuleId", To: []string{resolverToken}, By: []string{"id"}, AnyAccount: true,
			Error: "ResourceNotFoundException: Resolver rule with ID '{value}' does not exist."}},
	},
	{
		Token: "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig", Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverQueryLogConfig.html",
		Args: route53.ResolverQueryLogConfigArgs{}, State: route53.ResolverQueryLogConfig{}, Noun: "Route53 Resolver Query Log Config", Service: "route53resolver",
		API: API{Create: "CreateResolverQueryLogConfig", Read: "GetResolverQueryLogConfig", Delete: "DeleteResolverQueryLogConfig", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "rqlc-{hex:16}", ARN: "arn:aws:route53resolver:{region}:{account}:resolver-query-log-config/{id}", Name: Name{Property: "name", Max: 64}, Tags: true,
		Outputs: map[string]string{"ownerId": "{account}"}, Defaults: map[string]any{"shareStatus": "NOT_SHARED"}, Fields: map[string][]Rule{"destinationArn": {isARN("")}}, Replace: []string{"name", "destinationArn"},
	},
}

var (
	topicGrammar = granting("topic policy", 30720, "InvalidParameter", "InvalidParameter")
	queueGrammar = granting("queue policy", 8192, "InvalidAttributeValue", "InvalidAttributeValue")
	noBus        = Ref{Path: "eventBusName", To: []string{busToken}, By: []string{"id", "arn"}, Error: "ResourceNotFoundException: Event bus {value} does not exist.",
		If: func(v string) bool { return v != "default" }}
)

func noFunction(path string) Ref {
	return Ref{Path: path, To: []string{functionToken}, By: []string{"id", "arn"}, Error: "ResourceNotFoundException: Function not found: arn:aws:lambda:{region}:{account}:function:{value}"}
}
