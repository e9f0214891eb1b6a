package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks/lint"
	"github.com/erpgo/flightdeck/ui"
)

// lintCommand looks for what is wrong with runbooks before an incident does.
func lintCommand(flags *config.Flags) *cobra.Command {
	format, rules, reference := "text", []string(nil), false
	cmd := &cobra.Command{
		Use:   "lint PATH…",
		Short: "Find what is wrong with runbooks",
		Long: "Find what is wrong with runbooks: the Markdown files of the paths, which are files or\n" +
			"folders, or those that are configured where none is given.\n\n" +
			"With --rules or --prometheus the alerting rules are compared with the runbooks; with\n" +
			"--prometheus also whether the series that they and the runbooks ask for exist.\n\n" +
			"The exit status is 0 when there is no error among the findings, 1 when there is one,\n" +
			"and 2 when a path cannot be read or Prometheus does not answer.\n\n" +
			"A rule is switched off by a comment in the file; --reference says how, and describes\n" +
			"all rules.",
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if reference {
				return lint.WriteReference(out)
			}
			write, ok := lintFormats[format]
			if !ok {
				return fmt.Errorf("--format %s: expected text, json or sarif", format)
			}
			paths, options, err := lintSettings(cmd, flags, args, rules)
			if err != nil {
				return err
			}
			findings, err := lint.Lint(cmd.Context(), paths, options)
			if err != nil {
				return err
			}
			if err := write(out, findings); err != nil {
				return err
			}
			if lint.Failed(findings) {
				return exitStatus(lintFailed)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "text, json or sarif (for code hosts)")
	cmd.Flags().StringArrayVar(&rules, "rules", nil, "`file` of alerting rules; may be repeated")
	cmd.Flags().BoolVar(&reference, "reference", false, "print what each rule looks for, as Markdown")
	return cmd
}

// lintFailed is the exit status when there is an error among the findings.
const lintFailed = 1

// lintSettings are the paths and what the linter may know beside them.
// Prometheus is asked only where the command line says so: what a pull request
// is told must not depend on what its machine can reach.
func lintSettings(cmd *cobra.Command, flags *config.Flags, paths, rules []string) ([]string, lint.Options, error) {
	options := lint.Options{}
	for _, file := range rules {
		more, err := lint.ReadRules(file)
		if err != nil {
			return nil, options, err
		}
		options.Rules = append(options.Rules, more...)
	}
	ask := cmd.Flags().Changed("prometheus")
	if len(paths) > 0 && !ask {
		return paths, options, nil
	}
	cfg, _, err := config.Load(flags, os.Environ())
	if err != nil {
		return nil, options, err
	}
	if ask {
		prom, err := probes.NewProm(cfg.Prometheus).API()
		if err != nil {
			return nil, options, err
		}
		options.Prometheus = lint.FromAPI(prom)
	}
	if len(paths) == 0 {
		paths = cfg.Runbooks
	}
	if len(paths) == 0 {
		return nil, options, errors.New("nothing to lint: give files or folders of Markdown, or configure runbooks")
	}
	return paths, options, nil
}

// lintFormats write findings. What goes to a terminal is cleaned: messages hold
// what files do.
var lintFormats = map[string]func(io.Writer, []lint.Finding) error{
	"text": func(w io.Writer, findings []lint.Finding) error {
		shown := make([]lint.Finding, len(findings))
		for i, f := range findings {
			f.File, f.Message = ui.Clean(f.File), ui.Clean(f.Message)
			shown[i] = f
		}
		return lint.WriteText(w, shown)
	},
	"json":  lint.WriteJSON,
	"sarif": func(w io.Writer, findings []lint.Finding) error { return lint.WriteSARIF(w, findings, version) },
}
