//go:build unix

// Command testenv runs Flightdeck's test environment: ERPGo on real servers.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := command().ExecuteContext(ctx)
	stop()
	var child *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &child):
		os.Exit(exitStatus(child))
	default:
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "testenv",
		Short:         "Run ERPGo on real servers, for tests and for trying the cockpit out",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(installCommand(), upCommand(), runCommand(), faultCommand(), releaseCommand(), podsCommand(), superviseCommand())
	return root
}

// exitStatus is a child's, as a shell reports it.
func exitStatus(child *exec.ExitError) int {
	if status, ok := child.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return child.ExitCode()
}
