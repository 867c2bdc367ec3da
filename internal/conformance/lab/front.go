package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"freehold.dev/freehold/internal/iam"
)

// Call is one AWS API call, as it went over the wire.
type Call struct {
	Time time.Time
	// Principal is the ARN of the role whose session called, "" for the
	// management account's root key.
	Principal string
	// Account is the account that the caller's key belongs to.
	Account string
	// Service is the signing name ("s3", "ec2"), Region the signing region.
	Service, Region string
	// Action is the operation, where the protocol names it (query and JSON);
	// empty for REST, where Method, Path and Query do.
	Action string
	Method string
	Host   string
	Path   string
	Query  url.Values
	// Form is a query protocol's body, Body a JSON or XML one.
	Form url.Values
	Body []byte
	// Answer is kept of what makes an organization's policy: it alone tells the
	// id by which later calls name it.
	Answer []byte
	// Status is HTTP's, Error the AWS error code of a refused call.
	Status int
	Error  string
	// behind is true for a call of an account's owner, which no record has.
	behind bool
}

// session is what the front knows of one access key.
type session struct {
	role    string
	account string
	expires time.Time // zero: never
}

// Front stands between everybody and the emulator: it records each call, and
// does what the emulator leaves out and AWS does: it ends sessions when their
// time is over, and lets a role be assumed only as its trust policy says. It
// keeps the identity providers of clusters by itself.
type Front struct {
	emulator string // host:port
	now      func() time.Time
	trust    func(ctx context.Context, caller, roleARN, externalID string) error

	providers identityProviders
	// organizations is held during a call to Organizations: in any of them the
	// emulator finishes the creation of accounts, and two at the same time make two
	// accounts of one request.
	organizations sync.Mutex

	mu       sync.Mutex
	calls    []Call
	sessions map[string]session
	lasts    time.Duration
	misled   map[string]string
	tunnels  tunnels
	server   *http.Server
	address  string
}

func newFront(emulator string, now func() time.Time) (*Front, error) {
	f := &Front{
		emulator: emulator, now: now, sessions: map[string]session{}, providers: identityProviders{has: map[string]map[string]any{}},
		tunnels: tunnels{},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: serve the front: %w", err)
	}
	f.address = l.Addr().String()
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 30 * time.Second}
	go func() {
		// It returns when it is closed; a loopback listener has no other end.
		_ = f.server.Serve(l)
	}()
	return f, nil
}

// URL is the endpoint for AWS_ENDPOINT_URL.
func (f *Front) URL() string { return "http://" + f.address }

// Close stops the front.
func (f *Front) Close() error { return f.server.Close() }

// Calls returns what was called so far, oldest first.
func (f *Front) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// Count is the number of calls so far that were made in an account.
func (f *Front) Count(account string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c.Account == account {
			n++
		}
	}
	return n
}

// SessionsLast makes each session that is assumed from now on end after d, and
// be refused from then on as AWS does; 0: as long as was asked for.
func (f *Front) SessionsLast(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lasts = d
}

// Mislead makes whoever assumes a role get a session of another one, as a wrong
// profile or a mixed-up broker does; an empty other ends it.
func (f *Front) Mislead(role, other string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.misled = map[string]string{role: other}
}

func (f *Front) leads(role string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.misled[role]
}

// half is half of a session's time, 0 if nobody set one.
func (f *Front) half() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lasts / 2
}

// Sessions returns how often each role was assumed.
func (f *Front) Sessions() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for _, s := range f.sessions {
		out[s.role]++
	}
	return out
}

var credential = regexp.MustCompile(`Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request`)

// ServeHTTP passes a call on. The front serves as an HTTP proxy, too: S3
// Control's host names carry an account's number, and no resolver knows them.
// What is meant for an API server goes through it unread.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		f.serveTunnel(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	owned, behind := behindUs(r.URL)
	c := f.describe(r, body)
	if behind {
		c.Account, c.behind = owned, true
	}
	if c.Service == "sts" && r.Method == http.MethodGet {
		body = unsign(r)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	refuse := func(status int, code, message string) {
		c.Status, c.Error = status, code
		f.record(c)
		writeError(w, c, code, message)
	}
	key := accessKey(r)
	f.mu.Lock()
	s, known := f.sessions[key]
	f.mu.Unlock()
	// A second's grace: the clocks of a signer and of AWS are not one.
	if known && !s.expires.IsZero() && f.now().After(s.expires.Add(time.Second)) {
		code := "ExpiredToken"
		if c.Service != "s3" && c.Form == nil {
			code = "ExpiredTokenException"
		}
		refuse(http.StatusForbidden, code, "The security token included in the request is expired")
		return
	}
	if c.Service == "sts" && c.Action == "AssumeRole" && f.trust != nil {
		if to := f.leads(c.Form.Get("RoleArn")); to != "" {
			c.Form.Set("RoleArn", to)
			body = []byte(c.Form.Encode())
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		} else if err := f.trust(r.Context(), c.Principal, c.Form.Get("RoleArn"), c.Form.Get("ExternalId")); err != nil {
			refuse(http.StatusForbidden, "AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s",
				orRoot(c.Principal), c.Form.Get("RoleArn")))
			return
		}
	}
	if cluster, is := f.providers.serves(c); is {
		f.serveIdentityProvider(w, r, c, cluster)
		return
	}
	g, lacking := gapOf(c)
	switch {
	case lacking && g.one == "":
		c.Status, c.Error = g.status(), g.refused
		f.record(c)
		g.answer(w, c)
		return
	case lacking:
		g.askForOne(r)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", f.emulator
			p.Out.Host = p.In.Host
		},
		ModifyResponse: func(resp *http.Response) error {
			answer, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			answer = corrected(c, answer)
			if lacking {
				answer = g.list(resp, answer)
			}
			c.Status = resp.StatusCode
			switch {
			case c.Status >= 400:
				c.Error = errorCode(resp, answer)
			case c.Service == "sts" && c.Action == "AssumeRole":
				answer = f.learn(c.Form.Get("RoleArn"), answer)
			case c.Service == "organizations" && c.Action == "CreatePolicy":
				c.Answer = answer
			case c.Service == "eks":
				f.providers.forget(c)
			}
			f.record(c)
			resp.Body = io.NopCloser(bytes.NewReader(answer))
			if r.Method != http.MethodHead {
				resp.ContentLength = int64(len(answer))
				resp.Header.Set("Content-Length", strconv.Itoa(len(answer)))
			}
			return nil
		},
	}
	if c.Service == "organizations" {
		f.organizations.Lock()
		defer f.organizations.Unlock()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), longestCall)
	defer cancel()
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

// longestCall is more than any call to the emulator takes. A call that has arrived
// is carried out and recorded, though whoever made it is killed meanwhile.
const longestCall = 5 * time.Minute

// behindPath begins the paths of an account's owner.
const behindPath = "/behind/"

// Behind is the endpoint for what an account's owner does behind everybody's
// back, where the front, and not the emulator, must be asked.
func (f *Front) Behind(account string) string { return f.URL() + behindPath + account }

// behindUs tells whose owner calls, and leaves the path that AWS knows.
func behindUs(u *url.URL) (account string, is bool) {
	path, is := strings.CutPrefix(u.EscapedPath(), behindPath)
	if !is {
		return "", false
	}
	account, path, _ = strings.Cut(path, "/")
	rest, err := url.PathUnescape("/" + path)
	if err != nil {
		return "", false
	}
	u.Path, u.RawPath = rest, "/"+path
	return account, true
}

func (f *Front) record(c Call) {
	if c.behind {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, c)
}

// unsign turns a presigned request, which the emulator takes for one to S3,
// into the plain one, and returns its body.
func unsign(r *http.Request) []byte {
	q := r.URL.Query()
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s, SignedHeaders=%s, Signature=%s", q.Get("X-Amz-Algorithm"),
		q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature")))
	r.Header.Set("X-Amz-Date", q.Get("X-Amz-Date"))
	r.Header.Set("X-Amz-Security-Token", q.Get("X-Amz-Security-Token"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body := []byte(url.Values{"Action": q["Action"], "Version": q["Version"]}.Encode())
	r.Method, r.ContentLength, r.URL.RawQuery = http.MethodPost, int64(len(body)), ""
	return body
}

func accessKey(r *http.Request) string {
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		return m[1]
	}
	key, _, _ := strings.Cut(r.URL.Query().Get("X-Amz-Credential"), "/")
	return key
}

func (f *Front) describe(r *http.Request, body []byte) Call {
	c := Call{
		Time: f.now(), Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.Query(),
	}
	scope := r.Header.Get("Authorization")
	if m := credential.FindStringSubmatch(scope); m != nil {
		c.Region, c.Service = m[2], m[3]
	} else if parts := strings.Split(r.URL.Query().Get("X-Amz-Credential"), "/"); len(parts) == 5 {
		c.Region, c.Service = parts[2], parts[3]
	}
	f.mu.Lock()
	s := f.sessions[accessKey(r)]
	f.mu.Unlock()
	c.Principal, c.Account = s.role, s.account
	if c.Account == "" {
		c.Account = ManagementAccount
	}
	switch target := r.Header.Get("X-Amz-Target"); {
	case target != "":
		c.Action, c.Body = target[strings.LastIndex(target, ".")+1:], body
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		if form, err := url.ParseQuery(string(body)); err == nil {
			c.Form, c.Action = form, form.Get("Action")
		}
	case r.URL.Query().Get("Action") != "":
		c.Form, c.Action = r.URL.Query(), r.URL.Query().Get("Action")
	default:
		c.Body = body
	}
	return c
}

// assumed is the part of AssumeRole's answer that is of interest.
type assumed struct {
	AccessKeyID string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	Expiration  string `xml:"AssumeRoleResult>Credentials>Expiration"`
}

// learn notes whose key it is that was given out, and cuts its time short if told to.
func (f *Front) learn(role string, answer []byte) []byte {
	var a assumed
	if err := xml.Unmarshal(answer, &a); err != nil {
		return answer
	}
	expires, err := time.Parse(time.RFC3339, a.Expiration)
	if err != nil {
		return answer
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lasts > 0 {
		expires = f.now().Add(f.lasts).Truncate(time.Second)
		answer = bytes.ReplaceAll(answer, []byte(a.Expiration), []byte(expires.UTC().Format(time.RFC3339)))
	}
	f.sessions[a.AccessKeyID] = session{role: role, account: iam.AccountIn(role), expires: expires}
	return answer
}

func orRoot(principal string) string {
	if principal == "" {
		return "arn:aws:iam::" + ManagementAccount + ":root"
	}
	return principal
}

// errorCode reads the AWS error code of an answer, in any of its protocols.
func errorCode(resp *http.Response, body []byte) string {
	if h := resp.Header.Get("X-Amzn-Errortype"); h != "" {
		code, _, _ := strings.Cut(h, ":")
		return code
	}
	var j struct {
		Type string `json:"__type"`
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &j) == nil && j.Type+j.Code != "" {
		code := j.Type + j.Code
		return code[strings.LastIndex(code, "#")+1:]
	}
	if m := xmlCode.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return strconv.Itoa(resp.StatusCode)
}

var xmlCode = regexp.MustCompile(`<Code>([^<]+)</Code>`)

// writeError refuses a call in the words and the form of the service's protocol.
func writeError(w http.ResponseWriter, c Call, code, message string) {
	switch {
	case c.Form != nil && c.Service == "ec2":
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(c.Status)
		fmt.Fprintf(w, "<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>lab</RequestID></Response>", code, message)
	case c.Form != nil:
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(c.Status)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>lab</RequestId></ErrorResponse>", code, message)
	case c.Service == "s3":
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(c.Status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(c.Status)
		fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	}
}
