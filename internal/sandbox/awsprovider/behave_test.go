package awsprovider

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"freehold.dev/freehold/internal/sandbox/store"
)

// TestChangesReplaceWhatAWSCannotChange has each type's rules of replacement.
func TestChangesReplaceWhatAWSCannotChange(t *testing.T) {
	w := newWorld(t, "none")
	m := w.management()
	id, l := w.vended("changes")
	for _, th := range organized {
		m.must(th.name, th.token, th.in)
	}
	for _, th := range estate(id) {
		l.must(th.name, th.token, th.in)
	}
	type kind = pulumirpc.PropertyDiff_Kind
	const (
		update  = pulumirpc.PropertyDiff_UPDATE
		replace = pulumirpc.PropertyDiff_UPDATE_REPLACE
		add     = pulumirpc.PropertyDiff_ADD
		remove  = pulumirpc.PropertyDiff_DELETE
	)
	cases := map[string]struct {
		lab   *lab
		of    string
		in    props
		want  map[string]kind
		first bool // the old one goes first
	}{
		"the description of a role":       {l, "role", props{"description": "x"}, map[string]kind{"description": add}, false},
		"the trust of a role":             {l, "role", props{"assumeRolePolicy": trustFor("eks.amazonaws.com")}, map[string]kind{"assumeRolePolicy": update}, false},
		"the spacing of a trust policy":   {l, "role", props{"assumeRolePolicy": " " + ec2Trust + "\n"}, map[string]kind{}, false},
		"the name of a role":              {l, "role", props{"name": "x"}, map[string]kind{"name": replace}, false},
		"the path of a role":              {l, "role", props{"path": "/x/"}, map[string]kind{"path": pulumirpc.PropertyDiff_ADD_REPLACE}, true},
		"one tag":                         {l, "role", props{"tags": props{"a": "c"}}, map[string]kind{"tags.a": update}, false},
		"another tag":                     {l, "role", props{"tags": props{"a": "b", "freehold.dev/org": "c"}}, map[string]kind{`tags["freehold.dev/org"]`: add}, false},
		"no tags":                         {l, "role", props{"tags": nil}, map[string]kind{"tags": remove}, false},
		"the description of a policy":     {l, "policy", props{"description": "x"}, map[string]kind{"description": pulumirpc.PropertyDiff_ADD_REPLACE}, true},
		"the text of a policy":            {l, "policy", props{"policy": denial}, map[string]kind{"policy": update}, false},
		"the policy of an attachment":     {l, "attached", props{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, map[string]kind{"policyArn": replace}, true},
		"the target of an alias":          {l, "alias", props{"targetKeyId": "x"}, map[string]kind{"targetKeyId": update}, false},
		"the use of a key":                {l, "key", props{"keyUsage": "SIGN_VERIFY"}, map[string]kind{"keyUsage": pulumirpc.PropertyDiff_ADD_REPLACE}, false},
		"the rotation of a key":           {l, "key", props{"enableKeyRotation": false}, map[string]kind{"enableKeyRotation": update}, false},
		"the name of a bucket":            {l, "bucket", props{"bucket": "other"}, map[string]kind{"bucket": replace}, false},
		"the versions of a bucket":        {l, "versioning", props{"versioningConfiguration": props{"status": "Suspended"}}, map[string]kind{"versioningConfiguration.status": update}, false},
		"the days in a list of rules":     {l, "lifecycle", props{"rules": []any{props{"id": "old", "status": "Enabled", "expiration": props{"days": 1.0}}}}, map[string]kind{"rules[0].expiration.days": update}, false},
		"one more rule":                   {l, "lifecycle", props{"rules": []any{props{"id": "old", "status": "Enabled", "expiration": props{"days": 400.0}}, props{"id": "two", "status": "Enabled"}}}, map[string]kind{"rules[1]": add}, false},
		"the retention of a log group":    {l, "group", props{"retentionInDays": 30.0}, map[string]kind{"retentionInDays": update}, false},
		"the key of a log group, removed": {l, "group", props{"kmsKeyId": nil}, map[string]kind{"kmsKeyId": remove}, false},
		"the lifecycle of a repository":   {l, "expiry", props{"policy": `{"rules":[1]}`}, map[string]kind{"policy": replace}, true},
		"the e-mail of an account":        {m, "account", props{"email": "x@y.example"}, map[string]kind{"email": replace}, false},
		"the unit of an account":          {m, "account", props{"parentId": RootID}, map[string]kind{"parentId": update}, false},
		"the target of an attachment":     {m, "scp-on", props{"targetId": RootID}, map[string]kind{"targetId": replace}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.lab.t = t
			d := tc.lab.diff(tc.of, tc.in)
			got := map[string]kind{}
			for path, p := range d.GetDetailedDiff() {
				got[path] = p.GetKind()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if d.GetDeleteBeforeReplace() != tc.first {
				t.Errorf("delete before replace: %v, want %v", d.GetDeleteBeforeReplace(), tc.first)
			}
		})
	}
}

func TestAnUpdateChangesWhatItSaysAndForgetsWhatIsRemoved(t *testing.T) {
	_, l := newWorld(t, "none").vended("updates")
	l.must("role", roleToken, props{"name": "r", "description": "one", "maxSessionDuration": 7200.0, "assumeRolePolicy": ec2Trust, "tags": props{"a": "b"}})
	before := l.made["role"]
	in := maps.Clone(before.in)
	delete(in, "description")
	delete(in, "maxSessionDuration")
	in["tags"] = props{"c": "d"}
	l.made["role"] = made{before.token, before.id, in, before.out}
	if err := l.update("role", props{}); err != nil {
		t.Fatal(err)
	}
	want := cloneMap(before.out)
	delete(want, "description")
	want["maxSessionDuration"] = 3600.0 // AWS's own
	want["tags"], want["tagsAll"] = props{"c": "d"}, props{"c": "d"}
	if diff := cmp.Diff(want, l.read("role").out); diff != "" {
		t.Error(diff)
	}
}

// TestAPreviewShowsWhatIsKnownAndNothingElse: an unknown stays one.
func TestAPreviewShowsWhatIsKnownAndNothingElse(t *testing.T) {
	_, l := newWorld(t, "none").vended("previews")
	preview := func(token string, in resource.PropertyMap) props {
		t.Helper()
		wire, err := plugin.MarshalProperties(in, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
		if err != nil {
			t.Fatal(err)
		}
		checked, err := l.client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(token, "p"), News: wire, RandomSeed: []byte("p")})
		if err != nil || len(checked.GetFailures()) > 0 {
			t.Fatal(err, checked.GetFailures())
		}
		got, err := l.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token, "p"), Properties: checked.GetInputs(), Preview: true})
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := read("outputs", got.GetProperties())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	computed := resource.MakeComputed(resource.NewStringProperty(""))

	role := preview(roleToken, resource.PropertyMap{"name": resource.NewStringProperty("r"), "assumeRolePolicy": computed})
	account := l.rows(accountToken)[0].ID
	want := props{
		"name": "r", "assumeRolePolicy": unknown{}, "arn": "arn:aws:iam::" + account + ":role/r", "path": "/", "maxSessionDuration": 3600.0,
		"forceDetachPolicies": false, "tagsAll": props{}, "uniqueId": unknown{}, "createDate": unknown{}, "id": unknown{}, "namePrefix": unknown{},
		"managedPolicyArns": unknown{}, "inlinePolicies": unknown{},
	}
	if diff := cmp.Diff(want, role); diff != "" {
		t.Error(diff)
	}
	unnamed := preview(bucketPolicyToken, resource.PropertyMap{"bucket": computed, "policy": computed})
	if diff := cmp.Diff(props{"bucket": unknown{}, "policy": unknown{}, "id": unknown{}}, unnamed); diff != "" {
		t.Error(diff)
	}
	if n := len(l.rows(roleToken)); n != 2 { // the provisioner and the access role
		t.Errorf("a preview made something: %d roles", n)
	}
}

func TestSecretsStaySecretAndOutOfTheJournal(t *testing.T) {
	w := newWorld(t, "none")
	_, l := w.vended("hides")
	in := resource.PropertyMap{
		"name": resource.NewStringProperty("r"), "assumeRolePolicy": resource.NewStringProperty(ec2Trust),
		"description": resource.MakeSecret(resource.NewStringProperty("hunter2")),
	}
	wire, err := plugin.MarshalProperties(in, plugin.MarshalOptions{KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := l.client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(roleToken, "r"), News: wire})
	if err != nil {
		t.Fatal(err)
	}
	made, err := l.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(roleToken, "r"), Properties: checked.GetInputs()})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := l.client.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urnOf(roleToken, "r"), Id: made.GetId(), Inputs: checked.GetInputs(), Properties: made.GetProperties()})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*structpb.Struct{"checked": checked.GetInputs(), "made": made.GetProperties(), "read": seen.GetProperties(), "read inputs": seen.GetInputs()} {
		m, err := plugin.UnmarshalProperties(p, plugin.MarshalOptions{KeepSecrets: true})
		if err != nil {
			t.Fatal(err)
		}
		if !m["description"].IsSecret() {
			t.Errorf("%s: the description is not secret: %v", name, m["description"])
		}
		if m["name"].IsSecret() {
			t.Errorf("%s: the name is", name)
		}
	}
	entries, err := w.backend.Store.Entries(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Error("the journal is empty")
	}
	for _, e := range entries {
		if strings.Contains(strings.Join([]string{e.ID, e.URN, e.Outcome, e.Action}, " "), "hunter2") {
			t.Errorf("the journal tells it: %+v", e)
		}
	}
}

func TestNamesAreMadeAsTheGenuineProviderMakesThem(t *testing.T) {
	cases := map[string]struct {
		token, logical string
		in             props
		want           string
	}{
		"a role":                     {roleToken, "reader", props{}, "reader-826a663"},
		"a role with a prefix":       {roleToken, "reader", props{"namePrefix": "pre-"}, "pre-826a663"},
		"a role with a long name":    {roleToken, strings.Repeat("r", 70), props{}, strings.Repeat("r", 57) + "826a663"},
		"a bucket, in small letters": {bucketToken, "Acme", props{}, "acme-826a663"},
		"an alias":                   {aliasToken, "logs", props{}, "alias/logs-826a663"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ty := byToken[tc.token]
			in, _ := check(ty, urnOf(tc.token, tc.logical), []byte("seed"), nil, tc.in)
			got := in[ty.Name.Property]
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			again, _ := check(ty, urnOf(tc.token, tc.logical), []byte("another"), in, tc.in)
			if again[ty.Name.Property] != got {
				t.Errorf("the name changed from %v to %v", got, again[ty.Name.Property])
			}
		})
	}
}

// TestWhatIsDoneByHandIsSeen edits, removes and creates out of band.
func TestWhatIsDoneByHandIsSeen(t *testing.T) {
	w := newWorld(t, "none")
	id, l := w.vended("hands")
	for _, th := range estate(id) {
		l.must(th.name, th.token, th.in)
	}
	row := func(name string) store.Row {
		t.Helper()
		for _, r := range l.rows(l.made[name].token) {
			if r.ID == l.made[name].id {
				return r
			}
		}
		t.Fatalf("no %s", name)
		return store.Row{}
	}
	set := func(k string, v any) func(props) error {
		return func(p props) error {
			if p[k] = v; v == nil {
				delete(p, k)
			}
			return nil
		}
	}
	edits := map[string]struct {
		of     string
		change func(props) error
		want   string // the error; empty: it is done
	}{
		"a description":                 {"role", set("description", "by hand"), ""},
		"tags":                          {"role", set("tags", props{"a": "b", "who": "me"}), ""},
		"a retention as a Go number":    {"group", set("retentionInDays", 30), ""},
		"a policy of another form":      {"role", set("assumeRolePolicy", "{}"), "MalformedPolicyDocument"},
		"what AWS computes":             {"role", set("uniqueId", "x"), "uniqueId: AWS computes it"},
		"what cannot change":            {"role", set("name", "x"), "name: it cannot be changed on what exists"},
		"what there is not":             {"role", set("path_", "/x/"), `did you mean "path"?`},
		"a word where a number belongs": {"group", set("retentionInDays", "thirty"), "retentionInDays: expected an integer"},
		"a boundary that is not there":  {"role", set("permissionsBoundary", "arn:aws:iam::"+id+":policy/x"), "NoSuchEntity"},
		"no rotation":                   {"key", set("enableKeyRotation", false), ""},
	}
	for _, name := range slices.Sorted(maps.Keys(edits)) {
		e := edits[name]
		_, err := w.backend.Edit(t.Context(), row(e.of), e.change)
		if e.want == "" && err != nil || e.want != "" && (err == nil || !strings.Contains(err.Error(), e.want)) {
			t.Errorf("%s: got %v, want %q", name, err, e.want)
		}
	}
	seen := l.read("role")
	want := l.made["role"]
	want.in, want.out = cloneMap(want.in), cloneMap(want.out)
	want.in["description"], want.out["description"] = "by hand", "by hand"
	want.in["tags"], want.out["tags"], want.out["tagsAll"] = props{"a": "b", "who": "me"}, props{"a": "b", "who": "me"}, props{"a": "b", "who": "me"}
	if diff := cmp.Diff(want, seen, cmp.AllowUnexported(made{})); diff != "" {
		t.Errorf("the role is not read as it was edited:\n%s", diff)
	}

	if err := w.backend.Erase(t.Context(), row("policy"), false); err == nil || !strings.Contains(err.Error(), "DeleteConflict") {
		t.Errorf("removed by hand what AWS refuses to remove: %v", err)
	}
	if err := w.backend.Erase(t.Context(), row("policy"), true); err != nil {
		t.Errorf("not removed by force: %v", err)
	}
	if got := l.read("policy").id; got != "" {
		t.Errorf("what was removed is read: %s", got)
	}
	if _, err := w.backend.Make(t.Context(), id, "eu-west-1", roleToken, "stray", props{"assumeRolePolicy": ec2Trust}); err != nil {
		t.Error(err)
	}
	if _, err := w.backend.Make(t.Context(), id, "eu-west-1", roleToken, "bad", props{}); err == nil || !strings.Contains(err.Error(), "assumeRolePolicy: missing required property") {
		t.Errorf("made by hand what AWS refuses: %v", err)
	}
}

func TestAResourceIsFoundByWhatIdentifiesIt(t *testing.T) {
	w := newWorld(t, "none")
	id, l := w.vended("finds")
	for _, th := range estate(id) {
		l.must(th.name, th.token, th.in)
	}
	mine := props{"Name": "k", "freehold.dev/org": "acme", "freehold.dev/layer": "boundary"}
	l.must("tagged", keyToken, props{"tags": mine})
	who, err := w.backend.As(t.Context(), "eu-west-1", "arn:aws:iam::"+id+":role/"+VendedRole, "")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		token string
		in    props
		want  []string
	}{
		"a role by its name":             {roleToken, props{"name": "reader"}, []string{"reader"}},
		"no role of the name":            {roleToken, props{"name": "none"}, nil},
		"an attachment by both its ends": {attachmentToken, props{"role": "reader", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, []string{"reader/arn:aws:iam::aws:policy/ReadOnlyAccess"}},
		"a setting, by being one":        {"aws:ebs/encryptionByDefault:EncryptionByDefault", props{"enabled": true}, []string{"default"}},
		"a key by its tags":              {keyToken, props{"tags": mine}, []string{l.made["tagged"].id}},
		"a key of another layer":         {keyToken, props{"tags": props{"Name": "k", "freehold.dev/org": "acme", "freehold.dev/layer": "cluster"}}, nil},
		"a key without tags":             {keyToken, props{}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := w.backend.Lookup(t.Context(), who, tc.token, tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	imported, err := l.client.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urnOf("aws:ebs/encryptionByDefault:EncryptionByDefault", "x"), Id: "default"})
	if err != nil || imported.GetId() != "ebs-encryption-by-default" {
		t.Errorf("an import by the genuine id: %v, %v", imported, err)
	}
}

func TestFunctionsAnswer(t *testing.T) {
	w := newWorld(t, "none")
	m := w.management()
	id, l := w.vended("asks")
	l.must("key", keyToken, props{})
	cases := map[string]struct {
		lab   *lab
		token string
		args  props
		path  string
		want  any
	}{
		"who a customer's provider is":    {l, "aws:index/getCallerIdentity:getCallerIdentity", props{}, "accountId", id},
		"who it is, by its session":       {l, "aws:index/getCallerIdentity:getCallerIdentity", props{}, "arn", "arn:aws:sts::" + id + ":assumed-role/" + VendedRole + "/pulumi"},
		"the region":                      {l, "aws:index/getRegion:getRegion", props{}, "name", "eu-west-1"},
		"the partition":                   {l, "aws:index/getPartition:getPartition", props{}, "partition", "aws"},
		"the zones":                       {l, "aws:index/getAvailabilityZones:getAvailabilityZones", props{"state": "available"}, "names", []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"}},
		"the zones' ids":                  {l, "aws:index/getAvailabilityZones:getAvailabilityZones", props{}, "zoneIds", []any{"euw1-az1", "euw1-az2", "euw1-az3"}},
		"the organization's root":         {m, "aws:organizations/getOrganization:getOrganization", props{}, "roots[0].id", RootID},
		"the organization's policy types": {m, "aws:organizations/getOrganization:getOrganization", props{}, "enabledPolicyTypes", []any{serviceControlType, resourceControlType}},
		"the organization, from a member": {l, "aws:organizations/getOrganization:getOrganization", props{}, "roots", []any{}},
		"a document":                      {l, "aws:iam/getPolicyDocument:getPolicyDocument", props{"statements": []any{props{"actions": []any{"s3:*"}, "resources": []any{"*"}}}}, "minifiedJson", `{"Statement":[{"Action":"s3:*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`},
		"a key":                           {l, "aws:kms/getKey:getKey", props{"keyId": "$key.arn"}, "id", "$key"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.lab.t = t
			args, err := write("args", tc.lab.fill(tc.args).(props), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tc.lab.client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: tc.token, Args: args})
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := read("out", got.GetReturn())
			if err != nil {
				t.Fatal(err)
			}
			found := walk(out, tc.path)
			if len(found) != 1 {
				t.Fatalf("no %s in %v", tc.path, out)
			}
			if diff := cmp.Diff(tc.lab.fill(tc.want), found[0].value); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheCloudsOwnNotesStayInIt(t *testing.T) {
	m := newWorld(t, "none").management()
	m.must("account", accountToken, props{"email": "a@x.example"})
	for where, out := range map[string]props{"made": m.made["account"].out, "read": m.read("account").out} {
		for k := range out {
			if strings.HasPrefix(k, "__") && k != "__defaults" {
				t.Errorf("%s: %s is shown", where, k)
			}
		}
	}
	if row := m.rows(accountToken)[0]; row.Outputs["__usable"] == nil {
		t.Error("there is no note to hide")
	}
}
