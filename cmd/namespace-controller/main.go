// Command namespace-controller fences the Projects of the cluster that it runs
// in, or of the one that its flags name.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"freehold.dev/freehold/internal/controller"
	"freehold.dev/freehold/internal/controller/source"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	f, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2 // the flag set has printed why
	}
	config, err := f.config()
	if err != nil {
		log.Error("cannot reach a cluster", "error", err)
		return 1
	}
	projects, err := f.source()
	if err != nil {
		log.Error("cannot ask for projects", "error", err)
		return 1
	}
	klog.SetSlogLogger(log)
	ctrl.SetLogger(klog.Background())
	err = controller.Run(ctx, controller.Options{
		Config:         config,
		Org:            f.org,
		Registry:       f.registry,
		Source:         projects,
		SourceInterval: f.projects.every,
		HealthAddress:  f.health,
		MetricsAddress: f.metrics,
		PprofAddress:   f.pprof,
		Workers:        f.workers,
		QPS:            float32(f.qps),
		Resync:         f.resync,
		LeaderElection: f.elect,
		Namespace:      os.Getenv("POD_NAMESPACE"),
		Log:            log,
		Now:            time.Now,
	})
	if err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

// flags are the command line; when a flag is given twice, the last counts.
type flags struct {
	kubeconfig, server, authority, token string
	org, registry                        string
	health, metrics, pprof               string
	elect                                bool
	workers                              int
	qps                                  float64
	resync                               time.Duration
	projects                             struct {
		url, token, authority string
		every                 time.Duration
	}
}

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("namespace-controller", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster; without it and --server, the cluster that this runs in")
	set.StringVar(&f.server, "server", "", "URL of the API server; needs --token-file")
	set.StringVar(&f.authority, "certificate-authority", "", "file of the API server's authority, for --server")
	set.StringVar(&f.token, "token-file", "", "file of a service account's token, read again when it changes, for --server")
	set.StringVar(&f.health, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	set.StringVar(&f.metrics, "metrics-bind-address", "0", `address of /metrics; "0": off`)
	set.StringVar(&f.pprof, "pprof-bind-address", "0", `address of /debug/pprof; "0": off`)
	set.StringVar(&f.org, "org", "", "org that the cluster is of; projects of another are refused")
	set.StringVar(&f.registry, "org-registry", "", "prefix of the org's own images, allowed in every project")
	set.StringVar(&f.projects.url, "projects-url", "", "https URL of the org's set of projects at Freehold's API; without it, nothing is pulled")
	set.StringVar(&f.projects.token, "projects-token-file", "", "file of a service account's token for that API, read again when it changes")
	set.StringVar(&f.projects.authority, "projects-ca-file", "", "file of that API's authority; without it, those of the system")
	set.DurationVar(&f.projects.every, "projects-interval", source.DefaultInterval, "how often that API is asked, give or take")
	set.IntVar(&f.workers, "workers", 8, "projects that are looked at at once")
	set.Float64Var(&f.qps, "qps", 200, "requests per second to the API server, at most; bursts may be twice as fast")
	set.DurationVar(&f.resync, "resync", 10*time.Minute, "how long after the last look a project is looked at again though nothing happened")
	set.BoolVar(&f.elect, "leader-elect", false, "let one replica of several do the work; its lease is in $POD_NAMESPACE")
	// An error's own line is the last: who runs this shows the end of its log.
	set.Usage = func() {}
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stderr, "Usage: namespace-controller [flags]")
		set.PrintDefaults()
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
		fmt.Fprintln(stderr, err)
	}
	return f, err
}

// source returns what lists projects beside the cluster, or nil.
func (f flags) source() (source.Source, error) {
	if f.projects.url == "" {
		if f.projects.token != "" || f.projects.authority != "" {
			return nil, errors.New("--projects-token-file and --projects-ca-file need --projects-url")
		}
		return nil, nil
	}
	return source.NewAPI(source.APIOptions{URL: f.projects.url, TokenFile: f.projects.token, CAFile: f.projects.authority, Org: f.org})
}

// config returns how the cluster is reached.
func (f flags) config() (*rest.Config, error) {
	switch {
	case f.server != "" && f.token == "":
		return nil, errors.New("--server needs --token-file")
	case f.server != "":
		return &rest.Config{
			Host:            f.server,
			BearerTokenFile: f.token,
			TLSClientConfig: rest.TLSClientConfig{CAFile: f.authority},
		}, nil
	case f.kubeconfig != "":
		return clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	}
	return rest.InClusterConfig()
}
