package boundary

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/accessanalyzer"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// trail makes the account's own record of who did what, in every region: also
// where nothing may be done, because that is where an attempt would show.
// CloudTrail tries to write when it is made, hence the wait for the bucket's
// policy. It is protected: a trail that is made again starts a new chain of
// digests, and the gap between proves nothing.
func (b *Boundary) trail(ctx *pulumi.Context, a Args) error {
	trail, err := cloudtrail.NewTrail(ctx, "trail", &cloudtrail.TrailArgs{
		Name:                       pulumi.String(a.TrailName),
		S3BucketName:               b.logs.bucket.Bucket,
		KmsKeyId:                   b.LogKeyARN,
		IsMultiRegionTrail:         pulumi.Bool(true),
		IncludeGlobalServiceEvents: pulumi.Bool(true),
		EnableLogFileValidation:    pulumi.Bool(true),
		EnableLogging:              pulumi.Bool(true),
		Tags:                       a.tags(),
	}, pulumi.Parent(b), pulumi.Protect(a.Protected), pulumi.DependsOn([]pulumi.Resource{b.logs.policy}))
	if err != nil {
		return err
	}
	b.TrailARN = trail.Arn
	return nil
}

// analyzer makes the watcher that reports whatever is shared with another
// account. It is of type ACCOUNT: one of type ORGANIZATION would call another
// customer of the same organization trusted. Not protected: it holds findings
// and no evidence, and the next run makes it again.
func (b *Boundary) analyzer(ctx *pulumi.Context, a Args) error {
	analyzer, err := accessanalyzer.NewAnalyzer(ctx, "analyzer", &accessanalyzer.AnalyzerArgs{
		AnalyzerName: pulumi.String(a.AnalyzerName),
		Type:         pulumi.String("ACCOUNT"),
		Tags:         a.tags(),
	}, pulumi.Parent(b))
	if err != nil {
		return err
	}
	b.AnalyzerARN = analyzer.Arn
	return nil
}
