package tryissuer

import (
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// user is somebody who can be chosen.
type user struct {
	name   string
	about  string
	groups []string
}

// users are those of an org's issuer. The groups are named after the org, as an
// identity provider that many share would have them.
func users(org string) []user {
	if org == Operators {
		return []user{
			{"olga", "operates the fleet", []string{"operators"}},
			{"nobody", "has no group", nil},
		}
	}
	return []user{
		{"ada", "administers " + org, []string{org + "-admins"}},
		{"oscar", "operates " + org, []string{org + "-operators"}},
		{"vera", "views " + org, []string{org + "-viewers"}},
		{"nobody", "has no group", nil},
	}
}

func find(org, name string) (user, bool) {
	all := users(org)
	i := slices.IndexFunc(all, func(u user) bool { return u.name == name })
	if i < 0 {
		return user{}, false
	}
	return all[i], true
}

// info is what the tokens say of a user.
func (u user) info(org string) *oidc.UserInfo {
	info := &oidc.UserInfo{
		Subject:         u.name,
		UserInfoProfile: oidc.UserInfoProfile{Name: u.name, PreferredUsername: u.name},
		UserInfoEmail:   oidc.UserInfoEmail{Email: u.name + "@" + org + ".example", EmailVerified: true},
	}
	groups := u.groups
	if groups == nil {
		groups = []string{}
	}
	info.AppendClaims("groups", groups)
	return info
}
