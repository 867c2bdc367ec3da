package oracle_test

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/conformance/oracle"
	"freehold.dev/freehold/internal/iam"
)

// tables are lists of requests: an action, its resource and what the request says
// more, one line each. OWN is the account of the org, FOREIGN the other customer's,
// ACCESS the access role.
//
//go:embed testdata
var tables embed.FS

// attack is a request that is to be denied, and the same request as somebody may make
// it: of the rightful caller, or without Freehold's fences. A denial shows nothing
// where that is denied as well.
type attack struct {
	name             string
	request, control oracle.Question
}

// open are the attacks that pass, with the reason. docs/isolation.md lists them.
var open = map[string]string{
	"lambda:GetLayerVersion arn:aws:lambda:REGION:FOREIGN:layer:l:1": "AWS and its partners publish layers from accounts of their own, and no key of the request tells theirs from others",
	"ecr:BatchGetImage arn:aws:ecr:REGION:FOREIGN:repository/r":      "AWS publishes the images of EKS's add-ons from accounts that differ from region to region; which image may run, the cluster decides",
}

// TestNobodyButTheRightfulGetsThroughThePoliciesOfAnOnboarding asks about the very
// documents that two onboardings made, one with an account that is vended and one with
// an account that the customer brought.
func TestNobodyButTheRightfulGetsThroughThePoliciesOfAnOnboarding(t *testing.T) {
	t.Parallel()
	o := oracle.Start(t)
	acme, initech := onboarded(t)
	attacks := 0
	for _, of := range []struct{ org, other *org }{{acme, initech}, {initech, acme}} {
		for _, group := range []struct {
			name    string
			attacks []attack
		}{
			{"a pod's role does not share, leave, or touch the guards", fromPods(t, of.org, of.other)},
			{"a pod's role does not use what is of another account", fromPodsElsewhere(t, of.org, of.other)},
			{"another customer gets at nothing that was made", fromStrangers(of.org, of.other)},
			{"nobody of the account but the provisioner becomes a phase role", fromInside(of.org)},
			{"a service that another customer sends gets at nothing", fromDeputies(of.org, of.other)},
			{"a phase role does not leave its phase", fromPhases(t, of.org, of.other)},
		} {
			attacks += len(group.attacks)
			t.Run(of.org.name+": "+group.name, func(t *testing.T) {
				if strings.HasPrefix(group.name, "a pod's role") && !of.org.lists() {
					t.Error("the boundary does not list what workloads may do")
				}
				try(t, o, group.attacks)
			})
		}
		t.Run(of.org.name+": what pods are for is allowed", func(t *testing.T) { allowed(t, o, of.org, of.other) })
	}
	t.Logf("%d attacks", attacks)
	if attacks < 300 {
		t.Errorf("%d attacks, want at least 300", attacks)
	}
}

// try asks the oracle and internal/iam about each attack and its positive control.
func try(t *testing.T, o *oracle.Oracle, attacks []attack) {
	t.Helper()
	var questions []oracle.Question
	for _, a := range attacks {
		questions = append(questions, written(a.request), written(a.control))
	}
	replies, err := o.Ask(questions...)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range attacks {
		attacked, controlled := replies[2*i], replies[2*i+1]
		ours, reason := a.request.Decide(), open[a.name]
		switch denied := attacked.Verdict != oracle.Allowed && ours == iam.Denied; {
		case attacked.Error != "" || len(attacked.Ignored) > 0:
			t.Errorf("%s: the oracle does not take the request: %s %v", a.name, attacked.Error, attacked.Ignored)
		case controlled.Verdict != oracle.Allowed || a.control.Decide() == iam.Denied:
			t.Errorf("%s: its positive control is not allowed, so that it shows nothing: the oracle says %s %s, and we say %s", a.name, controlled.Verdict, controlled.Error, a.control.Decide())
		case !denied && reason == "":
			t.Errorf("%s is not denied: the oracle says %s, and we say %s", a.name, attacked.Verdict, ours)
		case denied && reason != "":
			t.Errorf("%s is denied, and is listed as open", a.name)
		}
	}
}

// lists reports whether the boundary lists what workloads do, and denies the rest.
func (o *org) lists() bool {
	return slices.ContainsFunc(o.boundary.Statement, func(s iam.Statement) bool {
		return s.Effect == iam.Deny && len(s.NotAction) > 20 && !slices.Contains(s.NotAction, "account:*")
	})
}

// allowed asks about own.txt: a fence that denies everything would pass all the rest.
func allowed(t *testing.T, o *oracle.Oracle, of, other *org) {
	t.Helper()
	rows := read(t, "own.txt", of, other)
	questions := make([]oracle.Question, len(rows))
	for i, r := range rows {
		questions[i] = of.pod(r)
	}
	replies, err := o.Ask(questions...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range replies {
		if ours := questions[i].Decide(); r.Verdict != oracle.Allowed || ours != iam.Allowed {
			t.Errorf("%s: the oracle says %s %s by %v, and we say %s", rows[i].text, r.Verdict, r.Error, r.BlockedBy, ours)
		}
	}
}

// row is a line of a table, filled in.
type row struct {
	text, action, resource string
	context                map[string]string
}

func read(t *testing.T, file string, of, other *org) []row {
	t.Helper()
	text, err := tables.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("OWN", of.account, "FOREIGN", other.account, "REGION", region, "ORG", of.name, "ACCESS", of.access)
	var out []row
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(fill.Replace(line))
		r := row{text: line, action: f[0], resource: f[1], context: map[string]string{}}
		for _, more := range f[2:] {
			key, value, _ := strings.Cut(more, "=")
			r.context[key] = value
		}
		out = append(out, r)
	}
	return out
}

// of is a request of somebody to do what a row says to what is an account's, with the
// keys that AWS puts into every request.
func (r row) of(principal, owner string) oracle.Question {
	q := oracle.Question{Owner: owner}
	q.Action, q.Resource, q.Principal = r.action, r.resource, principal
	q.Context = map[string]string{"aws:ResourceAccount": owner, "aws:RequestedRegion": region, "aws:SecureTransport": "true"}
	maps.Copy(q.Context, r.context)
	return q
}

// wholeService allows whatever an action's service has, as AWS's "FullAccess"
// policies do.
func wholeService(action string) iam.Document {
	return iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{service(action) + ":*"}, Resource: iam.Values{"*"}})
}

// lets is a policy of a resource by which somebody has the whole service; a role's
// trust policy names no resource.
func lets(who *iam.Principal, action string) *iam.Document {
	d := wholeService(action)
	d.Statement[0].Principal = who
	if service(action) == "sts" {
		d.Statement[0].Resource = nil
	}
	return &d
}

// pod is what the role of a project's pod asks of its own account, with the fences
// around it. Its own policy allows it.
func (o *org) pod(r row) oracle.Question {
	q := r.of(o.podARN(), o.account)
	q.Identity, q.Boundary, q.ServiceControl, q.ResourceControl = []iam.Document{wholeService(r.action)}, &o.boundary, o.service, o.resource
	if s := service(r.action); s == "kms" || s == "sts" {
		q.Resources = lets(iam.Principals("arn:aws:iam::"+o.account+":root"), r.action)
	}
	name, _ := strings.CutPrefix(r.resource, "arn:aws:s3:::")
	bucket, _, _ := strings.Cut(name, "/")
	if doc, made := o.policies["arn:aws:s3:::"+bucket]; made {
		q.Resources = &doc
	}
	return q
}

func (o *org) podARN() string { return o.roles["freehold-"+o.name+"-pod-shop.uploader"].arn }

// abroad is the same request where the resource is another account's, and lets
// everybody in.
func abroad(q oracle.Question, other *org) oracle.Question {
	q.Context = maps.Clone(q.Context)
	q.Context["aws:ResourceAccount"] = other.account
	q.Owner, q.Resources, q.ResourceControl = other.account, lets(iam.Anyone(), q.Action), nil
	return q
}

// unfenced is the same request without a fence.
func unfenced(q oracle.Question) oracle.Question {
	q.Boundary, q.ServiceControl, q.ResourceControl = nil, nil, nil
	return q
}

func fromPods(t *testing.T, of, other *org) (out []attack) {
	t.Helper()
	for _, r := range read(t, "pods.txt", of, other) {
		q := of.pod(r)
		if iam.AccountIn(r.resource) == other.account {
			q = abroad(q, other)
		}
		out = append(out, attack{r.text, q, unfenced(q)})
	}
	return out
}

func fromPodsElsewhere(t *testing.T, of, other *org) (out []attack) {
	t.Helper()
	for _, r := range read(t, "foreign.txt", of, other) {
		q := abroad(of.pod(r), other)
		out = append(out, attack{r.text, q, unfenced(q)})
	}
	return out
}

// fromStrangers are requests from the other customer's account, and of who did not
// sign in, to what an onboarding made. In a vended account there is also what lets
// everybody in.
func fromStrangers(of, other *org) (out []attack) {
	callers := []string{
		"arn:aws:iam::" + other.account + ":role/admin", "arn:aws:iam::" + other.account + ":user/jo",
		other.podARN(), other.roles["freehold-"+other.name+"-provision"].arn, "",
	}
	ask := func(what string, r row, policy iam.Document, rightful func(*oracle.Question)) {
		for _, caller := range callers {
			q := r.of(caller, of.account)
			q.Resources, q.ResourceControl = &policy, of.resource
			name := "somebody who did not sign in"
			if caller != "" {
				q.Identity, name = []iam.Document{full}, caller
			}
			control := q
			control.Context = maps.Clone(q.Context)
			control.Principal, control.Identity = "arn:aws:iam::"+of.account+":role/admin", []iam.Document{full}
			if rightful != nil {
				rightful(&control)
			}
			out = append(out, attack{fmt.Sprintf("%s of %s by %s", r.action, what, name), q, control})
		}
	}
	for _, name := range []string{"data", "logs"} {
		bucket := "arn:aws:s3:::freehold-" + of.name + "-" + name + "-" + of.account
		for _, action := range []string{"s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject"} {
			ask("the bucket of "+name, row{action: action, resource: bucket + "/x"}, of.policies[bucket], nil)
		}
		for _, action := range []string{"s3:ListBucket", "s3:PutBucketPolicy", "s3:GetBucketPolicy"} {
			ask("the bucket of "+name, row{action: action, resource: bucket}, of.policies[bucket], nil)
		}
		key := of.keys[name]
		for _, action := range []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy"} {
			ask("the key of "+name, row{action: action, resource: key}, of.policies[key], nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(of.roles)) {
		ask(name, of.assumes(name), of.roles[name].trust, func(q *oracle.Question) { of.rightful(q, name) })
	}
	if of.resource == nil {
		return out
	}
	home := ":" + region + ":" + of.account + ":"
	for _, r := range []row{
		{action: "s3:GetObject", resource: "arn:aws:s3:::careless/x"},
		{action: "s3:PutObject", resource: "arn:aws:s3:::careless/x"},
		{action: "s3:ListBucket", resource: "arn:aws:s3:::careless"},
		{action: "sqs:SendMessage", resource: "arn:aws:sqs" + home + "careless"},
		{action: "sqs:ReceiveMessage", resource: "arn:aws:sqs" + home + "careless"},
		{action: "secretsmanager:GetSecretValue", resource: "arn:aws:secretsmanager" + home + "secret:careless-a1b2c3"},
		{action: "kms:Decrypt", resource: "arn:aws:kms" + home + "key/careless"},
		{action: "ecr:BatchGetImage", resource: "arn:aws:ecr" + home + "repository/careless"},
		{action: "sts:AssumeRole", resource: "arn:aws:iam::" + of.account + ":role/careless"},
	} {
		ask("what lets everybody in", r, *lets(iam.Anyone(), r.action), nil)
	}
	table := row{action: "dynamodb:GetItem", resource: "arn:aws:dynamodb" + home + "table/careless"}
	ask("what lets everybody in", table, *lets(iam.Anyone(), table.action), nil)
	return out
}

// assumes asks for a role with its external id, which is no secret.
func (o *org) assumes(name string) row {
	return row{action: "sts:AssumeRole", resource: o.roles[name].arn, context: map[string]string{"sts:ExternalId": o.externalID}}
}

// phaseNames are the ends of the names of the roles that the provisioner assumes.
var phaseNames = []string{"provision", "read", "bootstrap", "offboard"}

// rightful makes a request for a role that of who it is for: the provisioner, or the
// service.
func (o *org) rightful(q *oracle.Question, name string) {
	if slices.Contains(phaseNames, strings.TrimPrefix(name, "freehold-"+o.name+"-")) {
		q.Principal = o.provisioner
		return
	}
	q.Principal, q.Identity, q.Service = "", nil, o.roles[name].trust.Statement[0].Principal.Service[0]
	q.Context["aws:SourceAccount"], q.Context["aws:SourceArn"] = o.account, "arn:aws:ec2:"+region+":"+o.account+":vpc-flow-log/fl-1"
}

// fromInside are requests for the roles from the account itself: of its
// administrator, who has no fence where the customer brought the account, and of a
// pod.
func fromInside(of *org) (out []attack) {
	for _, name := range slices.Sorted(maps.Keys(of.roles)) {
		for _, caller := range []string{"arn:aws:iam::" + of.account + ":role/admin", "arn:aws:iam::" + of.account + ":role/" + of.access, of.podARN()} {
			q := of.assumes(name).of(caller, of.account)
			q.Identity, q.ServiceControl, q.ResourceControl = []iam.Document{full}, of.service, of.resource
			trust := of.roles[name].trust
			q.Resources = &trust
			control := q
			control.Context, control.ServiceControl = maps.Clone(q.Context), nil
			of.rightful(&control, name)
			out = append(out, attack{name + " by " + caller, q, control})
		}
	}
	return out
}

// fromDeputies are requests of AWS's services, sent by the other customer and by the
// org itself. The oracle does not know encryption contexts, by which the key of logs
// tells whose they are: components/boundary asks internal/iam about those.
func fromDeputies(of, other *org) (out []attack) {
	bucket, key := "arn:aws:s3:::freehold-"+of.name+"-logs-"+of.account, of.keys["logs"]
	flows := "freehold-" + of.name + "-flow-logs"
	trail := func(o *org) string {
		return "arn:aws:cloudtrail:" + region + ":" + o.account + ":trail/freehold-" + of.name + "-trail"
	}
	for _, d := range []struct {
		service, action, resource string
		policy                    iam.Document
		by                        func(*org) map[string]string
	}{
		{"cloudtrail.amazonaws.com", "s3:PutObject", bucket + "/AWSLogs/" + of.account + "/x", of.policies[bucket], func(o *org) map[string]string {
			return map[string]string{"aws:SourceArn": trail(o), "s3:x-amz-acl": "bucket-owner-full-control"}
		}},
		{"cloudtrail.amazonaws.com", "s3:GetBucketAcl", bucket, of.policies[bucket], func(o *org) map[string]string { return map[string]string{"aws:SourceArn": trail(o)} }},
		{"cloudtrail.amazonaws.com", "kms:DescribeKey", key, of.policies[key], func(o *org) map[string]string { return map[string]string{"aws:SourceArn": trail(o)} }},
		{"vpc-flow-logs.amazonaws.com", "sts:AssumeRole", of.roles[flows].arn, of.roles[flows].trust, func(*org) map[string]string { return map[string]string{} }},
	} {
		ask := func(o *org) oracle.Question {
			q := row{action: d.action, resource: d.resource, context: d.by(o)}.of("", of.account)
			q.Service, q.Resources, q.ResourceControl = d.service, &d.policy, of.resource
			q.Context["aws:SourceAccount"] = o.account
			return q
		}
		out = append(out, attack{d.action + " by " + d.service, ask(other), ask(of)})
	}
	return out
}

// fromPhases are the requests of phases.txt, of each phase role that has no use for
// them. An administrator without a fence may make them.
func fromPhases(t *testing.T, of, other *org) (out []attack) {
	t.Helper()
	for _, r := range read(t, "phases.txt", of, other) {
		may := strings.Split(r.context["may"], ",")
		delete(r.context, "may")
		for _, phase := range phaseNames {
			if slices.Contains(may, phase) {
				continue
			}
			role := of.roles["freehold-"+of.name+"-"+phase]
			q := of.pod(r)
			q.Principal, q.Identity = role.arn, role.identity
			control := unfenced(q)
			control.Identity = []iam.Document{full}
			out = append(out, attack{phase + ": " + r.text, q, control})
		}
	}
	return out
}
