// Package lifecycletest holds a world in memory for the unit tests of the
// middle: accounts with what is in them, a backend with the stacks' states, and
// an engine, a cloud and a registry through which a process reaches them.
//
// The fakes behave, they do not count calls. A cloud makes what it is asked for
// once or twice as AWS would, refuses names that are taken, and keeps what a
// killed process could not record. A test asks what the world looks like
// afterwards, and compares it with a world in which nothing went wrong.
//
// A World outlives the processes that are started over it, as real accounts and
// states do. Each process can be killed after any of its writes: see
// Process.KillAfter.
package lifecycletest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// The management account and the provisioner that works in it.
const (
	ManagementAccount = "100000000001"
	ProvisionerARN    = "arn:aws:iam::100000000001:role/freehold-provisioner"
)

// Account states, as AWS Organizations names them.
const (
	accountActive    = "ACTIVE"
	accountSuspended = "SUSPENDED"
)

// World is what exists. It is safe for use by several goroutines.
type World struct {
	mu     sync.Mutex
	data   data
	faults []*Fault
	rules  map[string][]finding.Policy // by layer: see Block
	// running are the processes that hold a stack in the backend.
	running map[string]*Process
	// processes are those that were started, by their holder's name.
	processes map[string]*Process
	kube      *kubeServer
	source    func(org string) (v1alpha1.ProjectSet, error) // see PullFrom
	clock     atomic.Int64
}

// data is all of a World that lasts. It survives JSON, and so can be copied.
type data struct {
	Serial   int
	Accounts map[string]*account // by id
	Things   []*Thing            // in the order in which they were made
	// Stacks are the states by backend and stack name.
	Stacks map[string]map[string]*stack
	// Quotas are limits by Pulumi type; a type without one has plenty.
	Quotas map[string]int
	// Limits are what all orgs may do together.
	Limits cloud.Limits
	// OptIns are the regions that were enabled, by account.
	OptIns map[string][]string
	// Zones are those of every account; none: three.
	Zones []cloud.Zone
	// Probes are the answers to come of new accounts; once they are used up,
	// every account is usable.
	Probes []bool
	// Stale are the ARNs of roles that were made anew behind their access entries.
	Stale map[string]bool
	// Shut are those of which somebody has removed the access entry.
	Shut map[string]bool
	// Looks is how many more times the namespace controller is still busy.
	Looks int
	// Crashing is true while no namespace controller becomes ready.
	Crashing bool
	// Tight are the disruption budgets of every cluster, NAMESPACE/NAME, by which no pod may go.
	Tight []string
	// Silent is true when a killed creation leaves no pending operation behind.
	Silent bool
	Writes int
}

type account struct {
	ID, Email, Name, Status string
	// RoleARN and ExternalID let the provisioner in.
	RoleARN, ExternalID string
}

// Thing is one thing that exists: a resource of AWS in an account, or an object
// of Kubernetes in a cluster.
type Thing struct {
	Where string // the account's id, or the cluster's ARN
	Type  string // the Pulumi type
	ID    string
	Name  string
	ARN   string
	// Inputs are what it was made with, and Outputs what the cloud says of it.
	Inputs, Outputs map[string]any
	// Added are fields of an object of Kubernetes that somebody added by hand, by
	// their paths: a refresh does not see them.
	Added map[string]any `json:",omitempty"`
	// With is the id of the thing that this one comes and goes with.
	With                string
	ByCloud, ByWorkload bool
	// Lingers is how many more times somebody has to look at a Project until it goes,
	// and Going whether it was told to.
	Lingers int  `json:",omitempty"`
	Going   bool `json:",omitempty"`
	// WayIn is true for what lets the provisioner into a customer's account.
	WayIn bool
}

// New returns a world with an organization and nothing in it.
func New() *World {
	w := &World{
		data: data{
			Accounts: map[string]*account{
				ManagementAccount: {ID: ManagementAccount, Name: "management", Status: accountActive, RoleARN: ProvisionerARN},
			},
			Stacks: map[string]map[string]*stack{},
			Quotas: map[string]int{},
			Limits: cloud.Limits{Create: cloud.Limit{AtOnce: 5}, Close: cloud.Limit{AtOnce: 3}},
		},
	}
	w.open()
	w.clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return w
}

func (w *World) open() {
	w.rules, w.running, w.processes = map[string][]finding.Policy{}, map[string]*Process{}, map[string]*Process{}
}

// Copy returns another world that is like this one now, with the same clock.
// Faults and processes stay behind.
func (w *World) Copy() *World {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &World{data: copied(w.data)}
	c.open()
	c.clock.Store(w.clock.Load())
	return c
}

// copied copies a plain value and all that it holds.
func copied[T any](v T) (out T) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("copy %T: %v", v, err)) // plain text, numbers and lists only
	}
	return out
}

// Now is the world's clock. It stands still but for Sleep.
func (w *World) Now() time.Time { return time.Unix(0, w.clock.Load()).UTC() }

// Sleep lets time pass, and does not wait for it.
func (w *World) Sleep(d time.Duration) { w.clock.Add(int64(d)) }

// Writes is how many writes the world has seen: those of the cloud, of the
// backend and of registries that were opened with Process.Store.
func (w *World) Writes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.data.Writes
}

// Things returns a copy of what exists of a type; "" returns everything.
func (w *World) Things(typ string) []Thing {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Thing
	for _, t := range w.data.Things {
		if typ == "" || t.Type == typ {
			out = append(out, copied(*t))
		}
	}
	return out
}

// AccountOf returns the id of the account with an e-mail, "" when there is none.
func (w *World) AccountOf(email string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, a := range w.data.Accounts {
		if a.Email == email {
			return id
		}
	}
	return ""
}

// Closed reports whether an account is closed.
func (w *World) Closed(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.data.Accounts[id]
	return ok && a.Status == accountSuspended
}

// BringAccount adds an account that a customer owns, with the role that lets
// the provisioner in.
func (w *World) BringAccount(id, roleARN, externalID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Accounts[id] = &account{ID: id, Name: id, Status: accountActive, RoleARN: roleARN, ExternalID: externalID}
}

// Put adds a thing that somebody made by hand, and returns its id.
func (w *World) Put(t Thing) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	t = copied(t)
	if t.ID == "" {
		t.ID = w.newID(strings.ToLower(t.Type[strings.LastIndexByte(t.Type, ':')+1:]))
	}
	w.data.Things = append(w.data.Things, &t)
	return t.ID
}

// Edit changes a thing by hand, behind everybody's back.
func (w *World) Edit(typ, id string, change func(*Thing)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.data.Things {
		if t.Type == typ && t.ID == id {
			change(t)
			return
		}
	}
	panic(fmt.Sprintf("there is no %s %q to edit", typ, id))
}

// Take removes a thing by hand, whatever depends on it.
func (w *World) Take(typ, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Things = slices.DeleteFunc(w.data.Things, func(t *Thing) bool { return t.Type == typ && t.ID == id })
}

// SetQuota bounds how many things of a type an account may have.
func (w *World) SetQuota(typ string, limit int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Quotas[typ] = limit
}

// OptIn enables a region in an account.
func (w *World) OptIn(account, region string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.data.OptIns == nil {
		w.data.OptIns = map[string][]string{}
	}
	w.data.OptIns[account] = append(w.data.OptIns[account], region)
}

// SetZones says which zones every account has.
func (w *World) SetZones(zones ...cloud.Zone) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Zones = zones
}

// SetLimits says what all orgs may do together.
func (w *World) SetLimits(l cloud.Limits) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Limits = l
}

// SetProbes says what the next probes of an account find, usable or not. What
// runs in an account whose next probe would fail is refused as well.
func (w *World) SetProbes(usable ...bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Probes = usable
}

// Reincarnate makes roles anew behind their access entries, which let them in no
// longer.
func (w *World) Reincarnate(roleARNs ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Stale = map[string]bool{}
	for _, arn := range roleARNs {
		w.data.Stale[arn] = true
	}
}

// ReincarnateProvisioner makes the provisioner's own role anew: IAM has put the id
// of the one before in the place of its ARN in every trust policy of an account.
func (w *World) ReincarnateProvisioner() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.data.Things {
		if trust, ok := t.Inputs["assumeRolePolicy"].(string); ok && t.Type == roleType {
			t.Inputs["assumeRolePolicy"] = strings.ReplaceAll(trust, ProvisionerARN, "AROAEARLIERPROVISIONER")
		}
	}
}

// Shut removes the access entries of roles.
func (w *World) Shut(roleARNs ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Shut = map[string]bool{}
	for _, arn := range roleARNs {
		w.data.Shut[arn] = true
	}
}

// KeepBusy lets the namespace controller need that many more looks at the
// projects until they are ready.
func (w *World) KeepBusy(looks int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Looks = looks
}

// Crash lets no namespace controller become ready any more.
func (w *World) Crash() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Crashing = true
}

// Linger gives a Project something that keeps its namespace, until somebody has
// looked at it so often since it was told to go.
func (w *World) Linger(project string, looks int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.data.Things {
		if t.Type == projectType && t.ID == project {
			t.Lingers = looks
		}
	}
}

// Tighten makes a disruption budget, NAMESPACE/NAME, by which no pod may go.
func (w *World) Tighten(budget string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Tight = append(w.data.Tight, budget)
}

// LeaveNoPending lets a creation that is killed leave no pending operation in
// the state: its process died before the state was stored.
func (w *World) LeaveNoPending() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data.Silent = true
}

// LoseStates empties the backend: the folder was lost, or another one is mounted.
func (w *World) LoseStates() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.data.Stacks)
}

// Block has the rules refuse a layer, or lets it pass again when none is given.
func (w *World) Block(l plan.Layer, violations ...finding.Policy) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules[string(l)] = violations
}

// newID returns an id in AWS's form that no other thing has.
func (w *World) newID(prefix string) string { return prefix + "-" + w.hex(17) }

// hex returns digits that this world has not seen before, the same in each run.
func (w *World) hex(n int) string {
	w.data.Serial++
	sum := sha256.Sum256([]byte(fmt.Sprintf("thing %d", w.data.Serial)))
	return hex.EncodeToString(sum[:])[:n]
}

// digits are like hex, for account ids.
func (w *World) digits(n int) string {
	v, _ := new(big.Int).SetString(w.hex(32), 16)
	return fmt.Sprintf("%040s", v)[40-n:]
}

// find returns the thing, nil when there is none.
func (w *World) find(where, typ, id string) *Thing {
	i := slices.IndexFunc(w.data.Things, func(t *Thing) bool { return t.Where == where && t.Type == typ && t.ID == id })
	if i < 0 {
		return nil
	}
	return w.data.Things[i]
}

// enter checks that the provisioner gets into an account by a role, and returns
// the account's id.
func (w *World) enter(a cloud.Account) (string, error) {
	if a.ID == "" || a.ID == ManagementAccount {
		return ManagementAccount, nil
	}
	at, ok := w.data.Accounts[a.ID]
	refused := func(why string) error {
		return fmt.Errorf("account %s: sts:AssumeRole: AccessDenied: %s may not assume %s: %s", a.ID, ProvisionerARN, a.RoleARN, why)
	}
	switch {
	case !ok:
		return "", refused("there is no such account")
	case at.Status != accountActive:
		return "", refused("the account is " + at.Status)
	case a.RoleARN == "":
		return "", refused("no role is named")
	case a.RoleARN == at.RoleARN && a.ExternalID == at.ExternalID:
		return a.ID, nil
	}
	for _, t := range w.data.Things {
		if t.Where == a.ID && t.Type == roleType && t.ARN == a.RoleARN {
			trust, _ := t.Inputs["assumeRolePolicy"].(string)
			if trust != trustOf(a.ExternalID) {
				return "", refused("its trust policy asks for another external id")
			}
			return a.ID, nil
		}
	}
	return "", refused("there is no such role")
}

// trustOf is the trust policy of a role that the provisioner may assume.
func trustOf(externalID string) string {
	return fmt.Sprintf(`{"Statement":[{"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":%q}},`+
		`"Effect":"Allow","Principal":{"AWS":%q}}],"Version":"2012-10-17"}`, externalID, ProvisionerARN)
}

// merged returns a with b over it.
func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	return out
}
