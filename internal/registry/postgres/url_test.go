package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/sqlstore"
)

func TestAURLSaysWhereAndNotWhatASessionIs(t *testing.T) {
	t.Setenv("PGOPTIONS", "-c role=postgres -c row_security=off")
	const secret = "s3cret-w0rd"
	for url, want := range map[string]string{
		"postgres://u:s3cret-w0rd@h/db":                                 "",
		"postgresql://u:s3cret-w0rd@h:5432/db?sslmode=verify-full":      "",
		"postgres://u:s3cret-w0rd@h1,h2/db":                             "",
		"postgres://u:s3cret-w0rd@h/db?pool_max_conns=8":                "",
		"mysql://u:s3cret-w0rd@h/db":                                    "must begin with postgres://",
		"s3cret-w0rd":                                                   "must begin with postgres://",
		"postgres://u:s3cret-w0rd@h/db?role=freehold_fleet":             `unknown parameter "role"`,
		"postgres://u:s3cret-w0rd@h/db?options=-c%20role%3Dx":           `unknown parameter "options"`,
		"postgres://u:s3cret-w0rd@h/db?search_path=public":              `unknown parameter "search_path"`,
		"postgres://u:s3cret-w0rd@h/db?app.org=acme":                    `unknown parameter "app.org"`,
		"postgres://u:s3cret-w0rd@h/db?row_security=off":                `unknown parameter "row_security"`,
		"postgres://u:s3cret-w0rd@h:port/db":                            "cannot be read",
		"postgres://u:s3cret-w0rd/@h/db":                                "",
		"postgres://u:s3cret-w0rd#@h:1x/db":                             "",
		"postgres://u:%zz-s3cret-w0rd@h/db":                             "cannot be read",
		"postgres://u:s3cret-w0rd@h/db?sslmode=s3cret-w0rd":             "cannot be read",
		"postgres://u@h/db?password=s3cret-w0rd&sslmode=nonsense":       "cannot be read",
		"postgres://u:s3cret-w0rd@h/db?x=%zz":                           "cannot be read",
		"postgres://u:s3cret-w0rd@h/db?pool_max_conns=many":             "cannot be read",
		"postgres://u:s3cret-w0rd@h/db?sslrootcert=/no/such/file":       "/no/such/file",
		"postgres://u:s3cret-w0rd@h/db?auth=iam":                        "auth=iam takes no password",
		"postgres://u@h/db?auth=ldap":                                   "only auth=iam is",
		"postgres://u@h/db?auth=iam&sslmode=require":                    "needs sslmode=verify-full or verify-ca, not require",
		"postgres://u@h/db?auth=iam&sslmode=disable":                    "needs sslmode=verify-full or verify-ca, not disable",
		"postgres://u@h1,h2/db?auth=iam":                                "needs one host",
		"postgres://u@h/db?auth=iam":                                    "tokens",
		"postgres://u@h/db?auth=iam&sslmode=verify-ca&region=eu-west-1": "tokens",
	} {
		settings, tokens, err := postgres.Parse(t.Context(), url)
		switch {
		case err != nil && strings.Contains(err.Error(), secret):
			t.Errorf("%s: the error has the password: %v", url, err)
		case want == "" && err != nil && !errors.Is(err, postgres.ErrInvalidURL), want == "tokens" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && want != "tokens" && (!errors.Is(err, postgres.ErrInvalidURL) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s\ngot      %v\nexpected %s", url, err, want)
		case err == nil && (tokens != (want == "tokens") || len(settings) != 7 || settings["options"] != "" || settings["row_security"] != "on" || settings["plan_cache_mode"] != "force_generic_plan"):
			t.Errorf("%s: tokens %t, settings %v", url, tokens, settings)
		}
	}
}

func TestAPasswordIsInNoErrorOfAConnection(t *testing.T) {
	s := pgtest.Start(t)
	db := pgtest.Database(t)
	for _, url := range []string{
		s.URL(pgtest.ServiceLogin, "s3cret-w0rd", db.Name), s.URL("nobody", "s3cret-w0rd", db.Name), s.URL(pgtest.ServiceLogin, "s3cret-w0rd", "none"),
		"postgres://u:s3cret-w0rd@127.0.0.1:1/db", "postgres://u:s3cret-w0rd@no-such-host.invalid/db",
	} {
		_, err := postgres.Open(t.Context(), url, time.Now)
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "s3cret-w0rd") {
			t.Errorf("got %v", err)
		}
		if _, _, err := postgres.Migrate(t.Context(), url); err == nil || strings.Contains(err.Error(), "s3cret-w0rd") {
			t.Errorf("got %v", err)
		}
	}
}

// RDS checks the signature of a token as AWS does that of a presigned request:
// this makes it again from the token's own date.
func TestAnIAMTokenIsAGenuinePresignedRequestToConnect(t *testing.T) {
	const endpoint, user = "db.abc123.eu-central-1.rds.amazonaws.com:5432", "registry_service"
	provider := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI", "a/session")
	got, err := postgres.Token(t.Context(), aws.Config{Region: "eu-central-1", Credentials: provider}, endpoint, user)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse("https://" + got)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Action": "connect", "DBUser": user, "X-Amz-Expires": "900", "X-Amz-Security-Token": "a/session",
		"X-Amz-Credential": "AKIDEXAMPLE/" + at.Format("20060102") + "/eu-central-1/rds-db/aws4_request",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, expected %q", name, q.Get(name), want)
		}
	}
	if u.Host != endpoint {
		t.Errorf("it is for %s", u.Host)
	}
	again, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+endpoint+"?"+url.Values{"Action": {"connect"}, "DBUser": {user}, "X-Amz-Expires": {"900"}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := provider.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nothing := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), keys, again, hex.EncodeToString(nothing[:]), "rds-db", "eu-central-1", at)
	if err != nil || "https://"+got != signed {
		t.Errorf("the token\n%s\nis not what is signed\n%s\n%v", got, signed, err)
	}
	if _, err := postgres.Token(t.Context(), aws.Config{Credentials: provider}, endpoint, user); err == nil || !strings.Contains(err.Error(), "add region= to the URL") {
		t.Errorf("without a region: %v", err)
	}
	for host, want := range map[string]string{
		"db.abc123.eu-central-1.rds.amazonaws.com": "eu-central-1", "c.cluster-x.cn-north-1.rds.amazonaws.com.cn": "cn-north-1", "db.internal": "", "localhost": "",
	} {
		if got := postgres.RegionOf(host); got != want {
			t.Errorf("the region of %s is %q", host, got)
		}
	}
}

// The server's password changes as often as RDS' tokens do, and sooner.
func TestATokenIsMadeForEachNewConnectionAndSentOverVerifiedTLSOnly(t *testing.T) {
	db, s := pgtest.Database(t), pgtest.Start(t)
	login := strings.Replace(db.Name, "registry", "iam", 1)
	if err := s.Do(t.Context(), "CREATE ROLE "+login+" LOGIN NOINHERIT", "GRANT freehold_org, freehold_fleet TO "+login); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Do(context.Background(), "DROP ROLE "+login) })
	var asked atomic.Int64
	source := func(ctx context.Context) (string, error) {
		token := fmt.Sprintf("token-%d", asked.Add(1))
		// The last one is void from now on.
		return token, s.Do(ctx, "ALTER ROLE "+login+" PASSWORD '"+token+"'")
	}
	address := strings.Replace(s.URL(login, "", db.Name), ":@", "@", 1)
	address = address[:strings.Index(address, "?")] + "?auth=iam&pool_max_conns=4"
	d, err := postgres.Connect(t.Context(), address+"&sslrootcert="+url.QueryEscape(s.Authority), postgres.WithTokens(source))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	// Each of these needs a connection of its own, as those around it hold theirs.
	var nest func(depth int) error
	nest = func(depth int) error {
		return d.Read(t.Context(), "acme", func(tx sqlstore.Tx) error {
			var n int64
			if err := one(t.Context(), tx, "SELECT 1::bigint", &n); err != nil {
				return err
			}
			if depth == 0 {
				open := do(t, superuser(t, db), "SELECT count(*), count(*) FILTER (WHERE s.ssl) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.usename = $1", login)
				if fmt.Sprint(open) != "[[3 3]]" {
					t.Errorf("connections, and those that are encrypted: %v", open)
				}
				return nil
			}
			return nest(depth - 1)
		})
	}
	if err := nest(2); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n < 3 {
		t.Errorf("%d tokens for three connections at least", n)
	}
	// Connections live on; what the server no longer takes is not sent again.
	if err := s.Do(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+login+"'"); err != nil {
		t.Fatal(err)
	}
	for range 5 { // one for each dead connection, and one that works
		if err = d.Read(t.Context(), "acme", func(tx sqlstore.Tx) error { var n int64; return one(t.Context(), tx, "SELECT 1::bigint", &n) }); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("after all connections were lost: %v", err)
	}

	if _, err := postgres.Connect(t.Context(), address, postgres.WithTokens(source)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server whose authority is not known: %v", err)
	}
	if _, err := postgres.Connect(t.Context(), address+"&sslmode=require", postgres.WithTokens(source)); !errors.Is(err, postgres.ErrInvalidURL) {
		t.Errorf("a server that is not verified: %v", err)
	}
	failing := func(context.Context) (string, error) { return "", errors.New("no credentials") }
	if _, err := postgres.Connect(t.Context(), address+"&sslrootcert="+url.QueryEscape(s.Authority), postgres.WithTokens(failing)); err == nil || !strings.Contains(err.Error(), "no credentials") {
		t.Errorf("without a token: %v", err)
	}
}
