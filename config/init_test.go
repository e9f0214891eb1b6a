package config

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "flightdeck", "config.yaml")
	if err := Init(path); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
			}
		}
	}
	cfg, sources := load(t, given(t, "--config", path))
	if diff := cmp.Diff(Default(), cfg); diff != "" {
		t.Errorf("the new file changes the defaults (-want +got):\n%s", diff)
	}
	for key, from := range sources.byKey {
		t.Errorf("the new file sets %s (%s)", key, from)
	}

	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, Init(path), path+" exists and is not overwritten; edit it, or name another with --config")
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(want, got) {
		t.Errorf("Init touched a file that was there: %v", err)
	}
}

// TestInitNamesEverySetting uncomments the new file: what it shows as defaults
// must be the defaults, all of them.
func TestInitNamesEverySetting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := Init(path); err != nil {
		t.Fatal(err)
	}
	commented, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	setting := regexp.MustCompile(`(?m)^( *)#(  |[^ #\n])`)
	if err := os.WriteFile(path, setting.ReplaceAll(commented, []byte("$1$2")), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, sources := load(t, given(t, "--config", path))
	want := Default()
	want.Runbooks = []string{} // an empty list, where the default is none
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("the uncommented file is not the defaults (-want +got):\n%s", diff)
	}
	for _, r := range effective(cfg, sources) {
		if !strings.HasPrefix(r.From, path+":") {
			t.Errorf("%s comes from %q and not from the file", r.Key, r.From)
		}
	}
}

func TestInitNeedsAFolder(t *testing.T) {
	file := write(t, "file", "", 0o600)
	err := Init(filepath.Join(file, "config.yaml"))
	if err == nil || !strings.HasPrefix(err.Error(), "make the configuration folder: ") {
		t.Errorf("Init below a file: %v", err)
	}
}
