package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"freehold.dev/freehold/internal/iam"
)

// In acts in an account behind the front's back, as its owner would: for what
// the test sets up, breaks and looks at.
func (l *Lab) In(account string) aws.Config {
	if account == ManagementAccount {
		return l.direct
	}
	cfg := l.direct.Copy()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(l.direct),
		"arn:aws:iam::"+account+":role/owner"))
	return cfg
}

// OwnerEnv is the environment by which the aws command acts in an account as
// its owner.
func (l *Lab) OwnerEnv(account string) []string {
	l.t.Helper()
	c, err := l.In(account).Credentials.Retrieve(l.t.Context())
	if err != nil {
		l.t.Fatalf("lab: become the owner of %s: %v", account, err)
	}
	return append(l.environ(), "AWS_ENDPOINT_URL="+aws.ToString(l.direct.BaseEndpoint), "AWS_ENDPOINT_URL_EKS="+l.Front.Behind(account),
		"AWS_ACCESS_KEY_ID="+c.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken, "AWS_CONFIG_FILE=/dev/null")
}

// SignedIn are the variables of somebody who is signed in as a role of an
// account, and nothing else.
func (l *Lab) SignedIn(account, role string) []string {
	l.t.Helper()
	through := l.direct.Copy()
	through.BaseEndpoint = aws.String(l.Front.URL())
	f := l.Front
	arn := "arn:aws:iam::" + account + ":role/" + role
	f.Mislead(arn, arn) // whatever its trust policy says
	defer f.Mislead(arn, "")
	out, err := sts.NewFromConfig(through).AssumeRole(l.t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(arn), RoleSessionName: aws.String("somebody"),
	})
	if err != nil {
		l.t.Fatalf("lab: sign in as %s: %v", arn, err)
	}
	return []string{
		"AWS_ACCESS_KEY_ID=" + aws.ToString(out.Credentials.AccessKeyId),
		"AWS_SECRET_ACCESS_KEY=" + aws.ToString(out.Credentials.SecretAccessKey),
		"AWS_SESSION_TOKEN=" + aws.ToString(out.Credentials.SessionToken),
	}
}

// signIn gives the machine credentials of the provisioner and keeps them fresh.
// A profile's credential_process is how an SSO or a broker hands sessions out.
func (l *Lab) signIn() error {
	file := l.Dir("credentials.json")
	if strings.ContainsAny(file, " '\"") {
		return fmt.Errorf("the folder %s has a name that a profile cannot quote", l.dir)
	}
	l.env = l.machine(file)
	through := l.direct.Copy()
	through.BaseEndpoint = aws.String(l.Front.URL())
	client := sts.NewFromConfig(through)
	fresh := func(ctx context.Context) (time.Time, error) {
		out, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String(Provisioner), RoleSessionName: aws.String("operator"),
		})
		if err != nil {
			return time.Time{}, err
		}
		c := out.Credentials
		text, err := json.Marshal(map[string]any{
			"Version": 1, "AccessKeyId": c.AccessKeyId, "SecretAccessKey": c.SecretAccessKey,
			"SessionToken": c.SessionToken, "Expiration": c.Expiration.UTC().Format(time.RFC3339),
		})
		if err != nil {
			return time.Time{}, err
		}
		draft := file + ".new"
		return *c.Expiration, errors.Join(os.WriteFile(draft, text, 0o600), os.Rename(draft, file))
	}
	var mu sync.Mutex
	var expires time.Time
	renew := func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		next, err := fresh(ctx)
		if err == nil {
			expires = next
		}
		return err
	}
	l.refresh = func() {
		l.t.Helper()
		if err := renew(l.t.Context()); err != nil {
			l.t.Fatalf("lab: sign in: %v", err)
		}
	}
	if err := renew(l.t.Context()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			mu.Lock()
			left := time.Until(expires)
			mu.Unlock()
			// Half of a session's time is left, or it is renewed.
			half := l.Front.half()
			if half == 0 {
				half = 30 * time.Minute
			}
			if left < half {
				_ = renew(ctx) // the next tick tries again
			}
		}
	}()
	return nil
}

// ShortSessions ends every session, the provisioner's own too, after d.
func (l *Lab) ShortSessions(d time.Duration) {
	l.t.Helper()
	l.Front.SessionsLast(d)
	l.refresh()
}

// trusts reports whether AWS would let the caller assume the role: the account
// must be there, the role's trust policy must name the caller, or the caller's
// account, and the external id must be the one that it asks for.
func (l *Lab) trusts(ctx context.Context, caller, roleARN, externalID string) error {
	caller = orRoot(caller)
	account, name := iam.AccountIn(roleARN), filepath.Base(roleARN)
	vended, err := l.vended(ctx, account)
	if err != nil {
		return err
	}
	if vended && name == AccessRole {
		if iam.AccountIn(caller) == ManagementAccount {
			return nil
		}
		return errNotTrusted
	}
	out, err := awsiam.NewFromConfig(l.In(account)).GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String(name)})
	if err != nil {
		return err
	}
	text, err := url.QueryUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
	if err != nil {
		return err
	}
	doc, err := iam.Parse(text)
	if err != nil {
		return fmt.Errorf("trust policy of %s: %w", roleARN, err)
	}
	asked := iam.Request{Action: "sts:AssumeRole", Principal: caller, Context: map[string]string{}}
	if externalID != "" {
		asked.Context["sts:ExternalId"] = externalID
	}
	if doc.Evaluate(asked) != iam.Allowed {
		return errNotTrusted
	}
	return nil
}

var errNotTrusted = errors.New("the role's trust policy does not name the caller")

func (l *Lab) vended(ctx context.Context, account string) (bool, error) {
	pages := organizations.NewListAccountsPaginator(organizations.NewFromConfig(l.direct), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, a := range page.Accounts {
			if aws.ToString(a.Id) == account {
				return a.Status == organizationstypes.AccountStatusActive, nil
			}
		}
	}
	return false, nil
}
