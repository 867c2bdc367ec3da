// Command gen writes the definition of the Project kind to the file that is
// given, or to standard output:
//
//	go run ./internal/api/gen components/bootstrap/project-crd.yaml
package main

import (
	"fmt"
	"os"
)

//go:generate go run . ../../../components/bootstrap/project-crd.yaml

func main() {
	text, err := definition()
	if err == nil && len(os.Args) > 1 {
		err = os.WriteFile(os.Args[1], text, 0o644)
	} else if err == nil {
		_, err = os.Stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
