// Package controller is the namespace controller: it watches the Projects of one
// cluster.
//
// Today it observes, and makes nothing: each project that it reads gets the
// condition Accepted and the generation that this is about, and stays in the
// phase Pending, since nothing fences its namespace yet.
//
//	(new or changed) --read--> Pending, Accepted=True, observedGeneration=generation
//
// It is ready when its cache holds every project and a first full pass has
// listed them, so that a ready controller is one that can work: a cluster
// without the Project kind, or an account that may not list projects, never
// makes it ready. Every replica becomes ready; only the leader writes.
package controller
