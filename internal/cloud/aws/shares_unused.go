package aws

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"freehold.dev/freehold/internal/cloud"
)

// unused is how a service says that the account has not switched it on, or has no
// part in it, so that there is nothing to list. Services have no error code for
// that alone: the code is that of a refusal, and the message tells the two apart.
type unused struct {
	service string
	// operation is the one call of which it is true; empty: all of the service's.
	operation     string
	code, message string
	// source shows the answer.
	source string
}

// notSwitchedOn is every answer that is taken for "nothing there". Whatever else
// is refused could not be read.
var notSwitchedOn = []unused{
	{service: "Macie2", code: "AccessDeniedException", message: "Macie is not enabled",
		source: "https://github.com/gruntwork-io/cloud-nuke/blob/master/aws/resources/macie.go"},
	{service: "SecurityHub", code: "InvalidAccessException", message: "is not subscribed to AWS Security Hub",
		source: "https://github.com/gruntwork-io/cloud-nuke/blob/master/aws/resources/security_hub.go"},
	{service: "AuditManager", code: "AccessDeniedException", message: "Please complete AWS Audit Manager setup from home page",
		source: "https://github.com/turbot/steampipe-plugin-aws/issues/1107"},
	{service: "License Manager", code: "AccessDeniedException", message: "Service role not found. Consult setup procedures in License Manager User Guide",
		source: "https://github.com/hashicorp/terraform-provider-aws/issues/16178"},
	// Whoever administers no organization has no members. Of its own administrator
	// the same words would say nothing.
	{service: "Inspector2", operation: "ListMembers", code: "AccessDeniedException", message: "Invoking account does not have access to",
		source: "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/inspector2/member_association.go"},
}

// unlessUnused is the error, and none where it says that there is nothing to list.
func unlessUnused(err error) error {
	op, isOp := errors.AsType[*smithy.OperationError](err)
	api, isAPI := errors.AsType[smithy.APIError](err)
	if !isOp || !isAPI {
		return err
	}
	for _, u := range notSwitchedOn {
		if op.Service() == u.service && (u.operation == "" || op.Operation() == u.operation) &&
			api.ErrorCode() == u.code && strings.Contains(api.ErrorMessage(), u.message) {
			return nil
		}
	}
	return err
}

// once leaves out what was listed before: an invitation that was accepted is an
// administrator too.
func once(items []cloud.Item) []cloud.Item {
	type key struct{ typ, id string }
	seen := map[key]bool{}
	var out []cloud.Item
	for _, it := range items {
		if k := (key{it.Type, it.ID}); !seen[k] {
			seen[k] = true
			out = append(out, it)
		}
	}
	return out
}
