package awsprovider

import (
	"fmt"
	"strings"
	"testing"
)

func statement1(s string) string {
	return `{"Version":"2012-10-17","Statement":[` + s + `]}`
}

// TestAccountsAreRefusedAsAWSRefusesThem has one case for each documented
// refusal of the organization's types.
func TestAccountsAreRefusedAsAWSRefusesThem(t *testing.T) {
	cases := map[string]struct {
		token string
		in    props
		want  string
	}{
		"an e-mail that is taken, in other letters": {accountToken, props{"name": "x", "email": "ACME@customer.example"}, "EMAIL_ALREADY_EXISTS"},
		"an e-mail that is none":                    {accountToken, props{"name": "x", "email": "acme.example"}, "email: value"},
		"no e-mail":                                 {accountToken, props{"name": "x"}, "email: missing required property"},
		"a name of 51 characters":                   {accountToken, props{"name": strings.Repeat("x", 51), "email": "b@c.example"}, "name: expected length to be in the range (1 - 50)"},
		"an account in no such unit":                {accountToken, props{"name": "x", "email": "b@c.example", "parentId": "ou-fh01-00000000"}, "ParentNotFoundException"},
		"billing access of another word":            {accountToken, props{"name": "x", "email": "b@c.example", "iamUserAccessToBilling": "NO"}, "iamUserAccessToBilling: expected one of"},
		"a unit whose name is taken":                {unitToken, props{"name": "customers", "parentId": RootID}, "DuplicateOrganizationalUnitException"},
		"a policy whose name is taken":              {organizationPolicy, props{"name": "acme-services", "content": denial}, "DuplicatePolicyException"},
		"a policy of an unknown type":               {organizationPolicy, props{"name": "x", "type": "SCP", "content": denial}, "type: expected one of"},
		"a policy that is no JSON":                  {organizationPolicy, props{"name": "x", "content": "{"}, "content: contains an invalid JSON"},
		"a service control policy of 10241 characters": {organizationPolicy, props{"name": "x", "content": long(denial, 10241)},
			"ConstraintViolationException: Cannot exceed quota for service control policy size: 10241 characters"},
		"a resource control policy of 5121 characters": {organizationPolicy, props{"name": "x", "type": resourceControlType, "content": long(denialRC, 5121)},
			"ConstraintViolationException: Cannot exceed quota for resource control policy size: 5121 characters"},
		"a service control policy with a principal":       {organizationPolicy, props{"name": "x", "content": denialRC}, "MalformedPolicyDocumentException: Policy document should not specify a principal."},
		"a resource control policy without a principal":   {organizationPolicy, props{"name": "x", "type": resourceControlType, "content": denial}, "Missing required field Principal"},
		"a resource control policy that allows":           {organizationPolicy, props{"name": "x", "type": resourceControlType, "content": strings.Replace(denialRC, "Deny", "Allow", 1)}, "Effect of a resource control policy"},
		"a resource control policy over every action":     {organizationPolicy, props{"name": "x", "type": resourceControlType, "content": strings.Replace(denialRC, "s3:*", "*", 1)}, "must name services"},
		"an attachment of no such policy":                 {organizationAttached, props{"policyId": "p-0000000000", "targetId": "$account"}, "PolicyNotFoundException"},
		"an attachment to no such account":                {organizationAttached, props{"policyId": "$scp", "targetId": "999999999999"}, "TargetNotFoundException"},
		"an attachment that is there":                     {organizationAttached, props{"policyId": "$scp", "targetId": "$account"}, "DuplicatePolicyAttachmentException"},
		"a property that there is not, with a suggestion": {accountToken, props{"email": "b@c.example", "emial": "b@c.example"}, `did you mean "email"?`},
	}
	w := newWorld(t, "none")
	l := w.management()
	for _, th := range organized {
		l.must(th.name, th.token, th.in)
	}
	refused(t, l, cases)
}

// TestBoundariesAreRefusedAsAWSRefusesThem has those of an account's own types.
func TestBoundariesAreRefusedAsAWSRefusesThem(t *testing.T) {
	role := func(statement string) props { return props{"name": "x", "assumeRolePolicy": statement1(statement)} }
	policy := func(statement string) props { return props{"name": "x", "policy": statement1(statement)} }
	w := newWorld(t, "none")
	id, l := w.vended("refuses")
	for _, th := range estate(id) {
		l.must(th.name, th.token, th.in)
	}
	l.must("unforced", bucketToken, props{"bucket": "acme-data"})
	other, o := w.vended("other")
	o.must("key", keyToken, props{})
	o.must("theirs", bucketToken, props{"bucket": "globex-data"})
	o.must("outsider", roleToken, props{"name": "outsider", "assumeRolePolicy": ec2Trust})
	cases := map[string]struct {
		token string
		in    props
		want  string
	}{
		"a role whose name is taken":                {roleToken, props{"name": "Reader", "assumeRolePolicy": ec2Trust}, "EntityAlreadyExists: Role with name Reader already exists."},
		"a role without a trust policy":             {roleToken, props{"name": "x"}, "assumeRolePolicy: missing required property"},
		"a role with a name of 65 characters":       {roleToken, props{"name": strings.Repeat("x", 65), "assumeRolePolicy": ec2Trust}, "name: expected length"},
		"a role with a space in its name":           {roleToken, props{"name": "a b", "assumeRolePolicy": ec2Trust}, "name: value"},
		"a role with a name and a prefix":           {roleToken, props{"name": "a", "namePrefix": "b", "assumeRolePolicy": ec2Trust}, "name: conflicts with namePrefix"},
		"a role with a number for a description":    {roleToken, props{"description": 1.0, "assumeRolePolicy": ec2Trust}, "description: expected a string, got a number"},
		"a role with half a second of a session":    {roleToken, props{"maxSessionDuration": 3600.5, "assumeRolePolicy": ec2Trust}, "maxSessionDuration: expected an integer"},
		"a role with a session that is too short":   {roleToken, props{"maxSessionDuration": 60.0, "assumeRolePolicy": ec2Trust}, "maxSessionDuration: expected a number in the range (3600 - 43200)"},
		"a role with a tag of AWS":                  {roleToken, props{"tags": props{"aws:x": "y"}, "assumeRolePolicy": ec2Trust}, `tags.aws:x: tags with the prefix aws: are reserved`},
		"a role with a tag that is a number":        {roleToken, props{"tags": props{"x": 1.0}, "assumeRolePolicy": ec2Trust}, "tags.x: expected a string"},
		"a role with 51 tags":                       {roleToken, props{"tags": many(51), "assumeRolePolicy": ec2Trust}, "expected at most 50 tags"},
		"a role with a boundary that is not there":  {roleToken, props{"permissionsBoundary": "arn:aws:iam::" + id + ":policy/none", "assumeRolePolicy": ec2Trust}, "NoSuchEntity: Scope ARN"},
		"a role with a boundary of another account": {roleToken, props{"permissionsBoundary": "arn:aws:iam::" + other + ":policy/boundary", "assumeRolePolicy": ec2Trust}, "NoSuchEntity: Scope ARN"},
		"a role that trusts a role that is not there": {roleToken, role(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + id + `:role/none"},"Action":"sts:AssumeRole"}`),
			`MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::` + id + `:role/none"`},
		"a role that trusts an account that is not there": {roleToken, role(`{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}`), "Invalid principal"},
		"a trust policy with a resource":                  {roleToken, role(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`), "MalformedPolicyDocument: Has prohibited field Resource"},
		"a trust policy without a principal":              {roleToken, role(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "Missing required field Principal"},
		"a trust policy for everybody else":               {roleToken, role(`{"Effect":"Deny","NotPrincipal":{"AWS":"` + Provisioner + `"},"Action":"sts:AssumeRole"}`), "MalformedPolicyDocument: Has prohibited field NotPrincipal"},
		"a trust policy of another service's action":      {roleToken, role(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}`), "may only specify actions of"},
		"a trust policy of 2049 characters":               {roleToken, props{"name": "x", "assumeRolePolicy": long(ec2Trust, 2049)}, "LimitExceeded: Cannot exceed quota for trust policy size: 2049"},
		"a policy whose name is taken":                    {policyToken, props{"name": "boundary", "policy": allow}, "EntityAlreadyExists"},
		"a policy of 6145 characters":                     {policyToken, props{"name": "x", "policy": long(allow, 6145)}, "LimitExceeded: Cannot exceed quota for identity policy size: 6145"},
		"a policy with a principal":                       {policyToken, policy(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`), "should not specify a principal"},
		"a policy without a resource":                     {policyToken, policy(`{"Effect":"Allow","Action":"s3:*"}`), "Policy statement must contain resources."},
		"a policy without an action":                      {policyToken, policy(`{"Effect":"Allow","Resource":"*"}`), "Policy statement must contain actions."},
		"a policy with an action and its contrary":        {policyToken, policy(`{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}`), "both Action and NotAction"},
		"a policy with an action of no service":           {policyToken, policy(`{"Effect":"Allow","Action":"everything","Resource":"*"}`), "must be prefaced by a vendor"},
		"a policy with a resource that is no ARN":         {policyToken, policy(`{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}`), "must be in ARN format"},
		"a policy with an effect of another word":         {policyToken, policy(`{"Effect":"allow","Action":"s3:*","Resource":"*"}`), `must be Allow or Deny, got "allow"`},
		"a policy with an element of another word":        {policyToken, policy(`{"Effect":"Allow","Actions":"s3:*","Resource":"*"}`), `unknown element "Actions"`},
		"a policy with an operator of another word":       {policyToken, policy(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEqual":{"a:b":"c"}}}`), "Invalid Condition type : StringEqual"},
		"a policy with a Sid twice":                       {policyToken, policy(`{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}`), "must be unique: a"},
		"a policy with a dash in its Sid":                 {policyToken, policy(`{"Sid":"a-b","Effect":"Allow","Action":"s3:*","Resource":"*"}`), "must be alpha-numeric"},
		"a policy without a version":                      {policyToken, props{"policy": `{"Statement":[]}`}, "must contain a valid version string"},
		"a policy without a statement":                    {policyToken, props{"policy": statement1("")}, "no Statement"},
		"an attachment to no such role":                   {attachmentToken, props{"role": "none", "policyArn": "$policy.arn"}, "NoSuchEntity: The role with name none cannot be found."},
		"an attachment of no such policy":                 {attachmentToken, props{"role": "reader", "policyArn": "arn:aws:iam::" + id + ":policy/none"}, "NoSuchEntity: Policy"},
		"an attachment of no such policy of AWS":          {attachmentToken, props{"role": "reader", "policyArn": "arn:aws:iam::aws:policy/EverythingAccess"}, "NoSuchEntity: Policy"},
		"an inline policy beyond the role's aggregate":    {rolePolicyToken, props{"name": "more", "role": "reader", "policy": long(allow, 10200)}, "LimitExceeded: Maximum policy size of 10240 bytes exceeded"},
		"a profile of no such role":                       {instanceProfileToken, props{"name": "x", "role": "none"}, "NoSuchEntity: The role"},
		"a profile whose name is taken":                   {instanceProfileToken, props{"name": "reader"}, "EntityAlreadyExists"},
		"an issuer without TLS":                           {"aws:iam/openIdConnectProvider:OpenIdConnectProvider", props{"url": "http://x", "clientIdLists": []any{"a"}}, "url: value"},
		"an issuer that is there":                         {"aws:iam/openIdConnectProvider:OpenIdConnectProvider", props{"url": "https://issuer.example/a", "clientIdLists": []any{"a"}}, "EntityAlreadyExists: Provider with url"},
		"an issuer without clients":                       {"aws:iam/openIdConnectProvider:OpenIdConnectProvider", props{"url": "https://x.example"}, "clientIdLists: missing required property"},
		"a linked role that is there":                     {"aws:iam/serviceLinkedRole:ServiceLinkedRole", props{"awsServiceName": "spot.amazonaws.com"}, "InvalidInput: Service role name AWSServiceRoleForEC2Spot has been taken"},
		"passwords of five characters":                    {"aws:iam/accountPasswordPolicy:AccountPasswordPolicy", props{"minimumPasswordLength": 5.0}, "minimumPasswordLength: expected a number in the range (6 - 128)"},
		"a key for everybody but its account": {keyToken, props{"policy": statement1(`{"Effect":"Allow","NotPrincipal":{"AWS":"` + id + `"},"Action":"kms:*","Resource":"*"}`)},
			"MalformedPolicyDocumentException: NotPrincipal is supported with Effect Deny only"},
		"a key that nobody could manage": {keyToken, props{"policy": statement1(`{"Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"},"Action":"kms:*","Resource":"*"}`)},
			"MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."},
		"a key that waits for six days":                {keyToken, props{"deletionWindowInDays": 6.0}, "deletionWindowInDays: expected a number in the range (7 - 30)"},
		"an RSA key that rotates":                      {keyToken, props{"customerMasterKeySpec": "RSA_2048", "enableKeyRotation": true}, "UnsupportedOperationException"},
		"an alias that is there":                       {aliasToken, props{"name": "alias/logs", "targetKeyId": "$key"}, "AlreadyExistsException"},
		"an alias of no such key":                      {aliasToken, props{"name": "alias/x", "targetKeyId": "00000000-0000-4000-a000-000000000000"}, "NotFoundException: Key"},
		"an alias of another account's key":            {aliasToken, props{"name": "alias/x", "targetKeyId": o.made["key"].id}, "NotFoundException: Key"},
		"an alias of AWS":                              {aliasToken, props{"name": "alias/aws/s3", "targetKeyId": "$key"}, "reserved for AWS"},
		"an alias without its prefix":                  {aliasToken, props{"name": "logs-of-acme", "targetKeyId": "$key"}, "does not match"},
		"a bucket with capital letters":                {bucketToken, props{"bucket": "Acme"}, "only lowercase"},
		"a bucket whose name is an address":            {bucketToken, props{"bucket": "10.0.0.1"}, "only lowercase"},
		"a bucket with a reserved suffix":              {bucketToken, props{"bucket": "acme-s3alias"}, "reserved"},
		"a bucket of two characters":                   {bucketToken, props{"bucket": "ab"}, "bucket: expected length"},
		"a bucket of another account":                  {bucketToken, props{"bucket": "globex-data"}, "BucketAlreadyExists"},
		"a bucket of one's own":                        {bucketToken, props{"bucket": "acme-data"}, "BucketAlreadyOwnedByYou"},
		"versions of no such bucket":                   {versioningToken, props{"bucket": "none-such", "versioningConfiguration": props{"status": "Enabled"}}, "NoSuchBucket"},
		"versions of another account's bucket":         {versioningToken, props{"bucket": "globex-data", "versioningConfiguration": props{"status": "Enabled"}}, "NoSuchBucket"},
		"versions without a status":                    {versioningToken, props{"bucket": "acme-logs", "versioningConfiguration": props{}}, "versioningConfiguration.status: missing required property"},
		"versions with a status of another word":       {versioningToken, props{"bucket": "acme-logs", "versioningConfiguration": props{"status": "On"}}, "versioningConfiguration.status: expected one of"},
		"an encryption of no such algorithm":           {encryptionToken, props{"bucket": "acme-logs", "rules": []any{props{"applyServerSideEncryptionByDefault": props{"sseAlgorithm": "rot13"}}}}, "rules[0].applyServerSideEncryptionByDefault.sseAlgorithm: expected one of"},
		"an encryption of no such key":                 {encryptionToken, props{"bucket": "acme-logs", "rules": []any{props{"applyServerSideEncryptionByDefault": props{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "none"}}}}, "KMS.NotFoundException"},
		"a lifecycle without rules":                    {lifecycleToken, props{"bucket": "acme-logs"}, "rules: missing required property"},
		"logs to no such bucket":                       {loggingToken, props{"bucket": "acme-logs", "targetBucket": "none-such", "targetPrefix": ""}, "InvalidTargetBucketForLogging"},
		"a bucket policy over another bucket":          {bucketPolicyToken, props{"bucket": "acme-data", "policy": trailPolicyFor("acme-logs")}, "MalformedPolicy: Policy has invalid resource"},
		"a public bucket policy where it is blocked":   {bucketPolicyToken, props{"bucket": "acme-data", "policy": statement1(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-data/*"}`)}, "AccessDenied"},
		"a public block of another account":            {accountBlockToken, props{"accountId": other}, "AccessDenied"},
		"a trail into no such bucket":                  {"aws:cloudtrail/trail:Trail", props{"name": "two", "s3BucketName": "none-such"}, "S3BucketDoesNotExistException"},
		"a trail into a bucket that does not let it":   {"aws:cloudtrail/trail:Trail", props{"name": "two", "s3BucketName": "acme-data"}, "InsufficientS3BucketPolicyException"},
		"a trail whose name is taken":                  {"aws:cloudtrail/trail:Trail", props{"name": "all", "s3BucketName": "acme-logs"}, "TrailAlreadyExistsException"},
		"a second analyzer":                            {"aws:accessanalyzer/analyzer:Analyzer", props{"analyzerName": "two"}, "ServiceQuotaExceededException"},
		"a log group that is there":                    {logGroupToken, props{"name": "/vpc/flow"}, "ResourceAlreadyExistsException"},
		"a log group kept for two days":                {logGroupToken, props{"name": "x", "retentionInDays": 2.0}, "retentionInDays: expected one of"},
		"a log group with a key that does not let it":  {logGroupToken, props{"name": "x", "kmsKeyId": "$closed.arn"}, "InvalidParameterException: The specified KMS Key Id could not be found or is not allowed"},
		"a repository whose name is taken":             {repositoryToken, props{"name": "freehold/controller"}, "RepositoryAlreadyExistsException"},
		"a repository with capital letters":            {repositoryToken, props{"name": "Freehold"}, "name: value"},
		"a lifecycle of no such repository":            {ecrLifecycleToken, props{"repository": "none", "policy": "{}"}, "RepositoryNotFoundException"},
		"disks with no such key":                       {"aws:ebs/defaultKmsKey:DefaultKmsKey", props{"keyArn": "arn:aws:kms:eu-west-1:" + id + ":key/none"}, "InvalidParameterValue"},
		"snapshots that are blocked a little":          {"aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", props{"state": "some"}, "state: expected one of"},
		"instance metadata with a word for its tokens": {"aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", props{"httpTokens": "yes"}, "httpTokens: expected one of"},
		"an account from an account of a customer":     {accountToken, props{"name": "x", "email": "y@z.example"}, "AccessDeniedException"},
		"a type that there is not":                     {"aws:iam/role:Rolle", props{}, `did you mean "aws:iam/role:Role"?`},
	}
	l.must("closed", keyToken, props{})
	refused(t, l, cases)
}

func refused(t *testing.T, l *lab, cases map[string]struct {
	token string
	in    props
	want  string
}) {
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l.t = t
			err := l.create("refused", tc.token, tc.in)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

// long makes a policy longer, by a value that means nothing.
func long(policy string, size int) string {
	tail := `,"Condition":{"StringLike":{"aws:PrincipalTag/x":"%s"}}}]}`
	head := strings.TrimSuffix(policy, "}]}")
	return fmt.Sprintf(head+tail, strings.Repeat("x", size-len(head)-len(tail)+2))
}

func many(n int) props {
	out := props{}
	for i := range n {
		out[fmt.Sprint("key", i)] = "x"
	}
	return out
}

// TestWhatStandsInTheWayOfADeletion goes through the refusals of deletions.
func TestWhatStandsInTheWayOfADeletion(t *testing.T) {
	w := newWorld(t, "none")
	m := w.management()
	for _, th := range organized {
		m.must(th.name, th.token, th.in)
	}
	id, l := w.vended("stands")
	for _, th := range estate(id) {
		l.must(th.name, th.token, th.in)
	}
	l.must("plain", bucketToken, props{"bucket": "acme-plain"})
	l.must("data", objectToken, props{"bucket": "acme-plain", "key": "x"})
	m.must("kept", accountToken, props{"name": "kept", "email": "kept@customer.example"})
	steps := []struct {
		lab    *lab
		delete string
		want   string // empty: it goes
	}{
		{l, "role", "DeleteConflict: Cannot delete entity, must detach all policies first."},
		{l, "policy", "DeleteConflict: Cannot delete a policy attached to entities."},
		{l, "attached", ""},
		{l, "managed", ""},
		{l, "policy", "DeleteConflict: Cannot delete a policy that is the permissions boundary of reader."},
		{l, "role", "DeleteConflict: Cannot delete entity, must delete policies first."},
		{l, "inline", ""},
		{l, "role", ""}, // the provider takes it out of its instance profile first
		{l, "profile", ""},
		{l, "policy", ""},
		{l, "plain", "BucketNotEmpty"},
		{l, "data", ""},
		{l, "plain", ""},
		{l, "bucket", ""}, // forceDestroy, with the trail's logs in it
		{m, "scp", "PolicyInUseException"},
		{m, "scp-on", ""},
		{m, "scp", ""},
		{m, "unit", "OrganizationalUnitNotEmptyException"},
		{m, "account", ""}, // closeOnDeletion
		{m, "unit", ""},
		{m, "kept", "ConstraintViolationException: The member account is missing one or more of the prerequisites"},
	}
	for i, s := range steps {
		err := s.lab.delete(s.delete)
		switch {
		case s.want == "" && err != nil:
			t.Errorf("step %d: delete %s: %v", i, s.delete, err)
		case s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)):
			t.Errorf("step %d: delete %s: got %v, want %q in it", i, s.delete, err, s.want)
		}
	}
	if got := l.read("readers").id; got != "" {
		t.Errorf("the bucket's policy outlived it: %s", got)
	}
	if err := m.create("again", accountToken, props{"name": "acme", "email": "acme@customer.example"}); err == nil || !strings.Contains(err.Error(), "EMAIL_ALREADY_EXISTS") {
		t.Errorf("a closed account's e-mail was free again: %v", err)
	}
}

func TestQuotasEnd(t *testing.T) {
	w := newWorld(t, "none")
	m := w.management()
	if err := w.backend.SetQuota(t.Context(), "organizations:accounts", 2); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		m.must(fmt.Sprint("a", i), accountToken, props{"email": fmt.Sprintf("a%d@x.example", i)})
	}
	err := m.create("a2", accountToken, props{"email": "a2@x.example"})
	if err == nil || !strings.Contains(err.Error(), "ConstraintViolationException: You have exceeded the allowed number of AWS accounts (2).") {
		t.Errorf("got %v", err)
	}
	if err := w.backend.SetQuota(t.Context(), "organizations:account", 2); err == nil || !strings.Contains(err.Error(), `did you mean "organizations:accounts"?`) {
		t.Errorf("an unknown quota: got %v", err)
	}
}
