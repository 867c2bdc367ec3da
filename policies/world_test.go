package policies

import (
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/example"
)

// What outsiders and services say by looking at a document, the evaluator says
// by trying everybody: it answers one request after the other, as AWS does, and
// knows nothing of what a condition is good for.

const (
	ownAccount   = example.Account
	otherAccount = example.OtherAccount
	// nearAccount differs in the last digits, for patterns that end early.
	nearAccount = "210987654399"
)

// somebody is who calls.
type somebody struct {
	iam.Request
	outsider bool
}

// population is everybody who may call.
func population() []somebody {
	caller := func(account, path, encrypts string) somebody {
		return somebody{outsider: account != ownAccount, Request: iam.Request{Principal: "arn:aws:iam::" + account + ":role/" + path, Context: map[string]string{
			"aws:ResourceAccount": ownAccount, "aws:PrincipalOrgID": "o-a1b2c3d4e5", "kms:CallerAccount": account,
			"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:" + encrypts + ":x", "aws:SourceVpc": "vpc-1",
		}}}
	}
	service := func(account, arn string, outsider bool) somebody {
		context := map[string]string{"aws:ResourceAccount": ownAccount}
		if account != "" {
			context["aws:SourceAccount"] = account
			context["kms:EncryptionContext:aws:logs:arn"] = "arn:aws:logs:eu-central-1:" + account + ":x"
		}
		if arn != "" {
			context["aws:SourceArn"] = arn
		}
		return somebody{outsider: outsider, Request: iam.Request{Service: "sns.amazonaws.com", Context: context}}
	}
	nobody := func(context map[string]string) somebody {
		context["aws:ResourceAccount"] = ownAccount
		return somebody{outsider: true, Request: iam.Request{Context: context}}
	}
	return []somebody{
		caller(ownAccount, "ci", ownAccount), caller(ownAccount, "ci", otherAccount),
		caller(otherAccount, "ci", otherAccount), caller(otherAccount, "ci", ownAccount),
		// A path may hold colons, and so may the names of some services: the
		// execution of a state machine is arn:aws:states:…:machine:name:id.
		caller(otherAccount, "x:"+ownAccount+":role/ci", ownAccount), caller(otherAccount, "x:iam::"+ownAccount+":role/ci", ownAccount),
		service(otherAccount, "arn:aws:sns:eu-central-1:"+otherAccount+":t:"+ownAccount+":t", true),
		caller(nearAccount, "ci", nearAccount), caller(nearAccount, "ci", ownAccount),
		nobody(map[string]string{"aws:SourceVpc": "vpc-1"}), nobody(map[string]string{}),
		service(ownAccount, "arn:aws:sns:eu-central-1:"+ownAccount+":t", false),
		service(otherAccount, "arn:aws:sns:eu-central-1:"+otherAccount+":t", true),
		service(nearAccount, "arn:aws:sns:eu-central-1:"+nearAccount+":t", true),
		service(otherAccount, "arn:aws:s3:::b", true),
		service("", "", true),
	}
}

// lets is the verdict on somebody who does what the document is about.
func (s somebody) lets(doc iam.Document) iam.Verdict {
	r := s.Request
	r.Action, r.Resource = "sts:AssumeRole", example.ARN+":role/ci"
	for i := range doc.Statement {
		doc.Statement[i].Action, doc.Statement[i].Resource = iam.Values{"*"}, nil
	}
	return doc.Evaluate(r)
}
