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
//	                      |                    |
//	                      `---- a child that keeps dying ----> failed --Ensure--> starting
//
// Everything goes through the proxy, so a cluster is idle when nobody is
// connected and nobody called Ensure for the idle period. It then stops, and
// the next Ensure (kubectl's credential plugin calls it) starts it again with
// its data. Data survives kill -9 of every process here; etcd runs without
// fsync, so it may not survive a loss of power.
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
