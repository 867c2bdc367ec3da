package awsprovider

import (
	"context"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/sandbox/store"
)

// Type describes one resource type as data. Everything that can be a value is
// one; the few functions at the end are for what AWS does and a table cannot say.
//
// Texts in braces are templates over the resource's properties: "{name}" is an
// input or output, "{vpcConfig.vpcId}" a nested one, and these are known beside
// them: {account}, {region}, {partition} (aws), {id}, {arn}, {now} (RFC 3339),
// {hex:17} (17 hex digits), {upper:16} (16 of A-Z and 0-9), {digits:12}, {uuid}.
// The generated ones depend on account, region, type and a counter only, so that
// the same run gives the same ids.
//
// Paths are property paths: "name", "vpcConfig.subnetIds[*]", "tags.Name".
type Type struct {
	// Token is the Pulumi type, "aws:iam/role:Role".
	Token string
	// Source is the AWS page that the entry was written from.
	Source string
	// Args and State are zero values of the SDK's types (iam.RoleArgs{} and
	// iam.Role{}): property names, types and what is required come from them.
	Args  pulumi.Input
	State any
	// Noun is what the genuine provider calls it in errors: "IAM Role".
	Noun string
	// Service is the API's prefix in IAM actions, "iam".
	Service string
	// API names the calls: faults, latency and the journal know them.
	API API
	// Takes is how long AWS takes, the waiting for "available" included.
	// A zero means ordinary: see ordinary.
	Takes Takes
	// Global is true for what has no region (IAM, Organizations).
	Global bool
	// Management is true for what only the management account may do.
	Management bool

	// ID is the provider's id and ARN the resource's, as templates. The id is
	// made first; the ARN may use it. An empty ARN: the type has none.
	ID  string
	ARN string
	// Import is the id that "pulumi import" takes, where it is not the id.
	Import string
	// Name says how a missing name is made.
	Name Name
	// Tags is true if the type is taggable: tags are checked, and tagsAll made.
	Tags bool
	// Upsert is true if a second creation overwrites the first without an
	// error, as Put* calls do (a bucket's policy, an account's settings).
	Upsert bool
	// Defaults are outputs that AWS fills in where the input is absent.
	Defaults map[string]any
	// Outputs are templates of computed outputs; "arn" and "id" are set already.
	// An output whose template has an empty result stays.
	Outputs map[string]string

	// Computed are outputs that a function fills in although an input of the
	// name exists: a preview shows them as unknown where the input is absent.
	Computed []string
	// Renews are outputs that an update of anything but tags makes anew: a
	// preview of one shows them as unknown.
	Renews []string

	// Fields are checked before anything is made, as the genuine provider's
	// own schema does: a failure names the property's path.
	Fields map[string][]Rule
	// Required are lists, maps and unions that must be given: of those the
	// SDK's types do not tell; of all others they do.
	Required []string
	// Conflicts are groups of properties of which at most one may be given.
	Conflicts [][]string
	// ExactlyOne are groups of properties of which exactly one must be given.
	ExactlyOne [][]string
	// Policies are properties that hold a policy document; AWS checks them.
	Policies map[string]Grammar

	// Unique are identities that only one resource may have.
	Unique []Unique
	// Refs are properties that name another resource, which must exist.
	Refs []Ref
	// Quota limits how many there may be.
	Quota *Quota

	// Replace are the paths whose change makes a new resource; the others
	// update in place. "*" is every input but tags.
	Replace []string
	// ReplaceGone are paths that can be added and changed in place, and not be
	// taken away.
	ReplaceGone []string
	// DeleteFirst is true if the old one goes before the new one comes although
	// its name is not fixed. A type with a fixed unique name does so anyway.
	DeleteFirst bool

	// Blocks are what stands in the way of a deletion.
	Blocks []Block
	// Owns are the rows that go with this one (a bucket's configuration).
	Owns []Link

	// Before runs before the transaction of a creation, update or deletion
	// (c.Verb tells which) and may be slow; c.Tx is nil. What it puts into
	// c.Out is kept. It is not called in previews and must be safe to repeat.
	Before func(ctx context.Context, c *Call) error
	// Check refuses, in the transaction, what the tables above cannot say;
	// it runs before a creation and an update.
	Check func(c *Call) error
	// Created, Updated and Deleted run in the transaction, after the row was
	// written: outputs that no template can say (put them into c.Out) and what
	// AWS makes by itself beside (c.Put with ByCloud).
	Created, Updated, Deleted func(c *Call) error
	// Refuse runs in the transaction of a deletion, after Blocks.
	Refuse func(c *Call) error
	// Retires is true if a deletion keeps the row, with its identities, as
	// gone: nothing finds it any more, but its names stay taken (a closed
	// account's e-mail) or its end is some days away (a key).
	Retires bool
	// After runs when the transaction of a creation, update or deletion is
	// committed, outside of it; it may be slow and must be safe to repeat.
	After func(ctx context.Context, c *Call) error
}

// API names a type's calls, without the service: "CreateRole". An empty Update
// means that there is nothing to update in place; an empty Delete that a
// deletion only forgets.
type API struct {
	Create, Read, Update, Delete string
	// Updates names the call that changes one top-level property, where it is not Update.
	Updates map[string]string
}

// Takes is how long AWS takes.
type Takes struct{ Create, Update, Delete time.Duration }

// Name says how a name is made that the program does not give: as the genuine
// provider does, "<logical name>-<7 hex digits>".
type Name struct {
	Property string // "name"; empty: the type has no such name
	Prefix   string // "namePrefix", if the type has one
	Max      int    // the longest name; the logical name is cut
	Lower    bool   // buckets, repositories
	Before   string // put before a generated name: "alias/"
}

// Scope is where an identity is unique, or a quota counts.
type Scope int

// The scopes.
const (
	PerRegion  Scope = iota // one account and region
	PerAccount              // one account, all regions
	AllOfAWS                // all accounts
)

// Unique is one identity.
type Unique struct {
	Scope Scope
	Key   string // template; an identity whose template has an empty result is not claimed
	Error string // template: "EntityAlreadyExists: Role with name {name} already exists."
}

// Ref is one reference.
type Ref struct {
	Path  string   // "role", "subnetIds[*]"
	To    []string // tokens; one of them must have it
	By    []string // what the value is compared with: "id", "arn" or an output; default id and arn
	Error string   // template; {value} is the reference: "NoSuchEntity: Role {value} cannot be found."
	// Known accepts a value that is no row (an AWS managed policy).
	Known func(value string) bool
	// AnyAccount is true if the other may live in another account.
	AnyAccount bool
	// If applies the reference to some values only.
	If func(value string) bool
}

// Link finds rows of a type whose property at Path equals this one's property.
type Link struct {
	Type  string // token
	Path  string // in the other's outputs: "vpcId", "vpcConfig.subnetIds[*]"
	Value string // template over this one; default "{id}"
	// ByCloud includes rows that AWS made itself; Block ignores them otherwise.
	ByCloud bool
}

// Block is a link that stands in the way of a deletion.
type Block struct {
	Link
	Error string // template; {other} is the other's id: "DependencyViolation: The vpc '{id}' has dependencies and cannot be deleted."
	// Unless is a boolean input that lifts the block ("forceDestroy"): the others then go too.
	Unless string
}

// Quota is a service quota.
type Quota struct {
	Scope Scope
	Name  string // as operators set it: "ec2:vpcs"
	Limit int    // AWS's default
	Error string // template; {limit}: "VpcLimitExceeded: The maximum number of VPCs has been reached."
	// Counts says whether a row counts; nil: every row that AWS did not make itself.
	Counts func(row store.Row) bool
}

// Rule checks one value of a property; it returns what is wrong with it, or "".
// A list's or map's elements are reached by the path ("subnetIds[*]").
type Rule func(value any) string

// Verb is what a call does to a resource.
type Verb string

// The verbs.
const (
	Creating Verb = "creating"
	Reading  Verb = "reading"
	Updating Verb = "updating"
	Deleting Verb = "deleting"
)

// Call is one operation on one resource, as the functions of a Type see it.
// Values are plain JSON: string, float64, bool, nil, []any, map[string]any.
type Call struct {
	Verb    Verb
	Type    *Type
	Account string
	Region  string // "global" for global types
	URN     string
	// Caller is who creates, as sts:GetCallerIdentity tells it; empty on updates and deletions.
	Caller string
	ID     string
	ARN    string
	In     map[string]any // inputs; on deletion the last ones
	Out    map[string]any // outputs; a function may add to them
	OldIn  map[string]any // on update
	OldOut map[string]any // on update
	Tx     *store.Tx      // nil in Before and After
	Env    *Env

	ctx  context.Context
	seed string // of generated values
}

// Env is what calls need of the process.
type Env struct {
	Now func() time.Time
	// Latency scales what AWS takes; nil: nothing takes time.
	Latency func(time.Duration) time.Duration
	// Planes runs clusters' control planes; nil: clusters have an endpoint that nobody serves.
	Planes Planes
	// Setting reads a setting of the store, outside of a call's transaction. The
	// backend sets it.
	Setting func(ctx context.Context, name string) (string, error)
}

// Planes runs the control planes of clusters. Each call is safe to repeat.
type Planes interface {
	// Create makes (but need not start) a cluster's control plane and tells
	// how it is reached; ca is base64 PEM.
	Create(ctx context.Context, c PlaneSpec) (endpoint, ca string, err error)
	// Update moves the control plane to the version in the spec.
	Update(ctx context.Context, c PlaneSpec) error
	// Authenticate has it believe the tokens of an identity provider; nil: of none.
	Authenticate(ctx context.Context, arn string, p *IdentityProvider) error
	// Delete stops it and removes its data.
	Delete(ctx context.Context, arn string) error
}

// PlaneSpec is what a control plane is made from.
type PlaneSpec struct {
	ARN, Account, Region, Name, Version string
	// OIDCIssuer is the issuer of service account tokens.
	OIDCIssuer string
}

// IdentityProvider is an OpenID Connect issuer as EKS is configured with it. A prefix
// that is not given is EKS's default.
type IdentityProvider struct {
	IssuerURL, ClientID           string
	UsernameClaim, UsernamePrefix string
	GroupsClaim, GroupsPrefix     string
	RequiredClaims                map[string]string
}

// tables lists every table, in the order of the services. A new file adds its own.
var tables = [][]*Type{
	organizationsTypes,
	iamTypes,
	kmsTypes,
	s3Types,
	auditTypes,
	ecrTypes,
	settingsTypes,
	ec2Types,
	ec2RoutingTypes,
	ec2EndpointTypes,
	ec2GroupTypes,
	ec2TemplateTypes,
	eksTypes,
	eksAccessTypes,
	eksIdentityTypes,
	eksAddonTypes,
	eksNodeTypes,
	shareTypes,
	shareDataTypes,
	shareServiceTypes,
	sharePartnerTypes,
	shareMemberTypes,
	shareControlTypes,
	shareNamedTypes,
}
