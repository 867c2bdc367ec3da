package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	taggingtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listTagged lists what is tagged, or ever was, of services that have no lister
// of their own here. What those list is left out: they know its ids.
func listTagged(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, tagging.NewGetResourcesPaginator(s.tagging, &tagging.GetResourcesInput{}),
		func(p *tagging.GetResourcesOutput) []taggingtypes.ResourceTagMapping { return p.ResourceTagMappingList })
	var items []cloud.Item
	for _, m := range all {
		it, listed := tagged(aws.ToString(m.ResourceARN))
		if listed {
			continue
		}
		it.Tags = map[string]string{}
		for _, t := range m.Tags {
			it.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if name := it.Tags["Name"]; name != "" {
			it.Name = name
		}
		items = append(items, it)
	}
	return items, err
}

// tagged makes an item of an ARN; listed is true for what a lister lists.
// A thing of an unknown kind gets a type made from its ARN.
func tagged(name string) (it cloud.Item, listed bool) {
	a, err := arn.Parse(name)
	if err != nil {
		return cloud.Item{Type: "aws:unknown/resource:Resource", ID: name, Name: name, ARN: name}, false
	}
	kind, rest := "", a.Resource
	if i := strings.IndexAny(a.Resource, "/:"); i >= 0 {
		kind, rest = a.Resource[:i], a.Resource[i+1:]
	}
	row, known := awstype.OfARN(a.Service, a.Resource)
	if known && row.List != awstype.Tagged {
		return it, true
	}
	it = cloud.Item{Type: "aws:" + a.Service + "/" + camel(kind) + ":" + title(camel(kind)), ID: name, Name: rest, ARN: name}
	if kind == "" {
		it.Type = "aws:" + a.Service + "/resource:Resource"
	}
	if known {
		it.Type = row.Token
		if row.ByName {
			it.ID = rest
		}
	}
	return it, false
}

// camel turns "backup-vault" into "backupVault".
func camel(kind string) string {
	words := strings.FieldsFunc(kind, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for i := 1; i < len(words); i++ {
		words[i] = title(words[i])
	}
	return strings.Join(words, "")
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
