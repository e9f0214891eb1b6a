// Package lease shares one test environment between processes. A supervisor
// holds the environment and hands out leases over a socket; the first who asks
// starts the supervisor. A lease is an open connection, so it ends with the
// process that holds it, however that ends. When the last has ended, and no
// other has come for a while, the environment ends too.
package lease
