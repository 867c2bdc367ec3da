package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// otherwise are changed values where the rule of another below makes none that
// could be meant.
var otherwise = map[string]any{
	lifecycleToken + ".rules.transitions.storageClass":        "GLACIER",
	clusterToken + ".kubernetesNetworkConfig.ipFamily":        "ipv6",
	clusterToken + ".kubernetesNetworkConfig.serviceIpv4Cidr": "172.21.0.0/16",
	defaultGroupToken + ".ingress":                            []any{props{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": true}},
	defaultGroupToken + ".egress":                             []any{props{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": []any{"0.0.0.0/0"}}},
	snapshotToken + ".state":                                  "block-new-sharing",
	metadataToken + ".httpEndpoint":                           "disabled",
	metadataToken + ".httpTokens":                             "optional",
}

// added are properties that a thing of the world does not have, and programs of
// ours set.
var added = []struct {
	thing, path string
	value       any
}{
	{"scp", "description", "What it is for"},
	{"scp", "tags", props{"a": "b"}},
	{"account-public", "accountId", "111122223333"},
	{"old-cluster", "encryptionConfig", props{"provider": props{"keyArn": "$(key.arn)"}, "resources": []any{"secrets"}}},
	{"group-rule", "self", true},
	{"group-rule", "sourceSecurityGroupId", "$(inline-group)"},
	{"addon", "addonVersion", "v1.99.0-eksbuild.1"},
	{"entry", "userName", "someone"},
	{"nodes", "diskSize", 50},
	{"nodes", "forceUpdateVersion", true},
	{"nodes", "releaseVersion", "1.33.0-20990101"},
	{"nodes", "version", "1.32"},
	{"cluster", "encryptionConfig", gone},
}

// TestReplacementsAreTheGenuineOnes changes each property of each thing of the
// world, one at a time, and compares what the providers would do: nothing, an
// update, or a replacement.
func TestReplacementsAreTheGenuineOnes(t *testing.T) {
	t.Parallel()
	theirs, ours := chains(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	free := make(chan struct{}, 16)
	tally, tried := map[string]int{}, map[string]bool{}
	for _, th := range estate {
		if strings.HasPrefix(th.name, "doomed-") {
			continue
		}
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			for _, c := range changesOf(t, th) {
				key := th.token + "." + strings.Join(named(c.at), ".")
				want, err := theirs.foresee(t, th, c)
				if err != nil {
					t.Errorf("genuine: another %s of %s: %v", c.at, th.name, err)
					continue
				}
				got, err := ours.foresee(t, th, c)
				if err != nil {
					t.Errorf("sandbox: another %s of %s: %v", c.at, th.name, err)
					continue
				}
				if want != got {
					t.Errorf("another %s of %s (%s): genuine %s, sandbox %s", c.at, th.name, th.token, want, got)
				}
				mu.Lock()
				tried[key] = true
				tally[want]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, s := range samples(t) {
		if strings.HasPrefix(s.where, "the world's") {
			continue
		}
		for _, at := range leaves(resource.NewObjectProperty(resource.NewPropertyMapFromMap(s.inputs)), nil) {
			if key := s.token + "." + strings.Join(named(at), "."); !tried[key] {
				t.Errorf("%s sets %s, which nothing of the world does", s.where, key)
				tried[key] = true
			}
		}
	}
	t.Logf("%d properties changed: %v", len(tried), tally)
}

// alteration is one property with another value; nil is any other.
type alteration struct {
	at    resource.PropertyPath
	value any
}

// changesOf are the alterations of a thing: its leaves, of each list the first
// element's, and what is added to it.
func changesOf(t *testing.T, th thing) []alteration {
	t.Helper()
	var out []alteration
	for _, at := range leaves(resource.NewObjectProperty(resource.NewPropertyMapFromMap(th.props)), nil) {
		if !slices.ContainsFunc(at, func(step any) bool { i, is := step.(int); return is && i > 0 }) {
			out = append(out, alteration{at, otherwise[th.token+"."+strings.Join(named(at), ".")]})
		}
	}
	for _, a := range added {
		if a.thing != th.name {
			continue
		}
		at, err := resource.ParsePropertyPath(a.path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, alteration{at, a.value})
	}
	return out
}

// foresee tells what a provider would do if one value of a thing were another.
func (w *world) foresee(t *testing.T, th thing, a alteration) (string, error) {
	t.Helper()
	m, err := w.thing(t, th.name)
	if err != nil {
		return "", err
	}
	p, err := w.providers[th.in]()
	if err != nil {
		return "", err
	}
	same, err := p.diff(t, m, m.in)
	if err != nil {
		return "", err
	}
	if would(same) != "nothing" {
		return "", fmt.Errorf("it differs from itself: %v", same.GetDetailedDiff())
	}
	changed := deepCopy(m.in)
	next := a.value
	if next == nil {
		is, known := a.at.Get(changed)
		if !known {
			return "", errors.New("the provider lost it")
		}
		next = another(is).Mappable()
	}
	if err := w.set(t, changed, a.at.String(), next, th.name); err != nil {
		return "", err
	}
	diff, err := p.diff(t, m, changed.ObjectValue())
	if err != nil {
		return "", err
	}
	return would(diff), nil
}

// another is a value of the same kind and form.
func another(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsBool():
		return resource.NewBoolProperty(!v.BoolValue())
	case v.IsNumber():
		return resource.NewNumberProperty(v.NumberValue() + 1)
	case v.IsObject():
		out := v.ObjectValue().Copy()
		out["another"] = resource.NewStringProperty("one")
		return resource.NewObjectProperty(out)
	case v.IsString() && strings.HasPrefix(v.StringValue(), "{"):
		s := v.StringValue()
		for _, swap := range [][2]string{{`"Allow"`, `"Deny"`}, {`"Deny"`, `"Allow"`}, {"30", "31"}, {`"true"`, `"false"`}} {
			if changed := strings.Replace(s, swap[0], swap[1], 1); changed != s {
				return resource.NewStringProperty(changed)
			}
		}
		return v
	default:
		return resource.NewStringProperty(v.StringValue() + "1")
	}
}

func would(d *pulumirpc.DiffResponse) string {
	if len(d.GetReplaces()) > 0 {
		return "replace"
	}
	for _, p := range d.GetDetailedDiff() {
		switch p.GetKind() {
		case pulumirpc.PropertyDiff_ADD_REPLACE, pulumirpc.PropertyDiff_DELETE_REPLACE, pulumirpc.PropertyDiff_UPDATE_REPLACE:
			return "replace"
		default:
		}
	}
	if d.GetChanges() == pulumirpc.DiffResponse_DIFF_SOME {
		return "update"
	}
	return "nothing"
}
