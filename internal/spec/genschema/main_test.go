package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	validator "github.com/santhosh-tekuri/jsonschema/v5"
	"go.yaml.in/yaml/v3"
)

const committed = "../../docs/schema/dataplane.schema.json"

func TestTheCommittedSchemaIsFresh(t *testing.T) {
	t.Chdir("..")
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./internal/spec (-generated +committed):\n%s", diff)
	}
}

func compile(t *testing.T) *validator.Schema {
	t.Helper()
	t.Chdir("..")
	text, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := validator.CompileString("dataplane.schema.json", string(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// document reads YAML as JSON values, which is what a schema judges.
func document(t *testing.T, text []byte) any {
	t.Helper()
	var fromYAML any
	if err := yaml.Unmarshal(text, &fromYAML); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(asJSON))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestEveryExampleFitsTheSchema(t *testing.T) {
	schema := compile(t)
	examples, err := filepath.Glob("../../docs/examples/*.yaml")
	if err != nil || len(examples) < 6 {
		t.Fatalf("examples: %v, %v", examples, err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document(t, text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if header := "# yaml-language-server: $schema=../schema/dataplane.schema.json\n"; !bytes.HasPrefix(text, []byte(header)) {
			t.Errorf("%s does not name its schema", path)
		}
	}
}

func TestTheSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	schema := compile(t)
	for reason, text := range map[string]string{
		"org is required":                    "{region: eu-central-1, account: {email: a@example.com}}",
		"org is a DNS label":                 "{org: A_B, region: eu-central-1, account: {email: a@example.com}}",
		"region is a known one":              "{org: acme, region: eu-central-9, account: {email: a@example.com}}",
		"a vended account needs an e-mail":   "{org: acme, region: eu-central-1, account: {}}",
		"an existing account needs a role":   "{org: acme, region: eu-central-1, account: {mode: existing}}",
		"an existing account has no e-mail":  "{org: acme, region: eu-central-1, account: {mode: existing, roleArn: 'arn:aws:iam::123456789012:role/r', externalId: abc, email: a@example.com}}",
		"unknown fields":                     "{org: acme, region: eu-central-1, account: {email: a@example.com}, colour: blue}",
		"unknown fields further down":        "{org: acme, region: eu-central-1, account: {email: a@example.com, colour: blue}}",
		"a version is text":                  "{org: acme, region: eu-central-1, account: {email: a@example.com}, cluster: {version: 1.35}}",
		"a version is a supported one":       "{org: acme, region: eu-central-1, account: {email: a@example.com}, cluster: {version: '1.29'}}",
		"a public endpoint needs a list":     "{org: acme, region: eu-central-1, account: {email: a@example.com}, cluster: {endpoint: {access: public}}}",
		"a retention is one of CloudWatch's": "{org: acme, region: eu-central-1, account: {email: a@example.com}, network: {flowLogRetentionDays: 10}}",
		"two zones at least":                 "{org: acme, region: eu-central-1, account: {email: a@example.com}, network: {zones: [{name: eu-central-1a}]}}",
		"a port has an upper end":            "{org: acme, region: eu-central-1, account: {email: a@example.com}, projects: [{name: a, egress: [{cidr: 10.0.0.0/8, ports: [65536]}]}]}",
		"a member is a group or a user":      "{org: acme, region: eu-central-1, account: {email: a@example.com}, projects: [{name: a, members: [{group: g, user: u, role: admin}]}]}",
		"tags have a small alphabet":         "{org: acme, region: eu-central-1, account: {email: a@example.com}, tags: {a: '<'}}",
	} {
		if err := schema.Validate(document(t, []byte(text))); err == nil {
			t.Errorf("%s: the schema accepts %s", reason, text)
		}
	}
}
