package controlplane

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ports are the loopback ports of one start; only the public one is kept.
type ports struct{ etcd, etcdPeer, apiserver int }

func local(port int) string { return fmt.Sprintf("https://127.0.0.1:%d", port) }

// etcdArgs run etcd for one member and one client. It is reached over TLS with
// client certificates of its own authority: it holds the cluster's secrets, and
// loopback is open to every user of the machine.
func etcdArgs(f files, p ports) []string {
	return []string{
		"etcd",
		"--name=sandbox",
		"--data-dir=" + f.etcdData(),
		"--listen-client-urls=" + local(p.etcd),
		"--advertise-client-urls=" + local(p.etcd),
		"--listen-peer-urls=" + local(p.etcdPeer),
		"--initial-advertise-peer-urls=" + local(p.etcdPeer),
		"--initial-cluster=sandbox=" + local(p.etcdPeer),
		"--cert-file=" + f.run("etcd.crt"),
		"--key-file=" + f.run("etcd.key"),
		"--trusted-ca-file=" + f.etcdCA(),
		"--client-cert-auth",
		"--peer-cert-file=" + f.run("etcd.crt"),
		"--peer-key-file=" + f.run("etcd.key"),
		"--peer-trusted-ca-file=" + f.etcdCA(),
		"--peer-client-cert-auth",
		// The page cache survives kill -9; a loss of power is not rehearsed here.
		"--unsafe-no-fsync",
		"--snapshot-count=5000",
		"--auto-compaction-mode=periodic",
		"--auto-compaction-retention=10m",
		// One member elects itself: short ticks shorten the start.
		"--heartbeat-interval=50",
		"--election-timeout=250",
		"--log-level=warn",
		"--logger=zap",
	}
}

// apiserverArgs run kube-apiserver as EKS does where it can be seen: RBAC, a
// service account issuer in EKS's form, the default admission plugins.
func apiserverArgs(f files, p ports, r record, webhook bool) []string {
	args := []string{
		"kube-apiserver",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.apiserver),
		"--advertise-address=127.0.0.1",
		"--tls-cert-file=" + f.run("apiserver.crt"),
		"--tls-private-key-file=" + f.run("apiserver.key"),
		"--client-ca-file=" + f.ca(),
		"--etcd-servers=" + local(p.etcd),
		"--etcd-cafile=" + f.etcdCA(),
		"--etcd-certfile=" + f.run("etcd-client.crt"),
		"--etcd-keyfile=" + f.run("etcd-client.key"),
		"--authorization-mode=RBAC",
		"--authentication-config=" + f.authentication(),
		"--service-account-issuer=" + r.Issuer,
		"--service-account-signing-key-file=" + f.accountKey(),
		"--service-account-key-file=" + f.accountKey(),
		"--api-audiences=https://kubernetes.default.svc",
		"--service-cluster-ip-range=172.20.0.0/16",
		"--allow-privileged=true",
		// Nothing serves the kubernetes Service's address: there are no pods.
		"--endpoint-reconciler-type=none",
		// One small user: no fairness between many, little in flight, no profiles.
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=100",
		"--max-mutating-requests-inflight=50",
		"--profiling=false",
		"--shutdown-delay-duration=0s",
		"--v=0",
	}
	if webhook {
		args = append(args,
			"--authentication-token-webhook-config-file="+f.run(webhookConfig),
			"--authentication-token-webhook-version=v1",
			"--authentication-token-webhook-cache-ttl=5s",
		)
	}
	return append(args, emulated(r.Version)...)
}

// webhookConfig is the file that says where tokens are reviewed.
const webhookConfig = "token-review.kubeconfig"

// controllers are those that keep the API's own promises: namespaces end, quotas
// count, owners' children are collected, service accounts have what they need.
// Those that would make or place pods, talk to nodes or to a cloud are off.
var controllers = []string{
	"clusterrole-aggregation-controller",
	// An eviction asks the budget's status, which nobody else writes.
	"disruption-controller",
	"garbage-collector-controller",
	"namespace-controller",
	"persistentvolume-protection-controller",
	"persistentvolumeclaim-protection-controller",
	// Without a kubelet, it alone ends a pod whose deletion was cut short.
	"pod-garbage-collector-controller",
	"resourcequota-controller",
	"root-ca-certificate-publisher-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"ttl-after-finished-controller",
	"validatingadmissionpolicy-status-controller",
}

func controllerManagerArgs(f files, r record) []string {
	args := []string{
		"kube-controller-manager",
		"--kubeconfig=" + f.run("controller-manager.kubeconfig"),
		"--controllers=" + strings.Join(controllers, ","),
		// A service account for each controller, as on EKS: admission policies tell them apart.
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + f.accountKey(),
		"--root-ca-file=" + f.ca(),
		"--leader-elect=false",
		"--secure-port=0",
		"--profiling=false",
		// Quotas and namespaces are looked at soon after a change, not after minutes.
		"--resource-quota-sync-period=30s",
		"--concurrent-namespace-syncs=4",
		"--v=0",
	}
	return append(args, emulated(r.Version)...)
}

// emulated asks the binary to behave as an earlier minor version.
func emulated(version string) []string {
	if version == BuiltVersion {
		return nil
	}
	return []string{"--emulated-version=kube=" + version}
}

// small keeps three Go servers modest: they share a laptop with everything else.
// Whoever has memory to spare sets GOGC, and gets a faster start for it.
func small(gogc int) []string {
	return []string{"GOGC=" + cmp.Or(os.Getenv("GOGC"), strconv.Itoa(gogc)), "GOMAXPROCS=2"}
}

// The graces between SIGTERM and SIGKILL, in the order of stopping.
const (
	controllerManagerGrace = 2 * time.Second
	apiserverGrace         = 5 * time.Second
	etcdGrace              = 5 * time.Second
)
