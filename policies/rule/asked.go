package rule

import (
	"slices"
	"strings"
)

// AskedType is the type under which rules see what a program asks for beside the
// resources that it makes: "pulumi:import:" and the resource's type, "pulumi:invoke:"
// and the function.
func AskedType(kind, token string) string { return "pulumi:" + kind + ":" + token }

// AskedFor takes such a type apart; ok is false for what is made.
func AskedFor(typ string) (kind, token string, ok bool) {
	rest, ok := strings.CutPrefix(typ, "pulumi:")
	if !ok {
		return "", "", false
	}
	kind, token, _ = strings.Cut(rest, ":")
	return kind, token, slices.Contains([]string{"import", "read", "invoke", "call", "package"}, kind)
}
