package spec

import (
	"maps"
	"slices"
)

// Access says whether an account can use a region.
type Access int

// The kinds of regions.
const (
	// Unknown: there is no such region, or EKS is not in it.
	Unknown Access = iota
	// EveryAccount: it is on in every account, and cannot be switched off.
	EveryAccount
	// OptIn: it is off in every new account, until somebody who may enables it.
	OptIn
	// Elsewhere: it is in another partition, with organizations of its own.
	Elsewhere
)

// region is what is known of one: who can use it, and the letters of the zones
// that every account has there. Letters are not the same everywhere: Tokyo gives
// new accounts no b, Central Canada has a, b and d, and in Northern California an
// account has two of a, b and c, but which two differs.
type region struct {
	access Access
	zones  string
}

// regionTable has every region in which EKS runs.
//
// https://docs.aws.amazon.com/general/latest/gr/eks.html
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var regionTable = map[string]region{
	"af-south-1":     {OptIn, "abc"},
	"ap-east-1":      {OptIn, "abc"},
	"ap-east-2":      {OptIn, "abc"},
	"ap-northeast-1": {EveryAccount, "acd"},
	"ap-northeast-2": {EveryAccount, "abc"},
	"ap-northeast-3": {EveryAccount, "abc"},
	"ap-south-1":     {EveryAccount, "abc"},
	"ap-south-2":     {OptIn, "abc"},
	"ap-southeast-1": {EveryAccount, "abc"},
	"ap-southeast-2": {EveryAccount, "abc"},
	"ap-southeast-3": {OptIn, "abc"},
	"ap-southeast-4": {OptIn, "abc"},
	"ap-southeast-5": {OptIn, "abc"},
	"ap-southeast-6": {OptIn, "abc"},
	"ap-southeast-7": {OptIn, "abc"},
	"ca-central-1":   {EveryAccount, "abd"},
	"ca-west-1":      {OptIn, "abc"},
	"eu-central-1":   {EveryAccount, "abc"},
	"eu-central-2":   {OptIn, "abc"},
	"eu-north-1":     {EveryAccount, "abc"},
	"eu-south-1":     {OptIn, "abc"},
	"eu-south-2":     {OptIn, "abc"},
	"eu-west-1":      {EveryAccount, "abc"},
	"eu-west-2":      {EveryAccount, "abc"},
	"eu-west-3":      {EveryAccount, "abc"},
	"il-central-1":   {OptIn, "abc"},
	"me-central-1":   {OptIn, "abc"},
	"me-south-1":     {OptIn, "abc"},
	"mx-central-1":   {OptIn, "abc"},
	"sa-east-1":      {EveryAccount, "abc"},
	"us-east-1":      {EveryAccount, "abc"},
	"us-east-2":      {EveryAccount, "abc"},
	"us-west-1":      {EveryAccount, ""},
	"us-west-2":      {EveryAccount, "abc"},

	"cn-north-1":     {Elsewhere, ""},
	"cn-northwest-1": {Elsewhere, ""},
	"us-gov-east-1":  {Elsewhere, ""},
	"us-gov-west-1":  {Elsewhere, ""},
	"us-iso-east-1":  {Elsewhere, ""},
	"us-iso-west-1":  {Elsewhere, ""},
	"us-isob-east-1": {Elsewhere, ""},
	"eusc-de-east-1": {Elsewhere, ""},
}

// AccessTo says whether an account can use a region.
func AccessTo(name string) Access { return regionTable[name].access }

// regions are those that a document can name.
func regions() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(regionTable)), func(r string) bool { return AccessTo(r) == Elsewhere })
}

// defaultZones returns the zones of a document that names none.
func defaultZones(region string) []Zone {
	var zones []Zone
	for _, letter := range regionTable[region].zones {
		zones = append(zones, Zone{Name: region + string(letter)})
	}
	return zones
}
