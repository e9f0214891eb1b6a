// Package bench measures the released program from outside, as its operator
// meets it: how soon it draws, and what it costs beside 5,000 pods and beside
// k9s. "make bench" runs it and prints what it measured as a table; what each
// figure is held to is in table.awk.
package bench
