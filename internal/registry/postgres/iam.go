package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
)

// TokenSource returns a password that is good for one new connection at least.
type TokenSource func(ctx context.Context) (string, error)

// useIAM makes the password an IAM authentication token, which RDS takes for 15
// minutes to connect with, and so is made before each new connection. A
// connection lives on when its token has expired. The token is all that one needs
// to get in, so it is only sent to a server whose certificate was checked.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
func (c *config) useIAM(ctx context.Context, region, sslmode string) error {
	conn := c.pool.ConnConfig
	switch {
	case conn.User == "":
		return errors.New("auth=iam needs the user in the URL")
	case conn.Password != "":
		return errors.New("auth=iam takes no password: the URL, PGPASSWORD or the password file has one")
	case sslmode != "verify-full" && sslmode != "verify-ca":
		return fmt.Errorf("auth=iam needs sslmode=verify-full or verify-ca, not %s, as whoever reads the token can use it", sslmode)
	case len(conn.Fallbacks) > 0:
		return errors.New("auth=iam needs one host: a token is good for one only")
	case c.tokens != nil:
		return nil
	}
	if region == "" {
		region = regionOf(conn.Host)
	}
	load := sync.OnceValues(func() (aws.Config, error) {
		return awsconfig.LoadDefaultConfig(context.WithoutCancel(ctx), awsconfig.WithRegion(region))
	})
	endpoint := net.JoinHostPort(conn.Host, strconv.Itoa(int(conn.Port)))
	c.tokens = func(ctx context.Context) (string, error) {
		cfg, err := load()
		if err != nil {
			return "", fmt.Errorf("find AWS credentials for an IAM token: %w", err)
		}
		return token(ctx, cfg, endpoint, conn.User)
	}
	return nil
}

func token(ctx context.Context, cfg aws.Config, endpoint, user string) (string, error) {
	if cfg.Region == "" {
		return "", fmt.Errorf("make an IAM token for %s: the region is unknown: add region= to the URL or set AWS_REGION", endpoint)
	}
	t, err := auth.BuildAuthToken(ctx, endpoint, cfg.Region, user, cfg.Credentials)
	if err != nil {
		return "", fmt.Errorf("make an IAM token for %s: %w", endpoint, err)
	}
	return t, nil
}

// regionOf reads the region in the name of an RDS endpoint, as in
// db.abc123.eu-central-1.rds.amazonaws.com; "" if it has none.
func regionOf(host string) string {
	before, _, ok := strings.Cut(host, ".rds.amazonaws.com")
	if !ok {
		return ""
	}
	return before[strings.LastIndexByte(before, '.')+1:]
}
