// Command freehold-kube is a Kubernetes control plane, and the client to talk
// to it, in one file:
//
//	freehold-kube etcd|kube-apiserver|kube-controller-manager|kubectl [flags]
//	freehold-kube version
//
// The four programs share nearly all of their code, so that one binary takes
// half the time to build, and half the space, of four. Called by the name of
// one of them, as through a symlink named kubectl, it is that program.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	_ "time/tzdata" // CronJobs name time zones; a bare machine has no zone files

	etcdversion "go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics on /metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // build info on /metrics
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// A program builds its command only when it is called: flags and feature gates
// of two control plane components in one process would get in each other's way.
type program struct {
	name string
	run  func(args []string) int
}

var programs = []program{
	{"etcd", func(args []string) int { etcdmain.Main(args); return 0 }},
	{"kube-apiserver", func([]string) int { return cli.Run(apiserver.NewAPIServerCommand()) }},
	{"kube-controller-manager", func([]string) int { return cli.Run(controllermanager.NewControllerManagerCommand()) }},
	{"kubectl", runKubectl},
	{"version", printVersion},
}

func main() {
	p, args, err := pick(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// All of them read os.Args again by themselves.
	os.Args = args
	os.Exit(p.run(args))
}

// pick finds the program that a command line asks for, by the name that it was
// called by or else by its first argument, and the command line as that program
// expects it.
func pick(args []string) (program, []string, error) {
	called := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	for _, p := range programs {
		if p.name == called {
			return p, args, nil
		}
	}
	if len(args) > 1 {
		for _, p := range programs {
			if p.name == args[1] {
				return p, args[1:], nil
			}
		}
	}
	names := make([]string, 0, len(programs))
	for _, p := range programs {
		names = append(names, p.name)
	}
	return program{}, nil, fmt.Errorf("usage: freehold-kube %s [flags]", strings.Join(names, "|"))
}

// runKubectl does what kubectl's own main does.
func runKubectl(args []string) int {
	// kubectl logs while it builds its command, before it has parsed -v.
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(args)); err != nil {
		fmt.Fprintln(os.Stderr, "kubectl: setting the log level:", err)
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints it and exits with kubectl's own status
	}
	return 0
}

func printVersion([]string) int {
	fmt.Printf("kubernetes %s\netcd v%s\n%s %s/%s\n",
		version.Get().GitVersion, etcdversion.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}
