package awsprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// refusedConfig are settings of the genuine provider that the sandbox would
// have to ignore, which it does not do silently.
var refusedConfig = map[string]string{
	"defaultTags":               "the sandbox does not offer it: set tags on each resource",
	"ignoreTags":                "the sandbox does not offer it",
	"assumeRoleWithWebIdentity": "the sandbox does not offer it: use assumeRole",
	"endpoints":                 "the sandbox is the endpoint",
}

// assumeRoleRules are those of the genuine provider.
var assumeRoleRules = map[string]Rule{
	"assumeRole.roleArn": isARN("iam"), "assumeRole.sessionName": length(2, 64), "assumeRole.externalId": length(2, 1224),
}

var configShape = shapeOf(aws.ProviderArgs{}.ElementType())

// parseConfig decodes the values that the SDK sends as JSON texts: all but strings.
func parseConfig(in map[string]any) map[string]any {
	out := cloneMap(in)
	for k, v := range out {
		p, known := configShape.props[k]
		s, is := v.(string)
		if !known || !is || p.kind == reflect.String {
			continue
		}
		var decoded any
		if json.Unmarshal([]byte(s), &decoded) == nil {
			out[k] = decoded
		}
	}
	return out
}

func (s *server) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	raw, secrets, err := read("news", req.GetNews())
	if err != nil {
		return nil, err
	}
	delete(raw, "version")
	in := parseConfig(raw)
	fails := configShape.object("", in)
	for k, why := range refusedConfig {
		if _, is := in[k]; is {
			fails = append(fails, failure{k, why})
		}
	}
	for path, rule := range assumeRoleRules {
		for _, found := range walk(in, path) {
			if _, is := found.value.(unknown); !is {
				if why := rule(found.value); why != "" {
					fails = append(fails, failure{found.path, why})
				}
			}
		}
	}
	if both := present(in, []string{"allowedAccountIds", "forbiddenAccountIds"}); len(both) > 1 {
		fails = append(fails, failure{both[0], "conflicts with " + both[1]})
	}
	return checked(raw, secrets, fails)
}

// DiffConfig never asks for a replacement: as with the genuine provider, a
// resource does not move when its provider's settings change.
func (s *server) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	old, in, err := compared(req)
	if err != nil {
		return nil, err
	}
	delete(old, "version")
	delete(in, "version")
	out := diffed(&Type{API: API{Update: "-"}}, parseConfig(old), parseConfig(in), nil)
	return out, nil
}

func (s *server) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	raw, _, err := read("args", req.GetArgs())
	if err != nil {
		return nil, err
	}
	in := parseConfig(raw)
	conn := connectionOf(ctx)
	who, err := s.backend.login(ctx, in, conn.warn(ctx, req.GetUrn()))
	if err != nil {
		return nil, err
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.who, conn.configured = who, true
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true, AcceptOutputs: true}, nil
}

// login finds out who the provider is, and refuses an account that it is not for.
func (b *Backend) login(ctx context.Context, in map[string]any, warn func(string)) (caller, error) {
	region := text(in["region"])
	// Without a region the provider is good for what has none.
	if region != "" && !slices.Contains(regions, region) {
		return caller{}, fmt.Errorf("invalid AWS Region: %s%s", region, suggest(region, slices.Clone(regions)))
	}
	who := provisioner(region)
	if role, ok := in["assumeRole"].(map[string]any); ok && text(role["roleArn"]) != "" {
		a := assumption{roleARN: text(role["roleArn"]), externalID: text(role["externalId"]), session: text(role["sessionName"])}
		assumed, err := b.assume(ctx, who, a, warn)
		if err != nil {
			return caller{}, fmt.Errorf("configuring the aws provider: Cannot assume IAM Role: IAM Role (%s) cannot be assumed: operation error STS: AssumeRole, https response error StatusCode: %d, RequestID: %s, %w",
				a.roleARN, httpStatus(codeOf(err)), generate("uuid", a.roleARN), err)
		}
		who = assumed
	}
	if allowed := in["allowedAccountIds"]; allowed != nil && !slices.ContainsFunc(list(allowed), func(v any) bool { return text(v) == who.account }) {
		return caller{}, fmt.Errorf("AWS account ID not allowed: %s", who.account)
	}
	if slices.ContainsFunc(list(in["forbiddenAccountIds"]), func(v any) bool { return text(v) == who.account }) {
		return caller{}, fmt.Errorf("AWS account ID not allowed: %s", who.account)
	}
	return who, nil
}

// regions are those that an account has without opting in.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var regions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
	"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}
