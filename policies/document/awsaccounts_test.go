package document

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestAccountsOfAWSAreRead holds the list to its form.
func TestAccountsOfAWSAreRead(t *testing.T) {
	for _, a := range awsAccounts() {
		if !strings.HasPrefix(a.page, "https://") || a.what == "" || len(a.ids) == 0 || !slices.IsSorted(a.ids) {
			t.Errorf("%+v lacks a page, a name or accounts, or is not sorted", a)
		}
		if a.form != formRegistry && a.form != formLogs && !strings.HasPrefix(a.form, formLayer) {
			t.Errorf("%s: no rule knows the form %s", a.what, a.form)
		}
		for _, id := range a.ids {
			if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
				t.Errorf("%s: %s is not an account", a.what, fmt.Sprintf("%q", id))
			}
		}
	}
}
