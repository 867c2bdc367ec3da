package rule

import "testing"

func TestAnAccountIsFoundInEveryFormThatAWSWrites(t *testing.T) {
	for text, want := range map[string]string{
		"210987654321": "210987654321",
		"arn:aws:kms:eu-central-1:210987654321:key/data":                             "210987654321",
		"arn:aws-cn:iam::210987654321:role/x":                                        "210987654321",
		"210987654321/sg-0abc":                                                       "210987654321",
		"210987654321.dkr.ecr.eu-central-1.amazonaws.com":                            "210987654321",
		"210987654321.dkr.ecr.eu-central-1.amazonaws.com/team/app@sha256:00":         "210987654321",
		"https://210987654321.dkr.ecr.eu-central-1.amazonaws.com":                    "210987654321",
		"https://sqs.eu-central-1.amazonaws.com/210987654321/jobs":                   "210987654321",
		"arn:aws:s3:::acme-210987654321":                                             "",
		"arn:aws:iam::aws:policy/SecurityAudit":                                      "",
		"acme-210987654321":                                                          "",
		"2109876543210":                                                              "",
		"https://example.com/210987654321/jobs":                                      "",
		"arn:aws:kms:eu-central-1:2109876543210:key/data":                            "",
		"arn:aws:lambda:eu-central-1:210987654321:function:arn:aws:iam::1234:role/x": "210987654321",
	} {
		if got := AccountNamed(text); got != want {
			t.Errorf("%s: account %q, want %q", text, got, want)
		}
	}
}

func TestAPathReachesEveryElementAndStopsAtWhatIsNotKnown(t *testing.T) {
	r := Resource{Properties: map[string]any{
		"rules": []any{
			map[string]any{"copy": []any{map[string]any{"to": "a"}, map[string]any{"to": "b"}}},
			map[string]any{"copy": map[string]any{"to": []any{"c"}}},
			map[string]any{"copy": Unknown{}},
			map[string]any{},
		},
	}}
	want := map[string]any{
		"rules[0].copy[0].to": "a", "rules[0].copy[1].to": "b", "rules[1].copy.to[0]": "c", "rules[2].copy.to": Unknown{},
	}
	got := map[string]any{}
	for _, v := range r.Values().All("rules.copy.to") {
		got[v.Path] = v.Raw
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for path, v := range want {
		if got[path] != v {
			t.Errorf("%s is %v, want %v", path, got[path], v)
		}
	}
}

func TestAProvidersInputsAreReadThoughTheyAreJSONInText(t *testing.T) {
	r := Resource{Properties: map[string]any{"allowedAccountIds": `["1","2"]`, "assumeRole": `{"roleArn":"r"}`, "text": "[plain"}}
	if got := r.Values().Get("assumeRole", "roleArn").Text(); got != "r" {
		t.Errorf("roleArn is %q", got)
	}
	if got := r.Values().Get("allowedAccountIds").Each(); len(got) != 2 || got[1].Text() != "2" {
		t.Errorf("accounts are %v", got)
	}
	if got := r.Values().Get("text").Each(); len(got) != 1 || got[0].Text() != "[plain" {
		t.Errorf("text is %v", got)
	}
}
