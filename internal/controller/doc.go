// Package controller is the namespace controller: it turns each Project of one
// cluster into a namespace of the same name with every fence, and keeps it so.
//
// # What happens to a project
//
// A reconcile looks at one project and goes through the steps, each in a file of
// its own and each safe to repeat after a kill at any line:
//
//	finalizer    before anything is made                       (deletion.go)
//	namespace    is ours, or is made, or is another's: stop    (namespace.go, podsecurity.go)
//	quota        ResourceQuota, LimitRange; hibernation        (quota.go, hibernation.go, workloads.go)
//	network      NetworkPolicies                               (network.go)
//	access       service accounts, then RoleBindings           (accounts.go, access.go)
//	status       written once, at the end                      (status.go)
//
// Behind each step comes a look at what others have beside its objects that undoes
// what it does (strays.go): the step's condition does not hold while there is any.
//
// Access comes last, because nobody should work in a namespace that is not
// fenced yet: while the quota or the network fails, members are taken away and
// none is added.
//
//	             made or changed
//	                   |
//	                   v     a namespace of another, or another org
//	               Pending ------------------------------------------> Failed
//	                   |                                                 |
//	                   | all four conditions hold     it is freed, or marked for adoption
//	                   v                                                 |
//	      .------->  Ready <---------------------------------------------'
//	      |  wake      |  hibernate, or ttl is over
//	      '-------- Hibernated
//
//	any --deleted--> Terminating
//	                   |-- Retain:             mark the namespace, leave it ------------> gone
//	                   |-- Delete, not confirmed: keep everything fenced, and wait
//	                   '-- Delete, confirmed:  members out -> pods: 0 and wait until
//	                                           they are gone -> namespace, and wait ----> gone
//
// Pods end before the namespace is deleted, because Kubernetes deletes what is
// in a namespace in no order: network policies could be gone while pods run.
//
// # How it writes
//
// Every object is compared with what it should be before it is written, so that
// a second reconcile of an unchanged project writes nothing. What differs is
// applied (server-side apply, field manager "freehold-namespace-controller");
// where a field of another manager stays in the way, such as a way out that was
// added to a network policy, the object is replaced. Somebody whose change was
// undone is named in an Event. Somebody who keeps changing the same thing is
// answered once a second, and the condition that is about it is false, with their
// name, until nobody has changed it for half a minute.
//
// A project can go without its finalizer being asked (orphan.go); what was made for
// it is then retained or deleted as it wanted.
//
// Nothing has an owner reference: deleting a Project must not delete what its
// policy says is retained.
//
// # When it is ready
//
// A replica is ready when its caches hold the cluster; the leader, when it has
// looked at every project once besides. A cluster without the Project kind, or
// an account that may not list what the controller needs, never makes it ready.
package controller
