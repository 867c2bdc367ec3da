package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
)

// RegistryAdmin is the registry as a whole, in the hands of who keeps it.
type RegistryAdmin interface {
	// Migrate brings its schema up to date.
	Migrate(ctx context.Context) (event.Migration, error)
	// Export writes all that it holds, as it is at one moment.
	Export(ctx context.Context, w io.Writer) (event.Archive, error)
	// Import fills an empty one with what was exported.
	Import(ctx context.Context, r io.Reader) (event.Archive, error)
	// Check reads what was exported to its end, and writes nothing.
	Check(r io.Reader) (event.Archive, error)
}

func (a *app) registry() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "Upgrade the registry, back it up, or move it to another database",
		Long: `The registry is what Freehold knows of its orgs. --registry (FREEHOLD_REGISTRY) says
where it is: a file for SQLite, which is the default and for one machine, or a URL
for PostgreSQL, which machines share:

  postgres://NAME:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full
  postgres://NAME@HOST:5432/DATABASE?auth=iam&region=eu-central-1

With auth=iam the password is a token of AWS IAM, which is renewed. A password
belongs in FREEHOLD_REGISTRY, PGPASSWORD or a passfile, not on a command line.`,
		Example: `  freehold registry migrate --registry postgres://owner@db.example.com/freehold
  freehold registry export > registry.ndjson
  freehold registry import --registry postgres://freehold@db.example.com/freehold < registry.ndjson
  freehold registry backup --to /srv/backups`,
		RunE: group,
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(a.registryMigrate(), a.registryExport(), a.registryImport(), a.registryBackup())
	return cmd
}

// admin opens what keeps the registry.
func (a *app) admin(cmd *cobra.Command) (RegistryAdmin, error) {
	if a.opt.Home == "" && a.opt.Registry == "" {
		return nil, noHome(cmd)
	}
	return a.env.Registry(a.opt), nil
}

func (a *app) registryMigrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the registry's schema up to date",
		Long: `Migrate brings the registry's schema up to date, and changes nothing when it is.
Migrations only go forward; of two at once, one waits for the other.

A SQLite file is upgraded by whatever command opens it. In PostgreSQL the schema
belongs to a role that Freehold does not run as: the URL names that owner here,
who may create roles and create in the database. It makes the roles freehold_org,
freehold_fleet and freehold_ledger. The login that Freehold runs as owns nothing,
and is made by hand:

  CREATE ROLE freehold LOGIN NOINHERIT PASSWORD '…';
  GRANT freehold_org, freehold_fleet TO freehold;`,
		Example: `  freehold registry migrate
  freehold registry migrate --registry postgres://owner@db.example.com/freehold`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.admin(cmd)
			if err != nil {
				return err
			}
			m, err := r.Migrate(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(m, func(w io.Writer) error {
				text := fmt.Sprintf("the registry is up to date: version %d\n", m.To)
				if m.From != m.To {
					text = fmt.Sprintf("the registry was upgraded from version %d to %d\n", m.From, m.To)
				}
				_, err := io.WriteString(w, text)
				return err
			})
		},
	}
}

func (a *app) registryExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "Write all that the registry holds to standard output",
		Long: `Export writes all that the registry holds to standard output, as it is at one
moment, while others go on writing: one JSON document a line, the same from SQLite
and from PostgreSQL. The last line has the number of rows and a hash of all lines
before it, so that an archive that was cut off or changed is refused.

To move to another database, see that nothing runs (the number of operations that
had not ended is printed), export, import, and use the new --registry from then on.`,
		Example: `  freehold registry export > registry.ndjson`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.admin(cmd)
			if err != nil {
				return err
			}
			done, err := r.Export(cmd.Context(), forFile(a.env.Stdout))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.env.Stderr, "exported %s\n", describe(done))
			return err
		},
	}
}

// describe is what an archive holds, for people.
func describe(a event.Archive) string {
	text := fmt.Sprintf("%d orgs, %d rows", a.Orgs, a.Rows)
	if a.Running > 0 {
		text += fmt.Sprintf("; %d operations had not ended: what they write from now on is not in it", a.Running)
	}
	return text
}

func (a *app) registryImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import",
		Short: "Fill an empty registry with what was exported",
		Long: `Import reads what "registry export" wrote from standard input, to its end, and then
fills the registry, which must be empty: migrated, and never used. Nothing is
written when the archive is not whole.`,
		Example: `  freehold registry import --registry postgres://freehold@db.example.com/freehold < registry.ndjson`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.admin(cmd)
			if err != nil {
				return err
			}
			done, err := r.Import(cmd.Context(), a.env.Stdin)
			if err != nil {
				return err
			}
			return a.print(done, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "imported %s\n", describe(done))
				return err
			})
		},
	}
}

func (a *app) registryBackup() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "backup --to FOLDER",
		Short: "Write an archive of the registry to a new file, and read it back",
		Long: `Backup writes what "registry export" writes to a new file in a folder, named by the
time, readable by its owner only, and there only when it is whole: it is written
under another name, read back against its own hash, and then renamed. Its name is
printed. "registry import" restores it.`,
		Example: `  freehold registry backup --to /srv/backups`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usagef(cmd, "backup: --to is missing")
			}
			r, err := a.admin(cmd)
			if err != nil {
				return err
			}
			file := filepath.Join(dir, "registry-"+a.env.Now().UTC().Format("20060102T150405Z")+".ndjson")
			done, err := backup(cmd.Context(), r, file)
			if err != nil {
				return err
			}
			done.File = file
			return a.print(done, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s\n", file, describe(done))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&dir, "to", "", "the `folder` for the archive, which exists")
	_ = cmd.MarkFlagDirname("to")
	return cmd
}

// backup writes an archive to a file that is there only when it is whole.
func backup(ctx context.Context, r RegistryAdmin, file string) (done event.Archive, err error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".registry-*")
	if err != nil {
		return done, fmt.Errorf("back up the registry: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up the registry to %s: %w", file, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	wrote, err := r.Export(ctx, f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return done, err
	}
	back, err := os.Open(f.Name())
	if err != nil {
		return done, err
	}
	done, err = r.Check(back)
	if err = errors.Join(err, back.Close()); err != nil {
		return done, err
	}
	if done != wrote {
		return done, fmt.Errorf("%d rows were written, and %d are in it", wrote.Rows, done.Rows)
	}
	// A backup never takes the place of another.
	return done, errors.Join(os.Link(f.Name(), file), os.Remove(f.Name()))
}
