package delegation

import (
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// tokenType is the "typ" of a context token, so that no other token signed with
// the same key can pass for one.
const tokenType = "freehold-context+jwt"

// payload is how claims are written: those that are registered as RFC 7519 and
// RFC 8693 say, the rest under names of Freehold's.
type payload struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience jwt.Audience     `json:"aud"`
	Issued   *jwt.NumericDate `json:"iat"`
	Begins   *jwt.NumericDate `json:"nbf"`
	Expires  *jwt.NumericDate `json:"exp"`
	ID       string           `json:"jti"`
	Actor    *actor           `json:"act"`
	Name     string           `json:"name,omitempty"`
	Org      string           `json:"org,omitempty"`
	Fleet    bool             `json:"fleet,omitempty"`
	Roles    []string         `json:"roles,omitempty"`
	Host     string           `json:"host,omitempty"`
}

// actor is who presents the token, and below it who presented the one before.
type actor struct {
	Subject string `json:"sub"`
	Actor   *actor `json:"act,omitempty"`
}

func written(c Claims, issuer string) payload {
	p := payload{
		Issuer: issuer, Subject: c.Subject, Audience: jwt.Audience{c.Audience},
		Issued: jwt.NewNumericDate(c.Issued), Begins: jwt.NewNumericDate(c.Issued), Expires: jwt.NewNumericDate(c.Expires),
		ID: c.Request, Name: c.Name, Org: c.Org, Fleet: c.Fleet, Roles: c.Roles, Host: c.Host,
	}
	for _, id := range slices.Backward(c.Act) {
		p.Actor = &actor{Subject: id, Actor: p.Actor}
	}
	return p
}

// claims are what a payload says, apart from its issuer, its audiences and its
// first moment.
func (p payload) claims() Claims {
	c := Claims{
		Org: p.Org, Fleet: p.Fleet, Subject: p.Subject, Name: p.Name, Roles: p.Roles,
		Request: p.ID, Host: p.Host, Issued: moment(p.Issued), Expires: moment(p.Expires),
	}
	// More than are accepted need not be read.
	for a := p.Actor; a != nil && len(c.Act) <= maxActors; a = a.Actor {
		c.Act = append(c.Act, a.Subject)
	}
	return c
}

func moment(d *jwt.NumericDate) time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.Time().UTC()
}
