package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/localhost"
)

// tokenLife is that of the replica's service account token: as a kubelet's.
const tokenLife = time.Hour

// replica is one process of the workload, kept running.
type replica struct {
	w        *workload
	name     string
	template *corev1.PodTemplateSpec
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex
	ready   bool
	message string
}

func newReplica(w *workload, index int, t *corev1.PodTemplateSpec) *replica {
	return &replica{
		w:        w,
		name:     fmt.Sprintf("%s-%d", workloadName, index),
		template: t,
		done:     make(chan struct{}),
		message:  "the namespace controller is starting",
	}
}

func (r *replica) begin() {
	// It ends by its own end, in its turn.
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() {
		defer close(r.done)
		r.keep(ctx)
	}()
}

func (r *replica) end() {
	r.cancel()
	<-r.done
}

func (r *replica) state() (ready bool, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready, r.message
}

func (r *replica) set(ready bool, message string) {
	r.mu.Lock()
	changed := r.ready != ready || r.message != message
	r.ready, r.message = ready, message
	r.mu.Unlock()
	if changed {
		r.w.poke()
	}
}

// keep starts the process again whenever it ends, ever more slowly as a kubelet does.
func (r *replica) keep(ctx context.Context) {
	pause := 250 * time.Millisecond
	for {
		begin := r.w.supervisor.options.Now()
		err := r.once(ctx)
		if ctx.Err() != nil {
			return
		}
		r.set(false, err.Error())
		r.w.supervisor.log.Warn("replica ended", "replica", r.name, "error", err, "startAgainIn", pause)
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, 30*time.Second)
		if r.w.supervisor.options.Now().Sub(begin) > time.Minute {
			pause = 250 * time.Millisecond
		}
	}
}

// once runs the process to its end.
func (r *replica) once(ctx context.Context) error {
	path, err := FindTool(controllerBinary)
	if err != nil {
		return err
	}
	tokenFile := r.w.supervisor.files.run(r.name + ".token")
	expiry, err := r.writeToken(ctx, tokenFile)
	if err != nil {
		return err
	}
	files := r.volumes()
	due, err := files.write(ctx)
	if err != nil {
		return err
	}
	health, err := localhost.FreeAddress()
	if err != nil {
		return err
	}

	s := r.w.supervisor
	c := child{
		name: r.name, path: path, args: r.args(files, tokenFile, health), env: environment(r.variables()...),
		log: s.files.logOf(r.name), grace: 5 * time.Second, started: s.addChild, ended: s.removeChild,
	}
	watch, endWatch := context.WithCancel(ctx)
	defer endWatch()
	go r.watch(watch, health)
	go r.renew(watch, tokenFile, expiry)
	go files.keep(watch, due, func(err error) { s.log.Warn("write the volumes", "replica", r.name, "error", err) })
	err = c.once(ctx, s.spawner)
	return fmt.Errorf("the namespace controller ended: %w: %s", err, lastLine(c.log))
}

// args are the container's own, with the volumes' files where they are, and then
// where this cluster is: of a flag given twice, the last counts.
func (r *replica) args(files *volumes, tokenFile, health string) []string {
	var args []string
	if cs := r.template.Spec.Containers; len(cs) > 0 {
		if len(cs[0].Command) > 1 {
			args = append(args, cs[0].Command[1:]...)
		}
		args = append(args, cs[0].Args...)
	}
	for i, arg := range args {
		args[i] = files.located(arg)
	}
	return append(args,
		"--server="+r.w.admin.Host,
		"--certificate-authority="+r.w.supervisor.files.ca(),
		"--token-file="+tokenFile,
		"--health-probe-bind-address="+health,
		"--metrics-bind-address=0",
	)
}

// variables are those of the container that are plain or tell the pod of itself.
func (r *replica) variables() []string {
	env := small(75)
	if len(r.template.Spec.Containers) == 0 {
		return env
	}
	for _, v := range r.template.Spec.Containers[0].Env {
		value := v.Value
		if v.ValueFrom != nil {
			if v.ValueFrom.FieldRef == nil {
				continue
			}
			switch v.ValueFrom.FieldRef.FieldPath {
			case "metadata.namespace":
				value = workloadNamespace
			case "metadata.name":
				value = r.name
			default:
				continue
			}
		}
		env = append(env, v.Name+"="+value)
	}
	return env
}

// writeToken writes a token of the Deployment's service account for its own cluster.
func (r *replica) writeToken(ctx context.Context, file string) (time.Time, error) {
	t, err := r.token(ctx, nil, int64(tokenLife/time.Second))
	if err != nil {
		return time.Time{}, err
	}
	return t.ExpirationTimestamp.Time, writeFile(file, []byte(t.Token))
}

// token asks for a token of the Deployment's service account.
func (r *replica) token(ctx context.Context, audiences []string, seconds int64) (authenticationv1.TokenRequestStatus, error) {
	account := r.template.Spec.ServiceAccountName
	if account == "" {
		account = "default"
	}
	t, err := r.w.core.ServiceAccounts(workloadNamespace).CreateToken(ctx, account, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: audiences, ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.TokenRequestStatus{}, fmt.Errorf("get a token of service account %s/%s: %w", workloadNamespace, account, err)
	}
	return t.Status, nil
}

// renew writes a new token when most of the old one's life is over; the client reads it again.
func (r *replica) renew(ctx context.Context, file string, expiry time.Time) {
	for {
		left := expiry.Sub(r.w.supervisor.options.Now())
		if !sleep(ctx, max(left-tokenLife/5, 10*time.Second)) {
			return
		}
		next, err := r.writeToken(ctx, file)
		if err != nil {
			r.w.supervisor.log.Warn("renew the token", "replica", r.name, "error", err)
			continue
		}
		expiry = next
	}
}

// watch asks the process whether it is ready, as a kubelet's readiness probe does.
func (r *replica) watch(ctx context.Context, health string) {
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	misses := 0
	for {
		said, ok := probe(ctx, client, "http://"+health)
		if ctx.Err() != nil {
			return
		}
		pause := 100 * time.Millisecond
		switch ready, _ := r.state(); {
		case ok:
			misses, pause = 0, 2*time.Second
			r.set(true, "")
		case ready && misses < 2: // three misses, as the probe's default
			misses++
		default:
			r.set(false, "the namespace controller is not ready yet: "+brief(said))
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// brief says in a line what /readyz answered: only the checks that failed, which
// it marks by "[-]", without the words that all of its answers carry.
func brief(said string) string {
	var failed []string
	for line := range strings.Lines(said) {
		if _, check, ok := strings.Cut(line, "[-]"); ok {
			name, _, _ := strings.Cut(check, " ")
			failed = append(failed, name)
		}
	}
	if len(failed) == 0 {
		return strings.TrimSpace(said)
	}
	return "it waits for " + strings.Join(failed, ", ")
}
