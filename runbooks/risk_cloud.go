package runbooks

import (
	"regexp"
	"strings"
)

var (
	awsTakes = optionSet("--region --profile --output --query --endpoint-url --color --ca-bundle --cli-read-timeout --cli-connect-timeout")
	awsReads = regexp.MustCompile(`^(describe|get|list|head|search|lookup|filter|batch-get|estimate|scan|query|check|validate|preview|simulate|view|count|test-dns)(-|$)`)
	awsLoses = regexp.MustCompile(`^(delete|terminate|remove|purge|destroy|deregister|release|revoke|batch-delete|cancel|reset|restore|disassociate|abort|reboot-cache)(-|$)`)
	awsActs  = regexp.MustCompile(`^(create|update|put|modify|set|start|stop|reboot|run|attach|detach|add|associate|register|enable|disable|tag|untag|copy|import|publish|send|apply|authorize|change|failover|promote|move|upload|allocate|assign|increase|decrease|resume|suspend|rollback|batch-write|complete|continue|notify|signal|switchover|transact|retry|rotate|replace|request|resize|scale|split|merge|subscribe|unsubscribe|confirm|accept|reject)(-|$)`)
)

// judgeAWS judges by the operation's name, which begins with what it does.
func judgeAWS(inv invocation, _ bool) (Risk, string) {
	operands, options, _ := words(inv.args, awsTakes)
	if len(operands) < 2 {
		if len(operands) == 1 && operands[0].text == "help" || hasOption(options, "--version") {
			return Reads, ""
		}
		return Unknown, "has no operation that can be told"
	}
	if !operands[0].static || !operands[1].static {
		return Unknown, "its operation is known only when it runs"
	}
	service, op := operands[0].text, operands[1].text
	if hasOption(options, "--dryrun", "--dry-run") {
		return Reads, ""
	}
	switch service + " " + op {
	case "s3 ls", "s3 presign", "logs tail", "logs filter-log-events", "ecr get-login-password", "sts get-caller-identity", "configure list", "eks wait", "ec2 wait", "rds wait":
		return Reads, ""
	case "s3 rm", "s3 rb":
		return Destroys, "removes objects"
	case "s3 mv":
		return Destroys, "removes the source"
	case "s3 sync":
		if hasOption(options, "--delete") {
			return Destroys, "removes what the source does not have"
		}
		return Changes, "copies objects"
	case "s3 cp", "s3 mb", "s3 website", "eks update-kubeconfig", "s3api get-object", "glacier get-job-output", "lambda get-layer-version":
		return Changes, "writes something"
	case "ssm start-session", "ssm send-command", "ecs execute-command", "lambda invoke", "ssm start-automation-execution", "ec2-instance-connect ssh":
		return Unknown, "runs something elsewhere"
	}
	if service == "configure" {
		if op == "get" {
			return Reads, ""
		}
		return Changes, "changes the settings of aws"
	}
	why := "aws " + service + " " + op
	switch {
	case awsReads.MatchString(op) && followed(inv.args, operands[1]):
		return Changes, why + " writes a file"
	case awsReads.MatchString(op):
		return Reads, ""
	case awsLoses.MatchString(op):
		return Destroys, why + " takes something away"
	case awsActs.MatchString(op):
		return Changes, why + " changes something"
	}
	return Unknown, why + " is not known"
}

// followed tells whether an operand comes right after another: a file that the
// answer is written to.
func followed(args []arg, operand arg) bool {
	for i, a := range args {
		if a.word == operand.word && i+1 < len(args) {
			return !args[i+1].option()
		}
	}
	return false
}

var cloudLoses = optionSet("delete remove destroy purge rm abandon revoke deallocate restore")

// cloudActs are words of gcloud and az that change something.
var cloudActs = optionSet("create update set add start stop restart reset resize scale attach detach enable disable deploy patch apply promote failover migrate move rename " +
	"import export upload copy cp submit run execute send publish replace rollback rotate reboot redeploy generate grant assign drain cordon upgrade suspend resume clone tag untag login logout configure")

// judgeCloud judges gcloud and az: the operation is a plain word before the
// options, after the groups that it stands in.
func judgeCloud(inv invocation, _ bool) (Risk, string) {
	var path []arg
	for _, a := range inv.args {
		if a.option() {
			break
		}
		path = append(path, a)
	}
	for i, a := range path {
		if !a.static {
			return Unknown, "its operation is known only when it runs"
		}
		word := a.text
		switch {
		case cloudLoses[word]:
			return Destroys, inv.name + " … " + word
		case word == "ssh" || word == "scp" || word == "run-command" || word == "rest" || word == "invoke" || word == "start-iap-tunnel":
			return Unknown, inv.name + " … " + word + " runs something elsewhere"
		case cloudActs[word] || strings.HasPrefix(word, "set-") || strings.HasPrefix(word, "add-") || strings.HasPrefix(word, "remove-"):
			return Changes, inv.name + " … " + word
		case (word == "list" || word == "version" || word == "info" || strings.HasPrefix(word, "list-")) && i == len(path)-1,
			(word == "describe" || word == "show" || word == "get-value" || word == "read") && i >= len(path)-2:
			for _, o := range inv.args {
				if o.dynamic() && !o.quotedWhole() {
					return Unknown, "has arguments that cannot be told"
				}
			}
			return Reads, ""
		}
	}
	return Changes, inv.name + " changes something"
}
