package runbooks

import (
	"regexp"
	"slices"
	"strings"
)

// redisTakes are redis-cli's options with a value in the next word.
var redisTakes = optionSet("-h -p -s -a -u -n -r -i -d -D -t --user --pass --sni --cacert --cacertdir --cert --key --tls-ciphers --pattern --count --intrinsic-latency --memkeys-samples --quoted-pattern")

// redisFlags are redis-cli's options without a value.
var redisFlags = optionSet("-c -2 -3 -e --raw --no-raw --csv --json --quoted-json --quoted-input --tls --insecure --askpass --no-auth-warning --verbose")

func withoutFlags(args []arg, flags map[string]bool) []arg {
	return slices.DeleteFunc(slices.Clone(args), func(a arg) bool { return flags[a.text] })
}

// redisVerbs are the commands of Redis by what they do. A key that is deleted
// by its name counts as a change: what is asked for is exactly what goes.
var redisVerbs = map[string]Risk{}

func init() {
	for class, names := range map[Risk]string{
		Reads: "get mget getrange strlen substr exists type ttl pttl expiretime pexpiretime keys scan randomkey dump object " +
			"hget hmget hgetall hkeys hvals hlen hexists hstrlen hscan hrandfield httl llen lrange lindex lpos scard smembers sismember smismember srandmember sscan sinter sunion sdiff sintercard " +
			"zcard zcount zrange zrangebyscore zrangebylex zrevrange zrevrangebyscore zrank zrevrank zscore zmscore zscan zlexcount zrandmember zinter zunion zdiff " +
			"xlen xrange xrevrange xinfo xpending bitcount bitpos getbit geopos geodist georadius_ro geosearch geohash pfcount lcs sort_ro " +
			"info ping echo time dbsize lastsave role monitor subscribe psubscribe ssubscribe pubsub command hello wait " +
			"memory client_list client_info client_id client_getname client_getredir client_trackinginfo config_get slowlog_get slowlog_len latency_latest latency_history latency_doctor latency_graph latency_histogram " +
			"cluster_info cluster_nodes cluster_slots cluster_shards cluster_myid cluster_keyslot cluster_countkeysinslot cluster_links cluster_replicas acl_list acl_whoami acl_cat acl_users acl_getuser acl_log acl_dryrun " +
			"script_exists function_list function_stats module_list bf.exists json.get ft.search ft.info ts.get sentinel_masters sentinel_master sentinel_replicas sentinel_slaves sentinel_sentinels sentinel_get-master-addr-by-name sentinel_ckquorum",
		Changes: "set setex psetex setnx mset msetnx append incr incrby incrbyfloat decr decrby getset getex setrange setbit bitfield bitop expire expireat pexpire pexpireat persist rename renamenx copy move touch " +
			"del unlink hset hmset hsetnx hincrby hincrbyfloat hdel lpush lpushx rpush rpushx lset linsert lrem rpoplpush lmove sadd smove srem sinterstore sunionstore sdiffstore zadd zincrby zrem zunionstore zinterstore " +
			"xadd xack xclaim xautoclaim xgroup xreadgroup xsetid xread pfadd pfmerge geoadd geosearchstore publish spublish restore migrate sort " +
			"config_set config_rewrite config_resetstat client_kill client_pause client_unpause client_setname client_no-evict client_tracking client_reply slowlog_reset latency_reset memory_purge " +
			"save bgsave bgrewriteaof failover swapdb select auth reset quit asking readonly readwrite acl_setuser acl_load acl_save script_load script_kill " +
			"cluster_meet cluster_failover cluster_replicate cluster_addslots cluster_setslot cluster_saveconfig cluster_bumpepoch cluster_set-config-epoch function_load function_kill multi exec discard watch unwatch " +
			"sentinel_failover sentinel_set sentinel_monitor shutdown",
		Destroys: "flushall flushdb getdel lpop rpop lmpop blpop brpop spop zpopmin zpopmax zmpop bzpopmin bzpopmax ltrim xtrim xdel zremrangebyrank zremrangebyscore zremrangebylex " +
			"cluster_reset cluster_forget cluster_delslots cluster_flushslots replicaof slaveof script_flush function_flush function_delete function_restore acl_deluser acl_log_reset debug_flushall sentinel_reset sentinel_remove",
	} {
		for _, n := range strings.Fields(names) {
			redisVerbs[strings.ReplaceAll(n, "_", " ")] = class
		}
	}
	redisVerbs["georadius_ro"], redisVerbs["sort_ro"] = Reads, Reads
}

// judgeRedis judges the command that redis-cli is given.
func judgeRedis(inv invocation, fed bool) (Risk, string) {
	for _, a := range inv.args {
		switch a.text {
		case "--pipe", "--eval", "--functions-rdb", "-x", "-X", "--ldb":
			return Unknown, "takes its commands from elsewhere"
		case "--rdb":
			return Changes, "writes a file"
		case "--cluster":
			return judgeRedisCluster(inv)
		case "--latency", "--latency-history", "--latency-dist", "--stat", "--bigkeys", "--memkeys", "--hotkeys", "--scan", "--intrinsic-latency", "--version", "-v", "--help":
			return Reads, ""
		}
	}
	if (program{takes: redisTakes}).hidesVerb(invocation{args: withoutFlags(inv.args, redisFlags)}) {
		return Unknown, "has an option that is not known"
	}
	i, verb := firstOperand(inv.args, redisTakes)
	if i < 0 {
		if fed || inv.appended {
			return Unknown, "takes its commands from elsewhere"
		}
		return Unknown, "opens a session"
	}
	if !inv.args[i].static {
		return Unknown, "its command is known only when it runs"
	}
	verb = strings.ToLower(verb)
	next := strings.ToLower(nextText(inv.args, i))
	risk, ok := redisVerbs[verb+" "+next]
	if !ok {
		risk, ok = redisVerbs[verb]
	}
	if !ok && strings.Contains(verb, " ") { // redis-cli "SET a b" is one unknown command, but be plain about it
		first, _, _ := strings.Cut(verb, " ")
		risk, ok = redisVerbs[first]
		risk = risk.worse(Unknown)
	}
	if !ok {
		return Unknown, "redis " + strings.ToUpper(verb) + " is not known"
	}
	return risk, "redis " + strings.ToUpper(verb) + " " + verbFor(risk)
}

func judgeRedisCluster(inv invocation) (Risk, string) {
	for i, a := range inv.args {
		if a.text == "--cluster" {
			switch nextText(inv.args, i) {
			case "check", "info", "help":
				return Reads, ""
			case "del-node", "import", "create":
				return Destroys, "changes who holds the data"
			case "fix", "reshard", "rebalance", "add-node", "set-timeout", "backup":
				return Changes, "changes who holds the data"
			}
		}
	}
	return Unknown, "its cluster command is not known"
}

// psqlLong are psql's long options that change neither what is run nor where
// the output goes.
var psqlLong = optionSet("--host --port --username --dbname --no-password --password --no-psqlrc --tuples-only --no-align --expanded --quiet --csv --html --echo-all --echo-errors " +
	"--echo-queries --echo-hidden --set --variable --field-separator --record-separator --field-separator-zero --record-separator-zero --pset --table-attr --single-transaction --single-step --single-line --no-readline")

func longName(option string) string {
	name, _, _ := strings.Cut(option, "=")
	return name
}

var (
	psqlTakes   = optionSet("-h --host -p --port -U --username -d --dbname -c --command -f --file -v --set --variable -o --output -L --log-file -F --field-separator -R --record-separator -P --pset -T --table-attr")
	psqlGlued   = regexp.MustCompile(`^-[hpUdvFRPT].`)
	psqlFlags   = regexp.MustCompile(`^-[AaXxtqeEnwWbSsz01H]+$`)
	psqlLetters = regexp.MustCompile(`^-[AaXxtqeEnwWbSsz01H]*c$`)
)

// judgePsql judges the SQL that psql is given.
func judgePsql(inv invocation, fed bool) (Risk, string) {
	var sql []arg
	listing := false
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		switch {
		case a.dynamic() && (!a.quotedWhole() || i == 0 || !psqlTakes[inv.args[i-1].text]):
			return Unknown, "has an argument that may turn out to be an option"
		case a.text == "-c" || a.text == "--command" || psqlLetters.MatchString(a.text):
			if i++; i < len(inv.args) {
				sql = append(sql, inv.args[i])
			} else {
				return Unknown, "gets its SQL from elsewhere"
			}
		case strings.HasPrefix(a.text, "--command="):
			sql = append(sql, arg{text: strings.TrimPrefix(a.text, "--command="), static: a.static})
		case a.text == "-f" || a.text == "--file" || strings.HasPrefix(a.text, "--file=") || strings.HasPrefix(a.text, "-f"):
			return Unknown, "runs SQL from a file"
		case a.text == "-o" || a.text == "--output" || strings.HasPrefix(a.text, "--output=") || a.text == "-L" || strings.HasPrefix(a.text, "--log-file"):
			return Unknown, "writes to a file or a program"
		case a.text == "-l" || a.text == "--list" || a.text == "--version" || a.text == "-V" || a.text == "--help" || a.text == "-?":
			listing = true
		case psqlTakes[a.text]:
			i++
			if i < len(inv.args) && !inv.args[i].static && !inv.args[i].quotedWhole() && !plainVariable(inv.args[i]) {
				return Unknown, "has an argument that may turn out to be several"
			}
		case !a.option(), psqlGlued.MatchString(a.text), psqlFlags.MatchString(a.text), psqlLong[longName(a.text)]:
		default:
			return Unknown, "has an option that is not known"
		}
	}
	if inv.appended {
		return Unknown, "gets arguments from data"
	}
	if len(sql) == 0 {
		switch {
		case listing:
			return Reads, ""
		case fed:
			return Unknown, "runs the SQL that it is fed"
		}
		return Unknown, "opens a session"
	}
	risk, why := Reads, ""
	for _, s := range sql {
		if !s.static {
			return Unknown, "runs SQL that is known only when it runs"
		}
		v := judgeSQL(s.text)
		if risk.worse(v.Risk) != risk && len(v.Findings) > 0 {
			why = v.Findings[0].Why
		}
		risk = risk.worse(v.Risk)
	}
	return risk, why
}

// plainVariable tells whether a word is one variable: Bind refuses a value with
// blanks for it.
func plainVariable(a arg) bool { return a.text == hole }

func judgeMySQL(inv invocation, fed bool) (Risk, string) {
	for i, a := range inv.args {
		if a.text != "-e" && a.text != "--execute" {
			continue
		}
		sql := arg{}
		if i+1 < len(inv.args) {
			sql = inv.args[i+1]
		}
		if !sql.static || strings.ContainsAny(sql.text, "\\#`") || strings.Contains(sql.text, "/*!") || inv.appended {
			return Unknown, "runs SQL that cannot be told"
		}
		v := judgeSQL(sql.text)
		why := ""
		if len(v.Findings) > 0 {
			why = v.Findings[0].Why
		}
		return v.Risk, why
	}
	if hasOption(inv.args, "--version", "-V") {
		return Reads, ""
	}
	return Unknown, "runs SQL that cannot be told"
}

func judgePgRestore(inv invocation, _ bool) (Risk, string) {
	switch {
	case hasOption(inv.args, "-l", "--list") && !inv.appended:
		return Reads, ""
	case hasOption(inv.args, "-c", "--clean") || hasLetter(inv.args, 'c'):
		return Destroys, "drops what the backup replaces"
	}
	return Changes, "writes into a database"
}

func judgeArchiveCleanup(inv invocation, _ bool) (Risk, string) {
	if hasOption(inv.args, "-n", "--dry-run") && !inv.appended {
		return Reads, ""
	}
	return Destroys, "removes WAL files"
}

func judgeCtlCluster(inv invocation, _ bool) (Risk, string) {
	if len(inv.args) == 3 && inv.args[2].text == "status" {
		return Reads, ""
	}
	return Changes, "starts, stops or reloads PostgreSQL"
}
