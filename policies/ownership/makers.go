package ownership

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/rule"
)

// makers are the types that the table classifies, and that make other resources where
// a property says so: by a target that is any API of AWS, a document, or a template.
// What runs code of the customer's, a function or a build, is not one: what it may do
// is bounded by the permissions boundary.
var makers = map[string]func(j *rule.Judge, in rule.Value){
	"aws:apigateway/integration:Integration": func(j *rule.Judge, in rule.Value) {
		calls(j, in.Get("uri"))
		for _, path := range []string{"requestParameters", "requestTemplates"} {
			for key, call := range members(in.Get(path)) {
				if j.Known(call) {
					queried(j, key, call)
				}
			}
		}
	},
	"aws:apigateway/restApi:RestApi":       func(j *rule.Judge, in rule.Value) { callsIn(j, in.Get("body")) },
	"aws:apigateway/restApiPut:RestApiPut": func(j *rule.Judge, in rule.Value) { callsIn(j, in.Get("body")) },
	"aws:apigatewayv2/api:Api":             func(j *rule.Judge, in rule.Value) { callsIn(j, in.Get("body")) },
	"aws:apigatewayv2/integration:Integration": func(j *rule.Judge, in rule.Value) {
		j.Must(in.Get("integrationSubtype"), append([]string{""}, httpIntegrations...), "%s is not among the calls that make nothing", in.Get("integrationSubtype").Text())
	},
	"aws:appsync/dataSource:DataSource": func(j *rule.Judge, in rule.Value) {
		signed := in.Get("httpConfig", "authorizationConfig", "awsIamConfig", "signingServiceName")
		j.Must(signed, append([]string{""}, targets...), "it can call any API of %s", signed.Text())
	},
	"aws:cfg/conformancePack:ConformancePack": func(j *rule.Judge, in rule.Value) {
		if s3 := in.Get("templateS3Uri"); j.Known(s3) && s3.Text() != "" {
			j.Violate(s3.Path, "a template in a bucket cannot be read")
		}
		configRules(j, in.Get("templateBody"))
	},
	"aws:cloudwatch/eventTarget:EventTarget": func(j *rule.Judge, in rule.Value) { target(j, in.Get("arn")) },
	"aws:codepipeline/pipeline:Pipeline": func(j *rule.Judge, in rule.Value) {
		for _, provider := range in.All("stages.actions.provider") {
			j.Must(provider, pipelineActions, "an action of %s makes other resources", provider.Text())
		}
	},
	"aws:fis/experimentTemplate:ExperimentTemplate": func(j *rule.Judge, in rule.Value) {
		for _, action := range in.All("actions.actionId") {
			if j.Known(action) && (strings.HasPrefix(action.Text(), "aws:ssm:") || action.Is("aws:eks:inject-kubernetes-custom-resource")) {
				j.Violate(action.Path, "%s makes whatever its document says", action.Text())
			}
		}
	},
	"aws:scheduler/schedule:Schedule":   func(j *rule.Judge, in rule.Value) { target(j, in.Get("target", "arn")) },
	"aws:sfn/stateMachine:StateMachine": func(j *rule.Judge, in rule.Value) { states(j, in.Get("definition")) },
	"aws:ssm/document:Document": func(j *rule.Judge, in rule.Value) {
		kind := in.Get("documentType")
		j.Must(kind, documentTypes, "a document of the type %s can call any API", kind.Text())
	},
	"aws:ssm/maintenanceWindowTask:MaintenanceWindowTask": func(j *rule.Judge, in rule.Value) {
		kind := in.Get("taskType")
		j.Must(kind, []string{"LAMBDA", "STEP_FUNCTIONS"}, "a task of the type %s runs documents, and a document may call any API", kind.Text())
	},
	"aws:ssmincidents/responsePlan:ResponsePlan": func(j *rule.Judge, in rule.Value) {
		for _, runs := range in.All("action.ssmAutomations") {
			if j.Known(runs) {
				j.Violate(runs.Path, "it runs a document, and a document may call any API")
			}
		}
	},
}

// targets are the services that take an event or start what is there already. A
// schedule's universal target, arn:aws:scheduler:::aws-sdk:SERVICE:ACTION, is a call of
// any API, and a rule's target of Systems Manager runs a document.
//
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
var targets = []string{
	"appsync", "batch", "codebuild", "codepipeline", "ecs", "events", "execute-api", "firehose", "glue", "inspector", "kinesis", "lambda",
	"logs", "redshift", "redshift-serverless", "sagemaker", "sns", "sqs", "ssm-incidents", "states",
}

// target violates where an event is sent to what makes other resources.
func target(j *rule.Judge, v rule.Value) {
	if !j.Known(v) || v.Text() == "" {
		return
	}
	arn, err := iam.ParseARN(v.Text())
	switch {
	case err != nil:
		j.Violate(v.Path, "%s is not an ARN, so what it starts is unknown", v.Text())
	case !slices.Contains(targets, arn.Service):
		j.Violate(v.Path, "%s can make other resources", v.Text())
	}
}

// integrations are the services that a state machine may call by their own
// integrations, and of those that also make resources the calls that do not.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
var integrations = map[string][]string{
	"apigateway": nil, "athena": nil, "batch": nil, "bedrock": {"invokeModel"}, "codebuild": nil, "databrew": nil, "dynamodb": nil, "ecs": nil,
	"elasticmapreduce": {"addStep", "cancelStep", "setClusterTerminationProtection", "terminateCluster", "modifyInstanceFleetByName", "modifyInstanceGroupByName"},
	"emr-containers":   {"startJobRun", "deleteVirtualCluster"}, "emr-serverless": {"startApplication", "stopApplication", "startJobRun", "deleteApplication"},
	"events": nil, "glue": nil, "http": nil, "lambda": nil, "mediaconvert": nil, "s3": nil,
	"sagemaker": {"createTrainingJob", "createTransformJob", "createHyperParameterTuningJob", "createLabelingJob", "createProcessingJob"},
	"sns":       nil, "sqs": nil, "states": nil,
}

// states violates where a state machine calls what makes other resources. Texts of a
// definition are read one by one: of two fields of one name, either may count.
func states(j *rule.Judge, definition rule.Value) {
	if !j.Known(definition) || definition.Text() == "" {
		return
	}
	if !json.Valid([]byte(definition.Text())) {
		j.Violate(definition.Path, "it cannot be read as JSON")
		return
	}
	texts := json.NewDecoder(strings.NewReader(definition.Text()))
	for {
		token, err := texts.Token()
		if err != nil { // the end
			return
		}
		s, ok := token.(string)
		if !ok || !strings.HasPrefix(s, "arn:") {
			continue
		}
		arn, err := iam.ParseARN(s)
		if err != nil || arn.Service != "states" || arn.Account != "" {
			continue
		}
		service, call, _ := strings.Cut(arn.Resource, ":")
		call, _, _ = strings.Cut(call, ".") // how to wait for the answer
		if calls, ok := integrations[service]; !ok || calls != nil && !slices.Contains(calls, call) {
			j.Violate(definition.Path, "the integration %s can make other resources", s)
		}
	}
}

// apiCalls are the calls that an API's integration may make by itself.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html#apigw-Type-Integration-uri
var apiCalls = []string{
	"lambda:path/2015-03-31/functions/*/invocations", "lambda:path/2014-11-13/functions/*/invoke-async", "s3:path/*", "sqs:path/*", "sqs:action/SendMessage*", "sqs:action/ReceiveMessage", "sqs:action/DeleteMessage*",
	"sns:action/Publish*", "sns:path/*", "events:action/PutEvents", "kinesis:action/PutRecord*", "kinesis:action/Get*", "kinesis:action/List*", "kinesis:action/Describe*",
	"firehose:action/PutRecord*", "states:action/StartExecution", "states:action/StartSyncExecution", "states:action/StopExecution", "states:action/DescribeExecution",
	"dynamodb:action/GetItem", "dynamodb:action/PutItem", "dynamodb:action/UpdateItem", "dynamodb:action/DeleteItem", "dynamodb:action/Query", "dynamodb:action/Scan",
	"dynamodb:action/BatchGetItem", "dynamodb:action/BatchWriteItem", "dynamodb:action/TransactGetItems", "dynamodb:action/TransactWriteItems",
	"runtime.sagemaker:path/*", "bedrock-runtime:path/model/*", "*.appsync-api:path/*",
}

// httpIntegrations are the calls of an HTTP API's first-class integrations.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
var httpIntegrations = []string{
	"EventBridge-PutEvents", "SQS-SendMessage", "SQS-ReceiveMessage", "SQS-DeleteMessage", "SQS-PurgeQueue", "AppConfig-GetConfiguration",
	"Kinesis-PutRecord", "StepFunctions-StartExecution", "StepFunctions-StartSyncExecution", "StepFunctions-StopExecution",
}

// calls violates where an integration's address is a call that can make resources:
// arn:aws:apigateway:REGION:SERVICE:action/CALL.
func calls(j *rule.Judge, uri rule.Value) {
	if !j.Known(uri) || !strings.HasPrefix(strings.ToLower(uri.Text()), "arn:") {
		return // an address on the network, which gets no credentials
	}
	parts := strings.SplitN(uri.Text(), ":", 6)
	if len(parts) == 6 && !strings.Contains(uri.Text(), "?") { // a query says which part of a bucket is written: its policy
		call := parts[4] + ":" + parts[5]
		if slices.ContainsFunc(apiCalls, func(p string) bool { return iam.Match(p, call) }) {
			return
		}
	}
	j.Violate(uri.Path, "%s can make other resources", uri.Text())
}

// queriedCalls find the calls of queues and topics, whose addresses do not name them.
var queriedCalls = regexp.MustCompile(`(?:^|&|\?)Action=([A-Za-z]+)`)

// queried violates where a parameter or a body names a call that sends and fetches nothing.
func queried(j *rule.Judge, key string, v rule.Value) {
	var calls []string
	if strings.HasSuffix(key, "querystring.Action") {
		calls = append(calls, strings.Trim(v.Text(), "'"))
	}
	for _, m := range queriedCalls.FindAllStringSubmatch(v.Text(), -1) {
		calls = append(calls, m[1])
	}
	for _, call := range calls {
		if !slices.Contains([]string{"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "Publish", "PublishBatch"}, call) {
			j.Violate(v.Path, "%s is not a call that only sends or receives", call)
		}
	}
}

// callsIn looks for such addresses in an API's definition, JSON or YAML.
func callsIn(j *rule.Judge, body rule.Value) {
	if !j.Known(body) || body.Text() == "" {
		return
	}
	var of yaml.Node
	if err := yaml.Unmarshal([]byte(body.Text()), &of); err != nil {
		j.Violate(body.Path, "it cannot be read as JSON or YAML")
		return
	}
	for all := []*yaml.Node{&of}; len(all) > 0; {
		n := all[len(all)-1]
		if all = append(all[:len(all)-1], n.Content...); strings.Contains(n.Value, ":apigateway:") {
			calls(j, rule.Value{Path: body.Path, Raw: n.Value})
		}
	}
}

// pipelineActions are the actions of a pipeline that fetch, build, test, approve, or
// bring a version to what is there already.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/integrations-action-type.html
var pipelineActions = []string{
	"S3", "ECR", "CodeCommit", "CodeStarSourceConnection", "GitHub", "CodeBuild", "ECRBuildAndPublish", "DeviceFarm", "Manual", "AppConfig",
	"CodeDeploy", "CodeDeployToECS", "ECS", "EC2", "Lambda", "StepFunctions", "InspectorScan", "Commands",
}

// documentTypes are the documents that run on machines only, or not at all.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html
var documentTypes = []string{
	"ApplicationConfiguration", "ApplicationConfigurationSchema", "ChangeCalendar", "Command", "DeploymentStrategy", "Package", "Session",
}

// configRules violates unless a template has rules of AWS Config only: besides them a
// pack may hold remediations, which run documents.
// https://docs.aws.amazon.com/config/latest/developerguide/custom-conformance-pack.html
func configRules(j *rule.Judge, template rule.Value) {
	if !j.Known(template) || template.Text() == "" {
		return
	}
	var of struct {
		Resources map[string]struct {
			Type string `yaml:"Type"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(template.Text()), &of); err != nil {
		j.Violate(template.Path, "it cannot be read as a template")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(of.Resources)) {
		if kind := of.Resources[name].Type; kind != "AWS::Config::ConfigRule" {
			j.Violate(template.Path, "%s is a %s, which makes other resources", name, kind)
		}
	}
}

// members are the values of a map by their keys.
func members(v rule.Value) map[string]rule.Value {
	in, ok := rule.Opened(v.Raw).(map[string]any)
	if !ok {
		if v.Unknown() {
			return map[string]rule.Value{"": v}
		}
		return nil
	}
	all := map[string]rule.Value{}
	for key, e := range in {
		all[key] = rule.Value{Path: rule.JoinPath(v.Path, key), Raw: e}
	}
	return all
}
