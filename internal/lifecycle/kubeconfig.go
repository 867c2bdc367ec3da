package lifecycle

import (
	"fmt"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
)

// portable is a kubeconfig for the engine. The state keeps it, and other machines
// run what is in the state: it names the credential plugin without its folder,
// which main puts on the PATH, and without the environment of this machine.
func portable(kubeconfig []byte) (string, error) {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return "", fmt.Errorf("read the cluster's kubeconfig: %w", err)
	}
	for _, user := range config.AuthInfos {
		if user.Exec != nil {
			user.Exec.Command, user.Exec.Env = filepath.Base(user.Exec.Command), nil
		}
	}
	text, err := clientcmd.Write(*config)
	if err != nil {
		return "", fmt.Errorf("write the cluster's kubeconfig: %w", err)
	}
	return string(text), nil
}
