package aws

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/smithy-go/encoding/cbor"

	"freehold.dev/freehold/internal/awstype"
)

// wire is a service that answers as its API reference says: by the operation of
// an RPC call, and by the method and path of a REST call, with "?" and a query
// where that tells two calls apart. A status in front ("403 Code message") is a refusal.
type wire map[string]string

const (
	own, theirs = "111122223333", "444455556666"
	// lets is what AWS puts into a JSON answer for a policy document, which is a text.
	lets = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"` + theirs + `\"},\"Action\":\"*\",\"Resource\":\"*\"}]}`
)

// session is one of an account in eu-central-1 whose every service is the wire.
func (w wire) session(t *testing.T) (s *session, regions func() []string) {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		keys := []string{r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery, r.Method + " " + r.URL.EscapedPath(), r.Method + " " + r.URL.Path}
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
			keys = append(keys, form.Get("Action"))
		}
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			operation := target[strings.LastIndex(target, ".")+1:]
			keys = append([]string{operation + " " + string(body), operation}, keys...)
		}
		if _, operation, is := strings.Cut(r.URL.Path, "/operation/"); is {
			keys = append(keys, operation)
		}
		// Credential=AKIATEST/20261125/eu-central-1/oam/aws4_request
		if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 2 {
			mu.Lock()
			seen[scope[2]] = true
			mu.Unlock()
		}
		for _, key := range keys {
			if answer, known := w[key]; known {
				reply(rw, r, answer)
				return
			}
		}
		t.Errorf("asked for one of %q, of which the test says nothing", keys)
		rw.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	cfg := aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret-of-the-test", "session-of-the-test"),
		// S3 Control puts the account in front of the host.
		HTTPClient: &http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(server.URL) }}},
	}
	s = &session{account: own, region: cfg.Region, cfg: cfg, now: time.Now, ec2: ec2.NewFromConfig(cfg), settings: s3control.NewFromConfig(cfg)}
	s.networks = func() (networks, error) {
		return networks{vpcs: []ec2types.Vpc{{VpcId: aws.String("vpc-1"), OwnerId: aws.String(own)}}}, nil
	}
	return s, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Sorted(maps.Keys(seen))
	}
}

func reply(rw http.ResponseWriter, r *http.Request, answer string) {
	var status int
	if n, _ := fmt.Sscanf(answer, "%d", &status); n == 1 {
		code, message, _ := strings.Cut(answer[4:], " ")
		rw.Header().Set("X-Amzn-Errortype", code)
		rw.WriteHeader(status)
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || strings.HasPrefix(r.URL.Path, "/v20180820") {
			_, _ = fmt.Fprintf(rw, "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
			return
		}
		_, _ = fmt.Fprintf(rw, `{"__type":%q,"message":%q}`, code, message)
		return
	}
	if r.Header.Get("Smithy-Protocol") != "" {
		rw.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		rw.Header().Set("Content-Type", "application/cbor")
	}
	_, _ = io.WriteString(rw, answer)
}

// found are the items, each in one line: its type without the package, and its properties.
func found(t *testing.T, s *session, list string) []string {
	t.Helper()
	items, err := sharers[list](t.Context(), s)
	if err != nil {
		t.Fatalf("%s: %v", list, err)
	}
	var out []string
	for _, it := range items {
		if w, is := awstype.WayOf(it.Type); !is || w.List != list {
			t.Errorf("%s shows a %s, which its way does not", list, it.Type)
		}
		out = append(out, it.Type[strings.LastIndex(it.Type, ":")+1:]+" "+it.ID+" "+strings.ReplaceAll(text(t, it), `\`, ""))
	}
	slices.Sort(out)
	return out
}

func encoded(m cbor.Map) string { return string(cbor.Encode(m)) }
