package engine

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

const salt = "v1:KaS8SD/7SDA=:v1:iv3DaD37GhJSMFma:o/63jQBokwKCpfEzrHK3PLjKLgU9qA=="

// What pulumi 3.250 writes at "stack init": first this, then the second.
const (
	beginning = `{"version":3,"checkpoint":{"stack":"organization/freehold/acme.account"}}`
	initial   = `{"version":3,"checkpoint":{"stack":"organization/freehold/acme.account","latest":{"manifest":{"time":"2026-11-29T00:06:56Z",
		"magic":"9efd","version":"v3.250.0"},"secrets_providers":{"type":"passphrase","state":{"salt":"` + salt + `"}},"metadata":{}}}}`
)

func TestAStoredStateIsRead(t *testing.T) {
	key := Key{Type: "passphrase", State: json.RawMessage(`{"salt":"` + salt + `"}`)}
	const resources = `"resources":[
		{"urn":"u1","custom":false,"type":"pulumi:pulumi:Stack","outputs":{"a":[1,{"b":null}]}},
		{"urn":"u2","custom":true,"id":"1","type":"pulumi:providers:aws"},
		{"urn":"u3","custom":true,"id":"vpc-1","type":"aws:ec2/vpc:Vpc","inputs":{"cidrBlock":"10.0.0.0/16"}},
		{"urn":"u4","custom":true,"id":"vpc-2","type":"aws:ec2/vpc:Vpc","delete":true},
		{"urn":"u5","custom":true,"external":true,"id":"x","type":"pulumi:pulumi:StackReference"},
		{"urn":"u6","type":"freehold:index:Network"}]`
	for reason, tc := range map[string]struct {
		text string
		want checkpoint
	}{
		"killed at the first write of its creation":  {beginning, checkpoint{}},
		"made, and nothing in it":                    {initial, checkpoint{Key: key}},
		"an export of a stack that was just made":    {`{"version":3,"deployment":null}`, checkpoint{}},
		"an explicit null, as earlier CLIs write it": {`{"version":3,"checkpoint":{"stack":"s","latest":null}}`, checkpoint{}},
		"resources, with what is to be deleted and without what is only read": {
			`{"version":3,"features":["x"],"checkpoint":{"stack":"s","latest":{"manifest":{},"secrets_providers":{"type":"passphrase","state":{"salt":"` +
				salt + `"}},` + resources + `,"pending_operations":[{"resource":{"urn":"urn:pulumi:s::p::a:b/c:C$aws:ec2/eip:Eip::nat"},"type":"creating"}],"metadata":{}}}}`,
			checkpoint{Key: key, Custom: 3, Providers: 1, Pending: 1, Types: map[string]bool{"aws:ec2/vpc:Vpc": true, "aws:ec2/eip:Eip": true}},
		},
		"an export, as the CLI indents it": {
			"{\n    \"version\": 3,\n    \"deployment\": {\n        " + resources + ", \"pending_operations\": null\n    }\n}\n",
			checkpoint{Custom: 3, Providers: 1, Types: map[string]bool{"aws:ec2/vpc:Vpc": true}},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			got, err := readCheckpoint(strings.NewReader(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(checkpoint{}, "visit")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A damaged state is not an empty one.
func TestADamagedStateIsAnError(t *testing.T) {
	damaged := map[string]string{
		"an empty file":                 "",
		"nothing but a space":           "\n",
		"another document":              `{"version":3}`,
		"not an object":                 `[]`,
		"not JSON":                      `<html>504</html>`,
		"resources that are no list":    `{"deployment":{"resources":{}}}`,
		"a resource that is no object":  `{"deployment":{"resources":[7]}}`,
		"a provider that is no object":  `{"deployment":{"secrets_providers":"passphrase"}}`,
		"a checkpoint that is a number": `{"checkpoint":3}`,
	}
	// Wherever it was cut off.
	for i := range initial {
		damaged["cut off: "+initial[:i]] = initial[:i]
	}
	for reason, text := range damaged {
		if got, err := readCheckpoint(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error, %+v", reason, got)
		}
	}
}

func TestTheSettingsOfAWorkspaceComeFromTheStoredKey(t *testing.T) {
	for reason, tc := range map[string]struct {
		key  Key
		want *workspace.ProjectStack // nil: an error
	}{
		"a passphrase": {
			Key{"passphrase", json.RawMessage(`{"salt":"` + salt + `"}`)}, &workspace.ProjectStack{EncryptionSalt: salt},
		},
		"a key of a cloud": {
			Key{"cloud", json.RawMessage(`{"url":"awskms://alias/freehold-acme?region=eu-west-1","encryptedkey":"AQIDAHg="}`)},
			&workspace.ProjectStack{SecretsProvider: "awskms://alias/freehold-acme?region=eu-west-1", EncryptedKey: "AQIDAHg="},
		},
		"a key that the backend holds":  {Key{"service", json.RawMessage(`{"url":"https://api.pulumi.com"}`)}, &workspace.ProjectStack{}},
		"nothing was encrypted yet":     {Key{}, &workspace.ProjectStack{}},
		"a passphrase without a salt":   {Key{"passphrase", json.RawMessage(`{}`)}, nil},
		"a passphrase without a state":  {Key{Type: "passphrase"}, nil},
		"a key that is not there":       {Key{"cloud", json.RawMessage(`{"url":"awskms://x"}`)}, nil},
		"a key that is no object":       {Key{"cloud", json.RawMessage(`7`)}, nil},
		"a provider that nobody knows":  {Key{Type: "rot13"}, nil},
		"plain text, of an old rarity":  {Key{Type: "b64"}, nil},
		"a salt that is not even words": {Key{"passphrase", json.RawMessage(`{"salt":7}`)}, nil},
	} {
		t.Run(reason, func(t *testing.T) {
			got, err := tc.key.settings()
			if (err != nil) != (tc.want == nil) {
				t.Fatalf("error %v", err)
			}
			if err == nil {
				if d := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(workspace.ProjectStack{})); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
		})
	}
}
