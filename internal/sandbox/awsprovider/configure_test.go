package awsprovider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestProvidersAreWhoTheySayTheyAre configures providers as programs do.
func TestProvidersAreWhoTheySayTheyAre(t *testing.T) {
	w := newWorld(t, "none")
	m := w.management()
	id, l := w.vended("acme")
	trust := func(principal, condition string) string {
		return statement1(`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"` + condition + `}`)
	}
	guarded := `,"Condition":{"StringEquals":{"sts:ExternalId":"secret"}}`
	l.must("guarded", roleToken, props{"name": "guarded", "assumeRolePolicy": trust(Provisioner, guarded)})
	l.must("inner", roleToken, props{"name": "inner", "assumeRolePolicy": trust(id, "")})
	l.must("service", roleToken, props{"name": "service", "assumeRolePolicy": ec2Trust})
	l.must("denied", roleToken, props{"name": "denied", "assumeRolePolicy": statement1(
		`{"Effect":"Allow","Principal":{"AWS":"` + ManagementAccount + `"},"Action":"sts:*"},{"Effect":"Deny","Principal":{"AWS":"` + Provisioner + `"},"Action":"sts:AssumeRole"}`)})
	l.must("org", roleToken, props{"name": "org", "assumeRolePolicy": statement1(
		`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"` + OrganizationID + `"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/freehold-*"}}}`)})
	// A denial that the sandbox cannot evaluate, or could not: it holds all the same.
	denying := func(name, denial string) {
		l.must(name, roleToken, props{"name": name, "assumeRolePolicy": statement1(
			`{"Effect":"Allow","Principal":{"AWS":"` + Provisioner + `"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":"*","Action":"sts:*",` + denial + `}`)})
	}
	denying("from-outside", `"Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`)
	denying("by-now", `"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`)
	denying("not-yet", `"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2120-01-01T00:00:00Z"}}`)
	denying("encrypted", `"Condition":{"Bool":{"aws:SecureTransport":"true"}}`)
	denying("not-by-hand", `"Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}`)
	denying("other-session", `"Condition":{"ForAnyValue:StringNotLike":{"sts:RoleSessionName":"pulumi*"}}`)
	denying("capitals", `"Condition":{"StringNotEqualsIgnoreCase":{"aws:PrincipalAccount":"`+ManagementAccount+`"}}`)
	l.must("small", roleToken, props{"name": "small", "assumeRolePolicy": statement1(
		`{"Effect":"Allow","Principal":{"AWS":"` + Provisioner + `"},"Action":"sts:assumerole"}`)})
	m.must("closed", accountToken, props{"email": "closed@x.example", "closeOnDeletion": true})
	closed := m.made["closed"].id
	if err := m.delete("closed"); err != nil {
		t.Fatal(err)
	}
	if err := w.backend.Adopt(t.Context(), "222222222222", "freehold", "ext"); err != nil {
		t.Fatal(err)
	}
	role := func(account, name string) props {
		return props{"roleArn": "arn:aws:iam::" + account + ":role/" + name}
	}
	with := func(p props, external string) props { p["externalId"] = external; return p }

	const refusal = "AccessDenied: User: " + Provisioner + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::"
	cases := map[string]struct {
		config props
		want   string // empty: it is configured
	}{
		"management, allowed":                       {props{"allowedAccountIds": []any{ManagementAccount}}, ""},
		"management where a customer's is meant":    {props{"allowedAccountIds": []any{id}}, "AWS account ID not allowed: " + ManagementAccount},
		"management, forbidden":                     {props{"forbiddenAccountIds": []any{ManagementAccount}}, "AWS account ID not allowed: " + ManagementAccount},
		"a customer's access role":                  {props{"assumeRole": role(id, VendedRole), "allowedAccountIds": []any{id}}, ""},
		"a customer's where another's is meant":     {props{"assumeRole": role(id, VendedRole), "allowedAccountIds": []any{"222222222222"}}, "AWS account ID not allowed: " + id},
		"an account that is not there":              {props{"assumeRole": role("333333333333", "x")}, refusal + "333333333333:role/x"},
		"an account that is closed":                 {props{"assumeRole": role(closed, VendedRole)}, refusal + closed},
		"a role that is not there":                  {props{"assumeRole": role(id, "none")}, refusal + id + ":role/none"},
		"a role that trusts a service only":         {props{"assumeRole": role(id, "service")}, refusal},
		"a role that trusts its own account only":   {props{"assumeRole": role(id, "inner")}, refusal},
		"a role that denies the provisioner":        {props{"assumeRole": role(id, "denied")}, refusal},
		"a role that denies other networks":         {props{"assumeRole": role(id, "from-outside")}, refusal},
		"a role that denies after a day":            {props{"assumeRole": role(id, "by-now")}, refusal},
		"a role that denies after a later day":      {props{"assumeRole": role(id, "not-yet")}, ""},
		"a role that denies calls over TLS":         {props{"assumeRole": role(id, "encrypted")}, refusal},
		"a role that denies a tag nobody knows of":  {props{"assumeRole": role(id, "not-by-hand")}, refusal},
		"a role that denies other sessions":         {props{"assumeRole": role(id, "other-session")}, ""},
		"a role that denies other accounts":         {props{"assumeRole": role(id, "capitals")}, ""},
		"a role that allows in other letters":       {props{"assumeRole": role(id, "small")}, ""},
		"a role that trusts the organization":       {props{"assumeRole": role(id, "org")}, ""},
		"a role whose external id is right":         {props{"assumeRole": with(role(id, "guarded"), "secret")}, ""},
		"a role whose external id is wrong":         {props{"assumeRole": with(role(id, "guarded"), "guess")}, refusal},
		"a role whose external id is not given":     {props{"assumeRole": role(id, "guarded")}, refusal},
		"a customer's own account":                  {props{"assumeRole": with(role("222222222222", "freehold"), "ext")}, ""},
		"a customer's own account, wrong id":        {props{"assumeRole": with(role("222222222222", "freehold"), "")}, refusal},
		"something that is no role":                 {props{"assumeRole": props{"roleArn": "arn:aws:iam::" + id + ":user/x"}}, "ValidationError"},
		"a region that there is not":                {props{"region": "eu-west-9"}, `invalid AWS Region: eu-west-9; did you mean "eu-west-1"?`},
		"the role as the SDK sends it, a JSON text": {props{"assumeRole": `{"roleArn":"arn:aws:iam::` + id + `:role/` + VendedRole + `"}`}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.config["region"] == nil {
				tc.config["region"] = "eu-west-1"
			}
			_, err := w.connect(tc.config)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAProvidersSettingsAreChecked(t *testing.T) {
	l := newWorld(t, "none").management()
	cases := map[string]struct {
		config props
		want   []string
	}{
		"what Freehold gives":     {props{"region": "eu-west-1", "allowedAccountIds": `["1"]`, "assumeRole": `{"roleArn":"arn:aws:iam::222222222222:role/x"}`, "skipRegionValidation": "true", "version": "6.83.0"}, nil},
		"a role that is no ARN":   {props{"assumeRole": `{"roleArn":"x"}`}, []string{"assumeRole.roleArn: (x) is an invalid ARN"}},
		"a role under two names":  {props{"assumeRole": `{"roleARN":"x"}`}, []string{`assumeRole.roleARN: unknown property; did you mean "roleArn"?`}},
		"default tags":            {props{"defaultTags": `{"tags":{"a":"b"}}`}, []string{"defaultTags: the sandbox does not offer it: set tags on each resource"}},
		"one account, not a list": {props{"allowedAccountIds": "1"}, []string{"allowedAccountIds: expected a list, got a number"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			news, err := write("news", tc.config, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.client.CheckConfig(t.Context(), &pulumirpc.CheckRequest{Urn: "urn:pulumi:a::b::pulumi:providers:aws::x", News: news})
			if err != nil {
				t.Fatal(err)
			}
			var reasons []string
			for _, f := range got.GetFailures() {
				reasons = append(reasons, f.GetReason())
			}
			if strings.Join(reasons, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("got %q, want %q", reasons, tc.want)
			}
		})
	}
}

func TestANewAccountIsNotUsableAtOnce(t *testing.T) {
	w := newWorld(t, "realistic/100000")
	id, l := w.vended("new")
	if err := l.create("early", keyToken, props{}); err == nil || !strings.Contains(err.Error(), "OptInRequired") {
		t.Errorf("a regional service answered at once: %v", err)
	}
	l.must("role", roleToken, props{"name": "early", "assumeRolePolicy": ec2Trust})
	w.now = w.now.Add(accountUsable)
	if err := l.create("late", keyToken, props{}); err != nil {
		t.Errorf("account %s did not answer in the end: %v", id, err)
	}
}

func TestAnAccountThatIsClosedAnswersNoMore(t *testing.T) {
	w := newWorld(t, "none")
	id, l := w.vended("leaves")
	l.must("key", keyToken, props{})
	if found, err := w.backend.CloseAccount(t.Context(), id); !found || err != nil {
		t.Fatal(found, err)
	}
	for what, err := range map[string]error{
		"create": l.create("role", roleToken, props{"name": "late", "assumeRolePolicy": ec2Trust}),
		"update": l.update("key", props{"description": "late"}),
		"delete": l.delete("key"),
	} {
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException: The account "+id+" is SUSPENDED") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
