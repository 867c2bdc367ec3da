// Package kubelive compares the Kubernetes objects that a layer made with what
// is live, field by field, and puts them back.
//
// A refresh of the engine cannot: pulumi-kubernetes prunes what it reads to the
// shape of the old inputs, so that what somebody adds to an object is in no
// state (pulumi/pulumi-kubernetes, provider/pkg/provider/provider.go, Read). Here every field of the live object is accounted for.
// Server-side apply records who set each field
// (https://kubernetes.io/docs/reference/using-api/server-side-apply/), and so a
// field of an object is one of these:
//
//	asked for    its value is the one that was applied, and whoever applied it owns it
//	allowed      one of the few that the cluster itself writes: allowed.go
//	a default    nobody owns it, and it was there when the object was last applied
//	a difference everything else
//
// Ownership that was taken away is a difference, too: without it nobody can tell
// a default from what was added.
//
// Strays are whole objects that no layer made. What belongs is an allow-list by
// contents, strays_spaces.go for namespaces and standing.go for the cluster.
//
// Comparing is pure. Client reads; PutBack, Expose and Remove write.
package kubelive
