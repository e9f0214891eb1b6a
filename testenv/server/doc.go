// Package server starts real servers on free loopback ports, each in a folder
// of its own: PostgreSQL, Redis, Prometheus, Alertmanager, and a Kubernetes
// control plane whose kubelets are KWOK's.
//
// A server keeps its address for as long as it lives: it can be stopped,
// started again, killed, paused (it then accepts connections and answers
// nothing, as a hung machine does) and resumed. It never outlives the process
// that started it, not even one that was killed: the kernel signals it.
package server
