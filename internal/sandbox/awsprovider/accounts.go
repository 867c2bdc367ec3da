package awsprovider

import (
	"errors"
	"time"

	"freehold.dev/freehold/internal/sandbox/store"
)

// What the sandbox has from its start.
const (
	// ManagementAccount is the id of the organization's management account.
	ManagementAccount = "100000000001"
	// Provisioner is the principal that Freehold runs as.
	Provisioner = "arn:aws:iam::" + ManagementAccount + ":role/freehold-provisioner"
	// OrganizationID and RootID are the organization's and its root's.
	OrganizationID = "o-frh0ld0001"
	RootID         = "r-fh01"
	// OutsideAccount is the type of an account that is not of the
	// organization: a customer's own. Only an operator makes one.
	OutsideAccount = "sandbox:index:OutsideAccount"
)

// The tokens that the code itself refers to.
const (
	accountToken    = "aws:organizations/account:Account"
	roleToken       = "aws:iam/role:Role"
	attachmentToken = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

// The states of an account.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
const (
	active         = "ACTIVE"
	pendingClosure = "PENDING_CLOSURE"
	suspended      = "SUSPENDED"
)

var errNoAccount = errors.New("no such account")

// account is what the cloud knows of an account.
type account struct {
	id     string
	status string
	// usable is when services answer: some minutes after the account was made.
	usable time.Time
	row    *store.Row // nil: the management account
}

func accountOf(tx *store.Tx, id string) (account, error) {
	if id == ManagementAccount {
		return account{id: id, status: active}, nil
	}
	for _, token := range []string{accountToken, OutsideAccount} {
		rows, err := tx.List(store.Filter{Type: token, ID: id})
		if err != nil {
			return account{}, err
		}
		if len(rows) == 0 {
			continue
		}
		a := account{id: id, status: text(rows[0].Outputs["status"]), row: &rows[0]}
		if at := text(rows[0].Outputs["__usable"]); at != "" {
			if a.usable, err = time.Parse(time.RFC3339Nano, at); err != nil {
				return account{}, err
			}
		}
		if a.status == "" {
			a.status = active
		}
		return a, nil
	}
	return account{}, errNoAccount
}
