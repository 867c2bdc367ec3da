// Package aws is the real cloud: what Freehold needs of AWS beside Pulumi's
// resources, on the AWS SDK.
//
// Credentials, region and endpoints come by the SDK's own default chain
// (environment, shared files, SSO, web identity, container and instance roles;
// AWS_ENDPOINT_URL), so that Freehold and the provider plugins, which read the
// same, are the same principal. Credentials are asked for again shortly before
// they expire: a run may last longer than a session.
package aws

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"freehold.dev/freehold/internal/cloud"
)

// globalRegion is where the endpoints of IAM and Organizations are, and where a
// process without a region of its own asks them.
const globalRegion = "us-east-1"

// sessionName names Freehold's own sessions in the accounts' trails; the
// providers' have the org and the layer in theirs.
const sessionName = "freehold"

// Options are what a Cloud is opened with.
type Options struct {
	// Executable is this program: kubeconfigs name it as the plugin that fetches
	// a token ("eks-token" and its flags), with Env in its environment. What
	// holds for this machine only is in Env.
	Executable string
	Env        map[string]string
	// Now is the clock; required.
	Now func() time.Time
}

// Cloud is AWS, seen from the management account.
type Cloud struct {
	o    Options
	base aws.Config

	mu       sync.Mutex
	sessions map[cloud.Account]aws.Config
}

// Open reads the process's AWS configuration. It makes no call.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	if o.Now == nil {
		return nil, errors.New("aws: Now is not set")
	}
	base, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if base.Region == "" {
		base.Region = globalRegion
	}
	return &Cloud{o: o, base: base, sessions: map[cloud.Account]aws.Config{}}, nil
}

// Name is "aws".
func (c *Cloud) Name() string { return "aws" }

// in returns the configuration that acts in an account and region: as the
// account's role or, for the management account, as the process itself. It
// makes no call; credentials that are not to be had fail the first one.
func (c *Cloud) in(a cloud.Account) aws.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg, ok := c.sessions[a]; ok {
		return cfg
	}
	cfg := c.base.Copy()
	if a.Region != "" {
		cfg.Region = a.Region
	}
	if a.RoleARN != "" {
		// STS is asked in the org's region: its global endpoint is one region's.
		provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), a.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if a.ExternalID != "" {
				o.ExternalID = aws.String(a.ExternalID)
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) {
			// A call that starts just before the end must not end after it.
			o.ExpiryWindow = 30 * time.Second
			o.ExpiryWindowJitterFrac = 0.5
		})
	}
	c.sessions[a] = cfg
	return cfg
}

// enter is in, for calls that change or list an account: it refuses a role that
// leads to another account than the one that is meant, before anything is done.
func (c *Cloud) enter(ctx context.Context, a cloud.Account) (aws.Config, error) {
	cfg := c.in(a)
	if a.RoleARN == "" && a.ID == "" {
		return cfg, nil
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return cfg, fmt.Errorf("account %s: enter as %s: %w", a.ID, orUs(a.RoleARN), err)
	}
	if got := aws.ToString(who.Account); a.ID != "" && got != a.ID {
		return cfg, wrongAccount{fmt.Sprintf("account %s: %s leads to account %s", a.ID, orUs(a.RoleARN), got)}
	}
	return cfg, nil
}

// ErrWrongAccount is wrapped when credentials or a role lead to another account
// than the one that was meant.
var ErrWrongAccount = errors.New("the credentials lead to another account")

// wrongAccount says where credentials lead, whatever it is wrapped in: a terminal
// shows the last error of a long chain.
type wrongAccount struct{ where string }

func (w wrongAccount) Error() string        { return w.where + ": " + ErrWrongAccount.Error() }
func (w wrongAccount) Is(target error) bool { return target == ErrWrongAccount }

func orUs(roleARN string) string {
	if roleARN == "" {
		return "this process's own credentials"
	}
	return roleARN
}

// code returns the AWS error code of an error, "" if it has none.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// isCode reports whether AWS answered with one of the codes.
func isCode(err error, codes ...string) bool {
	got := code(err)
	return got != "" && slices.Contains(codes, got)
}

// bucketsOf is the client for buckets. Where AWS is asked somewhere else than at
// AWS, a bucket's name may not be resolvable as part of a host name.
func bucketsOf(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = customEndpoint() })
}

func customEndpoint() bool {
	return os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
}
