package sandbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/sharestest"
	"freehold.dev/freehold/internal/sandbox/store"
	"freehold.dev/freehold/policies"
)

// byHand makes things in an account, and returns their rows by name.
func byHand(t *testing.T, c *Cloud, a cloud.Account, things []sharestest.Thing) map[string]*store.Row {
	t.Helper()
	made := map[string]*store.Row{}
	for _, th := range things {
		in, _ := sharestest.Fill(th.In, func(n string) string { return made[n].ID }, func(n string) string { return made[n].ARN }).(map[string]any)
		row, err := c.backend.Make(t.Context(), a.ID, a.Region, th.Token, "", in)
		if err != nil {
			t.Fatalf("%s: %v", th.Name, err)
		}
		made[th.Name] = row
	}
	return made
}

// audited is an audit of accounts as they are now, without any state.
func audited(t *testing.T, c *Cloud, orgs map[string]cloud.Account) finding.Audit {
	t.Helper()
	names := []string{}
	for name := range orgs {
		names = append(names, name)
	}
	slices.Sort(names)
	a, err := audit.Run(t.Context(), audit.Options{
		About: finding.EveryOrg, Orgs: names, Rules: policies.All(), Now: time.Now,
		Load: func(_ context.Context, name string) (audit.Org, error) {
			return audit.Org{Name: name, AccountID: orgs[name].ID, Live: func(ctx context.Context) ([]audit.Thing, error) {
				items, err := c.Inventory(ctx, orgs[name])
				if err != nil {
					return nil, err
				}
				shares, err := c.Shares(ctx, orgs[name])
				var things []audit.Thing
				for _, it := range slices.Concat(items, shares) {
					things = append(things, audit.Thing{Type: it.Type, ID: it.ID, Name: it.Name, ARN: it.ARN, ByCloud: it.ByCloud, Properties: it.Properties})
				}
				return things, err
			}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// One world and one audit: each way of sharing is made by hand and untagged, and
// is found with both ends.
func TestAnAuditFindsEachWayOfSharingThatIsMadeByHand(t *testing.T) {
	c := open(t, Options{})
	acme, globex := vend(t, c, "acme"), vend(t, c, "globex")
	orgs := map[string]cloud.Account{"acme": acme, "globex": globex}
	if a := audited(t, c, orgs); a.Violated() || !a.Complete() {
		t.Fatalf("two accounts that nobody used: %+v", a)
	}

	theirs := byHand(t, c, globex, []sharestest.Thing{
		{Name: "gateway", Token: "aws:ec2transitgateway/transitGateway:TransitGateway", In: map[string]any{}},
		{Name: "zone", Token: "aws:route53/zone:Zone", In: map[string]any{"name": "globex.internal"}},
		{Name: "rule", Token: "aws:route53/resolverRule:ResolverRule", In: map[string]any{"name": "globex", "domainName": "globex.example", "ruleType": "FORWARD"}},
		{Name: "share", Token: "aws:ram/resourceShare:ResourceShare", In: map[string]any{"name": "globex"}},
		{Name: "net", Token: awstype.EC2VPC, In: map[string]any{"cidrBlock": "10.88.0.0/16"}},
		{Name: "lake", Token: awstype.S3Bucket, In: map[string]any{"bucket": "globex-lent"}},
		{Name: "lattice", Token: "aws:vpclattice/serviceNetwork:ServiceNetwork", In: map[string]any{"name": "globex"}},
		{Name: "names", Token: awstype.CloudMapNamespace, In: map[string]any{"name": "globex"}},
		{Name: "profile", Token: awstype.Route53Profile, In: map[string]any{"name": "globex"}},
		{Name: "sink", Token: awstype.OAMSink, In: map[string]any{"name": "globex"}},
		{Name: "wan", Token: awstype.CloudWAN, In: map[string]any{"globalNetworkId": "global-network-1"}},
	})
	things := slices.Concat(sharestest.Estate(acme.ID, globex.ID, "acme"), sharestest.Partners(acme.ID, globex.ID), sharestest.Controlled(acme.ID, globex.ID), sharestest.Named(acme.ID, globex.ID))
	things = append(things, sharestest.Thing{
		Name: "shares-analyzer", Token: awstype.AccessAnalyzerAnalyzer, Way: "organization-analyzer", In: map[string]any{"analyzerName": "everybody", "type": "ORGANIZATION"},
	})
	made := byHand(t, c, acme, things)
	taken := sharestest.Taken(made["shares-net"].ID, made["shares-subnet"].ID, theirs["gateway"].ID, theirs["zone"].ID, theirs["rule"].ID, theirs["share"].ARN)
	taken = append(taken, sharestest.Thing{Name: "taken-network", Token: awstype.EC2Peering, Way: "vpc-peering", In: map[string]any{
		"vpcId": made["shares-net"].ID, "peerVpcId": theirs["net"].ID, "peerOwnerId": globex.ID,
	}})
	taken = append(taken, sharestest.Joined(made["shares-net"].ID, theirs["lattice"].ARN, theirs["names"].ARN, theirs["profile"].ID, theirs["sink"].ARN, theirs["wan"].ID)...)
	things = append(things, taken...)
	maps.Copy(made, byHand(t, c, acme, taken))
	a := audited(t, c, orgs)
	if !a.Complete() {
		t.Errorf("unread: %+v", a.Unread)
	}
	found := map[string]bool{}
	for _, th := range things {
		if th.Way == "" {
			continue
		}
		found[th.Way] = true
		row := made[th.Name]
		if tags := tagsOf(*row); len(tags) > 0 {
			t.Errorf("%s is tagged: %v", th.Name, tags)
		}
		edge := slices.IndexFunc(a.Edges, func(e finding.Edge) bool {
			w, _ := awstype.WayOf(e.From.Type)
			return w.ID == th.Way && e.From.Org == "acme" && e.From.ID == row.ID
		})
		if edge < 0 {
			t.Errorf("%s: no edge from %s %s", th.Way, row.Type, row.ID)
			continue
		}
		e := a.Edges[edge]
		w, _ := awstype.WayOf(e.From.Type)
		if e.Kind == "" || e.From.Path == "" || e.Value == "" || !slices.Contains(w.Rules, e.Rule) {
			t.Errorf("%s: %+v", th.Way, e)
		}
		// Who is beyond an identity provider, and whose a network is that an
		// authorization or an association of a profile names, no account says; and a URL and
		// a public repository are everybody's.
		outside := slices.Contains([]string{"identity-provider", "trust-anchor", "zone-authorization", "function-url", "profile", "public-repository", "event-data-store", "grafana", "bucket-acl", "organization-analyzer"}, th.Way)
		if outside != (e.To.Org == "") || !outside && e.To.Org != "globex" {
			t.Errorf("%s leads to %+v", th.Way, e.To)
		}
	}
	// What only a cluster has is made and found with a data plane; what leads over
	// what was made here is its own test.
	elsewhere := []string{"cluster-access", "cluster-issuer", "route", "endpoint", "group-reference", "object-lambda", "log-delivery-policy", "flow-log", "trail-copy", "function-copy", "response-plan", "package-repository"}
	var missing []string
	for _, w := range awstype.Ways() {
		if w.List != "" && !found[w.ID] && !slices.Contains(elsewhere, w.ID) {
			missing = append(missing, w.ID)
		}
	}
	if d := cmp.Diff([]string(nil), missing); d != "" {
		t.Errorf("ways that nobody made (-want +got):\n%s", d)
	}
}

// The sandbox shows what AWS shows, and no more.
func TestWhatIsNotTaggedIsInNoInventoryUnlessAListShowsIt(t *testing.T) {
	c := open(t, Options{})
	a := vend(t, c, "acme")
	byHand(t, c, a, []sharestest.Thing{
		{Name: "plain", Token: "aws:sqs/queue:Queue", In: map[string]any{"name": "plain"}},
		{Name: "tagged", Token: "aws:sqs/queue:Queue", In: map[string]any{"name": "tagged", "tags": map[string]any{"team": "red"}}},
	})
	items, err := c.Inventory(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		if it.Type == "aws:sqs/queue:Queue" {
			got = append(got, it.Name)
		}
	}
	if d := cmp.Diff([]string{"tagged"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAListOfSharesThatFailsIsNamedAndTheOthersAreRead(t *testing.T) {
	c := open(t, Options{Faults: []string{"secretsmanager:ListSecrets=error", "ram:GetResourceShares=error"}})
	acme := vend(t, c, "acme")
	byHand(t, c, acme, []sharestest.Thing{
		{Name: "lent", Token: "aws:sqs/queue:Queue", In: map[string]any{"name": "lent", "policy": fmt.Sprintf(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:%s:lent"}]}`, acme.ID)}},
	})
	a := audited(t, c, map[string]cloud.Account{"acme": acme})
	if len(a.Unread) != 2 || !strings.Contains(a.Unread[0].Message, "list of RAM shares: ram:GetResourceShares") || !strings.Contains(a.Unread[1].Message, "list of secrets") {
		t.Errorf("unread: %+v", a.Unread)
	}
	if len(a.Edges) != 1 || a.Edges[0].To.Type != finding.Anybody || a.Edges[0].From.Type != awstype.SQSQueuePolicy {
		t.Errorf("edges: %+v", a.Edges)
	}
}

func TestTheSandboxMakesEachTypeThatAListShows(t *testing.T) {
	// These are parts that no program makes by hand, or that only AWS shows so.
	shownOnly := []string{awstype.EC2EndpointConnection, awstype.S3ObjectLambdaPolicy, awstype.S3InventoryConfig, awstype.S3Analytics, awstype.LogDeliveryPolicy,
		awstype.LambdaSource, awstype.LambdaDestination, awstype.TransitPeering, awstype.EC2IngressRule, awstype.EC2EgressRule,
		awstype.DirectInterface, awstype.DirectGroup, awstype.LatticeResource, awstype.CloudWANPeering, awstype.ResponsePlan, awstype.SharedDirectoryTaken}
	for _, w := range awstype.Ways() {
		for _, token := range w.Types {
			if awsprovider.TypeOf(token) == nil && !slices.Contains(shownOnly, token) {
				t.Errorf("%s: the sandbox has no %s", w.ID, token)
			}
		}
	}
}
