package awsprovider

import (
	"errors"
	"fmt"
	"strings"
)

// apiError is an error of an AWS API: a code that programs branch on, and a text.
type apiError struct{ code, message string }

// Error gives both, as the AWS SDK does.
func (e *apiError) Error() string { return e.code + ": " + e.message }

// errf makes an AWS error.
func errf(code, format string, args ...any) error {
	return &apiError{code, fmt.Sprintf(format, args...)}
}

// parseError makes one from a table's text, "Code: message".
func parseError(s string) error {
	code, message, _ := strings.Cut(s, ": ")
	return &apiError{code, message}
}

// codeOf returns the code of an AWS error, or what to call any other.
func codeOf(err error) string {
	var e *apiError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.code
	default:
		return "InternalFailure"
	}
}

// status is the HTTP status that AWS sends with a code.
func httpStatus(code string) int {
	switch {
	case strings.HasPrefix(code, "AccessDenied"):
		return 403
	case strings.HasPrefix(code, "NoSuch"), strings.HasSuffix(code, "NotFoundException"):
		return 404
	case code == "EntityAlreadyExists", code == "DeleteConflict", code == "BucketNotEmpty", code == "BucketAlreadyExists",
		code == "ResourceInUseException", code == "LimitExceeded":
		return 409
	case code == "InternalFailure", code == "ServiceUnavailable":
		return 500
	default:
		return 400
	}
}

// names are the services as the AWS SDK writes them in errors.
var names = map[string]string{
	"iam": "IAM", "organizations": "Organizations", "kms": "KMS", "s3": "S3", "s3control": "S3 Control",
	"cloudtrail": "CloudTrail", "ecr": "ECR", "ec2": "EC2", "eks": "EKS", "sts": "STS",
	"access-analyzer": "AccessAnalyzer", "logs": "CloudWatch Logs", "ram": "RAM", "rolesanywhere": "RolesAnywhere", "rds": "RDS",
	"secretsmanager": "Secrets Manager", "dynamodb": "DynamoDB", "elasticfilesystem": "EFS", "es": "OpenSearch", "glacier": "Glacier", "backup": "Backup",
	"acm-pca": "ACM PCA", "kinesis": "Kinesis", "glue": "Glue", "lakeformation": "LakeFormation", "apigateway": "API Gateway", "codeartifact": "codeartifact",
	"sns": "SNS", "sqs": "SQS", "lambda": "Lambda", "events": "EventBridge", "route53": "Route 53", "route53resolver": "Route53Resolver",
	"dlm": "DLM", "imagebuilder": "imagebuilder", "cloudwatch": "CloudWatch", "firehose": "Firehose", "pipes": "Pipes", "scheduler": "Scheduler", "ssm": "SSM",
	"redshift": "Redshift", "redshift-serverless": "Redshift Serverless", "s3tables": "S3Tables", "servicecatalog": "Service Catalog", "codebuild": "CodeBuild",
	"kafka": "Kafka", "network-firewall": "Network Firewall", "schemas": "schemas", "ses": "SESv2", "xray": "XRay", "directconnect": "Direct Connect",
	"vpc-lattice": "VPC Lattice", "servicediscovery": "ServiceDiscovery", "route53profiles": "Route53Profiles", "oam": "OAM", "config": "Config Service",
	"guardduty": "GuardDuty", "macie2": "Macie2", "detective": "Detective", "securityhub": "SecurityHub", "inspector2": "Inspector2", "cleanrooms": "CleanRooms",
	"auditmanager": "AuditManager", "license-manager": "License Manager", "globalaccelerator": "Global Accelerator", "networkmanager": "NetworkManager", "ecr-public": "ECR PUBLIC",
	"athena": "Athena", "bedrock": "Bedrock Agent", "dms": "Database Migration Service", "ds": "Directory Service", "grafana": "grafana",
	"sagemaker": "SageMaker", "signer": "signer",
}

// missing is the code by which a service says that something is not there.
var missing = map[string]string{
	"iam": "NoSuchEntity", "kms": "NotFoundException", "s3": "NoSuchBucket", "s3control": "NoSuchPublicAccessBlockConfiguration",
	"cloudtrail": "TrailNotFoundException", "ecr": "RepositoryNotFoundException", "ec2": "InvalidParameterValue",
}

// operationError is a failed call as the genuine provider reports it:
// "creating IAM Role (x): operation error IAM: CreateRole, https response
// error StatusCode: 409, RequestID: …, EntityAlreadyExists: …".
func operationError(verb Verb, t *Type, id, action, request string, err error) error {
	var e *apiError
	if !errors.As(err, &e) {
		return fmt.Errorf("%s %s (%s): %w", verb, t.Noun, id, err)
	}
	return fmt.Errorf("%s %s (%s): operation error %s: %s, https response error StatusCode: %d, RequestID: %s, %w",
		verb, t.Noun, id, names[t.Service], action, httpStatus(e.code), request, e)
}

func notThere(t *Type, id string) error {
	code := missing[t.Service]
	if code == "" {
		code = "ResourceNotFoundException"
	}
	return errf(code, "%s %s cannot be found.", t.Noun, id)
}

// operationError words an error as the genuine provider does.
func (b *Backend) operationError(verb Verb, t *Type, id, action, urn string, err error) error {
	return operationError(verb, t, id, action, generate("uuid", strings.Join([]string{urn, id, action}, "/")), err)
}

// label is how a resource without an id is called in errors.
func label(t *Type, in map[string]any) string {
	for _, p := range []string{t.Name.Property, "name", "bucket", "role", "email"} {
		if s := text(in[p]); p != "" && s != "" {
			return s
		}
	}
	return "new"
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
