package dataplane

import (
	"fmt"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// AsksForRegion are the accounts that have to be asked whether the plan's region
// is on in them: the org's, if it is there, and the management account, whose
// credentials work in a region only when it is on there, too. Once something was
// made in the region, it is.
//
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
func (d DataPlane) AsksForRegion() ([]cloud.Account, error) {
	if spec.AccessTo(d.Plan.Region) != spec.OptIn || d.inAccount() {
		return nil, nil
	}
	management := cloud.Account{Region: d.Plan.Region}
	switch {
	case d.Outputs(plan.LayerAccount) != nil:
		a, err := d.Account()
		return []cloud.Account{management, a}, err
	case !d.Plan.Account.Vended:
		return []cloud.Account{management, d.Brought()}, nil
	}
	return nil, nil
}

// CheckRegion refuses an opt-in region for an account that is still to be made:
// it is off in every new account, and nothing could ever be made in it. off is
// an account in which the region is off, "" for the management account; nil:
// none was asked, or it is on in all of them.
func CheckRegion(d DataPlane, off *cloud.Account) *Refusal {
	region := d.Plan.Region
	if spec.AccessTo(region) != spec.OptIn {
		return nil
	}
	if off == nil {
		if !d.Plan.Account.Vended || d.HasAccount() {
			return nil
		}
		return &Refusal{
			Field:   "region",
			Message: fmt.Sprintf("region %q is off in every new account until somebody enables it, and Freehold does not", region),
			Next: "choose a region that every account has; or make an account yourself, enable the region in it (aws account enable-region --region-name " +
				region + "), and bring it with account.mode: existing",
		}
	}
	who, enable := "account "+off.ID, "with credentials of that account: aws account enable-region --region-name "+region
	switch {
	case off.ID == "":
		who = "the management account, whose credentials work only where it is on"
	case d.Plan.Account.Vended:
		// The account's own policy keeps everybody in it from switching regions on.
		enable = "from the management account: aws account enable-region --region-name " + region + " --account-id " + off.ID
	}
	return &Refusal{
		Field:   "region",
		Message: fmt.Sprintf("region %q is off in %s", region, who),
		Next:    enable + "; wait until aws account get-region-opt-status says ENABLED, and run this again",
	}
}
