// Package testenv gives tests real servers.
package testenv
