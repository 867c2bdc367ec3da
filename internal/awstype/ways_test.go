package awstype_test

import (
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies"
	"freehold.dev/freehold/policies/table"
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
				begin, family := strings.CutSuffix(token, "*")
				return r.Covers(begin) || slices.ContainsFunc(r.Types, func(t string) bool { return t == token || family && strings.HasPrefix(t, begin) })
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
			"one of a list, a way that shows it, and why there is neither": one(listed, w.ShownBy != "", w.Unlisted != ""),
			"why the other way shows it":                                   w.ShownBy != "" && w.Because == "",
			"a type that its listing shows":                                listed && len(w.Types) == 0,
			"an end":                                                       listed && len(w.Ends) == 0,
			"calls":                                                        listed && len(w.Calls) == 0 && !slices.Contains(awstype.Lists(), w.List),
			"no type that its listing cannot show":                         !listed && len(w.Types) > 0,
			"the name in CloudFormation as its list":                       w.Control != nil && w.List != w.Control.Type,
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
			if e.Path == "" || e.Is == "" || e.Kind == "" || (e.From != "") != (w.Control != nil) || (len(e.Closed) > 0) != (e.Is == awstype.IsSwitch) {
				t.Errorf("%s: %+v is no whole end", w.ID, e)
			}
		}
	}
}

// one reports whether not exactly one of several is true.
func one(all ...bool) (isNot bool) {
	n := 0
	for _, is := range all {
		if is {
			n++
		}
	}
	return n != 1
}

// What another way shows is listed there: by a list of its own, and with an end.
func TestEachPartIsShownByATypeThatIsListed(t *testing.T) {
	for _, w := range awstype.Ways() {
		if w.ShownBy == "" {
			continue
		}
		if of, listed := awstype.WayOf(w.ShownBy); !listed || of.List == "" || len(of.Ends) == 0 {
			t.Errorf("%s: no listing shows a %s", w.ID, w.ShownBy)
		}
	}
}

// sharingColumns are the columns of the table by which a type says who else has,
// enters or reads something. A policy of an identity that is no user's, group's or
// role's own only narrows what a role may do, and roles are listed.
var sharingColumns = []table.Column{table.Policy, table.Trust, table.Principal, table.Account, table.Organization}

// What nobody looks for is what an attacker makes: of each type that the table says
// can share, there is a listing, another way's that shows it, or a reason why there
// can be none. A reason is not that nobody has written it.
func TestEachTypeOfTheTableThatCanShareIsListedOrHasAReason(t *testing.T) {
	tried := 0
	for _, r := range table.All() {
		if r.State != table.Classified || !slices.ContainsFunc(r.Columns(), func(c table.Column) bool { return slices.Contains(sharingColumns, c) }) {
			continue
		}
		tried++
		if !slices.ContainsFunc(awstype.Ways(), func(w awstype.Way) bool { return w.Has(r.Type) }) {
			t.Errorf("%s has %v, and no way of sharing is of it: say in internal/awstype how an audit lists it, or why it cannot", r.Type, r.Columns())
		}
	}
	if tried < 100 {
		t.Errorf("of %d types only", tried)
	}
}

func TestEachReasonForNotListingIsItsOwn(t *testing.T) {
	reasons, unlisted := map[string]string{}, 0
	for _, w := range awstype.Ways() {
		why := w.Unlisted + w.Because
		if why == "" {
			continue
		}
		if other := reasons[why]; other != "" {
			t.Errorf("%s and %s give the same reason: %s", w.ID, other, why)
		}
		reasons[why] = w.ID
		if strings.Contains(why, "is written") || strings.Contains(why, "yet") {
			t.Errorf("%s: that nobody has written it is no reason", w.ID)
		}
		if w.Unlisted != "" {
			unlisted += len(w.Also)
		}
	}
	if unlisted > 40 {
		t.Errorf("%d types are in no listing, more than 40: most services can list what they have", unlisted)
	}
}

// The ends of what Cloud Control lists are properties of the SDK's type, and of
// what shares: a rule judges them under the names that it knows.
func TestCloudControlShowsPropertiesThatTheTableKnows(t *testing.T) {
	tried := 0
	for _, w := range awstype.Ways() {
		if w.Control == nil {
			continue
		}
		for _, e := range w.Ends {
			tried++
			at, known := table.Of(w.Types[0]).At(e.Path)
			switch {
			case !known || at.Column == "" || at.Column == table.Plain || at.Column == table.Number || at.Column == table.Secret:
				t.Errorf("%s: the table says of no %s that it shares by %s", w.ID, w.Types[0], e.Path)
			case e.Is == awstype.IsSwitch && len(at.Closed) > 0 && !slices.Equal(at.Closed, e.Closed):
				t.Errorf("%s: %s keeps others out by %v, and in the table by %v", w.ID, e.Path, e.Closed, at.Closed)
			}
			if _, path, _ := strings.Cut("/"+e.From, "/"); strings.Count(path[strings.LastIndex(path, "/")+1:], ".") != strings.Count(e.Path, ".") {
				t.Errorf("%s: %s and %s have not the same number of steps", w.ID, e.From, e.Path)
			}
		}
	}
	if tried < 15 {
		t.Errorf("of %d properties only", tried)
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
