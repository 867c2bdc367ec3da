package conformance_test

import (
	"slices"
	"sync"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/conformance/byhand"
	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/finding"
)

// sharesEverything makes, by hand, each way of sharing that the emulator can make:
// untagged with an account of nobody's, and tagged with another customer's. One
// audit finds each with both ends, and nothing else; once they are removed, there
// is nothing left to find.
func (c *customer) sharesEverything(l *lab.Lab, other *customer) {
	t := c.t
	t.Helper()
	account := c.made.DataPlane.AccountID
	cluster := c.made.DataPlane.ClusterName
	var hands []*byhand.Hand
	for _, d := range []byhand.Deal{
		{N: "a", Account: account, Partner: otherAccount, Region: lab.Region, Network: "10.177", Cluster: cluster},
		{N: "b", Account: account, Partner: other.made.DataPlane.AccountID, Region: lab.Region, Network: "10.178", Cluster: cluster, Tagged: true},
	} {
		h, err := byhand.Begin(l, d)
		if err != nil {
			t.Fatal(err)
		}
		hands = append(hands, h)
	}
	each := func(t *testing.T, groups [][]byhand.Sharing, do func(*byhand.Hand, byhand.Sharing) error) {
		var wait sync.WaitGroup
		for _, h := range hands {
			for _, group := range groups {
				wait.Go(func() {
					for _, s := range group {
						if s.Lasting || s.Single && h.Tagged {
							continue
						}
						if err := do(h, s); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wait.Wait()
	}
	var mu sync.Mutex
	var ends, breaks []string
	each(t, byhand.Groups(), func(h *byhand.Hand, s byhand.Sharing) error {
		mu.Lock()
		ends, breaks = append(ends, h.Fill(s.Ends)...), append(breaks, h.Fill(s.Broken())...)
		mu.Unlock()
		return h.Make(s)
	})
	for _, i := range byhand.Impossibles {
		if err := hands[0].Try(i); err != nil {
			t.Error(err)
		}
	}

	found := decode[finding.Audit](t, c.want(3, "audit", c.org, "-o", "json"))
	var gotEnds, gotBreaks []string
	for _, e := range found.Edges {
		gotEnds = append(gotEnds, byhand.End(e))
	}
	for _, f := range found.Findings {
		gotBreaks = append(gotBreaks, f.Rule+" "+f.Resource.Type+" "+f.Resource.ID)
	}
	// What is wrong with a thing in two ways is found twice.
	slices.Sort(gotBreaks)
	gotBreaks = slices.Compact(gotBreaks)
	for what, lines := range map[string][2][]string{"way out": {ends, gotEnds}, "broken rule": {breaks, gotBreaks}} {
		missing, more := byhand.Compare(lines[0], lines[1])
		for _, line := range missing {
			t.Errorf("the audit finds no %s: %s", what, line)
		}
		for _, line := range more {
			t.Errorf("the audit finds a %s that nobody made: %s", what, line)
		}
	}
	for _, u := range found.Unread {
		t.Errorf("the audit could not read: %s", u.Message)
	}

	undone := byhand.Groups()
	for i, group := range undone {
		undone[i] = slices.Clone(group)
		slices.Reverse(undone[i])
	}
	each(t, undone, (*byhand.Hand).Undo)
	for _, h := range hands {
		if err := h.End(); err != nil {
			t.Errorf("remove what was shared: %v", err)
		}
	}
	c.want(0, "audit", c.org)
}

// seldomShared are ways of services that a data plane seldom has. The emulator has
// few of them; their lists are tried in the sandbox, and on answers as AWS
// documents them.
var seldomShared = []string{
	"accelerator-attachment", "access-grant", "archive-lock", "audit-framework", "authority-permission", "backup-report", "bucket-acl",
	"build-policy", "catalog-link", "clean-room", "cloud-wan", "config-aggregator", "delivery-stream", "detective-member", "direct-connect",
	"domain-name-policy", "event-data-store", "firewall-policy", "foreign-alarm", "grafana", "guardduty-member", "image-distribution",
	"inspector-member", "knowledge-source", "lake-setting", "license-grant", "macie-job", "macie-member", "mail-policy", "metric-stream",
	"migration-endpoint", "model-policy", "multi-region-access-point", "notebook-accounts", "observability", "organization-analyzer",
	"package-repository", "portfolio-share", "profile", "public-repository", "query-results", "repository-template", "response-plan",
	"schema-policy", "search-connection", "securityhub-member", "service-names", "shared-directory", "signer-permission", "snapshot-lifecycle",
	"storage-lens", "table-bucket", "table-copy", "trace-policy", "warehouse-policy", "warehouse-share",
}

// The table of what is made by hand, and of what the emulator cannot make, is the
// table of the ways that a listing shows.
func TestEachWayOfSharingIsMadeByHandOrImpossible(t *testing.T) {
	by := map[string]bool{}
	for _, s := range byhand.All() {
		by[s.Way] = true
		if len(s.Ends) == 0 {
			t.Errorf("%s: nobody is at the other end", s.Name)
		}
	}
	for _, i := range byhand.Impossibles {
		by[i.Way] = true
	}
	for _, way := range seldomShared {
		if by[way] {
			t.Errorf("%s is made by hand, or impossible, and need not be left out", way)
		}
		if !slices.ContainsFunc(awstype.Ways(), func(w awstype.Way) bool { return w.ID == way && w.List != "" }) {
			t.Errorf("%s is left out, and no listing shows it", way)
		}
	}
	for _, w := range awstype.Ways() {
		if w.List != "" && !by[w.ID] && !slices.Contains(seldomShared, w.ID) {
			t.Errorf("%s (%s): the lane neither makes it nor says that the emulator cannot", w.ID, w.Title)
		}
		delete(by, w.ID)
	}
	for way := range by {
		t.Errorf("%s is no way of sharing", way)
	}
}
