package lifecycletest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// The types that the world knows more of than of others.
const (
	accountType     = "aws:organizations/account:Account"
	orgPolicyType   = "aws:organizations/policy:Policy"
	attachmentType  = "aws:organizations/policyAttachment:PolicyAttachment"
	policyType      = "aws:iam/policy:Policy"
	roleType        = "aws:iam/role:Role"
	keyType         = "aws:kms/key:Key"
	bucketType      = "aws:s3/bucketV2:BucketV2"
	repositoryType  = "aws:ecr/repository:Repository"
	trailType       = "aws:cloudtrail/trail:Trail"
	analyzerType    = "aws:accessanalyzer/analyzer:Analyzer"
	vpcType         = "aws:ec2/vpc:Vpc"
	groupType       = "aws:ec2/securityGroup:SecurityGroup"
	subnetType      = "aws:ec2/subnet:Subnet"
	addressType     = "aws:ec2/eip:Eip"
	gatewayType     = "aws:ec2/natGateway:NatGateway"
	clusterType     = "aws:eks/cluster:Cluster"
	providerType    = "aws:eks/identityProviderConfig:IdentityProviderConfig"
	associationType = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
	nodeGroupType   = "aws:eks/nodeGroup:NodeGroup"

	namespaceType  = "kubernetes:core/v1:Namespace"
	definitionType = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
	controllerType = "kubernetes:apps/v1:Deployment"
	projectType    = "kubernetes:freehold.dev/v1alpha1:Project"
	bindingType    = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
	classType      = "kubernetes:storage.k8s.io/v1:StorageClass"
)

// kind is what the world knows of a type of AWS.
type kind struct {
	// once is what of the inputs AWS lets be only once; nil: it makes as many as
	// it is asked for.
	once func(in map[string]any) string
	// everywhere is true when that holds for all accounts together.
	everywhere bool
	// taken is how AWS refuses a second one.
	taken string
	// finish gives a new thing its id, its ARN and its outputs.
	finish func(w *World, t *Thing)
	// held is true when AWS does not delete it while something refers to its id.
	held bool
	// fixed are the inputs that AWS, or the API server, never changes.
	fixed []string
}

func text(in map[string]any, key string) string {
	s, _ := in[key].(string)
	return s
}

func by(key string) func(map[string]any) string {
	return func(in map[string]any) string { return text(in, key) }
}

// arn is an ARN in the thing's account.
func arn(t *Thing, service, region, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + t.Where + ":" + resource
}

// named gives a thing its name as its id, and an ARN.
func named(service, key, prefix string, regional bool) func(*World, *Thing) {
	return func(_ *World, t *Thing) {
		region := ""
		if regional {
			region = text(t.Inputs, "region")
		}
		t.ID = text(t.Inputs, key)
		t.ARN = arn(t, service, region, prefix+t.ID)
	}
}

// counted gives a thing an id of its own, as EC2 does.
func counted(prefix, resource string) func(*World, *Thing) {
	return func(w *World, t *Thing) {
		t.ID = w.newID(prefix)
		t.ARN = arn(t, "ec2", text(t.Inputs, "region"), resource+"/"+t.ID)
	}
}

var kinds = map[string]kind{
	accountType: {
		once: func(in map[string]any) string { return strings.ToLower(text(in, "email")) }, everywhere: true, taken: "EMAIL_ALREADY_EXISTS",
		finish: (*World).finishAccount,
	},
	orgPolicyType: {
		once: by("name"), taken: "DuplicatePolicyException", held: true,
		finish: func(w *World, t *Thing) {
			t.ID = w.newID("p")[:10]
			t.ARN = "arn:aws:organizations::" + t.Where + ":policy/o-1/service_control_policy/" + t.ID
		},
	},
	attachmentType: {
		once:  func(in map[string]any) string { return text(in, "targetId") + ":" + text(in, "policyId") },
		taken: "DuplicatePolicyAttachmentException",
		finish: func(_ *World, t *Thing) {
			t.ID = text(t.Inputs, "targetId") + ":" + text(t.Inputs, "policyId")
		},
	},
	policyType: {
		once: by("name"), taken: "EntityAlreadyExists",
		finish: func(_ *World, t *Thing) {
			t.ARN = arn(t, "iam", "", "policy/"+text(t.Inputs, "name"))
			t.ID = t.ARN
		},
	},
	roleType: {
		once: by("name"), taken: "EntityAlreadyExists",
		finish: func(w *World, t *Thing) {
			named("iam", "name", "role/", false)(w, t)
			t.Outputs = map[string]any{"uniqueId": "AROA" + strings.ToUpper(w.hex(17))}
		},
	},
	keyType: {
		finish: func(w *World, t *Thing) {
			h := w.hex(32)
			t.ID = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
			t.ARN = arn(t, "kms", text(t.Inputs, "region"), "key/"+t.ID)
			t.Outputs = map[string]any{"keyId": t.ID}
		},
	},
	bucketType: {
		once: by("bucket"), everywhere: true, taken: "BucketAlreadyOwnedByYou",
		finish: func(_ *World, t *Thing) {
			t.ID = text(t.Inputs, "bucket")
			t.ARN = "arn:aws:s3:::" + t.ID
		},
	},
	repositoryType: {
		once: by("name"), taken: "RepositoryAlreadyExistsException",
		finish: func(w *World, t *Thing) {
			named("ecr", "name", "repository/", true)(w, t)
			t.Outputs = map[string]any{
				"repositoryUrl": t.Where + ".dkr.ecr." + text(t.Inputs, "region") + ".amazonaws.com/" + t.ID,
			}
		},
	},
	trailType:    {once: by("name"), taken: "TrailAlreadyExistsException", finish: named("cloudtrail", "name", "trail/", true)},
	analyzerType: {once: by("analyzerName"), taken: "ResourceInUseException: already exists", finish: named("access-analyzer", "analyzerName", "analyzer/", true)},
	vpcType: {
		held: true,
		finish: func(w *World, t *Thing) {
			counted("vpc", "vpc")(w, t)
			// AWS makes every network with a security group.
			w.data.Things = append(w.data.Things, &Thing{
				Where: t.Where, Type: groupType, ID: w.newID("sg"), Name: "default", With: t.ID, ByCloud: true,
			})
		},
	},
	subnetType: {
		held: true, taken: "InvalidSubnet.Conflict",
		once:   func(in map[string]any) string { return text(in, "vpcId") + " " + text(in, "cidrBlock") },
		finish: counted("subnet", "subnet"),
	},
	addressType: {held: true, finish: counted("eipalloc", "elastic-ip")},
	gatewayType: {once: by("allocationId"), taken: "Resource.AlreadyAssociated", finish: counted("nat", "natgateway")},
	clusterType: {
		once: by("name"), taken: "ResourceInUseException: Cluster already exists",
		finish: func(w *World, t *Thing) {
			named("eks", "name", "cluster/", true)(w, t)
			id, region := strings.ToUpper(w.hex(32)), text(t.Inputs, "region")
			t.Outputs = map[string]any{
				"endpoint":             "https://" + id + ".gr7." + region + ".eks.amazonaws.com",
				"certificateAuthority": map[string]any{"data": base64.StdEncoding.EncodeToString([]byte("CA " + id))},
				"identities": []any{map[string]any{"oidcs": []any{map[string]any{
					"issuer": "https://oidc.eks." + region + ".amazonaws.com/id/" + id,
				}}}},
			}
		},
	},
	nodeGroupType: {
		once:   func(in map[string]any) string { return text(in, "clusterName") + ":" + text(in, "nodeGroupName") },
		taken:  "ResourceInUseException: NodeGroup already exists",
		finish: func(_ *World, t *Thing) { t.ID = text(t.Inputs, "clusterName") + ":" + text(t.Inputs, "nodeGroupName") },
		fixed:  []string{"nodeGroupName", "instanceTypes", "capacityType", "amiType"},
	},
	classType: {fixed: []string{"parameters"}},
	// A cluster has room for one.
	providerType: {
		once: by("clusterName"), taken: "ResourceLimitExceeded: a cluster can have one identity provider",
		finish: func(_ *World, t *Thing) {
			oidc, _ := t.Inputs["oidc"].(map[string]any)
			t.ID = text(t.Inputs, "clusterName") + ":" + text(oidc, "identityProviderConfigName")
		},
	},
	associationType: {
		once: func(in map[string]any) string {
			return text(in, "clusterName") + " " + text(in, "namespace") + "/" + text(in, "serviceAccount")
		},
		taken:  "ResourceInUseException: Association already exists",
		finish: func(w *World, t *Thing) { t.ID = w.newID("a") },
	},
}

// finishAccount makes the account that a new account resource stands for, and
// the role in it that AWS makes.
func (w *World) finishAccount(t *Thing) {
	t.ID = w.digits(12)
	t.ARN = arn(t, "organizations", "", "account/o-1/"+t.ID)
	role := text(t.Inputs, "roleName")
	a := &account{
		ID: t.ID, Email: text(t.Inputs, "email"), Name: text(t.Inputs, "name"), Status: accountActive,
		RoleARN: "arn:aws:iam::" + t.ID + ":role/" + role,
	}
	w.data.Accounts[t.ID] = a
	w.data.Things = append(w.data.Things, &Thing{Where: t.ID, Type: roleType, ID: role, Name: role, ARN: a.RoleARN, ByCloud: true})
}

// kubernetes reports whether a type is one of the API server's.
func kubernetes(typ string) bool { return strings.HasPrefix(typ, "kubernetes:") }

// make makes a thing as the cloud would, or refuses to. The caller holds w.mu.
func (w *World) make(where, typ string, inputs map[string]any) (*Thing, error) {
	if kubernetes(typ) {
		return w.apply(where, typ, inputs)
	}
	k := kinds[typ]
	if a := w.data.Accounts[where]; a == nil || a.Status != accountActive {
		return nil, fmt.Errorf("AccessDenied: account %s is not there", where)
	}
	n := 0
	for _, t := range w.data.Things {
		if t.Type != typ || t.Where != where && !k.everywhere {
			continue
		}
		n++
		if k.once != nil && k.once(t.Inputs) == k.once(inputs) {
			return nil, fmt.Errorf("%s: %s", k.taken, nameOf(inputs))
		}
	}
	if limit, ok := w.data.Quotas[typ]; ok && n >= limit {
		return nil, fmt.Errorf("LimitExceeded: %d of %d %s are in use", n, limit, typ)
	}
	t := &Thing{Where: where, Type: typ, Inputs: copied(inputs), Name: nameOf(inputs)}
	if k.finish != nil {
		k.finish(w, t)
	} else {
		t.ID = w.newID("x")
	}
	t.Outputs = merged(merged(t.Inputs, t.Outputs), map[string]any{"arn": t.ARN})
	w.data.Things = append(w.data.Things, t)
	return t, nil
}

// nameOf is what people call a resource with such inputs.
func nameOf(in map[string]any) string {
	for _, key := range []string{"name", "bucket", "analyzerName", "email", "clusterName"} {
		if s := text(in, key); s != "" {
			return s
		}
	}
	if meta, ok := in["metadata"].(map[string]any); ok {
		return text(meta, "name")
	}
	tags, _ := in["tags"].(map[string]any)
	return text(tags, "Name")
}

// remove deletes a thing as the cloud would, or refuses to. The caller holds w.mu.
func (w *World) remove(t *Thing) error {
	switch {
	case kubernetes(t.Type):
		return w.unapply(t)
	case t.Type == clusterType && t.Inputs["deletionProtection"] == true:
		return fmt.Errorf("InvalidRequestException: cluster %s has deletion protection", t.ID)
	}
	if kinds[t.Type].held {
		for _, other := range w.data.Things {
			if other.Where != t.Where || other == t || other.With == t.ID && other.ByCloud {
				continue
			}
			if other.With == t.ID || mentions(other.Inputs, t.ID) {
				return fmt.Errorf("DependencyViolation: %s %s is in use by %s %s", t.Type, t.ID, other.Type, other.ID)
			}
		}
	}
	w.data.Things = slices.DeleteFunc(w.data.Things, func(other *Thing) bool {
		return other == t || other.Where == t.Where && other.With == t.ID || t.Type == clusterType && other.Where == t.ARN ||
			t.Type == clusterType && other.Where == t.Where && (other.Type == providerType || other.Type == associationType) && text(other.Inputs, "clusterName") == t.ID
	})
	return nil
}

func mentions(v any, id string) bool {
	switch v := v.(type) {
	case string:
		return v == id
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, id) })
	case map[string]any:
		for _, e := range v {
			if mentions(e, id) {
				return true
			}
		}
	}
	return false
}
