package aws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/wait"
)

// busyEKS has one cluster, on which another update is under way until busyUntil;
// an update that it accepts takes effect after 5 seconds.
type busyEKS struct {
	busyUntil time.Time
	accepted  int
	effective time.Time
	missing   bool
}

func (b *busyEKS) Do(r *http.Request) (*http.Response, error) {
	answer := func(status int, code, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"X-Amzn-Errortype": {code}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
	switch {
	case b.missing:
		return answer(http.StatusNotFound, "ResourceNotFoundException", "{}")
	case r.Method == http.MethodGet:
		on := !b.effective.IsZero() && !time.Now().Before(b.effective)
		return answer(http.StatusOK, "", fmt.Sprintf(`{"cluster":{"deletionProtection":%t}}`, on))
	case time.Now().Before(b.busyUntil):
		return answer(http.StatusConflict, "ResourceInUseException", "{}")
	default:
		b.accepted++
		b.effective = time.Now().Add(5 * time.Second)
		return answer(http.StatusOK, "", "{}")
	}
}

func (b *busyEKS) protect(t *testing.T) error {
	t.Helper()
	c, err := Open(t.Context(), Options{Executable: "freehold", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.base = aws.Config{
		Region: "eu-central-1", HTTPClient: b, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret-of-the-test", ""),
	}
	return c.ProtectCluster(t.Context(), cloud.Cluster{Name: "freehold-acme", Account: cloud.Account{Region: "eu-central-1"}}, true)
}

func TestProtectionIsAskedForAfterTheUpdateThatIsUnderWayAndThenWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		eks := &busyEKS{busyUntil: began.Add(10 * time.Minute)}
		if err := eks.protect(t); err != nil {
			t.Fatal(err)
		}
		if eks.accepted != 1 {
			t.Errorf("EKS accepted %d updates, want 1", eks.accepted)
		}
		if got, want := time.Since(began), 10*time.Minute+6*time.Second; got != want {
			t.Errorf("it took %s, want %s: the look after the update is in effect", got, want)
		}
	})
}

func TestProtectionThatCannotBeSetSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := (&busyEKS{busyUntil: time.Now().Add(time.Hour)}).protect(t)
		if !errors.Is(err, wait.ErrDeadline) || !isCode(err, "ResourceInUseException") || !strings.HasPrefix(err.Error(), "protect cluster freehold-acme: ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAClusterThatIsNotThereCannotBeProtected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := (&busyEKS{missing: true}).protect(t); !errors.Is(err, cloud.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}
