package event

// SandboxItem is one thing in the sandbox cloud.
type SandboxItem struct {
	Org        string         `json:"org"` // empty: the account is no org's
	Account    string         `json:"account"`
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Name       string         `json:"name,omitempty"`
	ARN        string         `json:"arn,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
}
