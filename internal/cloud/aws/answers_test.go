package aws

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// answers is an AWS that says what a test needs and no emulator would: a body
// by operation, with the status in front where it is not 200 ("403 AccessDenied").
type answers map[string]string

// cloud opens a Cloud that asks it, and returns what it was asked.
func (a answers) cloud(t *testing.T) (*Cloud, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		operation := form.Get("Action")
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			operation = target[strings.LastIndex(target, ".")+1:]
		}
		mu.Lock()
		asked = append(asked, operation)
		mu.Unlock()
		answer, known := a[operation]
		if !known {
			t.Errorf("asked for %s, of which the test says nothing", operation)
		}
		var status int
		var code string
		if n, _ := fmt.Sscanf(answer, "%d %s", &status, &code); n == 2 {
			if r.Header.Get("X-Amz-Target") != "" {
				w.Header().Set("X-Amzn-Errortype", code)
				answer = `{"__type":"` + code + `"}`
			} else {
				answer = "<ErrorResponse><Error><Code>" + code + "</Code></Error></ErrorResponse>"
			}
			w.WriteHeader(status)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	c, err := Open(t.Context(), Options{Executable: "freehold", Now: func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	c.base = aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret-of-the-test", "session-of-the-test"),
	}
	return c, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return asked
	}
}

func caller(arn string) string {
	return "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>" + arn +
		"</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
}
