package lab

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// identityProviders are the clusters' associations with OpenID Connect issuers,
// of which the emulator knows nothing. As the emulator's clusters do, they change
// at once. A cluster has one at most.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_OidcIdentityProviderConfig.html
type identityProviders struct {
	mu  sync.Mutex
	has map[string]map[string]any // by the cluster's ARN
}

// clusterPath is a path of a cluster itself, or of its identity providers.
var clusterPath = regexp.MustCompile(`^/clusters/([^/]+)(/identity-provider-configs(?:/(associate|describe|disassociate))?)?$`)

// refused is an error of EKS.
type refused struct {
	status        int
	code, message string
}

func (r *refused) Error() string { return r.code + ": " + r.message }

// serveIdentityProvider answers a call about an identity provider. Whether its
// cluster is there, the emulator knows.
func (f *Front) serveIdentityProvider(w http.ResponseWriter, r *http.Request, c Call, cluster string) {
	var answer []byte
	err := f.clusterIsThere(r, cluster)
	if err == nil {
		answer, err = f.providers.answer(c, cluster)
	}
	c.Status = http.StatusOK
	if no, is := errors.AsType[*refused](err); is {
		c.Status, c.Error = no.status, no.code
		f.record(c)
		writeError(w, c, no.code, no.message)
		return
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	f.record(c)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // who hung up needs no answer
}

// clusterIsThere describes a cluster, as who calls; "" is none.
func (f *Front) clusterIsThere(r *http.Request, cluster string) error {
	if cluster == "" {
		return nil
	}
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://"+f.emulator+"/clusters/"+cluster, nil)
	if err != nil {
		return err
	}
	ask.Host, ask.Header = r.Host, r.Header.Clone()
	resp, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &refused{http.StatusNotFound, "ResourceNotFoundException", "No cluster found for name: " + cluster + "."}
}

// serves reports whether a call is about an identity provider, and of which
// cluster; that is empty for a call about its tags.
func (*identityProviders) serves(c Call) (cluster string, is bool) {
	if c.Service != "eks" {
		return "", false
	}
	if arn, tags := tagged(c); tags {
		return "", strings.Contains(arn, ":identityproviderconfig/")
	}
	m := clusterPath.FindStringSubmatch(c.Path)
	if m == nil || m[2] == "" {
		return "", false
	}
	return m[1], true
}

// tagged is the resource whose tags a call is about.
func tagged(c Call) (arn string, is bool) {
	arn, is = strings.CutPrefix(c.Path, "/tags/")
	arn, err := url.PathUnescape(arn)
	return arn, is && err == nil
}

// answer does what a call asks for, and returns the JSON that EKS would. The
// cluster is known to be there.
func (p *identityProviders) answer(c Call, cluster string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var answer any
	var err error
	if arn, is := tagged(c); is {
		answer, err = p.tag(c, arn)
	} else {
		answer, err = p.associate(c, cluster)
	}
	if err != nil {
		return nil, err
	}
	// Here, because what is answered is what is kept.
	return json.Marshal(answer)
}

// associate answers about what a cluster is associated with, or changes it.
func (p *identityProviders) associate(c Call, cluster string) (any, error) {
	var body struct {
		OIDC   map[string]any `json:"oidc"`
		Tags   map[string]any `json:"tags"`
		Config struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"identityProviderConfig"`
	}
	if len(c.Body) > 0 {
		if err := json.Unmarshal(c.Body, &body); err != nil {
			return nil, &refused{http.StatusBadRequest, "InvalidParameterException", err.Error()}
		}
	}
	owner := clusterARN(c, cluster)
	oidc := p.has[owner]
	switch verb := clusterPath.FindStringSubmatch(c.Path)[3]; {
	case verb == "": // list
		configs := []any{}
		if oidc != nil {
			configs = append(configs, map[string]any{"type": "oidc", "name": oidc["identityProviderConfigName"]})
		}
		return map[string]any{"identityProviderConfigs": configs}, nil
	case verb == "associate" && oidc != nil:
		return nil, &refused{http.StatusConflict, "ResourceInUseException", "An identity provider config is already associated with cluster " + cluster}
	case verb == "associate":
		name, _ := body.OIDC["identityProviderConfigName"].(string)
		if body.Tags == nil {
			body.Tags = map[string]any{}
		}
		made := maps.Clone(body.OIDC)
		made["clusterName"], made["status"], made["tags"] = cluster, "ACTIVE", body.Tags
		made["identityProviderConfigArn"] = fmt.Sprintf("%s/oidc/%s/%s", strings.Replace(owner, ":cluster/", ":identityproviderconfig/", 1), name, strings.ToLower(rand.Text()))
		p.has[owner] = made
		return map[string]any{"update": update("AssociateIdentityProviderConfig"), "tags": body.Tags}, nil
	case oidc == nil || body.Config.Type != "oidc" || oidc["identityProviderConfigName"] != body.Config.Name:
		return nil, &refused{http.StatusNotFound, "ResourceNotFoundException",
			"No config found for cluster: " + cluster + ", config type: " + body.Config.Type + ", config name: " + body.Config.Name}
	case verb == "describe":
		return map[string]any{"identityProviderConfig": map[string]any{"oidc": oidc}}, nil
	default:
		delete(p.has, owner)
		return map[string]any{"update": update("DisassociateIdentityProviderConfig")}, nil
	}
}

// tag answers about the tags of one.
func (p *identityProviders) tag(c Call, arn string) (any, error) {
	for _, oidc := range p.has {
		if oidc["identityProviderConfigArn"] != arn {
			continue
		}
		tags := oidc["tags"].(map[string]any)
		switch c.Method {
		case http.MethodGet:
			return map[string]any{"tags": tags}, nil
		case http.MethodDelete:
			for _, key := range c.Query["tagKeys"] {
				delete(tags, key)
			}
		default:
			var body struct {
				Tags map[string]any `json:"tags"`
			}
			if err := json.Unmarshal(c.Body, &body); err != nil {
				return nil, &refused{http.StatusBadRequest, "BadRequestException", err.Error()}
			}
			maps.Copy(tags, body.Tags)
		}
		return map[string]any{}, nil
	}
	return nil, &refused{http.StatusNotFound, "NotFoundException", "No resource found for " + arn}
}

// forget takes away what a cluster had, if the call of EKS has deleted it.
func (p *identityProviders) forget(c Call) {
	m := clusterPath.FindStringSubmatch(c.Path)
	if c.Method != http.MethodDelete || m == nil || m[2] != "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.has, clusterARN(c, m[1]))
}

func clusterARN(c Call, name string) string {
	return "arn:aws:eks:" + c.Region + ":" + c.Account + ":cluster/" + name
}

// update is how EKS tells of a change that it has taken on.
func update(kind string) map[string]any {
	return map[string]any{"id": strings.ToLower(rand.Text()), "type": kind, "status": "Successful", "params": []any{}, "errors": []any{}}
}
