package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"freehold.dev/freehold/internal/environ"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// checkpoint is what the engine needs to know of a stored state.
type checkpoint struct {
	// Key opens the secrets in it. A stack whose creation was interrupted has none.
	Key Key
	// Custom counts the resources of providers, and Providers those of them
	// that are providers themselves: the engine's own, which exist only here.
	Custom, Providers int
	// Pending counts the operations that were begun and not recorded.
	Pending int
	// Types are the types of the resources, of the pending ones, too, without providers.
	Types map[string]bool
	// visit gets each resource as it is stored; nil: nobody asked.
	visit func(json.RawMessage) error
}

func (c *checkpoint) has(typ string) {
	if c.Types == nil {
		c.Types = map[string]bool{}
	}
	c.Types[typ] = true
}

// Key is how a stored state is encrypted, as the state itself has it.
type Key struct {
	// Type is Pulumi's: "passphrase", "cloud", "service", or "" where nothing
	// was encrypted yet.
	Type  string          `json:"type"`
	State json.RawMessage `json:"state"`
}

// salt is what a passphrase opens: "v1:salt:v1:nonce:ciphertext".
func (k Key) salt() (string, error) {
	var s struct {
		Salt string `json:"salt"`
	}
	if err := json.Unmarshal(k.State, &s); err != nil {
		return "", fmt.Errorf("read the passphrase's salt: %w", err)
	}
	if s.Salt == "" {
		return "", errors.New("read the passphrase's salt: there is none")
	}
	return s.Salt, nil
}

// needs is what it takes of the environment to ask for the key.
func (k Key) needs() environ.Need {
	var s struct {
		URL string `json:"url"`
	}
	if k.Type != "cloud" || json.Unmarshal(k.State, &s) != nil {
		return environ.Of(k.Type) // settings says what is wrong with the state
	}
	return environ.Of(s.URL)
}

// settings are those of a workspace whose CLI goes on with this key. Without
// them the CLI would encrypt with a new one.
func (k Key) settings() (*workspace.ProjectStack, error) {
	switch k.Type {
	case "", "service":
		// Nothing to go on with, or a key that the backend holds.
		return &workspace.ProjectStack{}, nil
	case "passphrase":
		salt, err := k.salt()
		return &workspace.ProjectStack{EncryptionSalt: salt}, err
	case "cloud":
		var s struct {
			URL          string `json:"url"`
			EncryptedKey string `json:"encryptedkey"`
		}
		if err := json.Unmarshal(k.State, &s); err != nil {
			return nil, fmt.Errorf("read the encrypted key: %w", err)
		}
		if s.URL == "" || s.EncryptedKey == "" {
			return nil, errors.New("read the encrypted key: there is none")
		}
		return &workspace.ProjectStack{SecretsProvider: s.URL, EncryptedKey: s.EncryptedKey}, nil
	default:
		return nil, fmt.Errorf("the secrets provider %q is unknown", k.Type)
	}
}

// readCheckpoint reads a state as a backend of files has it, or as the CLI
// exports it. It holds one resource at a time: a state may be large.
func readCheckpoint(r io.Reader) (checkpoint, error) {
	var c checkpoint
	return c, c.read(r)
}

func (c *checkpoint) read(r io.Reader) error {
	deployment := false
	read := func(d *json.Decoder) error {
		deployment = true
		return c.deployment(d)
	}
	d := json.NewDecoder(r)
	err := object(d, func(key string) error {
		switch key {
		case "deployment":
			return read(d)
		case "checkpoint":
			// A stack whose creation was interrupted has no "latest".
			deployment = true
			return object(d, func(key string) error {
				if key == "latest" {
					return read(d)
				}
				return skip(d)
			})
		default:
			return skip(d)
		}
	})
	if err == nil && !deployment {
		err = errors.New("it has no deployment")
	}
	return err
}

func (c *checkpoint) deployment(d *json.Decoder) error {
	return object(d, func(key string) error {
		switch key {
		case "secrets_providers":
			return d.Decode(&c.Key)
		case "resources":
			return array(d, func() error {
				var r struct {
					Type     string `json:"type"`
					Custom   bool   `json:"custom"`
					External bool   `json:"external"`
				}
				if err := c.decode(d, &r); err != nil || !r.Custom || r.External {
					return err
				}
				c.Custom++
				if strings.HasPrefix(r.Type, "pulumi:") {
					c.Providers++
				} else {
					c.has(r.Type)
				}
				return nil
			})
		case "pending_operations":
			return array(d, func() error {
				var p struct {
					Resource struct {
						URN string `json:"urn"`
					} `json:"resource"`
				}
				c.Pending++
				err := d.Decode(&p)
				c.has(urnType(p.Resource.URN))
				return err
			})
		default:
			return skip(d)
		}
	})
}

// decode reads a resource, and shows it to whoever asked.
func (c *checkpoint) decode(d *json.Decoder, r any) error {
	if c.visit == nil {
		return d.Decode(r)
	}
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, r); err != nil {
		return err
	}
	return c.visit(raw)
}

// object calls field for each key of the object, or not at all for null.
func object(d *json.Decoder, field func(key string) error) error {
	return members(d, '{', func() error {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("%v is not a key", key)
		}
		return field(name)
	})
}

// array calls element for each element of the array, or not at all for null.
func array(d *json.Decoder, element func() error) error { return members(d, '[', element) }

func members(d *json.Decoder, open json.Delim, member func() error) error {
	switch t, err := d.Token(); {
	case err != nil:
		return unexpected(err)
	case t == nil:
		return nil
	case t != open:
		return fmt.Errorf("at byte %d: want %q and have %v", d.InputOffset(), open, t)
	}
	for d.More() {
		if err := member(); err != nil {
			return unexpected(err)
		}
	}
	_, err := d.Token()
	return unexpected(err)
}

// unexpected says of a file that ends too early that it does.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func skip(d *json.Decoder) error {
	var v json.RawMessage
	return d.Decode(&v)
}
