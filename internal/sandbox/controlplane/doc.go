// Package controlplane runs the sandbox's Kubernetes clusters: for each one a
// real etcd, kube-apiserver and kube-controller-manager, with keys, a
// certificate authority and a stable loopback endpoint of its own.
//
// # Who runs what
//
//	caller                        supervisor (one a cluster, detached)
//	------                        ------------------------------------
//	Manager.Create  writes the cluster's directory; nothing runs
//	Manager.Ensure  --starts-->   Serve
//	                                |- etcd
//	                                |- kube-apiserver
//	                                |- kube-controller-manager
//	                                |- namespace-controller, while its Deployment exists
//	                                `- a TCP proxy on the stable endpoint
//
// A cluster outlives the process that made it. Its supervisor holds a file lock,
// so there is never a second one, and goes through these phases:
//
//	(none) --Ensure--> starting --/readyz--> ready --idle or SIGTERM--> stopping --> (none)
//	                      |  ^                 |
//	                      |  `--a connection-- asleep --idle or SIGTERM--> (none)
//	                      |
//	                      `---- a child that keeps dying ----> failed --Ensure--> starting
//
// Everything goes through the proxy, so a cluster is unused when nobody is
// connected and nobody called Ensure. The namespace controller does not go
// through it: what a cluster does for itself is not use.
//
// A cluster that has been unused for DefaultQuiet sleeps if more than
// DefaultAwake of its root are awake, the one that has been left alone for
// longest first. Its supervisor keeps the endpoint and ends the children. Whoever
// connects is kept waiting until they run again, so a client needs to know
// nothing of it, nor its connection's owner to have called Ensure. One that is
// unused for the idle period stops, awake or asleep: the next Ensure (kubectl's
// credential plugin calls it) starts it again.
//
// In a cluster that sleeps, as in one that is stopped, nothing happens by itself:
// the namespace controller pulls no projects and restores nothing, quotas are not
// counted again, a namespace does not end. All of that goes on when it wakes, and
// the Deployment's status is true again before anyone reads it.
//
// Data survives kill -9 of every process here, in sleep as well; etcd runs
// without fsync, so it may not survive a loss of power.
//
// People get in by tokens of an OpenID Connect issuer once Manager.Authenticate
// has named it, as on EKS. The API server looks at its authentication
// configuration while it runs, so nothing is started anew for it, and it holds
// the issuer's certificate to the authorities that the machine trusts, or that
// SSL_CERT_FILE names when the cluster is started.
//
// On Linux the children die with the supervisor. Elsewhere, and for children
// that were recorded but not ended, the next supervisor ends them first: by
// process id and start time, so that a process that merely got the same id is
// left alone.
//
// # What it is not
//
// There is no kubelet, no scheduler and no node: pods are admitted, counted
// against quotas and deleted, but they never run, and the controllers that
// would only make pods (Deployments, StatefulSets, Jobs…) are off. One
// Deployment is run all the same: freehold-system/namespace-controller, as a
// process with a token of the Deployment's own service account. Its status is
// written from what that process answers on /readyz, so that waiting for its
// rollout ends when, and only when, the controller works. Its ReplicaSets and
// revisions are those that kube-controller-manager would write, under the names
// of its controllers. The image is not pulled: the namespace-controller binary
// of this build stands for it.
package controlplane
