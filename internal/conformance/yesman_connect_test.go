package conformance_test

import (
	"maps"
	"regexp"
	"testing"

	"freehold.dev/freehold/internal/conformance/lab"
)

// connections are settings of the provider that AWS or the provider refuses,
// each put over settings that are right: those of a stack in the org's account,
// or in an account that a customer brought.
var connections = []struct {
	name    string
	adopted bool
	role    props // over assumeRole
	config  props // over all
	because string
}{
	{name: "an account that is not allowed", config: props{"allowedAccountIds": []any{"999999999999"}}, because: "not allowed"},
	{name: "whoever is signed in, instead of the role", config: props{"assumeRole": gone}, because: "not allowed"},
	{name: "an account that is allowed and forbidden", config: props{"forbiddenAccountIds": []any{"999999999999"}}, because: "conflict"},
	{name: "a role that is not there", role: props{"roleArn": "arn:aws:iam::$(account):role/nobody"}, because: "AccessDenied"},
	{name: "a role in no such account", role: props{"roleArn": "arn:aws:iam::999999999999:role/" + lab.AccessRole}, because: "AccessDenied"},
	{name: "a role that trusts a service only", role: props{"roleArn": "$(inline-role.arn)"}, because: "AccessDenied"},
	{name: "a role that is no ARN", role: props{"roleArn": lab.AccessRole}, because: "ARN"},
	{name: "a session with a name of one character", role: props{"sessionName": "f"}, because: "session_?name"},
	{name: "a setting that there is not", config: props{"allowedAccounts": []any{"999999999999"}}, because: "allowedAccounts"},
	{name: "an allowed account that is no number", config: props{"allowedAccountIds": "everyone"}, because: "allowedAccountIds"},
	{name: "a region that there is not", config: props{"region": "eu-nowhere-1", "skipRegionValidation": false}, because: "region"},
	{name: "another external id", adopted: true, role: props{"externalId": "guessed"}, because: "AccessDenied"},
	{name: "no external id", adopted: true, role: props{"externalId": gone}, because: "AccessDenied"},
	{name: "an external id of one character", adopted: true, role: props{"externalId": "x"}, because: "external_?id"},
}

func over(base, change props) props {
	out := maps.Clone(base)
	for k, v := range change {
		out[k] = v
		if v == gone {
			delete(out, k)
		}
	}
	return out
}

// TestWhoMayConnect holds the settings of the sandbox's provider against the
// genuine one's: it is by them that no stack reaches another customer's account.
func TestWhoMayConnect(t *testing.T) {
	t.Parallel()
	theirs, ours := chains(t)
	twin := func(t *testing.T, w *world, adopted bool) props {
		t.Helper()
		base := props{"region": lab.Region, "allowedAccountIds": []any{adoptedAccount}, "skipCredentialsValidation": false, "skipRegionValidation": true,
			"assumeRole": props{"roleArn": w.chain.adopted, "externalId": adoptedID, "sessionName": "freehold"}}
		if adopted {
			return base
		}
		account, err := w.thing(t, "account")
		if err != nil {
			t.Fatal(err)
		}
		return over(base, orgConfig(account.id))
	}
	for _, w := range []*world{theirs, ours} {
		for _, adopted := range []bool{false, true} {
			if _, err := w.chain.connect(t, twin(t, w, adopted)); err != nil {
				t.Fatalf("%s: the settings that are right are refused: %v", w.chain.name, err)
			}
		}
	}
	for _, c := range connections {
		t.Run(c.name, func(t *testing.T) {
			for _, w := range []*world{theirs, ours} {
				config := twin(t, w, c.adopted)
				config["assumeRole"] = over(config["assumeRole"].(props), c.role)
				filled, err := w.value(t, over(config, c.config), "")
				if err != nil {
					t.Fatal(err)
				}
				_, err = w.chain.connect(t, filled.(props))
				t.Logf("%s: %v", w.chain.name, err)
				switch {
				case err == nil:
					t.Errorf("%s says yes", w.chain.name)
				case !regexp.MustCompile("(?is)" + c.because).MatchString(err.Error()):
					t.Errorf("%s refuses it, but not because of %q", w.chain.name, c.because)
				}
			}
		})
	}
}
