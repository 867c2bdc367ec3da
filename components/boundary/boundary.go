// Package boundary holds the component of an org's IAM boundary: the fence
// that every role of the account lives in, the roles of Freehold's own phases,
// the org's keys, buckets and trail, and the account's defaults.
package boundary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args describe a boundary. All fields but Tags are required.
type Args struct {
	AccountID string
	Region    string
	// AccessRoleARN is the role that the component is made with. Nobody
	// inside the boundary may change or assume it.
	AccessRoleARN string
	// ProvisionerARN is the only principal that may assume the phase roles,
	// and only with ExternalID.
	ProvisionerARN string
	ExternalID     string

	BoundaryName string
	// RolePrefix begins the name of every role that the provision role may make.
	RolePrefix    string
	ProvisionRole string
	ReadRole      string
	BootstrapRole string
	OffboardRole  string

	DataKeyAlias         string // "alias/…"
	LogKeyAlias          string // "alias/…"
	LogBucket            string
	DataBucket           string
	TrailName            string
	AnalyzerName         string
	ControllerRepository string
	// LogRetentionDays is how long the trail's files are kept.
	LogRetentionDays int
	// Protected refuses the deletion of what holds data, evidence or the way in.
	Protected bool
	Tags      map[string]string
}

// Boundary is what makes an account an org's own. It guarantees that:
//   - every role that it makes, and every role that those can ever make, has
//     the permissions boundary; nobody who has it can take it off, edit it,
//     make an IAM user, share a resource, use a role of another account,
//     leave the region or switch a guard off (see PermissionsBoundary);
//   - each phase role can be assumed by the provisioner alone, with the org's
//     external id, and can do what its phase needs (see ProvisionPolicy,
//     ReadPolicy, BootstrapPolicy and OffboardPolicy); the read role can
//     change nothing and read no data;
//   - both keys rotate, and can be used by this account only;
//   - both buckets are private to the account, encrypted with the org's keys,
//     versioned, and reached by TLS only; the log bucket is written by the
//     account's trail alone;
//   - the trail covers every region and its files cannot be changed unseen;
//   - disks are encrypted with the data key, instance metadata needs a session,
//     neither a bucket nor a snapshot can be public, and an analyzer reports whatever is shared;
//   - while Protected, no data, evidence or way in can be deleted.
type Boundary struct {
	pulumi.ResourceState

	BoundaryARN      pulumi.StringOutput
	ProvisionRoleARN pulumi.StringOutput
	ReadRoleARN      pulumi.StringOutput
	BootstrapRoleARN pulumi.StringOutput
	OffboardRoleARN  pulumi.StringOutput
	DataKeyARN       pulumi.StringOutput
	LogKeyARN        pulumi.StringOutput
	LogBucketARN     pulumi.StringOutput
	DataBucketARN    pulumi.StringOutput
	TrailARN         pulumi.StringOutput
	AnalyzerARN      pulumi.StringOutput
	// ControllerRepository is the registry URL, without a tag.
	ControllerRepository pulumi.StringOutput

	logs privateBucket // where the trail writes
}

// New makes the boundary, by a provider that acts as the access role.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Boundary, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("boundary %s: %w", name, err)
	}
	b := &Boundary{}
	if err := ctx.RegisterComponentResource("freehold:index:Boundary", name, b, opts...); err != nil {
		return nil, err
	}
	steps := []func(*pulumi.Context, Args) error{
		b.roles, b.keys, b.buckets, b.trail, b.repository, b.defaults, b.analyzer,
	}
	for _, step := range steps {
		if err := step(ctx, args); err != nil {
			return nil, fmt.Errorf("boundary %s: %w", name, err)
		}
	}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{
		"boundaryArn":          b.BoundaryARN,
		"provisionRoleArn":     b.ProvisionRoleARN,
		"readRoleArn":          b.ReadRoleARN,
		"bootstrapRoleArn":     b.BootstrapRoleARN,
		"offboardRoleArn":      b.OffboardRoleARN,
		"dataKeyArn":           b.DataKeyARN,
		"logKeyArn":            b.LogKeyARN,
		"logBucketArn":         b.LogBucketARN,
		"dataBucketArn":        b.DataBucketARN,
		"trailArn":             b.TrailARN,
		"analyzerArn":          b.AnalyzerARN,
		"controllerRepository": b.ControllerRepository,
	})
}

func (a Args) validate() error {
	required := map[string]string{
		"AccountID": a.AccountID, "Region": a.Region, "AccessRoleARN": a.AccessRoleARN,
		"ProvisionerARN": a.ProvisionerARN, "ExternalID": a.ExternalID,
		"BoundaryName": a.BoundaryName, "RolePrefix": a.RolePrefix,
		"ProvisionRole": a.ProvisionRole, "ReadRole": a.ReadRole, "BootstrapRole": a.BootstrapRole, "OffboardRole": a.OffboardRole,
		"DataKeyAlias": a.DataKeyAlias, "LogKeyAlias": a.LogKeyAlias, "LogBucket": a.LogBucket, "DataBucket": a.DataBucket,
		"TrailName": a.TrailName, "AnalyzerName": a.AnalyzerName, "ControllerRepository": a.ControllerRepository,
	}
	var missing []string
	for field, value := range required {
		if value == "" {
			missing = append(missing, field)
		}
	}
	if a.LogRetentionDays <= 0 {
		missing = append(missing, "LogRetentionDays")
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%s must be given", strings.Join(missing, ", "))
	}
	return nil
}

// tags are the tags of every resource that takes any.
func (a Args) tags() pulumi.StringMap { return pulumi.ToStringMap(a.Tags) }

// The ARNs below are written and not read from resources, so that every
// policy is known, and can be judged, before anything is made.

func (a Args) boundaryARN() string {
	return "arn:aws:iam::" + a.AccountID + ":policy/" + a.BoundaryName
}

func (a Args) roleARN(name string) string { return "arn:aws:iam::" + a.AccountID + ":role/" + name }

func (a Args) rootARN() string { return "arn:aws:iam::" + a.AccountID + ":root" }

func (a Args) bucketARN(name string) string { return "arn:aws:s3:::" + name }

func (a Args) trailARN() string { return a.regional("cloudtrail", "trail/"+a.TrailName) }

// regional is the ARN of something in the org's region.
func (a Args) regional(service, resource string) string {
	return "arn:aws:" + service + ":" + a.Region + ":" + a.AccountID + ":" + resource
}
