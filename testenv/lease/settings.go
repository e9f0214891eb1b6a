package lease

import "os"

// Settings is where the servers of an environment are, for a program that is
// told in the usual variables.
type Settings struct {
	Kubeconfig       string `json:"kubeconfig"`         // path; its current context is Context
	Context          string `json:"context"`            // name
	Namespace        string `json:"namespace"`          // the application's
	Bin              string `json:"bin"`                // folder with kubectl alone
	PrometheusURL    string `json:"prometheus_url"`     // without a trailing slash
	AlertmanagerURL  string `json:"alertmanager_url"`   // without a trailing slash
	DatabaseURL      string `json:"database_url"`       // of the monitoring role
	AdminDatabaseURL string `json:"admin_database_url"` // of the superuser
	RedisURL         string `json:"redis_url"`
}

// Variables are the settings as NAME=value, without PATH.
func (s Settings) Variables() []string {
	return []string{
		"KUBECONFIG=" + s.Kubeconfig,
		"PROMETHEUS_URL=" + s.PrometheusURL,
		"ALERTMANAGER_URL=" + s.AlertmanagerURL,
		"DATABASE_URL=" + s.DatabaseURL,
		"REDIS_URL=" + s.RedisURL,
	}
}

// Environ is this process's environment with the settings in it, for a command
// that is to meet the environment: kubectl is first on its PATH.
func (s Settings) Environ() []string {
	path := s.Bin + string(os.PathListSeparator) + os.Getenv("PATH")
	return append(append(os.Environ(), s.Variables()...), "PATH="+path)
}
