package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

func (a *app) kubeconfig() *cobra.Command {
	var merge bool
	var file string
	cmd := &cobra.Command{
		Use:   "kubeconfig ORG",
		Short: "Print a kubeconfig for an org's cluster, or merge it into yours",
		Long: `Kubeconfig prints a kubeconfig for the org's cluster. It contains no token:
kubectl gets one from an exec plugin each time, so the file can be kept.

--merge adds it to your kubeconfig (the first file of $KUBECONFIG that exists,
or else ~/.kube/config) as the context freehold-ORG; --file merges it into that
file. The current context is kept, if there is one.`,
		Example: `  freehold kubeconfig acme > acme.kubeconfig
  freehold kubeconfig acme --merge && kubectl --context freehold-acme get namespaces
  kubectl --kubeconfig <(freehold kubeconfig acme) get nodes`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			given, err := p.Kubeconfig(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			name := "freehold-" + args[0]
			config, err := renamed(given, name)
			if err != nil {
				return fmt.Errorf("kubeconfig for %s: %w", args[0], err)
			}
			if merge || file != "" {
				return a.mergeKubeconfig(args[0], config, name, file)
			}
			text, err := clientcmd.Write(*config)
			if err != nil {
				return fmt.Errorf("kubeconfig for %s: %w", args[0], err)
			}
			return a.print(kubeconfigResult{Org: args[0], Context: name, Kubeconfig: string(text)}, func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&merge, "merge", false, "merge into your kubeconfig")
	cmd.Flags().StringVar(&file, "file", "", "merge into this file")
	_ = cmd.MarkFlagFilename("file")
	return cmd
}

type kubeconfigResult struct {
	Org        string `json:"org"`
	Context    string `json:"context"`
	File       string `json:"file,omitempty"`
	Kubeconfig string `json:"kubeconfig,omitempty"`
}

// renamed reads the kubeconfig of one cluster and gives its cluster, user and
// context the same name.
func renamed(text []byte, name string) (*api.Config, error) {
	in, err := clientcmd.Load(text)
	if err != nil {
		return nil, err
	}
	context := in.Contexts[in.CurrentContext]
	if context == nil {
		return nil, fmt.Errorf("the current context %q is not defined", in.CurrentContext)
	}
	cluster, user := in.Clusters[context.Cluster], in.AuthInfos[context.AuthInfo]
	if cluster == nil || user == nil {
		return nil, fmt.Errorf("the cluster or the user of context %q is not defined", in.CurrentContext)
	}
	out := api.NewConfig()
	out.Clusters[name] = cluster
	out.AuthInfos[name] = user
	out.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name, Namespace: context.Namespace}
	out.CurrentContext = name
	return out, nil
}

func (a *app) mergeKubeconfig(org string, config *api.Config, name, file string) error {
	access := a.kubeconfigAccess(file)
	have, err := access.GetStartingConfig()
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	into := access.GetDefaultFilename()
	// An existing entry stays in its file.
	origin := func(at string) string {
		if at == "" {
			return into
		}
		return at
	}
	cluster, user, context := config.Clusters[name], config.AuthInfos[name], config.Contexts[name]
	if old := have.Clusters[name]; old != nil {
		cluster.LocationOfOrigin = origin(old.LocationOfOrigin)
	}
	if old := have.AuthInfos[name]; old != nil {
		user.LocationOfOrigin = origin(old.LocationOfOrigin)
	}
	if old := have.Contexts[name]; old != nil {
		context.LocationOfOrigin = origin(old.LocationOfOrigin)
		into = context.LocationOfOrigin
	}
	have.Clusters[name], have.AuthInfos[name], have.Contexts[name] = cluster, user, context
	if have.CurrentContext == "" {
		have.CurrentContext = name
	}
	if err := os.MkdirAll(filepath.Dir(into), 0o700); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := clientcmd.ModifyConfig(access, *have, false); err != nil {
		return fmt.Errorf("write kubeconfig %s: %w", into, err)
	}
	return a.print(kubeconfigResult{Org: org, Context: name, File: into}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "merged into %s\n\n  kubectl --context %s get namespaces\n", into, name)
		return err
	})
}

// kubeFiles is clientcmd.ConfigAccess over the files that kubectl would use,
// found through Env and not through the process.
type kubeFiles struct {
	explicit string
	list     []string // of $KUBECONFIG, else the one of the home folder
}

func (a *app) kubeconfigAccess(file string) kubeFiles {
	if file != "" {
		return kubeFiles{explicit: file, list: []string{file}}
	}
	var list []string
	for _, f := range filepath.SplitList(a.env.Getenv("KUBECONFIG")) {
		if f != "" {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		list = []string{filepath.Join(a.env.Getenv("HOME"), ".kube", "config")}
	}
	return kubeFiles{list: list}
}

// GetLoadingPrecedence returns the files, the first one winning. It is a copy:
// ModifyConfig sorts it.
func (k kubeFiles) GetLoadingPrecedence() []string { return slices.Clone(k.list) }

// GetStartingConfig reads and merges the files; one that is missing is empty.
func (k kubeFiles) GetStartingConfig() (*api.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: k.GetLoadingPrecedence()}
	return rules.Load()
}

// GetDefaultFilename is the file for a new entry.
func (k kubeFiles) GetDefaultFilename() string {
	for _, f := range k.list {
		if _, err := os.Stat(f); err == nil {
			return f
		}
	}
	return k.list[len(k.list)-1]
}

// IsExplicitFile reports whether one file was named.
func (k kubeFiles) IsExplicitFile() bool { return k.explicit != "" }

// GetExplicitFile returns that file.
func (k kubeFiles) GetExplicitFile() string { return k.explicit }
