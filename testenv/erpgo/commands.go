//go:build unix

package erpgo

import (
	"embed"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/erpgo/flightdeck/testenv/server"
)

//go:embed commands/*.sh
var commands embed.FS

// podCommands prepares what "kubectl exec" meets in a pod: the real psql and
// redis-cli, which find the real servers whatever host they are told, and the
// path that the runbooks know the database's files by.
func (e *ERPGo) podCommands() (server.Pods, error) {
	root, err := e.subfolder("pod")
	if err != nil {
		return server.Pods{}, err
	}
	bin, err := e.subfolder("pod/bin")
	if err != nil {
		return server.Pods{}, err
	}
	scripts := map[string]string{
		filepath.Join(bin, "redis-cli"): "commands/redis-cli.sh",
		filepath.Join(root, "erpgo"):    "commands/erpgo.sh",
	}
	for _, name := range []string{"cat", "df", "du", "ls", "pg_archivecleanup", "pg_controldata", "pg_resetwal"} {
		scripts[filepath.Join(bin, name)] = "commands/inpod.sh"
	}
	for path, script := range scripts {
		text, err := commands.ReadFile(script)
		if err != nil {
			return server.Pods{}, err
		}
		if err := os.WriteFile(path, text, 0o755); err != nil {
			return server.Pods{}, err
		}
	}
	environment, err := e.podEnvironment(root, bin)
	return server.Pods{Folder: root, Environment: environment}, err
}

// podEnvironment has psql and redis-cli reach the real servers. PGHOSTADDR is
// where psql connects whatever the name that it is given with -h.
func (e *ERPGo) podEnvironment(root, bin string) ([]string, error) {
	psql, err := server.Find("psql")
	if err != nil {
		return nil, err
	}
	passwords := filepath.Join(root, "pgpass")
	if err := os.WriteFile(passwords, []byte(e.postgres.PasswordFile()+"*:*:*:erpgo:"+e.appPassword+"\n"), 0o600); err != nil {
		return nil, err
	}
	pgHost, pgPort, err := net.SplitHostPort(e.postgres.Addr)
	if err != nil {
		return nil, err
	}
	redisHost, redisPort, err := net.SplitHostPort(e.redis.Addr)
	if err != nil {
		return nil, err
	}
	path := []string{bin, filepath.Dir(psql), e.bin(), os.Getenv("PATH")}
	return []string{
		"PATH=" + strings.Join(path, string(os.PathListSeparator)),
		"KUBECONFIG=" + filepath.Join(e.folder, "cluster", "kubeconfig"),
		"PGHOSTADDR=" + pgHost, "PGPORT=" + pgPort, "PGUSER=erpgo", "PGDATABASE=erpgo",
		"PGPASSFILE=" + passwords, "PGDATA=" + e.postgres.DataDir,
		"REDIS_HOST=" + redisHost, "REDIS_PORT=" + redisPort, "REDISCLI_AUTH=" + e.redis.Password,
	}, nil
}

// bin is the folder with kubectl alone, for an operator's PATH.
func (e *ERPGo) bin() string { return filepath.Join(e.folder, "bin") }

// linkKubectl puts kubectl into that folder.
func (e *ERPGo) linkKubectl() error {
	if err := os.Mkdir(e.bin(), 0o711); err != nil {
		return err
	}
	return os.Symlink(e.control.Kubectl, filepath.Join(e.bin(), "kubectl"))
}
