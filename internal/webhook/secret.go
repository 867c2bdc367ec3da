package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var (
	// ErrReference is wrapped by a reference to secrets that nobody can follow.
	ErrReference = errors.New("invalid secret reference")
	// ErrNoSecret is wrapped when this machine does not have what a reference names.
	ErrNoSecret = errors.New("no secret to sign with")
	// ErrBadSecret is wrapped when what a reference names does not hold secrets
	// of Standard Webhooks.
	ErrBadSecret = errors.New("not a signing secret")
)

const (
	secretPrefix = "whsec_"
	// The bounds of a secret by the specification of Standard Webhooks 1.0.0.
	leastSecret, mostSecret = 24, 64
	// More are never valid at once: one is old, one is new.
	mostSecrets = 8
	// mostSecretFile bounds what is read of a file that is something else.
	mostSecretFile = 16 << 10
)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// CheckReference refuses what is not env:NAME or file:/path. It reads nothing.
func CheckReference(ref string) error {
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case strings.Contains(ref, secretPrefix):
		// It is not shown: somebody has typed the secret itself.
		return fmt.Errorf("%w: want env:NAME or file:/path, and not the secret itself", ErrReference)
	case kind == "env" && variable.MatchString(name):
		return nil
	case kind == "file" && filepath.IsAbs(name) && filepath.Clean(name) == name:
		return nil
	case kind == "env" || kind == "file":
		return fmt.Errorf("%w %q: want env:NAME, or file: with an absolute path", ErrReference, ref)
	default:
		return fmt.Errorf("%w: want env:NAME or file:/path", ErrReference)
	}
}

// Source reads what references name.
type Source struct {
	Getenv func(string) string
	Open   func(name string) (io.ReadCloser, error)
}

// OS is the Source of this process.
func OS() Source {
	return Source{Getenv: os.Getenv, Open: func(name string) (io.ReadCloser, error) { return os.Open(name) }}
}

// Secrets reads the secrets that a reference names: one or several whsec_…,
// separated by white space.
func (s Source) Secrets(ref string) (Secrets, error) {
	if err := CheckReference(ref); err != nil {
		return Secrets{}, err
	}
	text, err := s.read(ref)
	if err != nil {
		return Secrets{}, fmt.Errorf("%w: %s: %w", ErrNoSecret, ref, err)
	}
	return parse(ref, text)
}

func (s Source) read(ref string) (string, error) {
	kind, name, _ := strings.Cut(ref, ":")
	if kind == "env" {
		if text := s.Getenv(name); text != "" {
			return text, nil
		}
		return "", errors.New("the variable is not set")
	}
	f, err := s.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was read only
	text, err := io.ReadAll(io.LimitReader(f, mostSecretFile+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > mostSecretFile:
		return "", fmt.Errorf("the file has more than %d bytes", mostSecretFile)
	}
	return string(text), nil
}

// parse never puts what it reads into an error.
func parse(ref, text string) (Secrets, error) {
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > mostSecrets {
		return Secrets{}, fmt.Errorf("%w: %s holds %d secrets, want 1 to %d", ErrBadSecret, ref, len(words), mostSecrets)
	}
	var out Secrets
	for i, w := range words {
		encoded, ok := strings.CutPrefix(w, secretPrefix)
		if !ok {
			return Secrets{}, fmt.Errorf("%w: secret %d of %s does not begin with %s", ErrBadSecret, i+1, ref, secretPrefix)
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return Secrets{}, fmt.Errorf("%w: secret %d of %s is not base64 after %s", ErrBadSecret, i+1, ref, secretPrefix)
		}
		if len(key) < leastSecret || len(key) > mostSecret {
			return Secrets{}, fmt.Errorf("%w: secret %d of %s has %d bytes, want %d to %d", ErrBadSecret, i+1, ref, len(key), leastSecret, mostSecret)
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return Secrets{}, fmt.Errorf("%w: secret %d of %s", ErrBadSecret, i+1, ref)
		}
		out.signers = append(out.signers, signer)
	}
	return out, nil
}

// Secrets are those of one endpoint. The first is the one that stays: during a
// rotation the old one follows it. They show themselves to nobody.
type Secrets struct{ signers []*standardwebhooks.Webhook }

// Format writes a placeholder, whatever the verb.
func (Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secrets]") }

// LogValue is the same placeholder for logs.
func (Secrets) LogValue() slog.Value { return slog.StringValue("[secrets]") }

// MarshalText is the same placeholder for every encoding.
func (Secrets) MarshalText() ([]byte, error) { return []byte("[secrets]"), nil }

// Sign sets the three headers of Standard Webhooks, with a signature by each
// secret.
func (s Secrets) Sign(h http.Header, id string, at time.Time, body []byte) error {
	signatures := make([]string, len(s.signers))
	for i, signer := range s.signers {
		var err error
		if signatures[i], err = signer.Sign(id, at, body); err != nil {
			return fmt.Errorf("sign %s: %w", id, err)
		}
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}
