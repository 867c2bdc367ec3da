package iam_test

import (
	"testing"

	"freehold.dev/freehold/internal/iam"
)

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func TestAStatementAppliesToThePrincipalsThatItNames(t *testing.T) {
	const (
		account = "111111111111"
		root    = "arn:aws:iam::" + account + ":root"
		session = "arn:aws:sts::" + account + ":assumed-role/app/one"
		issuer  = "arn:aws:iam::" + account + ":oidc-provider/tokens.example"
	)
	var (
		byRole    = iam.Request{Principal: role}
		bySession = iam.Request{Principal: role, Session: session}
		byRoot    = iam.Request{Principal: root}
		byService = iam.Request{Service: "logs.amazonaws.com"}
		byIssuer  = iam.Request{Federated: issuer}
		byNobody  = iam.Request{}
	)
	aws := func(ids ...string) *iam.Principal { return &iam.Principal{AWS: ids} }
	for name, tt := range map[string]struct {
		principal *iam.Principal
		not       bool
		request   iam.Request
		answer    string
	}{
		"everybody is also a service":                             {iam.Anyone(), false, byService, yes},
		"everybody is also who did not sign in":                   {iam.Anyone(), false, byNobody, yes},
		"a star as AWS is everybody as well":                      {aws("*"), false, byService, yes},
		"a role by its ARN":                                       {aws(role), false, byRole, yes},
		"a role by its ARN, in a session":                         {aws(role), false, bySession, yes},
		"another account's role":                                  {aws(other), false, byRole, no},
		"an account by its id":                                    {aws(account), false, byRole, yes},
		"an account by its root":                                  {aws(root), false, bySession, yes},
		"another account by its id":                               {aws("222222222222"), false, byRole, no},
		"a session by its ARN":                                    {aws(session), false, bySession, yes},
		"another session of the role":                             {aws("arn:aws:sts::" + account + ":assumed-role/app/two"), false, bySession, no},
		"a session of the role, where the session is not known":   {aws(session), false, byRole, unsure},
		"a session of another role":                               {aws("arn:aws:sts::" + account + ":assumed-role/ci/one"), false, byRole, no},
		"an ARN with a wildcard, which AWS refuses":               {aws("arn:aws:iam::" + account + ":role/*"), false, byRole, unsure},
		"an ARN with a wildcard for another account":              {aws("arn:aws:iam::222222222222:role/*"), false, byRole, no},
		"an id that does not say whose it is":                     {aws("AROAEXAMPLEEXAMPLE"), false, byRole, unsure},
		"an id, for who did not sign in":                          {aws("AROAEXAMPLEEXAMPLE"), false, byNobody, no},
		"a canonical user":                                        {&iam.Principal{CanonicalUser: iam.Values{"79a5"}}, false, byRole, unsure},
		"a service":                                               {iam.Services("logs.amazonaws.com"), false, byService, yes},
		"another service":                                         {iam.Services("sns.amazonaws.com"), false, byService, no},
		"a service is no role":                                    {iam.Services("logs.amazonaws.com"), false, byRole, no},
		"an identity provider":                                    {&iam.Principal{Federated: iam.Values{issuer}}, false, byIssuer, yes},
		"an identity provider is no role":                         {&iam.Principal{Federated: iam.Values{issuer}}, false, byRole, no},
		"nobody at all":                                           {&iam.Principal{}, false, byRole, no},
		"not another account, which is everybody here":            {aws(other, "222222222222"), true, byRole, yes},
		"not the role and its account":                            {aws(role, root), true, byRole, no},
		"not the role, by its ARN alone: AWS may ask the account": {aws(role), true, byRole, unsure},
		"not the account alone: AWS may ask the role":             {aws(root), true, byRole, unsure},
		"not the account, where its root calls":                   {aws(account), true, byRoot, no},
		"not the service":                                         {iam.Services("logs.amazonaws.com"), true, byService, no},
		"not a service, where a role calls":                       {iam.Services("logs.amazonaws.com"), true, byRole, yes},
		"not the role, where nobody signed in":                    {aws(role, root), true, byNobody, yes},
		"not everybody":                                           {iam.Anyone(), true, byRole, no},
	} {
		t.Run(name, func(t *testing.T) {
			s := iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, Resource: iam.Values{"*"}}
			if tt.not {
				s.NotPrincipal = tt.principal
			} else {
				s.Principal = tt.principal
			}
			r := tt.request
			r.Action, r.Resource = "a:B", "*"
			if _, got := iam.New(s).Denial(r); got.String() != tt.answer {
				t.Errorf("%s: %s, want %s", s, got, tt.answer)
			}
		})
	}
}

func TestAnAllowWithNotPrincipalAllowsNothing(t *testing.T) {
	doc := iam.New(iam.Statement{Effect: iam.Allow, NotPrincipal: iam.Principals(other), Action: iam.Values{"*"}, Resource: iam.Values{"*"}})
	if got := doc.Evaluate(iam.Request{Action: "a:B", Resource: "*", Principal: role}); got != iam.Undecided {
		t.Errorf("Evaluate: %s, want undecided", got)
	}
}
