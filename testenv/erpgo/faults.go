package erpgo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Faults are what can be wrong with ERPGo, by name, and the alert that each
// leads to. A bad release is not among them: it is rolled out.
var Faults = map[string]string{
	"slow":               "HighResponseTime",
	"logins":             "HighFailedLoginRate", // brute force: one address, one account
	"logins-stuffing":    "HighFailedLoginRate", // few addresses, many accounts
	"logins-distributed": "HighFailedLoginRate", // many addresses, many accounts
	"pool":               "DatabaseConnectionPoolExhausted",
	"cache":              "LowCacheHitRate",
	"database-down":      "PostgreSQLDown",
}

// faults are those that are turned on.
type faults struct {
	mu sync.Mutex
	on map[string]bool
}

func (f *faults) set(name string, on bool) error {
	if _, ok := Faults[name]; !ok {
		return fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(Faults)), ", "))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.on == nil {
		f.on = map[string]bool{}
	}
	f.on[name] = on
	return nil
}

func (f *faults) is(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.on[name]
}
