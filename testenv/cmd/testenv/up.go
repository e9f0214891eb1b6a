//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/testenv/lease"
)

func upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Start the environment, print its settings for a shell, and keep it running until Ctrl-C",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := acquire(cmd.Context())
			if err != nil {
				return err
			}
			defer l.Close()
			out := cmd.OutOrStdout()
			for _, variable := range append(l.Settings.Variables(), lease.Variable+"="+l.Socket) {
				name, value, _ := strings.Cut(variable, "=")
				fmt.Fprintf(out, "export %s=%s\n", name, quote(value))
			}
			fmt.Fprintf(out, "export PATH=%s:\"$PATH\"\n", quote(l.Settings.Bin))
			fmt.Fprintln(cmd.ErrOrStderr(), "\nERPGo runs. Paste these lines into another terminal; Ctrl-C here ends it.")
			<-cmd.Context().Done()
			return nil
		},
	}
}

func runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run -- COMMAND [ARGUMENT…]",
		Short: "Start the environment, run a command in it, and end it with the command's exit status",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := acquire(cmd.Context())
			if err != nil {
				return err
			}
			defer l.Close()
			child := exec.Command(args[0], args[1:]...)
			child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
			child.Env = append(l.Settings.Environ(), lease.Variable+"="+l.Socket)
			return wait(child)
		},
	}
}

// wait runs a command to its end. It shares this terminal, so Ctrl-C reaches it
// too, and it is the command's to decide what that means. What is sent to this
// process alone is passed on.
func wait(child *exec.Cmd) error {
	if err := child.Start(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	defer func() {
		signal.Stop(signals)
		close(signals)
	}()
	go func() {
		for received := range signals {
			_ = child.Process.Signal(received)
		}
	}()
	return statusOf(child.Wait())
}

// acquire takes a lease that ends the environment, unless another has one too.
func acquire(ctx context.Context) (*lease.Lease, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return lease.Acquire(ctx, lease.Options{Program: program, Brief: true, Progress: os.Stderr})
}

// quote makes a value one word of a POSIX shell.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
