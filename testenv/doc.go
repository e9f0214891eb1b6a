// Package testenv gives tests real servers: PostgreSQL, Redis, Prometheus,
// Alertmanager, and a Kubernetes cluster, on loopback, in temporary folders.
//
// A test that breaks a server starts one of its own, in less than a second
// (a control plane takes some more): [StartPostgres], [StartRedis],
// [StartPrometheus], [StartAlertmanager], [StartControlPlane]. Each can be
// stopped, started again at its address, killed, paused and resumed. What no
// server can be made to do, [NewProxy] does in front of it.
//
// A test that looks at all of it together uses the one environment that all
// packages share, [Shared]: ERPGo, deployed in the cluster, with its database,
// its cache, its metrics and its alerts. To break ERPGo, a test asks for the
// environment [Env.Exclusive].
//
// Whatever a test starts ends with it, also when it is killed.
//
// # What it needs
//
// Debian's postgresql, redis-server, prometheus and prometheus-alertmanager; an
// error says so when one is missing. The control plane is built from source, in
// the versions of the module in the folder controlplane, once, into
// flightdeck/testenv in the user's cache folder. "go run
// ./testenv/cmd/testenv install" does both.
//
// Pods run nothing of their own: "kubectl exec" runs its command on this
// machine, as this user, for whoever can reach the port of the cluster's
// kubelet on loopback. Do not run the environment on a machine that you share
// with strangers.
package testenv
