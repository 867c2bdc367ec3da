// Command image makes the container images of the namespace controller and of
// freehold itself without a container engine, and pushes them:
//
//	go run -C tools/image . build -out ../../bin/controller-image
//	go run -C tools/image . build -image server -out ../../bin/server-image
//	go run -C tools/image . push REGISTRY/freehold-acme/namespace-controller:v1
//
// What holds:
//
//   - Equal sources, flags, Go and go.mod give an equal digest, in any folder, on
//     any machine, at any time: the image has no dates, no paths and no names of
//     machines in it.
//   - The controller's image is a static program of an unprivileged user,
//     authorities of TLS, and nothing else: no shell, no package manager. The
//     server's has the Pulumi CLI as well, and the provider plugins of -plugins.
//   - Nothing is downloaded but Go modules, unless -base names an image.
//   - A layout is whole or not there: it is written beside its place and renamed.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

const usage = `usage: image build [-image controller] [-platforms LIST] [-out DIR] [-base IMAGE@DIGEST] [-version V]
       image build -image server [-controller DIR] [-plugins PLATFORM=DIR] ...
       image digest [-layout DIR]
       image push [-layout DIR] [-username NAME -password-stdin] REPOSITORY:TAG`

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	repo := flags.String("repo", filepath.Join("..", ".."), "folder of the main module")
	bin := filepath.Join("..", "..", "bin")
	layout := ""
	for _, name := range []string{"out", "layout"} {
		flags.StringVar(&layout, name, "", "folder of the OCI layout; without it, that of the image in bin")
	}
	image := flags.String("image", "controller", "which image: controller or server")
	switch args[0] {
	case "build":
		base := flags.String("base", "", "an image to build on, by digest; without it, from scratch")
		version := flags.String("version", "", "the release, for a label")
		controller := flags.String("controller", filepath.Join(bin, "controller-image"), "layout of the controller that the server installs")
		only := flags.String("platforms", "", "for which platforms, separated by commas; without it, for all")
		from := pluginFolders{}
		flags.Var(from, "plugins", "`PLATFORM=FOLDER` of provider plugins that the server's image holds; repeat it for each platform")
		if err := parse(flags, args[1:], 0); err != nil {
			return err
		}
		var on []v1.Platform
		for name := range strings.SplitSeq(*only, ",") {
			if *only == "" {
				break
			}
			p, err := platformOf(name)
			if err != nil {
				return err
			}
			on = append(on, p)
		}
		digest, err := build(ctx, options{
			image: *image, repo: *repo, out: cmp.Or(layout, filepath.Join(bin, *image+"-image")), base: *base, version: *version,
			controller: *controller, platforms: on, plugins: from, keychain: authn.DefaultKeychain,
		}, stderr)
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, digest)
		return nil
	case "digest":
		if err := parse(flags, args[1:], 0); err != nil {
			return err
		}
		digest, err := digestOf(cmp.Or(layout, filepath.Join(bin, *image+"-image")))
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, digest)
		return nil
	case "push":
		username := flags.String("username", "", "who pushes; without it, what docker or crane signed in as")
		fromStdin := flags.Bool("password-stdin", false, "read the password of -username")
		if err := parse(flags, args[1:], 1); err != nil {
			return err
		}
		keychain, err := signIn(*username, *fromStdin, stdin)
		if err != nil {
			return err
		}
		pushed, err := push(ctx, cmp.Or(layout, filepath.Join(bin, *image+"-image")), flags.Arg(0), keychain)
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, pushed)
		return nil
	}
	return fmt.Errorf("there is no command %q\n%s", args[0], usage)
}

func parse(flags *flag.FlagSet, args []string, want int) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != want {
		return fmt.Errorf("%d arguments, want %d\n%s", flags.NArg(), want, usage)
	}
	return nil
}

// signIn returns the credentials of a push. A password is never an argument,
// which every user of the machine can read.
func signIn(username string, fromStdin bool, stdin io.Reader) (authn.Keychain, error) {
	if (username != "") != fromStdin {
		return nil, errors.New("-username and -password-stdin need each other")
	}
	if username == "" {
		return authn.DefaultKeychain, nil
	}
	password, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	if password = strings.TrimRight(password, "\r\n"); password == "" {
		return nil, errors.New("the password on standard input is empty")
	}
	return just{authn.FromConfig(authn.AuthConfig{Username: username, Password: password})}, nil
}

// just is a keychain of one key.
type just struct{ authn.Authenticator }

func (j just) Resolve(authn.Resource) (authn.Authenticator, error) { return j.Authenticator, nil }
