package aws

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
)

// doorkeeper is EKS with access entries, and IAM with roles, by the second of
// their making.
type doorkeeper struct {
	entries, roles map[string]int
	calls          []string
}

func (d *doorkeeper) Do(r *http.Request) (*http.Response, error) {
	answer := func(status int, code, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"X-Amzn-Errortype": {code}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
	if strings.HasPrefix(r.URL.Host, "iam.") {
		var members strings.Builder
		for arn, at := range d.roles {
			fmt.Fprintf(&members, "<member><Path>/</Path><RoleName>%s</RoleName><RoleId>AROA</RoleId><Arn>%s</Arn><CreateDate>%s</CreateDate></member>",
				arn, arn, time.Unix(int64(at), 0).UTC().Format(time.RFC3339))
		}
		return answer(http.StatusOK, "", `<ListRolesResponse><ListRolesResult><IsTruncated>false</IsTruncated><Roles>`+members.String()+`</Roles></ListRolesResult></ListRolesResponse>`)
	}
	path, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/clusters/acme/access-entries"))
	if err != nil {
		return nil, err
	}
	path = strings.TrimPrefix(path, "/")
	d.calls = append(d.calls, r.Method+" "+path)
	principal, policies := strings.CutSuffix(path, "/access-policies")
	at, there := d.entries[principal]
	switch {
	case r.Method == http.MethodPost && path == "":
		body, err := io.ReadAll(r.Body)
		d.calls[len(d.calls)-1] += string(body)
		return errorOr(answer, err)
	case !there:
		return answer(http.StatusNotFound, "ResourceNotFoundException", "{}")
	case policies && r.Method == http.MethodGet:
		return answer(http.StatusOK, "", `{"associatedAccessPolicies":[{"policyArn":"view","accessScope":{"type":"cluster"}}]}`)
	case r.Method == http.MethodGet:
		return answer(http.StatusOK, "", fmt.Sprintf(`{"accessEntry":{"principalArn":%q,"type":"STANDARD","kubernetesGroups":["g"],"username":"u","createdAt":%d}}`, principal, at))
	default:
		return answer(http.StatusOK, "", "{}")
	}
}

func errorOr(answer func(int, string, string) (*http.Response, error), err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, "", "{}")
}

func (d *doorkeeper) open(t *testing.T) *Cloud {
	t.Helper()
	c, err := Open(t.Context(), Options{Executable: "freehold", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.base = aws.Config{
		Region: "eu-central-1", HTTPClient: d, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret-of-the-test", ""),
	}
	return c
}

var here = cloud.Account{Region: "eu-central-1"}

func TestAnEntryThatIsOlderThanItsRoleIsAnEarlierRoles(t *testing.T) {
	d := &doorkeeper{
		entries: map[string]int{"role/fine": 200, "role/anew": 200, "role/gone": 200},
		roles:   map[string]int{"role/fine": 100, "role/anew": 300, "role/new": 100},
	}
	got, err := d.open(t).StaleEntries(t.Context(), here, "acme", []string{"role/fine", "role/anew", "role/gone", "role/new"})
	if err != nil {
		t.Fatal(err)
	}
	want := []cloud.Entry{{Principal: "role/anew"}, {Principal: "role/gone"}, {Principal: "role/new", Missing: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEntryIsMadeAnewWithAllThatItGave(t *testing.T) {
	d := &doorkeeper{entries: map[string]int{"role/anew": 200}}
	if err := d.open(t).RenewEntry(t.Context(), here, "acme", "role/anew", false); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, c := range d.calls {
		calls = append(calls, c[:min(len(c), 40)])
	}
	if len(calls) != 5 || calls[0] != "GET role/anew" || calls[1] != "GET role/anew/access-policies" || calls[2] != "DELETE role/anew" ||
		calls[4] != "POST role/anew/access-policies" {
		t.Errorf("calls: %q", calls)
	}
	for _, s := range []string{`"kubernetesGroups":["g"]`, `"username":"u"`, `"type":"STANDARD"`, `"principalArn":"role/anew"`} {
		if !slices.ContainsFunc(d.calls, func(c string) bool { return strings.HasPrefix(c, "POST {") && strings.Contains(c, s) }) {
			t.Errorf("the new entry has no %s: %q", s, d.calls)
		}
	}
}
