package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/views"
)

// statusCommand prints one look at everything.
func statusCommand(flags *config.Flags) *cobra.Command {
	asJSON, wait := false, 10*time.Second
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print what the cockpit shows, once, as plain lines",
		Long: "Print what the cockpit shows, once, as plain lines or as JSON.\n\n" +
			"The exit status is 0 when all is calm, 1 when an alert fires, and 2 when a source\n" +
			"that is configured cannot be read.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(flags, os.Environ())
			if err != nil {
				return err
			}
			status := takeStatus(cmd.Context(), cfg, wait)
			write := status.WriteText
			if asJSON {
				write = status.WriteJSON
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if exit := status.Exit(); exit != views.ExitCalm {
				return exitStatus(exit)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&wait, "wait", wait, "how long to wait for a source that does not answer")
	return cmd
}

// takeStatus runs the probes until each has said something, or for as long as
// wait.
func takeStatus(ctx context.Context, cfg config.Config, wait time.Duration) views.Status {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s := newStation(cfg)
	changed, stop := s.board.Watch()
	defer stop()
	done := make(chan struct{})
	go func() { defer close(done); _ = probes.Run(ctx, s.probes...) }() // it ends with ctx, and with its error
	for ctx.Err() == nil && !s.board.Answered(time.Now()) {
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	status := views.NewStatus(s.board, s.cluster.Context, s.cluster.Namespace, cfg.Service.Deployment, time.Now())
	cancel()
	<-done
	return status
}

// configCommand shows and writes settings.
func configCommand(flags *config.Flags) *cobra.Command {
	asJSON := false
	show := &cobra.Command{
		Use:   "show",
		Short: "Print the settings in force and where each came from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, sources, err := config.Load(flags, os.Environ())
			if err != nil {
				return err
			}
			return config.Show(cmd.OutOrStdout(), cfg, sources, asJSON)
		},
	}
	show.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	initialise := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration file; an existing one is never overwritten",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := config.Path(flags, os.Environ())
			if err != nil {
				return err
			}
			if err := config.Init(path); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
	cmd := &cobra.Command{Use: "config", Short: "Show the settings, or write a file to start from", Args: cobra.NoArgs}
	cmd.AddCommand(show, initialise)
	return cmd
}

// manCommand writes the manual pages that the packages carry.
func manCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			root.DisableAutoGenTag = true // two builds of one commit are the same
			return doc.GenManTree(root, &doc.GenManHeader{Title: "FLIGHTDECK", Section: "1", Source: "flightdeck " + version}, args[0])
		},
	}
}
