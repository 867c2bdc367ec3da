package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// Shell runs a script of aws commands in an account, as its owner and behind
// everybody's back, and returns what it printed.
func (l *Lab) Shell(account, script string, env ...string) (string, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	served, err := l.awsCommand()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "sh", "-euc", script)
	cmd.Env = append(l.OwnerEnv(account), "PATH="+served+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(err, errors.New(said.String()))
	}
	return string(bytes.TrimSpace(out)), nil
}

// Changes are the calls that changed something in an account, in the region and
// where the global services are, as the emulator's own trail has them.
func (l *Lab) Changes(account string) []string {
	l.t.Helper()
	var out []string
	for _, region := range []string{Region, "us-east-1"} {
		cfg := l.In(account).Copy()
		cfg.Region = region
		pages := cloudtrail.NewLookupEventsPaginator(cloudtrail.NewFromConfig(cfg), &cloudtrail.LookupEventsInput{
			LookupAttributes: []cloudtrailtypes.LookupAttribute{{
				AttributeKey: cloudtrailtypes.LookupAttributeKeyReadOnly, AttributeValue: aws.String("false"),
			}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(l.t.Context())
			if err != nil {
				l.t.Fatalf("lab: the trail of account %s: %v", account, err)
			}
			for _, e := range page.Events {
				out = append(out, aws.ToString(e.EventSource)+" "+aws.ToString(e.EventName))
			}
		}
	}
	return out
}
