#!/bin/sh
# Runs the command of this name as if the database's files were where the
# postgres image has them. The pods' file system is this machine's.
for argument; do
    shift
    case $argument in
    /var/lib/postgresql/data*) argument=$PGDATA${argument#/var/lib/postgresql/data} ;;
    esac
    set -- "$@" "$argument"
done
PATH=${PATH#*:}
exec "${0##*/}" "$@"
