// Package iamcalls says what IAM checks for a recorded AWS call, and writes
// the least policy that allows a set of them. It is pure: a call goes in, the
// questions come out that AWS asks its policies.
//
// A call that no table knows is an error, and never a call that needs nothing.
// The tables follow AWS's Service Authorization Reference, dependent actions
// included:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
package iamcalls

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

// ErrUnknown is wrapped for a call that the tables do not hold.
var ErrUnknown = errors.New("what IAM checks for it is not in the tables of iamcalls")

// Requests returns what IAM checks before it lets a call through: nothing for
// sts:GetCallerIdentity, and more than one request for a call that names more
// than one resource, hands a role on, or brings tags.
func Requests(c lab.Call) ([]iam.Request, error) {
	k, err := read(c)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.Service, describe(c), err)
	}
	r, err := k.rule()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.Service, describe(c), err)
	}
	var out []iam.Request
	for _, n := range r.needs(k) {
		for _, on := range n.on {
			req := iam.Request{Action: n.action, Resource: on, Principal: c.Principal, Context: k.context(on)}
			maps.Copy(req.Context, n.with)
			out = append(out, req)
		}
	}
	return out, nil
}

// describe names a call for a message.
func describe(c lab.Call) string {
	if c.Action != "" {
		return c.Action
	}
	return c.Method + " " + c.Path + "?" + strings.Join(slices.Sorted(maps.Keys(c.Query)), "&")
}

// need is one action on some resources.
type need struct {
	action string
	on     []string
	with   map[string]string // condition keys
}

// rule is what IAM checks for one operation.
type rule struct {
	// action is IAM's name where it is not the operation's.
	action string
	// free operations need no permission.
	free bool
	// on returns the ARNs that the operation works on; nil: "*", for actions
	// without a resource type.
	on func(call) []string
	// with returns the condition keys that the request carries.
	with func(call) map[string]string
	// tags is the action that is checked as well when the call brings tags.
	tags string
	// also returns what else is checked: dependent actions.
	also func(call) []need
}

func (r rule) needs(c call) []need {
	if r.free {
		return nil
	}
	n := need{action: r.action, on: anything}
	if n.action == "" {
		n.action = c.prefix + ":" + c.operation
	}
	if r.on != nil {
		n.on = r.on(c)
	}
	if r.with != nil {
		n.with = r.with(c)
	}
	out := []need{n}
	if r.tags != "" && c.tagged() {
		out = append(out, need{action: r.tags, on: n.on})
	}
	if r.also != nil {
		out = append(out, r.also(c)...)
	}
	return out
}

var anything = []string{"*"}

// call is a recorded call, taken apart.
type call struct {
	lab.Call
	prefix    string // IAM's, "s3"
	operation string // "CreateRole"; empty for S3, whose table needs no names
	path      map[string]string
	body      map[string]any
}

// prefixes are IAM's, of the services that sign by another name.
var prefixes = map[string]string{"cloudcontrolapi": "cloudformation", "monitoring": "cloudwatch", "tagging": "tag"}

func read(c lab.Call) (call, error) {
	k := call{Call: c, prefix: c.Service, operation: c.Action}
	if prefix, differs := prefixes[c.Service]; differs {
		k.prefix = prefix
	}
	if c.Service == "s3" {
		return k, nil
	}
	if operation, is := rpcOperation(c.Path); is {
		k.operation = operation
		return k, nil
	}
	if len(c.Body) > 0 {
		if err := json.Unmarshal(c.Body, &k.body); err != nil {
			return k, fmt.Errorf("read its body: %w", err)
		}
	}
	if k.operation == "" {
		var err error
		if k.operation, k.path, err = route(c); err != nil {
			return k, err
		}
	}
	return k, nil
}

// rule looks the operation up.
func (c call) rule() (rule, error) {
	if c.Service == "s3" {
		return s3Rule(c.Call)
	}
	if c.Service == "ec2" {
		return ec2Rule(c.operation)
	}
	for _, table := range operations[c.prefix] {
		if r, ok := table[c.operation]; ok {
			return r, nil
		}
	}
	if r, shares := sharingRule(c); shares {
		return r, nil
	}
	return rule{}, ErrUnknown
}

// operations are the tables by IAM's prefix; EC2 and S3 have their own.
var operations = map[string][]map[string]rule{
	"access-analyzer":      {analyzerOperations},
	"autoscaling":          {scalingOperations},
	"cloudtrail":           {trailOperations},
	"ecr":                  {registryOperations},
	"eks":                  {eksOperations},
	"elasticloadbalancing": {balancerOperations},
	"iam":                  {iamOperations, iamIdentities},
	"kms":                  {kmsOperations},
	"logs":                 {logsOperations},
	"organizations":        {organizationsOperations},
	"servicequotas":        {quotaOperations},
	"ssm":                  {parameterOperations},
	"sts":                  {stsOperations},
	"tag":                  {{"GetResources": {}}},
}

// param returns a parameter by its name in the protocol, "" if it was not given.
func (c call) param(name string) string {
	if v := c.path[name]; v != "" {
		return v
	}
	if v, ok := c.body[name].(string); ok {
		return v
	}
	return c.Form.Get(name)
}

// tagged reports whether the call brings tags.
func (c call) tagged() bool {
	for _, name := range []string{"Tags", "tags", "TagsList"} {
		switch v := c.body[name].(type) {
		case []any:
			return len(v) > 0
		case map[string]any:
			return len(v) > 0
		}
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(c.Form)), func(k string) bool {
		return strings.HasPrefix(k, "Tags.")
	})
}

// regional is the ARN of something in the caller's account and region.
func (c call) regional(service, resource string) string {
	return "arn:aws:" + service + ":" + c.Region + ":" + c.Account + ":" + resource
}

// context are the condition keys of every request. TLS is AWS's: the lab's
// front is reached without. A request without a resource has no account of one.
func (c call) context(resource string) map[string]string {
	out := map[string]string{"aws:RequestedRegion": c.Region, "aws:SecureTransport": "true"}
	if resource != "*" {
		out["aws:ResourceAccount"] = iam.AccountIn(resource)
		if out["aws:ResourceAccount"] == "" {
			out["aws:ResourceAccount"] = c.Account // a bucket's name says nothing of its account
		}
	}
	return out
}

// named returns the ARN of what a parameter names; one that is an ARN already
// stays as it is.
func named(service, kind, param string) func(call) []string {
	return func(c call) []string {
		v := c.param(param)
		if strings.HasPrefix(v, "arn:") {
			return []string{v}
		}
		return []string{c.regional(service, kind+v)}
	}
}

// passes is the check of handing a role to a service.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func passes(roleARN, service string) []need {
	if roleARN == "" {
		return nil
	}
	return []need{{action: "iam:PassRole", on: []string{roleARN}, with: map[string]string{"iam:PassedToService": service}}}
}

// linked is the check of a service that makes its service-linked role, in the
// name of the first who needs it.
func linked(c call, service, role string) need {
	return need{
		action: "iam:CreateServiceLinkedRole",
		on:     []string{"arn:aws:iam::" + c.Account + ":role/aws-service-role/" + service + "/" + role},
		with:   map[string]string{"iam:AWSServiceName": service},
	}
}

// granted is what a service does with a key in the name of who gives it the
// key: it looks, and takes a grant for itself.
func granted(c call, key string) []need {
	if key == "" {
		return nil
	}
	on := []string{keyARN(c, key)}
	return []need{
		{action: "kms:DescribeKey", on: on},
		{action: "kms:CreateGrant", on: on, with: map[string]string{"kms:GrantIsForAWSResource": "true"}},
	}
}
