#!/bin/sh
# Runs the real redis-cli against the environment's Redis. It takes the password
# from REDISCLI_AUTH, but an address only from its arguments.
PATH=${PATH#*:}
exec redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" "$@"
