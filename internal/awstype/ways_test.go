package awstype_test

import (
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies"
)

// aboutSharing reports whether a rule is about who else has, enters, reads or
// is sent something: who may enter (FH3xx), what is shared (FH4xx), who is
// let into a cluster, and what everybody can pull.
func aboutSharing(rule string) bool {
	return strings.HasPrefix(rule, "FH3") || strings.HasPrefix(rule, "FH4") || rule == "FH609" || rule == "FH802" || rule == "FH803"
}

func TestEachTypeOfARuleAboutSharingIsAWay(t *testing.T) {
	tried := 0
	for _, r := range policies.All() {
		if !aboutSharing(r.ID) {
			continue
		}
		for _, token := range r.Types {
			if !strings.HasPrefix(token, "aws:") {
				continue // a provider, a component, an object of Kubernetes
			}
			tried++
			if !slices.ContainsFunc(awstype.Ways(), func(w awstype.Way) bool {
				return (slices.Contains(w.Rules, r.ID) || overColumns(r.ID)) && covers(w, token)
			}) {
				t.Errorf("%s is about %s, and no way of that type breaks it", r.ID, token)
			}
		}
	}
	if tried < 100 {
		t.Errorf("of %d types only", tried)
	}
}

// overColumns reports whether a rule is about every type with a property of a kind, so
// that one type can break it and another rule by the same property.
func overColumns(rule string) bool { return rule == "FH417" || rule == "FH419" }

// covers reports whether a way is of a type, or of one of a family "aws:ram/*".
func covers(w awstype.Way, token string) bool {
	begin, family := strings.CutSuffix(token, "*")
	return w.Has(token) || family && slices.ContainsFunc(slices.Concat(w.Types, w.Also), func(t string) bool { return strings.HasPrefix(t, begin) })
}

func TestEachWayBreaksARuleThatIsAboutItsTypes(t *testing.T) {
	rules := map[string]policies.Rule{}
	for _, r := range policies.All() {
		rules[r.ID] = r
	}
	for _, w := range awstype.Ways() {
		for _, id := range w.Rules {
			r, known := rules[id]
			switch {
			case !known:
				t.Errorf("%s: there is no rule %s", w.ID, id)
			case !aboutSharing(id) && id != "FH107": // who has power over all accounts shares them all
				t.Errorf("%s: %s is not about sharing", w.ID, id)
			case !slices.ContainsFunc(slices.Concat(w.Types, w.Also), func(token string) bool {
				return r.Covers(strings.TrimSuffix(token, "*")) || slices.Contains(r.Types, token)
			}):
				t.Errorf("%s: %s is about none of its types", w.ID, id)
			}
		}
	}
}

func TestEachWaySaysHowItIsListedAndWhoIsAtTheOtherEnd(t *testing.T) {
	ids, types := map[string]bool{}, map[string]string{}
	for _, w := range awstype.Ways() {
		if ids[w.ID] {
			t.Errorf("%s is there twice", w.ID)
		}
		ids[w.ID] = true
		listed := w.List != ""
		for what, missing := range map[string]bool{
			"a title": w.Title == "", "a source": !strings.HasPrefix(w.Source, "https://docs.aws.amazon.com/"), "a rule": len(w.Rules) == 0,
			"a list, or why there is none":         listed == (w.Unlisted != ""),
			"a type that its listing shows":        listed && len(w.Types) == 0,
			"an end":                               listed && len(w.Ends) == 0,
			"calls":                                listed && len(w.Calls) == 0 && !slices.Contains(awstype.Lists(), w.List),
			"no type that its listing cannot show": !listed && len(w.Types) > 0,
		} {
			if missing {
				t.Errorf("%s lacks %s", w.ID, what)
			}
		}
		for _, token := range w.Types {
			if other := types[token]; other != "" {
				t.Errorf("%s is listed as %s and as %s", token, other, w.ID)
			}
			types[token] = w.ID
		}
		if !slices.IsSorted(w.Calls) {
			t.Errorf("%s: its calls are not in order", w.ID)
		}
		for _, c := range w.Calls {
			service, action, ok := strings.Cut(c, ":")
			if !ok || service == "" || !readsOnly(action) {
				t.Errorf("%s: %s is not an action that only reads", w.ID, c)
			}
		}
		for _, e := range w.Ends {
			if e.Path == "" || e.Is == "" || e.Kind == "" {
				t.Errorf("%s: %+v is no whole end", w.ID, e)
			}
		}
	}
}

// readsOnly reports whether an action changes nothing and opens no data: API
// Gateway's are called by the method.
func readsOnly(action string) bool {
	return action == "GET" || slices.ContainsFunc([]string{"Describe", "Get", "List"}, func(verb string) bool { return strings.HasPrefix(action, verb) })
}

// Where a service answers in one region only, the fence of the org's region lets
// its lists pass there, and nothing that makes, changes or opens anything.
func TestTheFenceOfARegionLetsOnlyListsPassToAServiceOfAnotherRegion(t *testing.T) {
	fence := iam.New(iam.NoOtherRegion("eu-central-1"), iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}})
	passes := func(action, region string) bool {
		return fence.Evaluate(iam.Request{Action: action, Resource: "*", Context: map[string]string{"aws:RequestedRegion": region}}) == iam.Allowed
	}
	regions := 0
	for _, w := range awstype.Ways() {
		for _, call := range w.Calls {
			if w.Region != "" && !passes(call, w.Region) {
				t.Errorf("%s: the fence closes %s in %s", w.ID, call, w.Region)
			}
		}
		if w.Region != "" {
			regions++
		}
	}
	if regions != 4 {
		t.Errorf("%d ways of other regions, want 4", regions)
	}
	for _, action := range []string{
		"networkmanager:CreateVpcAttachment", "networkmanager:CreateCoreNetwork", "networkmanager:AcceptAttachment", "networkmanager:PutResourcePolicy",
		"ecr-public:CreateRepository", "ecr-public:PutImage", "ecr-public:SetRepositoryPolicy", "ecr-public:GetAuthorizationToken",
		"s3:CreateMultiRegionAccessPoint", "s3:PutMultiRegionAccessPointPolicy", "s3:GetObject", "s3:ListBucket",
	} {
		if passes(action, "us-west-2") || passes(action, "us-east-1") {
			t.Errorf("the fence lets %s pass", action)
		}
	}
}
