package runbooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Obstacle is something that would stop a command, told before it is tried.
type Obstacle struct {
	What string // "./scripts/warm-cache.sh", "jq", "<pod-name>", "delete pods"
	Why  string // "is not there"
	Do   string // what to do about it
}

// Preflight looks for what a command needs on this machine: its scripts and
// files, its programs on PATH, and values for its placeholders and variables.
// known tells whether there is a value for a name; nil means that nothing is
// known. It reads the file system and starts nothing. What runs inside a pod is
// not looked up here.
func Preflight(cmd Command, known func(name string) bool) []Obstacle {
	if cmd.Problem != "" {
		return []Obstacle{{What: "the command", Why: "does not parse: " + cmd.Problem, Do: "correct it in the runbook"}}
	}
	var out []Obstacle
	for _, file := range cmd.Files {
		if o, found := missingFile(cmd, file); found {
			out = append(out, o)
		}
	}
	for _, program := range cmd.Programs {
		if program == "watch" {
			continue // there is a function for it where none is installed
		}
		if _, err := exec.LookPath(program); err != nil && !errors.Is(err, exec.ErrDot) {
			out = append(out, Obstacle{program, "is not on PATH", "install it on this machine, or start the cockpit with a PATH that has it"})
		}
	}
	for _, name := range cmd.Placeholders {
		if known == nil || !known(name) {
			out = append(out, Obstacle{"<" + name + ">", "has no value yet", "you are asked for it before the command runs"})
		}
	}
	for _, name := range cmd.Variables {
		if known == nil || !known(name) {
			out = append(out, Obstacle{"$" + name, "is not set", "you are asked for it before the command runs, or export it before the cockpit is started"})
		}
	}
	return out
}

// missingFile tells why a local file that the command reads or runs cannot be,
// relative to the folder that the cockpit was started in. One that the command
// writes itself, or whose name is not known yet, is left alone.
func missingFile(cmd Command, file string) (Obstacle, bool) {
	if len(findPlaceholders(file)) > 0 || slices.Contains(cmd.Writes, file) || file == "" {
		return Obstacle{}, false
	}
	path := file
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return Obstacle{}, false
		}
		path = filepath.Join(home, rest)
	}
	folder := ""
	if !filepath.IsAbs(path) {
		if wd, err := os.Getwd(); err == nil {
			folder = " in " + wd
		}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Obstacle{file, "is not there" + folder, "start the cockpit in the folder that the runbook's files belong to, or skip the step"}, true
	case err != nil:
		return Obstacle{file, "cannot be read: " + causeOf(err), "check its permissions"}, true
	case runsFile(cmd, file) && !info.IsDir() && info.Mode().Perm()&0o111 == 0:
		return Obstacle{file, "is not executable", fmt.Sprintf("chmod +x %s", file)}, true
	}
	return Obstacle{}, false
}

// causeOf is an error of the file system without the path, which is said
// already.
func causeOf(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// runsFile tells whether a command starts a file as a program.
func runsFile(cmd Command, file string) bool {
	parsed, err := parseShell(mask(cmd.Text, findPlaceholders(cmd.Text)))
	if cmd.Language != Bash || err != nil {
		return false
	}
	found := false
	shellVisitor{call: func(inv invocation, _ bool) {
		found = found || inv.place == local && inv.name == "" && inv.word.text == file
	}}.visit(parsed, local, 0)
	return found
}
