package lint

// Rule is one thing that the linter looks for.
type Rule struct {
	Name     string
	Severity Severity
	Title    string // one line
	Doc      string // why, and what to do instead

	file func(*linter) // applied to each file
	all  func(*linter) // applied once
}

// Rules are all rules, in the order in which they are documented.
func Rules() []Rule { return rules }

var rules []Rule

func init() {
	rules = []Rule{
		// What does not parse.
		{"promql", Error, "PromQL that does not parse", "An expression in a block, a comment or a code span does not parse, so that nobody can evaluate it. The message proposes an expression that does; where the author's intent is open it proposes several.", promql, nil},
		{"bash", Error, "a shell command that does not parse", "A command is no bash, with its placeholders taken as words. It will not run.", bash, nil},
		{"sql", Error, "a statement that does not parse", "A quote or a parenthesis of a statement is never closed, or its first word begins none. Statements that psql is given by -c are looked at, too.", sql, nil},
		{"markdown", Warning, "Markdown that was read otherwise than it was meant", "A fence is never closed and swallows what follows, or the file is not valid UTF-8.", markdown, nil},
		{"placeholder", Error, "a placeholder that no value can be put into", "A placeholder stands where no value could be quoted safely: inside backquotes, inside $'…', as a heredoc's delimiter, in a redirection of descriptors. Move it, or write $(…) for the backquotes.", placeholder, nil},

		// What leads nowhere.
		{"dead-anchor", Error, "a link to a heading that is not there", "A link's anchor is that of no heading in its file, and of no HTML element. Links of the contents and of tables are looked at, too.", deadAnchor, nil},
		{"dead-file", Error, "a link to a file that is not there", "A link names a file, relative to the runbook's, that does not exist.", deadFile, nil},
		{"missing-file", Note, "a local file that is not there", "A command runs or reads a local file which is neither beside the runbook nor above it. It may exist where the cockpit runs.", missingFile, nil},
		{"not-in-contents", Warning, "a runbook that the table of contents leaves out", "The file has a table of contents, and this heading is not in it.", notInContents, nil},

		// Alerts.
		{"alert-without-runbook", Error, "an alerting rule without a runbook", "No runbook belongs to the alert: neither its runbook_url, nor a book's table, nor an alert name leads to one. Needs --rules or --prometheus.", nil, alertWithoutRunbook},
		{"runbook-without-alert", Warning, "a runbook for an alert that does not exist", "The runbook names an alert of which there is no rule. It was renamed, or removed. Needs --rules or --prometheus.", nil, runbookWithoutAlert},
		{"duplicate-alert", Warning, "two runbooks for one alert", "An operator sees one of them first; which one is a matter of chance to whoever maintains them. Merge them.", nil, duplicateAlert},
		{"missing-series", Error, "an expression over series that do not exist", "No series matches a selector of the alert's expression or of a runbook's query: it never fires, and shows nothing. Needs --prometheus.", nil, missingSeries},

		// What does not do what it says.
		{"impossible", Error, "a command that the server will refuse", "Kubernetes objects cannot be renamed: patching metadata.name fails. Make the object that you want and remove the other.", impossible, nil},
		{"incomplete-call", Error, "a command that lacks a part", "A required option or argument is missing, so that the command only prints its usage.", incompleteCall, nil},
		{"caption", Warning, "a comment that says the opposite of its command", "The same settings are made elsewhere in the book under a comment that says the opposite: one tightens, one increases. One of the comments is wrong.", caption, nil},

		// What hurts.
		{"explain-analyze", Warning, "EXPLAIN ANALYZE executes the statement", "EXPLAIN ANALYZE runs what it explains, writes included. EXPLAIN alone shows the plan.", explainAnalyze, nil},
		{"redis-blocking", Warning, "a command that blocks Redis", "KEYS, SAVE, FLUSHALL and others keep every client waiting while they walk all data. SCAN, BGSAVE and ASYNC do not.", redisBlocking, nil},
		{"selector-logs", Warning, "logs of a selector without --tail", "With a selector, kubectl logs reads only the last 10 lines of each pod unless --tail says otherwise: what counts them counts wrongly.", selectorLogs, nil},
		{"secret-output", Warning, "a secret that is printed", "The command reads a secret's data, which then stands on screen, in the journal and in the post-mortem. Let kubectl print its length: -o go-template='{{.data.KEY | base64decode | len}}'.", secretOutput, nil},
		{"scale-to-zero", Warning, "a command that stops everything", "Scaling to 0 replicas takes the service down. Say so in the comment above (stop, down, outage), or scale to another number.", scaleToZero, nil},
		{"no-way-back", Warning, "a change without a way back", "Nothing in the step says how to undo the change, or what to restore after something was destroyed. Add the command that does under a comment such as \"Way back\", or say in words how to revert it, or that there is no way back.", noWayBack, nil},
	}
}
