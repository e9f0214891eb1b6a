//go:build unix

package probes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/erpgo/flightdeck/testenv"
)

// TestCredentialPlugins logs in with a credential plugin that works, one that
// does not, and one that hangs.
func TestCredentialPlugins(t *testing.T) {
	k := startKube(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	k.put(t, apiPod("steady"))
	plain, err := clientcmd.LoadFromFile(k.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	user := plain.AuthInfos[k.admin.Context]
	token := user.Token

	// login makes the kubeconfig's user one who logs in by a script.
	login := func(t *testing.T, script string) *Board {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "login"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		*user = clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
			APIVersion:      "client.authentication.k8s.io/v1",
			Command:         "./login",
			InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode,
		}}
		path := filepath.Join(dir, "kubeconfig")
		if err := clientcmd.WriteToFile(*plain, path); err != nil {
			t.Fatal(err)
		}
		board := NewBoard(1)
		runProbe(t, NewPods(openCluster(t, path), "", board))
		return board
	}
	t.Run("working", func(t *testing.T) {
		board := login(t, fmt.Sprintf(
			`echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'`, token))
		awaitPod(t, board, "steady", "Running")
	})
	t.Run("refusing", func(t *testing.T) {
		board := login(t, "echo session expired, run: erpgo-login >&2; exit 1")
		r := awaitReading(t, &board.Pods, "the plugin's own words", func(r Reading[Pods]) bool {
			return r.Err != nil && strings.Contains(r.Err.Error(), "session expired, run: erpgo-login")
		})
		t.Log(r.Err)
	})
	t.Run("hanging", func(t *testing.T) {
		begun := time.Now()
		board := login(t, "exec sleep 8")
		awaitReading(t, &board.Pods, "an error", func(r Reading[Pods]) bool { return r.Err != nil })
		within(t, promised, begun, "the fault showed")
	})
}
