//go:build unix

package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/testenv/erpgo"
	"github.com/erpgo/flightdeck/testenv/lease"
	"github.com/erpgo/flightdeck/testenv/server"
)

func faultCommand() *cobra.Command {
	names := slices.Sorted(maps.Keys(erpgo.Faults))
	var long strings.Builder
	long.WriteString("Turn a fault of the environment that runs on or off. The faults, and the alerts that they lead to:\n\n")
	for _, name := range names {
		fmt.Fprintf(&long, "  %-20s %s\n", name, erpgo.Faults[name])
	}
	return &cobra.Command{
		Use:       "fault NAME on|off",
		Short:     "Turn a fault of ERPGo on or off",
		Long:      long.String(),
		Args:      cobra.ExactArgs(2),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] != "on" && args[1] != "off" {
				return fmt.Errorf(`a fault is turned "on" or "off", not %q`, args[1])
			}
			return withRunning(cmd.Context(), func(l *lease.Lease) error {
				return l.SetFault(cmd.Context(), args[0], args[1] == "on")
			})
		},
	}
}

func releaseCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "release bad|good",
		Short:     "Roll out a release of ERPGo that fails, or one that works",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bad", "good"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRunning(cmd.Context(), func(l *lease.Lease) error {
				return l.Release(cmd.Context(), args[0])
			})
		},
	}
}

func podsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pods COUNT",
		Short: "Fill ERPGo's namespace with pods that run, labelled app=load",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			count, err := strconv.Atoi(args[0])
			if err != nil || count < 1 {
				return fmt.Errorf("%q is not a number of pods", args[0])
			}
			return withRunning(cmd.Context(), func(l *lease.Lease) error {
				s := l.Settings
				return server.Load(cmd.Context(), filepath.Join(s.Bin, "kubectl"), s.Kubeconfig, s.Namespace, count)
			})
		},
	}
}

func withRunning(ctx context.Context, do func(*lease.Lease) error) error {
	l, err := lease.Running(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	return do(l)
}
