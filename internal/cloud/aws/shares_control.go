package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	controltypes "github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"
	"github.com/aws/smithy-go"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// controlled lists the things of a way through Cloud Control: what there is, and
// then each with its properties, which a list need not have. What Cloud Control
// cannot say is an error, and never nothing.
func controlled(ctx context.Context, s *session, w awstype.Way) ([]cloud.Item, error) {
	c := cloudcontrol.NewFromConfig(s.cfg)
	if w.Control.Under == "" {
		return controlledIn(ctx, c, w, nil)
	}
	above, err := controlList(ctx, c, w.Control.Under, nil)
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, above, func(ctx context.Context, d controltypes.ResourceDescription) ([]cloud.Item, error) {
		model, err := controlRead(ctx, c, w.Control.Under, aws.ToString(d.Identifier))
		if err != nil {
			return nil, err
		}
		name, is := model[w.Control.Key].(string)
		if !is {
			return nil, fmt.Errorf("%s %s has no %s, so what is in it is unknown", w.Control.Under, aws.ToString(d.Identifier), w.Control.Key)
		}
		of, err := json.Marshal(map[string]string{w.Control.Key: name})
		if err != nil {
			return nil, err
		}
		return controlledIn(ctx, c, w, aws.String(string(of)))
	})
}

// controlledIn lists the things of a way under one thing, or of the account.
func controlledIn(ctx context.Context, c *cloudcontrol.Client, w awstype.Way, of *string) ([]cloud.Item, error) {
	all, err := controlList(ctx, c, w.Control.Type, of)
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d controltypes.ResourceDescription) ([]cloud.Item, error) {
		id := aws.ToString(d.Identifier)
		model, err := controlRead(ctx, c, w.Control.Type, id)
		if err != nil {
			return nil, err
		}
		properties, err := controlProperties(w.Ends, model)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", w.Control.Type, id, err)
		}
		if len(properties) == 0 {
			return nil, nil // nothing of it leads anywhere
		}
		return []cloud.Item{{Type: w.Types[0], ID: id, Name: id, Properties: properties}}, nil
	})
}

func controlList(ctx context.Context, c *cloudcontrol.Client, typ string, of *string) ([]controltypes.ResourceDescription, error) {
	all, err := walk(ctx, c.ListResources,
		func(next *string) *cloudcontrol.ListResourcesInput {
			return &cloudcontrol.ListResourcesInput{TypeName: aws.String(typ), ResourceModel: of, NextToken: next}
		},
		func(out *cloudcontrol.ListResourcesOutput) ([]controltypes.ResourceDescription, *string) {
			return out.ResourceDescriptions, out.NextToken
		})
	return all, controlRefused(typ, err)
}

func controlRead(ctx context.Context, c *cloudcontrol.Client, typ, id string) (map[string]any, error) {
	out, err := c.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: aws.String(typ), Identifier: aws.String(id)})
	if err != nil {
		return nil, controlRefused(typ, err)
	}
	var model map[string]any
	if out.ResourceDescription == nil {
		return nil, fmt.Errorf("%s %s: Cloud Control answers without a description", typ, id)
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.ResourceDescription.Properties)), &model); err != nil {
		return nil, fmt.Errorf("%s %s: the properties that Cloud Control gives: %w", typ, id, err)
	}
	return model, nil
}

// controlRefused says what it means that Cloud Control did not answer. A refusal
// of the service comes in the words of the type's handler, with whichever code.
//
// https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResources.html#API_ListResources_Errors
func controlRefused(typ string, err error) error {
	api, is := errors.AsType[smithy.APIError](err)
	if !is {
		return err
	}
	switch text := api.ErrorMessage(); {
	case api.ErrorCode() == "TypeNotFoundException":
		return fmt.Errorf("CloudFormation does not have %s in this region, so it is unknown whether there are any: %w", typ, err)
	case api.ErrorCode() == "UnsupportedActionException":
		return fmt.Errorf("CloudFormation cannot list %s in this region: %w", typ, err)
	case strings.Contains(api.ErrorCode(), "AccessDenied"), strings.Contains(text, "AccessDenied"), strings.Contains(text, "not authorized"):
		return fmt.Errorf("the role may not read %s; it needs the calls of the service as well as Cloud Control's: %w", typ, err)
	default:
		return err
	}
}

// controlProperties are the properties of a model that lead elsewhere, by the
// names of the Pulumi type. Everything else stays where it is: it may be data.
func controlProperties(ends []awstype.End, model map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for _, e := range ends {
		within, path := any(model), e.From
		for {
			step, rest, deeper := strings.Cut(path, "/")
			if !deeper {
				break
			}
			in, _ := within.(map[string]any)
			within, path = in[step], rest
		}
		v := controlAt(within, strings.Split(path, "."), strings.Split(e.Path, "."))
		switch {
		case v == nil && e.Is == awstype.IsSwitch:
			return nil, fmt.Errorf("it does not say %s, so it is unknown who is let in", e.From)
		case v == nil:
			continue
		}
		if document, is := v[strings.Split(e.Path, ".")[0]].(map[string]any); is && e.Is == awstype.IsPolicy {
			text, err := json.Marshal(document)
			if err != nil {
				return nil, err
			}
			v = map[string]any{e.Path: string(text)}
		}
		merge(out, v)
	}
	return out, nil
}

// controlAt is what a path leads to, under the names of another path of the same
// length; nil for nothing. Lists on the way stay lists.
func controlAt(v any, from, to []string) map[string]any {
	in, _ := v.(map[string]any)
	there, is := in[from[0]]
	if !is || there == nil {
		return nil
	}
	if len(from) == 1 {
		return map[string]any{to[0]: there}
	}
	if list, is := there.([]any); is {
		below := make([]any, 0, len(list))
		for _, e := range list {
			if b := controlAt(e, from[1:], to[1:]); b != nil {
				below = append(below, b)
			}
		}
		if len(below) == 0 {
			return nil
		}
		return map[string]any{to[0]: below}
	}
	below := controlAt(there, from[1:], to[1:])
	if below == nil {
		return nil
	}
	return map[string]any{to[0]: below}
}

// merge puts what is in one object into another; of lists in both, the elements of one come after the other's.
func merge(into, from map[string]any) {
	for k, v := range from {
		switch have := into[k].(type) {
		case map[string]any:
			if below, is := v.(map[string]any); is {
				merge(have, below)
			}
		case []any:
			if more, is := v.([]any); is {
				into[k] = append(have, more...)
			}
		default:
			into[k] = v
		}
	}
}
