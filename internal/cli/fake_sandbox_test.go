package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

func (w *world) Types() []string {
	return []string{"aws:iam/role:Role", "aws:ec2/vpc:Vpc", "aws:ec2/securityGroup:SecurityGroup", "kubernetes:core/v1:Namespace", "kubernetes:rbac.authorization.k8s.io/v1:Role"}
}

func (w *world) List(_ context.Context, owner, typ string) ([]event.SandboxItem, error) {
	var out []event.SandboxItem
	for _, it := range w.items {
		if (owner == "" || owner == it.Org || owner == it.Account) && (typ == "" || typ == it.Type) {
			out = append(out, it)
		}
	}
	return out, nil
}

func (w *world) find(owner, typ, item string) (int, error) {
	for i, it := range w.items {
		if (owner == it.Org || owner == it.Account) && typ == it.Type && (item == it.ID || item == it.Name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: %s has no %s %q", lifecycle.ErrInvalid, owner, typ, item)
}

func (w *world) Show(_ context.Context, owner, typ, item string) (event.SandboxItem, error) {
	i, err := w.find(owner, typ, item)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return w.items[i], nil
}

func (w *world) Edit(_ context.Context, owner, typ, item string, change func(map[string]any) error) (event.SandboxItem, error) {
	i, err := w.find(owner, typ, item)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return w.items[i], change(w.items[i].Properties)
}

func (w *world) Remove(_ context.Context, owner, typ, item string, force bool) error {
	i, err := w.find(owner, typ, item)
	if err != nil {
		return err
	}
	if w.trouble == "in use" && !force {
		return errors.New("DependencyViolation: it is in use")
	}
	w.items = slices.Delete(w.items, i, i+1)
	return nil
}

func (w *world) Create(_ context.Context, owner, typ, name string, properties map[string]any) (event.SandboxItem, error) {
	it := event.SandboxItem{Org: owner, Account: "100000000002", Type: typ, ID: fmt.Sprintf("id-%d", len(w.items)+1), Name: name, Properties: properties}
	w.items = append(w.items, it)
	return it, nil
}

func (w *world) AdoptAccount(_ context.Context, id, role, _ string) error {
	for _, it := range w.items {
		if it.Account == id {
			return fmt.Errorf("account %s exists", id)
		}
	}
	w.items = append(w.items, event.SandboxItem{Account: id, Type: "aws:iam/role:Role", ID: role, Name: role})
	return nil
}

func (w *world) Reset(context.Context) error {
	w.items, w.orgs = nil, map[string]*org{}
	return nil
}

func (w *world) Stop(context.Context, string) error { return nil }

func (w *world) ServeCluster(_ context.Context, dir string, idle time.Duration) error {
	return fmt.Errorf("serve %s for %s", dir, idle)
}

func (w *world) Token(_ context.Context, dir, as, _ string) ([]byte, error) {
	return fmt.Appendf(nil, `{"kind":"ExecCredential","status":{"token":"%s@%s"}}`, as, dir), nil
}

func (w *world) Exec(_ context.Context, argv []string, _ io.Reader, stdout, _ io.Writer) (int, error) {
	fmt.Fprintln(stdout, strings.Join(argv, " "))
	if argv[0] == "false" {
		return 7, nil
	}
	return 0, nil
}
