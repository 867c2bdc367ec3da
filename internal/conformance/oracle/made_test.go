package oracle_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"freehold.dev/freehold/internal/iam"
)

const region = "eu-central-1"

// org is what an onboarding made of policies, read from the states that it left.
type org struct {
	name, account string
	// access is the name of the role by which Freehold gets into the account.
	access string
	// provisioner is who may assume the phase roles, with the external id.
	provisioner, externalID string

	service, resource [][]iam.Document
	boundary          iam.Document
	roles             map[string]role         // by name
	policies          map[string]iam.Document // of buckets and keys, by ARN
	keys              map[string]string       // ARNs, by the end of their alias
}

type role struct {
	arn      string
	trust    iam.Document
	identity []iam.Document
	bounded  bool
}

// onboarded returns two orgs as onboardings in the sandbox left them: acme has a
// vended account, and initech has brought its own.
func onboarded(t *testing.T) (acme, initech *org) {
	t.Helper()
	tools, err := filepath.Abs(os.Getenv("FREEHOLD_TOOLS"))
	if err != nil {
		t.Fatal(err)
	}
	m := machine{t: t, tools: tools, home: t.TempDir()}
	t.Cleanup(func() {
		if out, err := m.command(context.Background(), "sandbox", "reset", "--yes").CombinedOutput(); err != nil {
			t.Errorf("sandbox reset: %v\n%s", err, out)
		}
	})
	const brought, external = "444455556666", "initech-7f3a91c05e"
	if out, err := m.command(t.Context(), "sandbox", "account", brought, "--role", "freehold-access", "--external-id", external).CombinedOutput(); err != nil {
		t.Fatalf("sandbox account: %v\n%s", err, out)
	}
	var wait sync.WaitGroup
	for name, account := range map[string]string{
		"acme":    "  email: aws+acme@example.com",
		"initech": "  mode: existing\n  roleArn: arn:aws:iam::" + brought + ":role/freehold-access\n  externalId: " + external,
	} {
		wait.Go(func() { m.onboard(name, account) })
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	acme, initech = m.read("acme"), m.read("initech")
	acme.access, initech.access = "OrganizationAccountAccessRole", "freehold-access"
	if acme.service == nil || acme.resource == nil || initech.service != nil {
		t.Fatal("the vended account is to have policies of the organization, and the other one none")
	}
	return acme, initech
}

// machine is where freehold runs, with a sandbox of its own.
type machine struct {
	t           *testing.T
	tools, home string
}

func (m machine) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(m.tools, "freehold"), append([]string{"--sandbox"}, args...)...)
	c.Env = append(os.Environ(), "FREEHOLD_HOME="+m.home, "FREEHOLD_TOOLS="+m.tools)
	return c
}

// onboard onboards an org as far as AWS has a part in it: the last layer is inside
// of the cluster, and is not waited for.
func (m machine) onboard(name, account string) {
	m.t.Helper()
	file := filepath.Join(m.home, name+".yaml")
	doc := fmt.Sprintf(`apiVersion: freehold.dev/v1alpha1
kind: DataPlane
org: %s
region: %s
account:
%s
projects:
- name: shop
  serviceAccounts: [{name: uploader, podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}}]
`, name, region, account)
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		m.t.Error(err)
		return
	}
	c := m.command(m.t.Context(), "onboard", "-f", file, "-o", "ndjson")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		m.t.Error(err)
		return
	}
	stopped := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var e struct {
			Type string
			Data struct{ Layer string }
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && !stopped && strings.HasSuffix(e.Type, "layer.started") && e.Data.Layer == "bootstrap" {
			stopped = true
			if err := c.Process.Signal(os.Interrupt); err != nil {
				m.t.Error(err)
			}
		}
	}
	if err := c.Wait(); !stopped {
		m.t.Errorf("onboard %s ended before its last layer: %v\n%s", name, err, &stderr)
	}
}

// read reads the org's states.
func (m machine) read(name string) *org {
	m.t.Helper()
	o := &org{name: name, roles: map[string]role{}, policies: map[string]iam.Document{}, keys: map[string]string{}}
	parse := func(text any) iam.Document {
		m.t.Helper()
		doc, err := iam.Parse(fmt.Sprint(text))
		if err != nil {
			m.t.Fatalf("%s: %v", name, err)
		}
		return doc
	}
	for _, layer := range []string{"account", "boundary", "cluster"} {
		raw, err := os.ReadFile(filepath.Join(m.home, "sandbox", "state", ".pulumi", "stacks", "freehold", name+"."+layer+".json"))
		if err != nil {
			m.t.Fatal(err)
		}
		var state struct {
			Checkpoint struct {
				Latest struct {
					Resources []struct {
						Type, ID string
						Outputs  map[string]any
					}
				}
			}
		}
		if err := json.Unmarshal(raw, &state); err != nil {
			m.t.Fatal(err)
		}
		for _, r := range state.Checkpoint.Latest.Resources {
			out := func(key string) string { s, _ := r.Outputs[key].(string); return s }
			switch r.Type {
			case "aws:organizations/policy:Policy":
				levels := &o.service
				if out("type") == "RESOURCE_CONTROL_POLICY" {
					levels = &o.resource
				}
				if *levels == nil {
					*levels = [][]iam.Document{nil}
				}
				(*levels)[0] = append((*levels)[0], parse(out("content")))
			case "aws:iam/policy:Policy":
				if out("name") == "freehold-"+name+"-boundary" {
					o.boundary = parse(out("policy"))
				}
			case "aws:iam/role:Role":
				o.account = iam.AccountIn(out("arn"))
				o.roles[out("name")] = role{arn: out("arn"), trust: parse(out("assumeRolePolicy")), bounded: out("permissionsBoundary") != ""}
			case "aws:iam/rolePolicy:RolePolicy":
				of := o.roles[out("role")]
				of.identity = append(of.identity, parse(out("policy")))
				o.roles[out("role")] = of
			case "aws:s3/bucketPolicy:BucketPolicy":
				o.policies["arn:aws:s3:::"+out("bucket")] = parse(out("policy"))
			case "aws:kms/key:Key":
				o.policies[out("arn")] = parse(out("policy"))
			case "aws:kms/alias:Alias":
				alias := out("name")
				o.keys[alias[strings.LastIndexByte(alias, '-')+1:]] = out("targetKeyArn")
			}
		}
	}
	trust := o.roles["freehold-"+name+"-provision"].trust.Statement[0]
	o.provisioner, o.externalID = trust.Principal.AWS[0], trust.Condition["StringEquals"]["sts:ExternalId"][0]
	if o.service != nil { // AWS's own, which allows everything
		o.service[0] = append(o.service[0], full)
	}
	return o
}

// full is AWS's FullAWSAccess.
var full = iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}})
