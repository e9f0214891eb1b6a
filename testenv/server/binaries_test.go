//go:build unix

package server

import (
	"errors"
	"strings"
	"testing"
)

func TestMissingSaysWhatToInstall(t *testing.T) {
	err := error(&MissingError{Programs: []string{"redis-server", "postgres", "prometheus-alertmanager"}})
	const want = "apt-get install --no-install-recommends postgresql prometheus-alertmanager redis-server"
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v; want it to end with %s", err, want)
	}
	t.Setenv("PATH", t.TempDir())
	var missing *MissingError
	if _, err := Find("a-server-that-nobody-has"); !errors.As(err, &missing) {
		t.Errorf("a program that is not there: %v", err)
	}
}
