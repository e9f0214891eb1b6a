package runbooks

import "strings"

// judgeSQL judges SQL for PostgreSQL by its tokens: a statement reads only if
// it begins with what reads, and every function in it is known to have no
// effect. What it cannot tell is Unknown.
func judgeSQL(text string) Verdict {
	j := &judge{}
	statements, _ := splitSQL(text)
	for _, st := range statements {
		s := &sqlJudge{text: text, tokens: st.tokens}
		risk, why := s.statement()
		if st.problem != "" {
			risk, why = risk.worse(Unknown), st.problem
		}
		j.add(risk, text[st.start:st.end], why)
	}
	return j.verdict()
}

// sqlJudge judges one statement.
type sqlJudge struct {
	text   string
	tokens []sqlToken
}

// word is the i-th token in upper case where it is an unquoted word, else "".
func (s *sqlJudge) word(i int) string {
	if i < 0 || i >= len(s.tokens) || s.tokens[i].kind != sqlWord {
		return ""
	}
	return strings.ToUpper(s.text[s.tokens[i].start:s.tokens[i].end])
}

// symbol is the i-th token where it is punctuation, else "".
func (s *sqlJudge) symbol(i int) string {
	if i < 0 || i >= len(s.tokens) || s.tokens[i].kind != sqlSymbol {
		return ""
	}
	return s.text[s.tokens[i].start:s.tokens[i].end]
}

func (s *sqlJudge) has(words ...string) bool {
	for i := range s.tokens {
		match := true
		for k, w := range words {
			if s.word(i+k) != w {
				match = false
				break
			}
		}
		if match {
			return true
		}
	}
	return false
}

func (s *sqlJudge) statement() (Risk, string) {
	if len(s.tokens) == 0 {
		return Reads, ""
	}
	if s.tokens[0].kind == sqlMeta {
		return judgeMeta(s.text[s.tokens[0].start:s.tokens[0].end])
	}
	for i := range s.tokens {
		if s.symbol(i) == `\` {
			return Unknown, "holds a command of psql"
		}
	}
	i := 0
	for s.symbol(i) == "(" {
		i++
	}
	return s.from(i)
}

// from judges the statement that begins at the i-th token.
func (s *sqlJudge) from(i int) (Risk, string) {
	verb := s.word(i)
	switch verb {
	case "SELECT", "VALUES", "TABLE", "WITH", "DECLARE":
		return s.query(Reads, "")
	case "SHOW", "FETCH", "MOVE", "CLOSE", "BEGIN", "START", "SAVEPOINT", "RELEASE":
		return Reads, ""
	case "EXPLAIN":
		return s.explain(i + 1)
	case "COPY":
		return s.copy()
	case "UPDATE", "MERGE":
		return Destroys, verb + " overwrites rows"
	case "DELETE", "TRUNCATE":
		return Destroys, verb + " removes rows"
	case "DROP":
		return Destroys, "DROP removes what it names"
	case "INSERT", "REPLACE":
		if s.has("DO", "UPDATE") || verb == "REPLACE" {
			return Destroys, "overwrites rows"
		}
		return s.query(Changes, "INSERT adds rows")
	case "ALTER":
		if s.has("DROP") {
			return Destroys, "ALTER … DROP removes what it names"
		}
		return Changes, "ALTER changes a definition or a setting"
	case "CREATE":
		if s.has("AS", "SELECT") || s.has("AS", "WITH") {
			return s.query(Changes, "CREATE makes a table")
		}
		return Changes, "CREATE makes something"
	case "SET":
		if limit := s.word(i + 2); s.word(i+1) == "LOCAL" && (limit == "STATEMENT_TIMEOUT" || limit == "LOCK_TIMEOUT") {
			return Reads, "" // how long the transaction itself may wait
		}
		return Changes, "SET changes the session"
	case "GRANT", "REVOKE", "COMMENT", "REINDEX", "CLUSTER", "VACUUM", "ANALYZE", "ANALYSE", "REFRESH", "LOCK", "NOTIFY", "LISTEN", "UNLISTEN",
		"CHECKPOINT", "DISCARD", "RESET", "SECURITY", "REASSIGN", "IMPORT", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE", "DEALLOCATE", "KILL", "OPTIMIZE", "FLUSH":
		if verb == "PREPARE" && s.word(i+1) != "TRANSACTION" {
			return Unknown, "PREPARE names a statement that is run elsewhere"
		}
		return Changes, verb + " changes the server or the session"
	case "CALL", "DO", "EXECUTE", "LOAD", "EXEC":
		return Unknown, verb + " runs code that cannot be looked into"
	}
	return Unknown, notKnown
}

// notKnown is why a statement whose first word begins none is Unknown.
const notKnown = "a statement that is not known"

// SQLProblem is why a text cannot be SQL of PostgreSQL, as far as that can be told
// without its whole grammar: a quote or a parenthesis that is never closed, a
// first word that begins no statement. It is empty where nothing is wrong.
func SQLProblem(text string) string {
	masked := mask(text, findPlaceholders(text))
	statements, _ := splitSQL(masked)
	for _, st := range statements {
		s := &sqlJudge{text: masked, tokens: st.tokens}
		if st.problem != "" {
			return st.problem
		}
		if _, why := s.statement(); why == notKnown && s.word(0) != "" && !strings.HasPrefix(s.word(0), strings.Repeat(string(maskByte), 3)) {
			return "no statement begins with " + s.word(0)
		}
	}
	return ""
}

// explain: EXPLAIN only plans, EXPLAIN ANALYZE executes what it explains.
func (s *sqlJudge) explain(i int) (Risk, string) {
	executes := false
	if s.symbol(i) == "(" {
		for i++; i < len(s.tokens) && s.symbol(i) != ")"; i++ {
			if w := s.word(i); w == "ANALYZE" || w == "ANALYSE" {
				next := s.word(i + 1)
				off := next == "FALSE" || next == "OFF"
				if i+1 < len(s.tokens) && s.tokens[i+1].kind == sqlNumber {
					off = s.text[s.tokens[i+1].start:s.tokens[i+1].end] == "0"
				}
				executes = executes || !off
			}
		}
		i++
	}
	for w := s.word(i); w == "ANALYZE" || w == "ANALYSE" || w == "VERBOSE"; w = s.word(i) {
		executes = executes || w != "VERBOSE"
		i++
	}
	if !executes {
		return Reads, ""
	}
	for s.symbol(i) == "(" {
		i++
	}
	risk, why := s.from(i)
	if risk != Reads {
		why = "EXPLAIN ANALYZE executes the statement: " + why
	}
	return risk, why
}

// copy: COPY … TO STDOUT reads; a file or a program of the server is written or
// run otherwise.
func (s *sqlJudge) copy() (Risk, string) {
	switch {
	case s.has("PROGRAM"):
		return Unknown, "COPY … PROGRAM runs a program on the server"
	case s.has("TO", "STDOUT"):
		return s.query(Reads, "")
	case s.has("FROM", "STDIN"):
		return Changes, "COPY … FROM adds rows"
	}
	return Changes, "COPY reads or writes a file on the server"
}

// query judges a statement that may hold queries: what it calls, what it locks,
// and whether a part of it writes.
func (s *sqlJudge) query(risk Risk, why string) (Risk, string) {
	worse := func(r Risk, reason string) {
		if risk.worse(r) != risk {
			risk, why = r, reason
		}
	}
	for i := range s.tokens {
		switch w := s.word(i); {
		case s.symbol(i-1) == ".":
		case w == "INTO" && s.word(i-1) != "INSERT" && s.word(i-1) != "MERGE":
			worse(Changes, "SELECT INTO makes a table")
		case w == "FOR" && (s.word(i+1) == "UPDATE" || s.word(i+1) == "SHARE" || s.word(i+1) == "NO" || s.word(i+1) == "KEY"):
			worse(Changes, "locks the rows that it reads")
		case w == "UPDATE" && (s.word(i-1) == "FOR" || s.word(i-1) == "KEY"):
		case w == "UPDATE", w == "DELETE", w == "MERGE":
			worse(Destroys, w+" inside a query writes")
		case w == "INSERT" && i > 0:
			worse(Changes, "INSERT inside a query writes")
		}
		if s.symbol(i+1) == "(" {
			r, reason := s.function(i)
			worse(r, reason)
		}
	}
	return risk, why
}

// function judges the word before a parenthesis.
func (s *sqlJudge) function(i int) (Risk, string) {
	t := s.tokens[i]
	var name string
	switch t.kind {
	case sqlWord:
		name = strings.ToLower(s.text[t.start:t.end])
		if beforeParenthesis[name] {
			return Reads, ""
		}
	case sqlQuoted:
		name = s.text[t.body:t.tail]
	default:
		return Reads, ""
	}
	if w := s.word(i - 1); w == "AS" || w == "WITH" || w == "RECURSIVE" || w == "INTO" || s.symbol(i-1) == "," && s.cteAt(i) {
		return Reads, "" // a name with its columns
	}
	if s.symbol(i-1) == "." && s.word(i-2) != "PG_CATALOG" && s.word(i-2) != "INFORMATION_SCHEMA" {
		return Unknown, "calls " + name + ", which cannot be looked into"
	}
	if r, ok := sqlFunctions[name]; ok {
		return r, "calls " + name + ", which " + verbFor(r)
	}
	if strings.HasPrefix(name, "pg_stat_get_") || strings.HasPrefix(name, "has_") && strings.HasSuffix(name, "_privilege") || strings.HasPrefix(name, "regexp_") || strings.HasPrefix(name, "json") && !strings.Contains(name, "populate") {
		return Reads, ""
	}
	return Unknown, "calls " + name + ", which cannot be looked into"
}

// cteAt tells whether the i-th token names a further WITH query: name (…) AS (.
func (s *sqlJudge) cteAt(i int) bool {
	depth := 0
	for k := i + 1; k < len(s.tokens); k++ {
		switch s.symbol(k) {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return s.word(k+1) == "AS" && s.symbol(k+2) == "("
			}
		}
	}
	return false
}

// beforeParenthesis are words that stand before a parenthesis and call nothing.
var beforeParenthesis = optionSet("select from where and or not in exists any all some as on using over filter by values when then else case between limit offset fetch " +
	"row array union except intersect having join lateral distinct group order partition within materialized is like ilike similar into returning set with recursive " +
	"cast numeric decimal varchar char character bit varying timestamp timestamptz time interval float precision int integer only conflict rollup cube sets grouping " +
	"left right inner outer cross natural full tablesample system bernoulli window rows range groups end asc desc nulls collate table explain analyze verbose escape to copy")

// sqlFunctions are functions by what they do. One that is not here is Unknown.
var sqlFunctions = map[string]Risk{}

func init() {
	for class, names := range map[Risk]string{
		Reads: "count sum avg min max every bool_and bool_or array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg xmlagg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp " +
			"percentile_cont percentile_disc mode rank dense_rank percent_rank cume_dist row_number ntile lag lead first_value last_value nth_value " +
			"coalesce nullif greatest least abs ceil ceiling floor round trunc mod power sqrt exp ln log sign random div width_bucket " +
			"length char_length character_length octet_length bit_length lower upper initcap trim btrim ltrim rtrim substring substr position strpos replace translate concat concat_ws left right repeat reverse lpad rpad split_part overlay " +
			"format quote_ident quote_literal quote_nullable md5 sha224 sha256 sha384 sha512 encode decode ascii chr starts_with to_char to_date to_timestamp to_number to_hex string_to_array array_to_string " +
			"now current_date current_time current_timestamp localtime localtimestamp clock_timestamp statement_timestamp transaction_timestamp timeofday age extract date_part date_trunc date_bin make_interval make_date make_timestamp make_timestamptz justify_interval isfinite " +
			"array_length array_position array_append array_remove array_cat cardinality unnest generate_series generate_subscripts array_upper array_lower array_dims " +
			"row_to_json to_json to_jsonb jsonb_build_object json_build_object jsonb_build_array jsonb_pretty jsonb_array_elements jsonb_each jsonb_object_keys jsonb_array_length jsonb_typeof jsonb_extract_path jsonb_extract_path_text " +
			"version current_database current_schema current_schemas current_user session_user current_setting inet_client_addr inet_server_addr inet_server_port " +
			"pg_backend_pid pg_blocking_pids pg_safe_snapshot_blocking_pids pg_postmaster_start_time pg_conf_load_time pg_is_in_recovery pg_is_wal_replay_paused pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp " +
			"pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset pg_current_xact_id_if_assigned pg_current_snapshot txid_current_if_assigned txid_current_snapshot " +
			"pg_database_size pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size pg_tablespace_size pg_column_size pg_size_pretty pg_size_bytes pg_relation_filepath pg_relation_filenode " +
			"pg_get_indexdef pg_get_constraintdef pg_get_viewdef pg_get_functiondef pg_get_expr pg_get_userbyid pg_get_serial_sequence pg_get_triggerdef pg_get_ruledef pg_get_keywords pg_get_partkeydef pg_get_function_arguments pg_get_function_identity_arguments " +
			"obj_description col_description shobj_description format_type to_regclass to_regproc to_regtype to_regrole pg_table_is_visible pg_encoding_to_char pg_describe_object pg_identify_object pg_tablespace_location " +
			"pg_locks pg_lock_status pg_stat_statements pg_stat_file pg_ls_dir pg_ls_waldir pg_ls_logdir pg_ls_archive_statusdir pg_ls_tmpdir pg_read_file pg_control_checkpoint pg_control_system pg_control_recovery pg_control_init pg_show_all_settings pg_hba_file_rules pg_timezone_names pg_cursor pg_prepared_statement pg_prepared_xact pg_stat_get_activity " +
			"pg_sleep txid_status pg_xact_status pg_xact_commit_timestamp pg_my_temp_schema pg_is_other_temp_schema pg_listening_channels pg_notification_queue_usage pg_trigger_depth pg_jit_available inet_client_port host masklen network family broadcast hostmask netmask text abbrev set_masklen " +
			"lastval currval pgstattuple pgstatindex bt_index_check bt_index_parent_check verify_heapam gen_random_uuid uuid_generate_v4 similarity word_similarity unaccent crypt gen_salt hstore st_distance st_astext exists if ifnull date year month day hour minute second datediff date_format from_unixtime unix_timestamp group_concat isnull database user connection_id",
		Changes: "pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_switch_wal pg_create_restore_point pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_promote pg_wal_replay_pause pg_wal_replay_resume " +
			"nextval setval set_config lo_import lo_export lo_create lo_creat lo_put lo_open lo_from_bytea lowrite pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock pg_advisory_unlock pg_advisory_unlock_all " +
			"pg_notify pg_export_snapshot pg_logical_emit_message pg_create_logical_replication_slot pg_create_physical_replication_slot pg_replication_slot_advance pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_replication_origin_create pg_replication_origin_advance " +
			"txid_current pg_current_xact_id pg_log_backend_memory_contexts pg_prewarm pg_import_system_collations brin_summarize_new_values gin_clean_pending_list pg_sync_replication_slots autoprewarm_start_worker",
		Destroys: "pg_stat_reset pg_stat_reset_shared pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_replication_slot pg_stat_statements_reset pg_drop_replication_slot pg_replication_origin_drop lo_unlink lo_truncate lo_truncate64 " +
			"pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_file_write pg_file_unlink pg_file_rename pg_truncate_visibility_map heap_force_kill heap_force_freeze",
	} {
		for _, n := range strings.Fields(names) {
			sqlFunctions[n] = class
		}
	}
}

var metaReads = optionSet(`\d \d+ \dt \dt+ \di \di+ \dv \dn \du \dg \df \dx \dx+ \dp \ds \dS \db \dT \dm \l \l+ \list \x \timing \conninfo \q \pset \h \? \echo \qecho \encoding \z \sf \sv \set \a \t \errverbose`)

// judgeMeta judges a command of psql. A backquote in it runs a shell.
func judgeMeta(line string) (Risk, string) {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if metaReads[name] && !strings.ContainsAny(rest, "`|") && !strings.Contains(rest, `\`) {
		return Reads, ""
	}
	return Unknown, "psql's " + name + " cannot be looked into"
}
