// Package erpgo is ERPGo in a test environment: the application that the
// runbooks are about, on real servers.
//
// Its database is a real PostgreSQL, its cache a real Redis, its deployment is
// in a real cluster, and Prometheus scrapes it and evaluates the alerts of its
// runbooks. Only its users are made up: a steady traffic of requests, each
// served by one of the pods that run at that moment, in the release that the
// pod has. So what heals ERPGo in earnest heals it here: a rollout undone, a
// backend terminated, a pod deleted.
//
// Faults are turned on and off by name while it runs; see [Faults].
package erpgo
