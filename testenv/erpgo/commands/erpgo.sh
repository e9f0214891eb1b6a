#!/bin/sh
# ERPGo's own command, as far as its runbooks call it: the release that is
# rolled out, and the migrations that the database has seen.
case "$1 $2" in
"version ")
    kubectl get deployment erpgo-api -o 'jsonpath={.spec.template.spec.containers[0].image}{"\n"}'
    ;;
"migrate status")
    exec psql -c "SELECT version, name, applied_at FROM schema_migrations ORDER BY version"
    ;;
*)
    echo "erpgo: version and migrate status are all that the test environment has" >&2
    exit 64
    ;;
esac
