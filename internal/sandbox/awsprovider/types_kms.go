package awsprovider

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"

	"freehold.dev/freehold/internal/iam"
)

const (
	keyToken   = "aws:kms/key:Key"
	aliasToken = "aws:kms/alias:Alias"
)

var kmsTypes = []*Type{
	{
		Token:   keyToken,
		Source:  "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html",
		Args:    kms.KeyArgs{},
		State:   kms.Key{},
		Noun:    "KMS Key",
		Service: "kms",
		API: API{
			Create: "CreateKey", Read: "DescribeKey", Update: "UpdateKeyDescription", Delete: "ScheduleKeyDeletion",
			Updates: map[string]string{
				"policy": "PutKeyPolicy", "enableKeyRotation": "EnableKeyRotation", "rotationPeriodInDays": "EnableKeyRotation",
				"isEnabled": "EnableKey", "tags": "TagResource",
			},
		},
		ID:   "{uuid}",
		ARN:  "arn:aws:kms:{region}:{account}:key/{id}",
		Tags: true,
		Defaults: map[string]any{
			"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "keyUsage": "ENCRYPT_DECRYPT", "isEnabled": true, "multiRegion": false,
			"enableKeyRotation": false, "description": "", "bypassPolicyLockoutSafetyCheck": false,
		},
		Outputs: map[string]string{"keyId": "{id}"},
		Fields: map[string][]Rule{
			"deletionWindowInDays": {between(7, 30)},
			"rotationPeriodInDays": {between(90, 2560)},
			"description":          {length(0, 8192)},
			"keyUsage":             {oneOf("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")},
			"customerMasterKeySpec": {oneOf("SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512",
				"ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "SM2")},
		},
		Policies: map[string]Grammar{"policy": keyPolicy},
		Replace:  []string{"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
		Check:    keyIsGood,
		Created:  keyIsWhole,
		Updated:  keyIsWhole,
		// A key is deleted after 7 to 30 days; until then it can do nothing.
		Retires: true,
	},
	{
		Token:    aliasToken,
		Source:   "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
		Args:     kms.AliasArgs{},
		State:    kms.Alias{},
		Noun:     "KMS Alias",
		Service:  "kms",
		API:      API{Create: "CreateAlias", Read: "ListAliases", Update: "UpdateAlias", Delete: "DeleteAlias"},
		ID:       "{name}",
		ARN:      "arn:aws:kms:{region}:{account}:{name}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 256, Before: "alias/"},
		Fields:   map[string][]Rule{"name": {length(7, 256), match(regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)), notAWSAlias}},
		Unique:   []Unique{{Key: "alias/{name}", Error: "AlreadyExistsException: An alias with the name {arn} already exists"}},
		Refs:     []Ref{{Path: "targetKeyId", To: []string{keyToken}, Error: "NotFoundException: Key '{value}' does not exist"}},
		Replace:  []string{"name", "namePrefix"},
		Created:  aliasTarget,
		Updated:  aliasTarget,
		Defaults: map[string]any{},
	},
}

func notAWSAlias(v any) string {
	if strings.HasPrefix(text(v), "alias/aws/") {
		return "alias/aws/ is reserved for AWS"
	}
	return ""
}

// keyIsGood holds what a key's settings may be together, and that its policy
// does not lock everybody out.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key
func keyIsGood(c *Call) error {
	if c.Bool("enableKeyRotation") && c.String("customerMasterKeySpec") != "SYMMETRIC_DEFAULT" {
		return errf("UnsupportedOperationException", "rotation needs a symmetric encryption key")
	}
	if c.In["rotationPeriodInDays"] != nil && !c.Bool("enableKeyRotation") {
		return errf("ValidationException", "rotationPeriodInDays needs enableKeyRotation")
	}
	if c.In["policy"] == nil || c.Bool("bypassPolicyLockoutSafetyCheck") {
		return nil
	}
	doc, err := document(c.In["policy"])
	if err != nil {
		return err
	}
	for _, s := range doc.Statement {
		if s.Effect != iam.Allow || !s.Covers("kms:PutKeyPolicy") {
			continue
		}
		for kind, id := range s.Principal.All() {
			if kind == "AWS" && (id == "*" || id == c.Account || iam.AccountIn(id) == c.Account) {
				return nil
			}
		}
	}
	return errf("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
}

func keyIsWhole(c *Call) error {
	if c.In["policy"] == nil {
		c.Out["policy"] = `{"Id":"key-default-1","Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
			c.Account + `:root"},"Action":"kms:*","Resource":"*"}]}`
	}
	if c.In["rotationPeriodInDays"] == nil {
		delete(c.Out, "rotationPeriodInDays")
		if c.Bool("enableKeyRotation") {
			c.Out["rotationPeriodInDays"] = 365.0
		}
	}
	return nil
}

func aliasTarget(c *Call) error {
	for _, by := range []string{"id", "arn"} {
		key, err := c.Find(keyToken, by, c.String("targetKeyId"))
		if err != nil {
			return err
		}
		if key != nil {
			c.Out["targetKeyArn"] = key.ARN
		}
	}
	return nil
}

// keyRef is a reference to a key by its ARN, its id, or an alias's name or ARN.
func keyRef(path, code string) Ref {
	return Ref{Path: path, To: []string{keyToken, aliasToken}, Error: code + ": The key {value} does not exist",
		If: func(v string) bool { return !strings.Contains(v, "alias/aws/") }}
}

// keyServes reports whether a key's policy lets a service use it. AWS tries it
// when it is given the key, and refuses then.
func keyServes(c *Call, key, service, action string) (bool, error) {
	for _, by := range []string{"arn", "id"} {
		row, err := c.Find(keyToken, by, key)
		if err != nil {
			return false, err
		}
		if row != nil {
			return serves(row.Outputs["policy"], service, action), nil
		}
	}
	return true, nil // an alias, or a key of AWS's own
}

// serves reports whether a policy allows a service an action, whatever the conditions.
func serves(policy any, service, action string) bool {
	doc, err := document(policy)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(doc.Statement, func(s iam.Statement) bool {
		return s.Effect == iam.Allow && (s.Principal.Has("Service", service) || s.Principal.Has("AWS", "*")) && s.Covers(action)
	})
}
