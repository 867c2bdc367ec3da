package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/cloud/aws"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/plan"
)

func openAWS(ctx context.Context, o cli.Options) (*aws.Cloud, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	return aws.Open(ctx, aws.Options{Executable: self, Env: map[string]string{"FREEHOLD_HOME": o.Home}, Now: time.Now})
}

func eksToken(c *aws.Cloud) func(context.Context, cli.TokenRequest) ([]byte, error) {
	return func(ctx context.Context, r cli.TokenRequest) ([]byte, error) {
		return c.Token(ctx, r.Cluster, r.Region, r.RoleARN, r.ExternalID)
	}
}

// doctorAWS looks at what only a run on AWS needs: the provider plugins, and
// credentials that lead into the management account.
func doctorAWS(ctx context.Context, cl lifecycle.Management) []event.Check {
	var out []event.Check
	plugins, err := aws.Plugins()
	if err != nil {
		out = append(out, check("provider plugins", "make build", "", err))
	}
	for _, p := range plugins {
		err := error(nil)
		if p.Path == "" {
			err = fmt.Errorf("version %s is neither on PATH nor in Pulumi's cache", p.Version)
		}
		out = append(out, check("plugin "+p.Name, p.Install(), p.Path, err))
	}
	who, err := cl.Identity(ctx)
	out = append(out, check("credentials", "aws sso login, or whatever signs you in as the provisioner's role (docs/aws.md)",
		fmt.Sprintf("%s in account %s", who.ARN, who.AccountID), err))
	image := plan.DefaultControllerDigest
	if !plan.ControllerReleased() {
		image = "this build names none: each spec needs versions.controllerDigest (docs/controller.md)"
	}
	out = append(out, check("controller image", "", image, nil))
	return out
}
