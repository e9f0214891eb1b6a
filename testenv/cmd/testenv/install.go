//go:build unix

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/testenv/server"
)

func installCommand() *cobra.Command {
	browser := false
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install the Debian packages and build the control plane that the environment needs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := install(cmd.Context(), server.Missing)
			if err == nil && browser {
				err = install(cmd.Context(), server.MissingBrowser)
			}
			if err != nil {
				return err
			}
			_, err = server.BuildControlPlane(cmd.Context(), os.Stderr)
			return err
		},
	}
	cmd.Flags().BoolVar(&browser, "browser", false, "install the browser too that tests look at pages with")
	return cmd
}

// install installs what is missing, and looks again.
func install(ctx context.Context, missing func() error) error {
	var programs *server.MissingError
	if !errors.As(missing(), &programs) {
		return nil
	}
	if err := installPackages(ctx, programs); err != nil {
		return err
	}
	return missing()
}

//go:embed install.sh
var installScript string

// installPackages installs with apt-get, as root or with a sudo that asks
// nothing. Where it may not, the error says what to install.
func installPackages(ctx context.Context, missing *server.MissingError) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return missing
	}
	line := []string{"sh", "-s", "--"}
	if os.Getuid() != 0 {
		if err := exec.CommandContext(ctx, "sudo", "-n", "true").Run(); err != nil {
			return missing
		}
		line = append([]string{"sudo", "-n"}, line...)
	}
	line = append(line, missing.Packages()...)
	fmt.Fprintf(os.Stderr, "installing %s\n", strings.Join(missing.Packages(), ", "))
	script := exec.CommandContext(ctx, line[0], line[1:]...)
	script.Stdin = strings.NewReader(installScript)
	script.Stdout, script.Stderr = os.Stderr, os.Stderr
	if err := script.Run(); err != nil {
		return fmt.Errorf("install Debian's packages: %w; %w", err, missing)
	}
	return nil
}
