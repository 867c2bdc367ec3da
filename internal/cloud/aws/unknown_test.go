package aws

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/unknown"
)

// denies is an AWS that says who asks, writes down what it is asked beside that,
// and refuses it.
type denies struct{ asked []string }

func (d *denies) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	if strings.Contains(string(body), "Action=GetCallerIdentity") {
		who := caller("arn:aws:iam::111122223333:role/provisioner")
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(who)), Request: r}, nil
	}
	d.asked = append(d.asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Amz-Target")+" "+string(body))
	answer := `<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>`
	return &http.Response{
		StatusCode: http.StatusForbidden, Header: http.Header{"X-Amzn-Errortype": {"AccessDenied"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// unknowns are all forms in which something that nobody knows may come.
func unknowns() []any {
	out := []any{unknown.Value{}, unknown.Value{Text: "arn:aws:iam::111122223333:role/x"}, unknown.Sealed}
	for _, mark := range []string{
		plugin.UnknownStringValue, plugin.UnknownBoolValue, plugin.UnknownNumberValue, plugin.UnknownAssetValue,
		plugin.UnknownArchiveValue, plugin.UnknownArrayValue, plugin.UnknownObjectValue,
	} {
		out = append(out, mark, "arn:aws:iam::"+mark+":role/x", mark+":arn:aws:eks:::cluster/x", map[string]any{"inner": mark}, []any{"x", mark})
	}
	return append(out, map[string]any{unknown.Signature: unknown.Secret, "ciphertext": unknown.Sealed})
}

// TestWhatIsNotKnownIsNotLookedUp puts what nobody knows into every input of
// every type that is looked up: into those that identify it, and into others.
func TestWhatIsNotKnownIsNotLookedUp(t *testing.T) {
	in := cloud.Account{ID: "111122223333", Region: "eu-central-1"}
	find := func(t *rapid.T, typ string, inputs map[string]any) ([]string, error) {
		c, err := Open(t.Context(), Options{Executable: "freehold", Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		var d denies
		c.base = aws.Config{
			Region: in.Region, HTTPClient: &d,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret-of-the-test", "session-of-the-test"),
		}
		id, err := c.Find(t.Context(), in, typ, inputs)
		if err == nil {
			t.Fatalf("%s was found: %q", typ, id)
		}
		return d.asked, err
	}
	all := slices.DeleteFunc(awstype.All(), func(r awstype.Row) bool { return r.Find == "" })
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SampledFrom(all).Draw(t, "row")
		inputs := map[string]any{}
		var identifies []string
		for _, choice := range row.By {
			identifies = append(identifies, rapid.SampledFrom(strings.Split(choice, "|")).Draw(t, "by"))
		}
		identifies = append(identifies, row.With...)
		for _, path := range identifies {
			if path == awstype.Tags {
				inputs[path] = tags("x")
			} else {
				set(inputs, path, "known-"+path)
			}
		}
		known, err := find(t, row.Token, inputs)
		if len(known) == 0 || errors.Is(err, cloud.ErrNotFound) {
			t.Fatalf("%s with %v is not looked up: %v", row.Token, inputs, err)
		}

		hidden := rapid.SampledFrom(unknowns()).Draw(t, "hidden")
		set(inputs, "description", hidden)
		set(inputs, "settings.deep", []any{hidden})
		asked, _ := find(t, row.Token, inputs)
		if diff := cmp.Diff(known, asked); diff != "" {
			t.Errorf("%s is looked up otherwise beside %v (-known +unknown):\n%s", row.Token, hidden, diff)
		}

		if len(identifies) == 0 {
			return // a setting that an account has once
		}
		path := rapid.SampledFrom(identifies).Draw(t, "path")
		if path == awstype.Tags {
			inputs[path].(map[string]any)[rapid.SampledFrom(awstype.IdentityTags).Draw(t, "tag")] = hidden
		} else {
			set(inputs, path, hidden)
		}
		if asked, err := find(t, row.Token, inputs); len(asked) > 0 || !errors.Is(err, cloud.ErrNotFound) {
			t.Errorf("%s with %s %v was looked up: %v\n%q", row.Token, path, hidden, err, asked)
		}
	})
}

// set puts a value where a path leads.
func set(in map[string]any, path string, v any) {
	key, rest, nested := strings.Cut(path, ".")
	if !nested {
		in[key] = v
		return
	}
	inner, is := in[key].(map[string]any)
	if !is {
		inner = map[string]any{}
		in[key] = inner
	}
	set(inner, rest, v)
}

// What the engine leaves open in one part of what identifies a thing could pass
// for another thing's: a policy without a kind is a service control policy, and
// a rule without a port begins at port 0.
func TestWhatIsKnownInPartIsNotTakenForAnother(t *testing.T) {
	for reason, tc := range map[string]struct {
		typ    string
		inputs map[string]any
	}{
		"a policy of an unknown kind":  {awstype.OrganizationsPolicy, map[string]any{"name": "acme-data", "type": unknown.Value{}}},
		"a rule from an unknown port":  {awstype.EC2IngressRule, map[string]any{"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": unknown.Value{}, "toPort": 443.0}},
		"a rule for an unknown group":  {awstype.EC2EgressRule, map[string]any{"securityGroupId": "sg-1", "ipProtocol": "-1", "referencedSecurityGroupId": unknown.Value{}}},
		"a log of unknown traffic":     {awstype.EC2FlowLog, map[string]any{"vpcId": "vpc-1", "logDestination": "arn:x", "trafficType": unknown.Value{}}},
		"a gateway with tags only":     {awstype.EC2NATGateway, map[string]any{"allocationId": unknown.Value{}, awstype.Tags: tags("x")}},
		"the second part of three":     {awstype.EKSAccessPolicyAssociation, map[string]any{"clusterName": "acme", "principalArn": plugin.UnknownStringValue, "policyArn": "arn:p"}},
		"an attachment of what is not": {awstype.OrganizationsAttachment, map[string]any{"policyId": plugin.UnknownStringValue, "targetId": "111122223333"}},
	} {
		t.Run(reason, func(t *testing.T) {
			c, asked := answers{}.cloud(t)
			_, err := c.Find(t.Context(), cloud.Account{ID: "111122223333", Region: "eu-central-1"}, tc.typ, tc.inputs)
			if !errors.Is(err, cloud.ErrNotFound) || len(asked()) > 0 {
				t.Errorf("got %v, asked %q", err, asked())
			}
		})
	}
}
