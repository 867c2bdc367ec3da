// Package byhand shares what is in an account as people do: with the aws command,
// service by service. It has a script for each way of awstype.Ways that the
// emulator can make, and for each other way the call at which the emulator fails.
//
// The scripts run as the account's owner. They serve the lane, whose audit must
// find what they made, and the tests of the lists that an audit asks.
package byhand

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/finding"
)

// Sharing is one thing that is shared with a partner.
type Sharing struct {
	Name string
	// Way is its way of awstype.Ways.
	Way string
	// Make and Undo are scripts. The last line that Make prints, Undo has as $MADE.
	Make, Undo string
	// Single is true where an account has room for one only.
	Single bool
	// Lasting is true for what the emulator cannot remove again.
	Lasting bool
	// Cluster is true for what is done to a cluster, $CLUSTER.
	Cluster bool
	// Ends are the ways out that an audit must find, one a line:
	//
	//	rule kind type id: path -> whom
	//
	// "-N", ACCOUNT, PARTNER and REGION stand for what the scripts are given, and
	// "*" for what AWS makes up.
	Ends []string
	// Breaks are further rules, "rule type id", that are broken in the account as it
	// is: beside the rules of Ends that are about who may enter.
	Breaks []string
}

// Deal is who shares with whom.
type Deal struct {
	// N ends each name, so that the same can be made for several partners.
	N                        string
	Account, Partner, Region string
	// Org is the partner's name, if it is an org.
	Org string
	// Network begins the addresses of the network that things are in: "10.77".
	Network string
	// Tagged has everything tagged that takes tags.
	Tagged bool
	// Cluster is a cluster of the account; empty: none.
	Cluster string
}

// Env are the variables of the scripts.
func (d Deal) Env() []string {
	tagged := ""
	if d.Tagged {
		tagged = "yes"
	}
	return []string{"N=" + d.N, "ACCOUNT=" + d.Account, "PARTNER=" + d.Partner, "TAGGED=" + tagged, "NETWORK=" + d.Network, "CLUSTER=" + d.Cluster}
}

// Broken are all rules that an audit finds broken in the account as it is.
func (s Sharing) Broken() []string {
	out := slices.Clone(s.Breaks)
	for _, end := range s.Ends {
		from, _, _ := strings.Cut(end, " -> ")
		from = from[:strings.LastIndex(from, ": ")]
		rule, rest, _ := strings.Cut(from, " ")
		_, thing, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(rule, "FH3") || rule == "FH803" || rule == "FH418" {
			out = append(out, rule+" "+thing)
		}
	}
	return out
}

// Fill puts names into lines of Ends or Breaks.
func (d Deal) Fill(lines []string) []string {
	names := strings.NewReplacer("-> PARTNER", strings.TrimSpace("-> "+d.Org+" ")+" "+d.Partner,
		"ACCOUNT", d.Account, "PARTNER", d.Partner, "REGION", d.Region, "CLUSTER", d.Cluster, "-N", "-"+d.N)
	var out []string
	for _, l := range lines {
		out = append(out, names.Replace(l))
	}
	return out
}

// End writes a way out that an audit found as Ends does.
func End(e finding.Edge) string {
	whom := e.To.ID
	if whom == "" {
		whom = e.To.Name
	}
	return fmt.Sprintf("%s %s %s %s: %s -> %s", e.Rule, e.Kind, e.From.Type, e.From.ID, e.From.Path, strings.TrimSpace(e.To.Org+" "+whom))
}

// Compare returns the lines that were expected and not found, and those that were
// found and not expected. A "*" in an expected line is any text, and each line is
// found once.
func Compare(want, got []string) (missing, more []string) {
	more = slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(more, func(g string) bool { return matches(w, g) })
		if i < 0 {
			missing = append(missing, w)
			continue
		}
		more = slices.Delete(more, i, i+1)
	}
	return missing, more
}

func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".+") + "$").MatchString(text)
}

// words are what the scripts are written with: "lets ACTION [RESOURCE]" is a policy
// for the partner, "tags OPTION…" are options that are left out where nothing is
// tagged, "tagged TYPE" the option of EC2.
const words = `
lets() {
	printf '{"Version":"2012-10-17","Statement":[{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"%s"%s}]}' "$PARTNER" "$1" "${2:+,\"Resource\":\"$2\"}"
}
quoted() { sed 's/"/\\"/g'; }
tags() { [ -z "$TAGGED" ] || echo "$@"; }
tagged() { tags --tag-specifications "ResourceType=$1,Tags=[{Key=team,Value=lent}]"; }
at() { echo "arn:aws:$1:$AWS_REGION:$ACCOUNT:$2"; }
beyond() { echo "arn:aws:$1:$AWS_REGION:$PARTNER:$2"; }
assume='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::'$PARTNER':role/reader"}]}'
service='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
`

// ground are scripts of what the sharings are of. The first prints variables for
// the others; theirs runs in the partner's account and makes what the emulator
// must find there.
type ground struct{ make, undo string }

var (
	ours = ground{`
		net=$(aws ec2 create-vpc --cidr-block $NETWORK.0.0/16 --query Vpc.VpcId --output text)
		echo "VPC=$net"
		echo "SUBNET=$(aws ec2 create-subnet --vpc-id "$net" --cidr-block $NETWORK.0.0/24 --query Subnet.SubnetId --output text)"
		echo "GROUP=$(aws ec2 create-security-group --group-name lent-$N --description lent --vpc-id "$net" --query GroupId --output text)"
		echo "TABLE=$(aws ec2 create-route-table --vpc-id "$net" --query RouteTable.RouteTableId --output text)"
		echo "GATEWAY=$(aws ec2 create-transit-gateway --query TransitGateway.TransitGatewayId --output text)"
		echo "ROLE=$(aws iam create-role --role-name runs-$N --assume-role-policy-document "$service" --query Role.Arn --output text)"
		echo "KEY=$(aws kms create-key --query KeyMetadata.KeyId --output text $(tags --tags TagKey=team,TagValue=lent))"
		aws s3api create-bucket --bucket $ACCOUNT-lent-$N --create-bucket-configuration LocationConstraint=$AWS_REGION >&2
		echo code > lent-$N.txt; python3 -m zipfile -c lent-$N.zip lent-$N.txt`, `
		aws s3api delete-bucket --bucket $ACCOUNT-lent-$N
		aws kms schedule-key-deletion --key-id "$KEY" --pending-window-in-days 7
		aws iam delete-role --role-name runs-$N
		aws ec2 delete-transit-gateway --transit-gateway-id "$GATEWAY"
		aws ec2 delete-security-group --group-id "$GROUP"
		aws ec2 delete-route-table --route-table-id "$TABLE"
		aws ec2 delete-subnet --subnet-id "$SUBNET"
		aws ec2 delete-vpc --vpc-id "$VPC"`}

	theirs = ground{`
		net=$(aws ec2 create-vpc --cidr-block $NETWORK.0.0/16 --query Vpc.VpcId --output text)
		echo "PEER_VPC=$net"
		echo "PEER_GROUP=$(aws ec2 create-security-group --group-name theirs-$N --description theirs --vpc-id "$net" --query GroupId --output text)"
		echo "PEER_GATEWAY=$(aws ec2 create-transit-gateway --query TransitGateway.TransitGatewayId --output text)"
		echo "PEER_RULE=$(aws route53resolver create-resolver-rule --creator-request-id $N --rule-type SYSTEM --domain-name theirs-$N.internal --query ResolverRule.Id --output text)"
		zone=$(aws route53 create-hosted-zone --name theirs-$N.internal --caller-reference $N --vpc VPCRegion=$AWS_REGION,VPCId=$net --hosted-zone-config PrivateZone=true --query HostedZone.Id --output text)
		echo "PEER_ZONE=$zone"
		aws route53 associate-vpc-with-hosted-zone --hosted-zone-id "$zone" --vpc VPCRegion=$AWS_REGION,VPCId=$VPC >&2
		aws s3api create-bucket --bucket partner-in-$N --create-bucket-configuration LocationConstraint=$AWS_REGION >&2
		aws iam create-role --role-name enters-$N --assume-role-policy-document "$service" >&2
		aws sns create-topic --name out-$N >&2
		aws logs create-log-group --log-group-name central-$N >&2`, `
		aws logs delete-log-group --log-group-name central-$N
		aws sns delete-topic --topic-arn "$(beyond sns out-$N)"
		aws iam delete-role --role-name enters-$N
		aws s3api delete-bucket --bucket partner-in-$N
		aws route53 delete-hosted-zone --id "$PEER_ZONE"
		aws route53resolver delete-resolver-rule --resolver-rule-id "$PEER_RULE"
		aws ec2 delete-transit-gateway --transit-gateway-id "$PEER_GATEWAY"
		aws ec2 delete-security-group --group-id "$PEER_GROUP"
		aws ec2 delete-vpc --vpc-id "$PEER_VPC"`}
)

// Groups are the sharings that the emulator can make. One that needs another comes
// after it in its group, and is undone before; the groups are apart.
func Groups() [][]Sharing { return [][]Sharing{identities, networks, stores, services, seldom} }

// All are the sharings of all groups.
func All() []Sharing { return slices.Concat(Groups()...) }

// Impossible is a way, or a kind of one, that the emulator cannot make.
type Impossible struct {
	Name, Way string
	// Call is the one that fails, and Says is in what the aws command says then.
	Call, Says string
}

// check runs the call and returns an error if it does not fail as it did: the
// emulator has learnt it, and the way should be made.
func (i Impossible) check(shell func(script string) (string, error)) error {
	out, err := shell("export AWS_MAX_ATTEMPTS=1\n" + i.Call)
	if err == nil {
		return fmt.Errorf("the emulator can make %s now, which byhand should: %s", i.Name, out)
	}
	if !strings.Contains(err.Error(), i.Says) {
		return fmt.Errorf("the emulator fails otherwise at %s: %w, want %q", i.Name, err, i.Says)
	}
	return nil
}
