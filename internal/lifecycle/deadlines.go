package lifecycle

import "time"

// deadlines has a row for each step: after that long it is given up, so that no
// operation holds its org forever. They are far beyond what an undisturbed step
// takes, and beyond the sum of the waits in it.
//
// The longest of the provider's own are an hour for the update of a cluster and
// for each change of a node group:
// https://github.com/hashicorp/terraform-provider-aws (internal/service/eks/cluster.go, node_group.go)
var deadlines = map[string]time.Duration{
	// What only asks and compares.
	"admit":  15 * time.Minute,
	"zones":  5 * time.Minute,
	"claim":  15 * time.Minute,
	"groups": 5 * time.Minute,
	"move":   15 * time.Minute,

	"adopt":  time.Hour,
	"clear":  time.Hour,
	"expose": 15 * time.Minute,
	"remake": 30 * time.Minute,
	// Other orgs' accounts are created or closed first.
	"queue": time.Hour,
	// A new version of a cluster with several node groups.
	"up":    6 * time.Hour,
	"renew": 15 * time.Minute,
	// One node after the other, each with a bound of its own.
	"pods":    24 * time.Hour,
	"putback": 30 * time.Minute,
	// A new account is waited for half an hour. Projects that a controller pulls are
	// waited for as long as it lets pass between two requests, at most an hour.
	"settle": 2 * time.Hour,
	"pull":   2 * time.Hour,
	"sweep":  30 * time.Minute,

	"confirm": 30 * time.Minute,
	"prepare": 2 * time.Hour,
	"destroy": 4 * time.Hour,
	"forget":  15 * time.Minute,
	"release": 15 * time.Minute,
}
