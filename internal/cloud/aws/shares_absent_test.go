package aws

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

func TestAServiceThatARegionLacksSharesNothingThere(t *testing.T) {
	const frameworks, observability = "Audit Manager framework shares", "sinks and links of CloudWatch observability"
	for name, tc := range map[string]struct {
		list, region string
		says         net.DNSError
		unread       bool
	}{
		"no such host, where AWS documents none":               {frameworks, "eu-west-3", net.DNSError{IsNotFound: true}, false},
		"no such host, where AWS documents one":                {frameworks, "eu-central-1", net.DNSError{IsNotFound: true}, true},
		"no such host, of a service that is in every region":   {observability, "eu-west-3", net.DNSError{IsNotFound: true}, true},
		"no answer about the host, where AWS documents none":   {frameworks, "eu-west-3", net.DNSError{IsTimeout: true}, true},
		"another failure to resolve, where AWS documents none": {frameworks, "eu-west-3", net.DNSError{IsTemporary: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			s := &session{account: "210987654321", region: tc.region, cfg: aws.Config{
				Region: tc.region, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret-of-the-test", ""),
				HTTPClient: &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					asked = true
					return nil, &tc.says
				}}},
			}}
			items, err := s.shared(t.Context(), tc.list)
			if (err != nil) != tc.unread || len(items) > 0 || !asked {
				t.Errorf("%v, %v, asked %v, want an error %v", items, err, asked, tc.unread)
			}
		})
	}
}
