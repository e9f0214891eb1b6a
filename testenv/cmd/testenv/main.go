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
	var status exitStatus
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
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

// exitStatus is how the command ended that run has run. That command has said
// what there is to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// statusOf is a command's exit status as a shell reports it, and any other error
// as it is.
func statusOf(err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitStatus(128 + int(status.Signal()))
	}
	return exitStatus(ended.ExitCode())
}
