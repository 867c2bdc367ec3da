package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

func (a *app) get() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Read from a server what is recorded of its org",
		Long: `Get reads from a Freehold server. The server's host name says of which org: no
command takes one, and every document with -o json has it as "org".

Name the server with --server or FREEHOLD_SERVER, and log in to it with freehold
login.`,
		Example: `  freehold --server https://acme.freehold.example.com get operations
  freehold --server https://acme.freehold.example.com get operations -o json | jq .org
  freehold --server https://op.freehold.example.com get organizations`,
		RunE: group,
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(
		a.getOne("caller", "Show who you are to the server, and your roles", func(cmd *cobra.Command, r Remote) (any, func(io.Writer) error, error) {
			v, err := r.Caller(cmd.Context())
			return v, func(w io.Writer) error { return render.TextCaller(w, v) }, err
		}),
		a.getOne("dataplane", "Show what the org owns", func(cmd *cobra.Command, r Remote) (any, func(io.Writer) error, error) {
			v, err := r.DataPlane(cmd.Context())
			return v, func(w io.Writer) error { return render.TextDataPlane(w, v) }, err
		}),
		a.getOrganization(), a.getOrganizations(), a.getOperations(), a.getProjects(), a.getDrift(), a.getAudit(), a.getExceptions(), a.getEvidence(),
	)
	return cmd
}

// getOne is the command that shows one document.
func (a *app) getOne(name, short string, read func(*cobra.Command, Remote) (v any, people func(io.Writer) error, err error)) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: exactly(),
		Example: fmt.Sprintf("  freehold get %s\n  freehold get %s -o json | jq .org", name, name),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.remote()
			if err != nil {
				return err
			}
			v, people, err := read(cmd, r)
			if err != nil {
				return err
			}
			return a.print(v, people)
		},
	}
}

// printAll writes a document with a list in it; as ndjson one item per line.
func printAll[T any](a *app, all any, list []T, people func(io.Writer) error) error {
	if a.output == asNDJSON {
		return printList(a, list, nil)
	}
	return a.print(all, people)
}

func (a *app) getOrganization() *cobra.Command {
	return &cobra.Command{
		Use:   "organization [ORG]",
		Short: "Show the state of the org",
		Long: `Organization shows the state of the server's org, what it owns and its newest
operation. Only the operators' host takes an ORG.`,
		Example: `  freehold get organization
  freehold --server https://op.freehold.example.com get organization acme`,
		Args: exactly("ORG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.remote()
			if err != nil {
				return err
			}
			s, err := r.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) error { return render.TextStatus(w, s) })
		},
	}
}

func (a *app) getOrganizations() *cobra.Command {
	return &cobra.Command{
		Use:     "organizations",
		Short:   "List all orgs, on the operators' host",
		Example: `  freehold --server https://op.freehold.example.com get organizations`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.remote()
			if err != nil {
				return err
			}
			orgs, err := r.Orgs(cmd.Context())
			if err != nil {
				return err
			}
			return printList(a, orgs, func(w io.Writer) error { return render.TextStatuses(w, orgs) })
		},
	}
}

func (a *app) getOperations() *cobra.Command {
	return &cobra.Command{
		Use:     "operations [OPERATION]",
		Aliases: []string{"operation"},
		Short:   "List the operations, the newest first, or show one",
		Example: `  freehold get operations
  freehold get operations -o json | jq -r '.operations[] | select(.state == "failed") | .id'`,
		Args: between(0, "OPERATION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.remote()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				one, err := r.Operation(cmd.Context(), r.Org(), args[0])
				if err != nil {
					return err
				}
				return a.print(one, func(w io.Writer) error { return render.TextOperation(w, one) })
			}
			all := event.Operations{Org: r.Org()}
			if all.Operations, err = r.Operations(cmd.Context(), r.Org()); err != nil {
				return err
			}
			return printAll(a, all, all.Operations, func(w io.Writer) error { return render.TextOperations(w, all) })
		},
	}
}

func (a *app) getProjects() *cobra.Command {
	return &cobra.Command{
		Use:     "projects [NAME]",
		Aliases: []string{"project"},
		Short:   "List the projects and their state in the cluster, or show one",
		Example: `  freehold get projects
  freehold get projects billing -o json`,
		Args: between(0, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.remote()
			if err != nil {
				return err
			}
			all, err := r.Projects(cmd.Context(), r.Org())
			if err != nil {
				return err
			}
			if len(args) > 0 {
				return a.printProject(all, args[0])
			}
			return printAll(a, all, all.Projects, func(w io.Writer) error { return render.TextProjects(w, all) })
		},
	}
}

// printProject shows one of an org's projects.
func (a *app) printProject(all event.Projects, name string) error {
	i := slices.IndexFunc(all.Projects, func(one event.Project) bool { return one.Name == name })
	if i < 0 {
		return &lifecycle.Error{
			Org: all.Org, Doing: "projects show", Next: "list the projects with freehold projects list" + a.ofOrg(all.Org),
			Err: fmt.Errorf("%w: project %s does not exist", lifecycle.ErrInvalid, name),
		}
	}
	return a.print(all.Projects[i], func(w io.Writer) error { return render.TextProject(w, all.Projects[i]) })
}

func (a *app) getDrift() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show what the latest drift runs found",
		Long: `Drift shows what the latest drift runs found, the newest first. It looks at no
cloud: freehold drift run does.`,
		Example: `  freehold get drift
  freehold get drift --limit 10 -o json | jq '.reports[].findings | length'`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > 100 {
				return usagef(cmd, "drift: --limit %d: want 1 to 100", limit)
			}
			r, err := a.remote()
			if err != nil {
				return err
			}
			all, err := r.DriftReports(cmd.Context(), limit)
			if err != nil {
				return err
			}
			return printAll(a, all, all.Reports, func(w io.Writer) error { return render.TextDriftReports(w, all) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 1, "how many reports")
	return cmd
}

func (a *app) getAudit() *cobra.Command {
	var after int64
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who did what, and who was refused",
		Long: `Audit shows the org's audit log. On the operators' host it is the fleet's own.
freehold audit-log verify checks its chain of hashes on this machine.`,
		Example: `  freehold get audit
  freehold get audit --after 120 -o ndjson`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if after < 0 {
				return usagef(cmd, "audit: --after %d: want the number of an entry, 0 or more", after)
			}
			r, err := a.remote()
			if err != nil {
				return err
			}
			log, err := r.AuditLog(cmd.Context(), r.Org(), after)
			if err != nil {
				return err
			}
			return printAll(a, log, log.Entries, func(w io.Writer) error { return render.TextAuditLog(w, log) })
		},
	}
	cmd.Flags().Int64Var(&after, "after", 0, "only entries with a higher `number`")
	return cmd
}

func (a *app) getExceptions() *cobra.Command {
	return &cobra.Command{
		Use:     "exceptions",
		Short:   "List the violations of isolation rules that somebody accepted",
		Example: `  freehold get exceptions -o json | jq '.exceptions[] | select(.active)'`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.remote()
			if err != nil {
				return err
			}
			all, err := r.Exceptions(cmd.Context())
			if err != nil {
				return err
			}
			return printAll(a, all, all.Exceptions, func(w io.Writer) error { return render.TextExceptions(w, all) })
		},
	}
}

func (a *app) getEvidence() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "evidence [NAME]",
		Short: "List the documents for a reviewer, or fetch one",
		Long: `Evidence lists the documents that a reviewer can check without Freehold, with
their SHA-256 digests. With NAME it fetches one, writes it to standard output or
to --file, and checks its digest: exit status 1, and no file, when the document is
not what the digest says.`,
		Example: `  freehold get evidence
  freehold get evidence audit-log --file audit-log.json`,
		Args: between(0, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file != "" && len(args) == 0 {
				return usagef(cmd, "evidence: --file needs the NAME of a document")
			}
			r, err := a.remote()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				return a.fetchEvidence(cmd, r, args[0], file)
			}
			all, err := r.EvidenceList(cmd.Context())
			if err != nil {
				return err
			}
			return printAll(a, all, all.Evidence, func(w io.Writer) error { return render.TextEvidenceList(w, all) })
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "write the document to this `file`")
	_ = cmd.MarkFlagFilename("file")
	return cmd
}

func (a *app) fetchEvidence(cmd *cobra.Command, r Remote, name, file string) error {
	if file == "" {
		_, err := r.Evidence(cmd.Context(), name, forFile(a.env.Stdout))
		return err
	}
	// A document that is not what its digest says never gets the file's name.
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return usagef(cmd, "evidence: --file: %v", err)
	}
	defer os.Remove(tmp.Name())
	got, err := r.Evidence(cmd.Context(), name, tmp)
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return fmt.Errorf("write the evidence: %w", err)
	}
	got.File = file
	return a.print(got, func(w io.Writer) error { return render.TextEvidence(w, got) })
}
