package awsprovider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/spec"
)

// offered are the zones that the sandbox offers in a region, as a program asks.
func (w *world) offered(account, region string) (names, ids []any) {
	w.t.Helper()
	l := w.provider(props{"region": region, "assumeRole": props{"roleArn": "arn:aws:iam::" + account + ":role/" + VendedRole}})
	args, err := write("args", props{"state": "available"}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := l.client.Invoke(w.t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getAvailabilityZones:getAvailabilityZones", Args: args})
	if err != nil {
		w.t.Fatal(err)
	}
	out, _, err := read("out", got.GetReturn())
	if err != nil {
		w.t.Fatal(err)
	}
	return out["names"].([]any), out["zoneIds"].([]any)
}

func TestEveryRegionOffersTheZonesThatSubnetsCanBeMadeIn(t *testing.T) {
	w := newWorld(t, "none")
	id, _ := w.vended("zones")
	for _, region := range regions {
		t.Run(region, func(t *testing.T) {
			w.t = t
			names, ids := w.offered(id, region)
			l := w.provider(props{"region": region, "assumeRole": props{"roleArn": "arn:aws:iam::" + id + ":role/" + VendedRole}})
			l.must("vpc", vpcToken, props{"cidrBlock": "10.0.0.0/16"})
			var made []any
			for i, letter := range "abcdef" {
				name := string(letter)
				in := props{"vpcId": "$vpc", "cidrBlock": fmt.Sprintf("10.0.%d.0/24", i), "availabilityZone": region + name}
				if err := l.create(name, subnetToken, in); err != nil {
					continue
				}
				made = append(made, region+name)
				at := slices.Index(names, any(region+name))
				if at < 0 || ids[at] != l.made[name].out["availabilityZoneId"] {
					t.Errorf("the subnet in %s is in %v; offered are %v, %v", region+name, l.made[name].out["availabilityZoneId"], names, ids)
				}
			}
			if diff := cmp.Diff(made, names); diff != "" {
				t.Errorf("zones (-a subnet can be made +offered):\n%s", diff)
			}
			// The defaults of a document that names no zones must be on offer.
			s, err := spec.Parse("x.yaml", strings.NewReader("org: acme\nregion: "+region+"\naccount: {email: a@example.com}\n"))
			if err != nil && region == "us-west-1" {
				return // such a document is refused: an account has two of three zones, and which two differs
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, z := range s.Network.Zones {
				if !slices.Contains(names, any(z.Name)) {
					t.Errorf("a document's default zone %s is not offered: %v", z.Name, names)
				}
			}
		})
	}
}

func TestTheRegionsAreThoseThatEveryAccountHas(t *testing.T) {
	var want []string
	for _, name := range spec.Facets()["region"].Enum {
		if spec.AccessTo(name) == spec.EveryAccount {
			want = append(want, name)
		}
	}
	if diff := cmp.Diff(want, Regions()); diff != "" {
		t.Errorf("(-what a document takes for such +the sandbox):\n%s", diff)
	}
}
