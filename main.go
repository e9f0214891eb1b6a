// Command flightdeck is the incident cockpit for a terminal: it shows what is
// burning, opens the runbook of an alert as a checklist whose steps run, and
// follows the logs beside it.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/config"
)

// version is the release, set by the linker.
var version = "dev"

// exitStatus is an error that only carries the program's exit status: what
// there was to say has been said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	err := rootCommand().Execute()
	var status exitStatus
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	default:
		fmt.Fprintln(os.Stderr, "flightdeck:", err)
		os.Exit(2)
	}
}

// rootCommand is the command line; without a subcommand it opens the cockpit.
func rootCommand() *cobra.Command {
	flags := &config.Flags{}
	root := &cobra.Command{
		Use:   "flightdeck",
		Short: "The incident cockpit for a terminal",
		Long: "Flightdeck shows what is burning, opens the runbook of an alert as a checklist\n" +
			"whose steps run, and follows the logs beside it.\n\n" +
			"It finds its sources as kubectl, psql and promtool do: KUBECONFIG, PROMETHEUS_URL,\n" +
			"ALERTMANAGER_URL, DATABASE_URL or PG*, REDIS_URL, a configuration file, or flags.\n" +
			"A source that is not configured is shown as such and stops nothing.",
		Args:          cobra.NoArgs,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(flags, os.Environ())
			if err != nil {
				return err
			}
			return openCockpit(cmd.Context(), cfg)
		},
	}
	flags.Bind(root.PersistentFlags())
	root.AddCommand(statusCommand(flags), incidentsCommand(flags), runbookCommand(flags), lintCommand(flags), configCommand(flags), manCommand(root))
	return root
}
