package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folders are what the paths of a file are relative to.
type folders struct {
	file string // the folder of the file that names the path
	home string // what ~/ stands for; empty where it is not known
}

// onePath resolves a path that stands in the file.
func onePath(base folders, path string) string {
	switch {
	case base.home != "" && strings.HasPrefix(path, "~/"):
		return filepath.Join(base.home, path[2:])
	case path == "" || filepath.IsAbs(path):
		return path
	}
	return filepath.Join(base.file, path)
}

// journalPath resolves the file of the journal that stands in the file.
func journalPath(base folders, path string) string {
	if path == JournalInMemory || JournalInPostgres(path) {
		return path
	}
	return onePath(base, path)
}

// JournalPath is where the journal is kept where no setting says otherwise:
// flightdeck/journal.db in $XDG_STATE_HOME, which is ~/.local/state where it is
// not set.
func JournalPath(environ []string) (string, error) {
	env := environment(environ)
	state := env["XDG_STATE_HOME"]
	if !filepath.IsAbs(state) { // the XDG specification ignores relative paths
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no folder for the journal: %w; set XDG_STATE_HOME or --journal", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "flightdeck", "journal.db"), nil
}

// pathList resolves each path of a list as in PATH.
func pathList(base folders, paths string) string {
	list := filepath.SplitList(paths)
	for i, path := range list {
		list[i] = onePath(base, path)
	}
	return strings.Join(list, string(filepath.ListSeparator))
}

// errNoFolder means that the system knows no folder for configurations, as for
// a user without a home.
var errNoFolder = errors.New("set XDG_CONFIG_HOME or --config")

// Path returns the configuration file that Load reads: the one that --config
// names, else flightdeck/config.yaml in $XDG_CONFIG_HOME, on every system, or
// in the system's own folder for configurations. It need not exist.
func Path(flags *Flags, environ []string) (string, error) {
	if named, ok := flags.lookup("config"); ok {
		if named[0] == "" {
			return "", errors.New("--config: expected a file")
		}
		return named[0], nil
	}
	folder := environment(environ)["XDG_CONFIG_HOME"]
	if folder == "" {
		var err error
		if folder, err = os.UserConfigDir(); err != nil {
			return "", fmt.Errorf("find the configuration folder: %w; %w", err, errNoFolder)
		}
	}
	if !filepath.IsAbs(folder) {
		return "", fmt.Errorf("environment: XDG_CONFIG_HOME: expected an absolute path, got %q", folder)
	}
	return filepath.Join(folder, "flightdeck", "config.yaml"), nil
}

// environment turns NAME=value pairs into a map; an empty value counts as not
// set, and of two values the last counts, as in a shell.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" {
			delete(env, name)
			continue
		}
		env[name] = value
	}
	return env
}
