package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"freehold.dev/freehold/internal/cloud"
)

// availabilityZone is how EC2 calls a zone that is neither a local nor a
// wavelength one.
const availabilityZone = "availability-zone"

// RegionEnabled asks EC2 in the region of AWS's own global endpoints whether the
// account has opted in to another one: an endpoint of a region that is off
// refuses whatever it is asked.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
func (c *Cloud) RegionEnabled(ctx context.Context, a cloud.Account, region string) (bool, error) {
	a.Region = globalRegion
	s, err := c.session(ctx, a)
	if err != nil {
		return false, err
	}
	out, err := s.ec2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true), RegionNames: []string{region}})
	if err != nil {
		return false, fmt.Errorf("whether account %s can use %s: %w", s.account, region, called(err))
	}
	return slices.ContainsFunc(out.Regions, func(r ec2types.Region) bool {
		return aws.ToString(r.RegionName) == region && aws.ToString(r.OptInStatus) != "not-opted-in"
	}), nil
}

// Zones asks EC2 which availability zones the account has, under which names.
func (c *Cloud) Zones(ctx context.Context, a cloud.Account) ([]cloud.Zone, error) {
	s, err := c.session(ctx, a)
	if err != nil {
		return nil, err
	}
	out, err := s.ec2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{})
	if err != nil {
		return nil, fmt.Errorf("zones of account %s in %s: %w", s.account, s.region, called(err))
	}
	var zones []cloud.Zone
	for _, z := range out.AvailabilityZones {
		if kind := aws.ToString(z.ZoneType); kind != "" && kind != availabilityZone || z.State != ec2types.AvailabilityZoneStateAvailable {
			continue
		}
		zones = append(zones, cloud.Zone{Name: aws.ToString(z.ZoneName), ID: aws.ToString(z.ZoneId)})
	}
	slices.SortFunc(zones, func(x, y cloud.Zone) int { return cmp.Compare(x.Name, y.Name) })
	return zones, nil
}
