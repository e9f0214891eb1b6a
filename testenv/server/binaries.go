//go:build unix

package server

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The programs that are not built from source, each with Debian's package of it:
// what the environment runs, and what only tests look at pages with.
var (
	servers = map[string]string{
		"postgres":                "postgresql",
		"redis-server":            "redis-server",
		"prometheus":              "prometheus",
		"prometheus-alertmanager": "prometheus-alertmanager",
	}
	browsers = map[string]string{"chromium": "chromium"}
)

// MissingError says which programs are not on this machine.
type MissingError struct {
	Programs []string
}

// Packages are Debian's packages of the programs, in alphabetical order.
func (e *MissingError) Packages() []string {
	var packages []string
	for _, program := range e.Programs {
		packages = append(packages, servers[program]+browsers[program])
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

// Error names the programs and the command that installs them.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s not found; install with: apt-get install --no-install-recommends %s",
		strings.Join(e.Programs, ", "), strings.Join(e.Packages(), " "))
}

// Missing returns what has to be installed before all servers can start, or
// nil.
func Missing() error { return missingOf(servers) }

// MissingBrowser returns what has to be installed before a page can be looked
// at, or nil.
func MissingBrowser() error { return missingOf(browsers) }

func missingOf(programs map[string]string) error {
	var missing []string
	for program := range programs {
		if _, err := Find(program); err != nil {
			missing = append(missing, program)
		}
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return &MissingError{Programs: missing}
}

// Find returns the path of one of the installed programs, or of psql or initdb.
// The error is a [MissingError] that says what to install. Debian keeps PostgreSQL's servers out of
// PATH, one folder a version, and calls Alertmanager by a name of its own.
func Find(program string) (string, error) {
	switch program {
	case "postgres", "initdb", "psql":
		if folder := postgresFolder(); folder != "" {
			return filepath.Join(folder, program), nil
		}
	case "prometheus-alertmanager":
		if path, err := exec.LookPath("alertmanager"); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	// Daemons may be in a folder that is on root's PATH only.
	if path := "/usr/sbin/" + program; executable(path) {
		return path, nil
	}
	if program == "initdb" || program == "psql" {
		program = "postgres"
	}
	return "", &MissingError{Programs: []string{program}}
}

// postgresFolder is the folder of the newest PostgreSQL that has its server.
func postgresFolder() string {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	newest, version := "", 0
	for _, folder := range folders {
		number, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		if err == nil && number > version && executable(filepath.Join(folder, "postgres")) {
			newest, version = folder, number
		}
	}
	return newest
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// account is a user that a server runs as.
type account struct{ uid, gid uint32 }

// postgresAccount is whom PostgreSQL runs as: itself refuses to run as root,
// and Debian's package brings an account for it.
func postgresAccount() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		return nil, errors.New("PostgreSQL refuses to run as root and there is no account postgres; install Debian's postgresql, or run as another user")
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user id of postgres: %w", err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group id of postgres: %w", err)
	}
	return &account{uid: uint32(uid), gid: uint32(gid)}, nil
}
