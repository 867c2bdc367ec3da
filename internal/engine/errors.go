package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"freehold.dev/freehold/internal/finding"
)

// The causes that a caller branches on. Every error of the engine wraps exactly one.
var (
	// ErrLocked is wrapped when another update holds the stack in the backend.
	ErrLocked = errors.New("the stack is locked by another update")
	// ErrUnreachable is wrapped when the backend does not answer, or not in a form
	// that is known: nobody can tell whether the stack exists.
	ErrUnreachable = errors.New("the backend does not say whether the stack exists")
	// ErrSecrets is wrapped when this machine lacks what opens the stack's secrets.
	ErrSecrets = errors.New("this machine cannot open the stack's secrets")
	// ErrPluginMissing is wrapped when a provider's plugin is not installed.
	ErrPluginMissing = errors.New("a provider plugin is missing")
	// ErrDenied is wrapped when the credentials are good and may not do this.
	ErrDenied = errors.New("the cloud denied the action")
	// ErrCredentials is wrapped when credentials are missing, expired or invalid.
	ErrCredentials = errors.New("the cloud refused the credentials")
	// ErrWrongAccount is wrapped when credentials lead to another account than the org's.
	ErrWrongAccount = errors.New("the credentials lead to another account")
	// ErrThrottled is wrapped when the cloud kept throttling after all retries.
	ErrThrottled = errors.New("the cloud throttled the calls")
	// ErrQuota is wrapped when a quota of the cloud is used up.
	ErrQuota = errors.New("a quota of the cloud is used up")
	// ErrVerification is wrapped when AWS still verifies an account, or the
	// organization, and does not let it do this before.
	ErrVerification = errors.New("the cloud is still verifying the account")
	// ErrCloseQueue is wrapped when as many accounts are being closed as may be at
	// once, ErrCloseQuota when as many were in 30 days.
	ErrCloseQueue = errors.New("the cloud is closing other accounts")
	ErrCloseQuota = errors.New("the cloud closes no more accounts for now")
	// ErrNameInUse is wrapped when something of that name exists already.
	ErrNameInUse = errors.New("the name is in use")
	// ErrImmutable is wrapped when an API server of Kubernetes refuses to change what
	// it lets nobody change. Only an object that is made anew can have it otherwise.
	ErrImmutable = errors.New("the object cannot be changed")
	// ErrPolicy is wrapped when a policy blocked a resource.
	ErrPolicy = errors.New("blocked by policy")
	// ErrUnanalyzed is wrapped when a policy pack could not be asked: it is
	// missing, ended, did not answer, or does not know whose stack it is.
	ErrUnanalyzed = errors.New("the policies could not be asked")
	// ErrProtected is wrapped when a resource to delete is protected.
	ErrProtected = errors.New("the resource is protected")
	// ErrCancelled is wrapped when the run was interrupted; the state is valid.
	ErrCancelled = errors.New("cancelled")
	// ErrStalled is wrapped when the run was ended because this process stood still,
	// and could have lost the org meanwhile.
	ErrStalled = errors.New("this process stood still, and its run was ended")
	// ErrUnheard is wrapped when a run ended well and not all of its events came: nobody
	// can tell what it did.
	ErrUnheard = errors.New("the engine has not said all that it did")
	// ErrNoStack is wrapped when the stack does not exist in the backend.
	ErrNoStack = errors.New("no such stack")
	// ErrFailed is wrapped by every other failure.
	ErrFailed = errors.New("failed")
)

// Failure is one resource that could not be brought to its state.
type Failure struct {
	URN     string
	Type    string
	Name    string
	Op      string
	Message string
	// Immutable is true where the API server lets nobody make this change.
	Immutable bool
	// OldInputs and NewInputs are those before and after, as in a Step.
	OldInputs, NewInputs map[string]any
}

// Error is a failed run of a stack.
type Error struct {
	Stack    string
	Doing    string
	Failures []Failure // empty: the run failed before or beside a resource
	// Policy is what the policy packs do not allow, and behind it what somebody
	// answers for.
	Policy []finding.Policy
	// Next says what to do about it.
	Next string
	// Kind is one of the sentinels.
	Kind error
	// Detail is the CLI's or the provider's own words, cleaned.
	Detail string
}

// Error says what failed, on what and why, in one line where it can.
func (e *Error) Error() string {
	if len(e.Failures) > 0 {
		lines := make([]string, len(e.Failures))
		for i, f := range e.Failures {
			lines[i] = fmt.Sprintf("%s %q: %s: %s", f.Type, f.Name, f.Op, f.Message)
		}
		return fmt.Sprintf("%s stack %s: %v: %s", e.Doing, e.Stack, e.Kind, strings.Join(lines, "; "))
	}
	return fmt.Sprintf("%s stack %s: %v: %s", e.Doing, e.Stack, e.Kind, e.Detail)
}

// Unwrap gives errors.Is the sentinel.
func (e *Error) Unwrap() error { return e.Kind }

// cause is one row of the table that reads the words of other programs.
type cause struct {
	kind error
	// any of these, in the CLI's or the provider's text
	match *regexp.Regexp
	next  string // "": the text itself says
}

// causes are tried in order: the first that matches names the failure. This
// is the only place that reads text written by another program.
var causes = []cause{
	{
		ErrLocked,
		regexp.MustCompile(`the stack is currently locked by|\[409\] Conflict: Another update is currently in progress`),
		"wait for the other update to end; if its process is gone, run the same command again",
	},
	{
		ErrNoStack, regexp.MustCompile(`no stack named .* found`),
		"onboard the org first",
	},
	{
		ErrSecrets,
		regexp.MustCompile(`incorrect passphrase|passphrase must be set with|unable to read PULUMI_CONFIG_PASSPHRASE_FILE`),
		"copy the org's passphrase file from the machine that made the stack, then run the same command again",
	},
	{
		ErrPolicy, regexp.MustCompile(`(?i)policy violation|violates mandatory polic`),
		"change what the rule names, or record an accepted exception in the spec",
	},
	{
		ErrUnanalyzed,
		regexp.MustCompile(`policy pack|failed to load Pulumi policy project|failed to run policy|failed to get analyzer info|the rules do not know whose|was given the scope of|failed to analyze resources|pulumi-analyzer-`),
		nextUnanalyzed,
	},
	{
		ErrWrongAccount, regexp.MustCompile(`AWS [Aa]ccount ID not allowed|account ID not allowed`),
		"use the credentials or the role of the org's own account",
	},
	{
		ErrPluginMissing,
		regexp.MustCompile(`no resource plugin '(?:pulumi-resource-)?([a-z0-9-]+)' found in the workspace at version (v?[0-9][^ ]*)|no resource plugin '([^']+)' found`),
		"run freehold doctor: it prints the command that installs it",
	},
	{
		ErrProtected, regexp.MustCompile(`unable to delete resource .* as it is currently marked for protection|cannot be deleted.*\bprotect`),
		"set deletionProtection to false in the spec and onboard again",
	},
	// What Organizations says of accounts comes before the words that it shares
	// with other services.
	// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
	{
		ErrCloseQuota, regexp.MustCompile(`CLOSE_ACCOUNT_QUOTA_EXCEEDED|close account quota`),
		"AWS closes so many accounts in 30 days: run the same command again later",
	},
	{
		ErrCloseQueue, regexp.MustCompile(`CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED|CloseAccount.*(?:ConcurrentModification|TooManyRequests)`),
		"AWS closes three accounts at a time: run the same command again later",
	},
	// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
	{
		ErrVerification,
		regexp.MustCompile(`PendingVerification|PENDING_BUSINESS_VALIDATION|UNKNOWN_BUSINESS_VALIDATION|FinalizingOrganization`),
		"AWS is still verifying the account: run the same command again later",
	},
	{
		ErrThrottled, regexp.MustCompile(`Throttl|RequestLimitExceeded|TooManyRequests|Rate exceeded|CONCURRENT_ACCOUNT_MODIFICATION`),
		"run the same command again: it goes on where it stopped",
	},
	{
		ErrQuota,
		regexp.MustCompile(`LimitExceeded|QuotaExceeded|ACCOUNT_(?:[A-Z]+_)*LIMIT_EXCEEDED|Limit[A-Za-z]*Exceeded|Maximum[A-Za-z]*Exceeded|TooManyBuckets|exceeded the (?:allowed number|number|limit)`),
		"ask AWS to raise the quota, then run the same command again",
	},
	{
		ErrCredentials,
		regexp.MustCompile(`ExpiredToken|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClientException|RequestExpired|SignatureDoesNotMatch|AuthFailure|InvalidIdentityToken|MultiFactorAuthentication failed|[Tt]oken has expired|SSO session .*(?:expired|invalid)`),
		nextSignIn,
	},
	// Before the words that a provider has for any credentials that it did not
	// get: a role that may not be assumed is in them, too.
	{
		ErrDenied,
		regexp.MustCompile(`AccessDenied|UnauthorizedOperation|api error Forbidden|AuthorizationError|[Nn]ot authorized to perform|explicit deny in an? |You don't have permissions to access this resource`),
		"",
	},
	{
		ErrCredentials, regexp.MustCompile(`No valid credential sources|failed to refresh cached credentials`),
		nextSignIn,
	},
	{ErrImmutable, immutable, nextImmutable},
	{
		ErrNameInUse, regexp.MustCompile(`AlreadyExists|BucketAlreadyOwnedByYou|DuplicatePolicyException|EMAIL_ALREADY_EXISTS|ResourceInUseException: .* already exists`),
		"another owner has the name: choose another in the spec, or remove it by hand if it is a leftover",
	},
}

// immutable is how an API server refuses to change what nobody can change: its
// words are others for each field (kubernetes/kubernetes, pkg/apis/*/validation:
// ValidateStorageClassUpdate, ValidateRoleBindingUpdate, ValidateConfigMapUpdate,
// ValidateServiceUpdate, ValidateStatefulSetUpdate, ValidatePriorityClassUpdate).
var immutable = regexp.MustCompile(`is invalid: [^\n]*(?:field is immutable|updates to [^\n]+ are forbidden|cannot change roleRef|` +
	`is immutable after creation|may not be changed in an update|may not change once set)`)

// classify turns a failed CLI call into an Error. It is called before anything
// else wraps the failure.
func (e *Engine) classify(ctx context.Context, s Stack, doing string, err error, run *watch) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if l, ok := errors.AsType[lacking](err); ok {
		return &Error{Stack: s.Name, Doing: doing, Kind: ErrSecrets, Detail: l.what, Next: l.next}
	}
	if errors.Is(err, errUnheard) {
		return &Error{Stack: s.Name, Doing: doing, Kind: ErrUnheard, Detail: err.Error(), Next: nextCancelled}
	}
	if errors.Is(err, ErrCancelled) {
		return &Error{Stack: s.Name, Doing: doing, Kind: ErrCancelled, Detail: err.Error(), Next: nextCancelled}
	}
	out := &Error{Stack: s.Name, Doing: doing, Kind: ErrFailed, Detail: clean(err.Error())}
	text := err.Error()
	if run != nil {
		out.Failures = run.failures()
		// What a run did is reported by its events. Its stdout only shows it, and
		// the progress there names policy packs in every run.
		text = stderrOf(text) + "\n" + strings.Join(run.messages(), "\n")
		if len(out.Failures) == 0 && len(run.messages()) > 0 {
			out.Detail = clean(strings.Join(run.messages(), "; "))
		}
	}
	if run != nil {
		out.Policy = append(run.violations(), run.accepted()...)
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		out.Kind, out.Next, out.Failures = ErrUnanalyzed, nextUnanalyzed, nil
		out.Detail = context.Cause(ctx).Error()
		return out
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errRefused) {
		// What was given up on the way is no failure of a resource.
		out.Kind, out.Next, out.Failures = ErrCancelled, nextCancelled, nil
		out.Detail = "the run was interrupted, and its state is valid"
		return out
	}
	if run != nil && run.violates() {
		out.Kind, out.Next = ErrPolicy, "change what the rule names, or record an accepted exception in the spec"
		return out
	}
	for _, c := range causes {
		if c.match.MatchString(text) {
			out.Kind, out.Next = c.kind, c.next
			if m := c.match.FindStringSubmatch(text); errors.Is(c.kind, ErrPluginMissing) && len(m) > 2 && m[1] != "" {
				out.Next = fmt.Sprintf("run: pulumi plugin install resource %s %s", m[1], strings.TrimRight(m[2], ",.;"))
			}
			if errors.Is(c.kind, ErrDenied) {
				out.Next = readDenial(text).next()
			}
			break
		}
	}
	if auto.IsConcurrentUpdateError(err) {
		out.Kind = ErrLocked
	}
	if locks := locksOf(text); errors.Is(out.Kind, ErrLocked) && len(locks) > 0 {
		out.Next = nextLocked(s, locks[0].PID, locks[0].Host)
	}
	if out.Next == "" {
		out.Next = "run the same command again: it goes on where it stopped"
	}
	return out
}

// nextLocked says who holds the backend's lock. Whether a process of another
// machine is gone only a person can tell.
func nextLocked(s Stack, pid int, host string) string {
	by := fmt.Sprintf("process %d on %s has it: wait until it ends", pid, host)
	if self, err := os.Hostname(); err == nil && self == host {
		return by + ", then run the same command again"
	}
	return fmt.Sprintf("%s; if that machine is gone, remove the lock with: pulumi cancel --stack %s", by, s.Name)
}

const nextImmutable = "it can only be made anew: see what depends on the object, remove it, then run the same command again"

const nextSignIn = "sign in again, then run the same command again"

const nextUnanalyzed = "run the same command again; with a --policy-pack of your own, try that one by itself"

const nextCancelled = "run the same command again: it goes on where it stopped"

var (
	ansi         = regexp.MustCompile("\x1b\\[[0-9;]*m|<\\{%[^%]*%\\}>")
	spaces       = regexp.MustCompile(`\s*\n\s*`)
	lockURL      = regexp.MustCompile(`(file://\S+): created by `)
	cutShort     = regexp.MustCompile(`^failed to run policy: .*(?:context canceled|code = Canceled)`)
	pluginOnPath = regexp.MustCompile(`^(?:warning: )?using pulumi-analyzer-\S+ from \$PATH`)

	errorPfx = regexp.MustCompile(`(?m)^error: `)
)

// stderrOf is what a CLI call that failed has printed to stderr; the Automation
// API puts it behind its stdout. Without that frame it is all of s.
func stderrOf(s string) string {
	if _, said, framed := strings.Cut(s, "\nstderr: "); framed {
		return said
	}
	return s
}

// clean takes colours, the Automation API's frame and empty lines away, so that
// a person reads the cause and not its wrapping.
func clean(s string) string {
	if said := stderrOf(s); strings.TrimSpace(said) != "" {
		s = said
	}
	s = ansi.ReplaceAllString(s, "")
	s = errorPfx.ReplaceAllString(s, "")
	s = spaces.ReplaceAllString(strings.TrimSpace(s), "; ")
	const limit = 2000
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return s
}

// lockFiles reads the files of a file backend's locks from the CLI's words.
func lockFiles(s string) []string {
	var out []string
	for _, m := range lockURL.FindAllStringSubmatch(s, -1) {
		u, err := url.Parse(m[1])
		if err == nil && u.Scheme == "file" {
			out = append(out, filepath.FromSlash(u.Path))
		}
	}
	return out
}
